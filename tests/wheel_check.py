"""Builds the wheel, installs it with its pinned dependencies in an empty environment, and runs it from there.

Checks what only an installed wheel can show: nothing generic is installed, style sheets are inside, the
commands answer, and the core install keeps its size limit.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMIT_MB = 40


def run(*command: str | Path) -> str:
    """The output of a command that must succeed; its error output is shown."""
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> int:
    """Raises on the first thing that is not as it should be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)  # setuptools would pack files that are gone
        pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
        run(sys.executable, *pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
        (wheel,) = folder.glob("*.whl")
        tops = {entry.split("/")[0] for entry in zipfile.ZipFile(wheel).namelist()}
        assert {top for top in tops if not top.endswith(".dist-info")} == {"lmdeck"}, tops

        venv.create(folder / "env", with_pip=True)
        scripts = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        python = scripts / "python"
        packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
        before = size_mb(packages)
        run(python, *pip, "install", "--no-compile", "--require-hashes", "-r", ROOT / "requirements" / "core.txt")
        run(python, *pip, "install", "--no-compile", "--no-deps", wheel)
        answer = run(scripts / "lmdeck", "--version")
        assert re.fullmatch(r"lmdeck \d+\.\d+\.\d+", answer), answer
        assert run(python, "-m", "lmdeck", "--version") == answer
        assert "main" in run(
            python, "-c", "import lmdeck.main, lmdeck.styles as s; print(s.path('dialogs.tcss').read_text() and 'main')"
        )
        grown = size_mb(packages) - before
        assert grown < LIMIT_MB, f"the core install takes {grown:.1f} MB"
        print(f"wheel ok: {answer}, {grown:.1f} MB with its dependencies")
    return 0


def size_mb(folder: Path) -> float:
    """The sum of all files, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
