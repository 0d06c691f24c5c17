"""What the doctor says of `lms`: good ones, broken ones, silent ones."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lmdeck.backend.lms import Lms
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.diagnosis.tools import lms_finding, reach_finding, stream_finding

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows runs no shell scripts, and the fake lms is one")

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def fake_lms(tmp_path: Path) -> Callable[[str], str]:
    """Makes a program out of Python code, with `sys` and `time` there."""

    def make(code: str) -> str:
        (tmp_path / "lms.py").write_text(f"import sys, time\n{code}\n")
        launcher = tmp_path / "lms"
        launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {tmp_path}/lms.py "$@"\n')
        launcher.chmod(0o755)
        return str(launcher)

    return make


async def test_a_version_is_told_with_the_path(fake_lms: Callable[[str], str]) -> None:
    path = fake_lms("""assert sys.argv[1:] == ["version", "--json"]; print('{"version": "abc"}')""")
    finding = await lms_finding(path)
    assert (finding.state, finding.words) == ("ok", f"{path}, version abc")
    assert (await lms_finding(fake_lms("print('lms 1.2')"))).words.endswith("version not told")


async def test_an_lms_that_cannot_run_fails_in_its_own_words(fake_lms: Callable[[str], str], tmp_path: Path) -> None:
    finding = await lms_finding(fake_lms("sys.exit('Error: bad node')"))
    assert finding.state == "fail"
    assert "bad node" in finding.words
    assert "lms version" in finding.next_step
    assert (await lms_finding(str(tmp_path / "gone"))).state == "fail"


async def test_whether_it_reaches_the_server_is_asked_by_ps(fake_lms: Callable[[str], str]) -> None:
    lms = Lms(fake_lms("print('[]') if sys.argv[1] == 'ps' else sys.exit(1)"))
    finding = await reach_finding(lms)
    assert (finding.state, finding.words) == ("ok", "it reaches the server; 0 loaded")
    finding = await reach_finding(Lms(fake_lms("sys.exit('Error: no server')")))
    assert (finding.state, "no server" in finding.words) == ("fail", True)


async def test_a_stream_that_ends_fails_and_one_that_is_silent_is_not_known(fake_lms: Callable[[str], str]) -> None:
    backend = LMStudio(NOWHERE)
    finding = await stream_finding(Lms(fake_lms("sys.exit('Error: gone')")), backend)
    assert finding.state == "fail"
    assert "gone" in finding.words
    assert "again in" not in finding.words
    finding = await stream_finding(Lms(fake_lms("time.sleep(60)")), backend, within_s=0.2)
    assert finding.state == "unknown"
    await backend.close()
