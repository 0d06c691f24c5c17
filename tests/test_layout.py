"""The house itself: packaging is true, files and functions stay small, the core runs without the screen."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"lmdeck": "app", "lmdeck.widgets": "widgets", "lmdeck.styles": "styles"}
MAX_FILE, MAX_FUNCTION, MAX_CLASS = 300, 45, 240


def sources() -> Iterator[Path]:
    for folder in FOLDERS.values():
        yield from (ROOT / folder).rglob("*.py")


def test_every_package_is_declared() -> None:
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = set()
    for package, folder in FOLDERS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            found.add(".".join([package, *init.parent.relative_to(ROOT / folder).parts]))
    assert declared == found


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE
    for node in ast.walk(ast.parse(text)):
        limit = {ast.ClassDef: MAX_CLASS}.get(type(node), MAX_FUNCTION)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < limit, node.name


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_command_line_does_not_load_the_screen() -> None:
    assert not modules_after("import lmdeck.cli") & {"textual", "rich", "httpx", "psutil", "pynvml", "asyncio"}


def test_the_core_does_not_load_the_screen() -> None:
    core = "lmdeck.commands, lmdeck.connect, lmdeck.feeds.models, lmdeck.state.step, lmdeck.backend.lmstudio"
    assert "textual" not in modules_after(f"import {core}")


def test_the_first_screen_does_not_load_what_it_does_not_show() -> None:
    later = {"httpx", "psutil", "pynvml", "sqlite3", "markdown_it", "pygments", "starlette", "xllamacpp"}
    assert not modules_after("import lmdeck.main, lmdeck.connect, lmdeck.demo.launch") & later
