"""Tables that fit, JSON, and printing again what has changed."""

import argparse
import asyncio
import json

import pytest

from lmdeck.backend.errors import Unreachable
from lmdeck.plain.printing import show, table

HEADS, ROWS = ("NAME", "GB", "WORDS"), [("a", "1.5", "one two"), ("qwen/qwen3", "17.4", "some words that are long")]


def test_a_table_is_whole_where_nobody_asks_for_less() -> None:
    lines = table(HEADS, ROWS, right={"GB"}).splitlines()
    assert lines == [
        "NAME          GB  WORDS",
        "a            1.5  one two",
        "qwen/qwen3  17.4  some words that are long",
    ]


@pytest.mark.parametrize("cells", range(4, 60))
def test_a_table_fits(cells: int) -> None:
    assert max(map(len, table(HEADS, ROWS, right={"GB"}, cells=cells).splitlines())) <= cells


def test_texts_are_cut_before_columns_go_and_numbers_never() -> None:
    assert "17.4  some w…" in table(HEADS, ROWS, right={"GB"}, cells=25)
    narrow = table(HEADS, ROWS, right={"GB"}, cells=20)
    assert "WORDS" not in narrow
    assert "qwen/qwen3  17.4" in narrow
    assert table(HEADS, ROWS, right={"GB"}, cells=12).splitlines()[2] == "qwen/qwen3"
    assert table(HEADS, ROWS, right={"GB"}, cells=6).splitlines()[2] == "qwen/…"


def test_wide_letters_and_control_characters() -> None:
    lines = table(("A", "B"), [("模型", "x"), ("\x1b[2J\n", ""), ("", "y")]).splitlines()
    assert lines[1] == "模型  x"
    assert "\x1b" not in "".join(lines)
    assert lines[2].endswith("–")
    assert lines[3] == "–     y"


class Script:
    """Looks that answer one after another; the last one ends the watch."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)

    async def __call__(self) -> tuple[dict, str]:
        if not self._answers:
            raise asyncio.CancelledError
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"value": answer, "latency_s": len(self._answers)}, f"value {answer}"


async def watched(*answers: object, as_json: bool = False) -> None:
    options = argparse.Namespace(watch=0.001, json=as_json)
    with pytest.raises(asyncio.CancelledError):
        await show(options, "x", Script(*answers))


async def test_only_news_is_printed(capsys) -> None:
    await watched(1, 1, 2, 2, 1)
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("value")] == ["value 1", "value 2", "value 1"]
    assert "\x1b" not in out


async def test_watched_json_is_an_object_a_line(capsys) -> None:
    await watched(1, 2, as_json=True)
    assert [json.loads(line)["value"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


async def test_a_server_that_is_lost_is_told_of_once_and_looked_for(capsys) -> None:
    await watched(1, Unreachable("refused"), Unreachable("refused"), 2, Unreachable("refused"), 3)
    out, err = capsys.readouterr()
    assert err.count("x: down: refused") == 2
    assert "value 3" in out


async def test_the_first_look_must_succeed() -> None:
    with pytest.raises(Unreachable):
        await show(argparse.Namespace(watch=1.0, json=False), "x", Script(Unreachable("refused")))
