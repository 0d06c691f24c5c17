"""Terminals of all kinds, and what the doctor says of them."""

from dataclasses import replace

import pytest

from lmdeck.diagnosis.terminal import Terminal, terminal_findings, this_terminal

GOOD = Terminal((160, 45), "utf-8", "xterm-256color", "truecolor")


def states(terminal: Terminal) -> list[str]:
    return [finding.state for finding in terminal_findings(terminal)]


def test_a_modern_terminal_has_everything() -> None:
    assert states(GOOD) == ["ok", "ok", "ok"]
    kind, _, colours = terminal_findings(GOOD)
    assert kind.words == "xterm-256color, 160×45"
    assert colours.words == "16 million"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"size": (79, 24)}, ["warn", "ok", "ok"]),
        ({"term": "dumb"}, ["fail", "ok", "ok"]),
        ({"term": ""}, ["fail", "ok", "ok"]),
        ({"encoding": "ascii"}, ["ok", "fail", "ok"]),
        ({"encoding": "ANSI_X3.4-1968"}, ["ok", "fail", "ok"]),
        ({"encoding": "UTF-8"}, ["ok", "ok", "ok"]),
        ({"term": "linux", "colorterm": ""}, ["ok", "warn", "warn"]),
        ({"colorterm": ""}, ["ok", "ok", "ok"]),
        ({"colorterm": "", "term": "vt220"}, ["ok", "ok", "warn"]),
        ({"colorterm": "", "term": "vt220", "no_color": True}, ["ok", "ok", "ok"]),
        ({"term": "", "colorterm": "", "windows": True}, ["ok", "ok", "ok"]),
    ],
)
def test_each_lack_is_told_by_its_own_part_and_with_a_way_out(changes: dict, expected: list[str]) -> None:
    terminal = replace(GOOD, **changes)
    assert states(terminal) == expected
    assert all(one.next_step for one in terminal_findings(terminal) if one.state in ("warn", "fail"))


def test_without_a_terminal_nothing_is_claimed() -> None:
    assert states(replace(GOOD, size=None)) == ["unknown"] * 3


def test_a_terminals_name_cannot_write_into_it() -> None:
    assert "\x1b" not in terminal_findings(replace(GOOD, term="\x1b[2Jxterm"))[0].words


def test_the_environment_is_read() -> None:
    found = this_terminal({"TERM": "screen", "COLORTERM": "24bit", "NO_COLOR": "1"})
    assert (found.term, found.colorterm, found.no_color) == ("screen", "24bit", True)
    assert not this_terminal({"NO_COLOR": ""}).no_color
