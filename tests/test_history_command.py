"""`lmdeck log --search`."""

import asyncio
import json
from pathlib import Path

import pytest

from lmdeck.cli import main
from lmdeck.model.exchange import ExchangeRecord, ExchangeText
from lmdeck.store.history import Store

ONE = ExchangeRecord(1e9, "http://x", "qwen", "/v1/chat/completions", "eosFound", 12, 34, 41.3, 0.31)
TWO = ExchangeRecord(1e9 + 1, "http://x", "ha\x1b[31m-expert", "/v1/completions", "failed", error="out of memory")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LMDECK_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


async def fill(folder: Path) -> None:
    async with await Store.open(folder / "history.db") as store:
        await store.add_exchanges([(ONE, ExchangeText("what is a slot", "a place")), (TWO, None)])


def test_without_a_history_it_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "--search", "x"]) == 1
    assert "no history yet" in capsys.readouterr().err


def test_what_matches_is_printed_clean(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(fill(home))
    assert main(["log", "--search", "slot"]) == 0
    out = capsys.readouterr().out
    assert "qwen · /v1/chat/completions · 12→34 tok · 41.3 tok/s · TTFT 0.31 s · eosFound" in out
    assert "what is a slot" in out
    assert main(["log", "--search", "memory"]) == 0
    out = capsys.readouterr().out
    assert "out of memory" in out
    assert "\x1b" not in out


def test_json_and_hidden_text(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(fill(home))
    assert main(["log", "--search", "", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["path"] for one in found] == ["/v1/completions", "/v1/chat/completions"]
    assert {one["schema"] for one in found} == {1}
    assert main(["log", "--search", "slot", "--json", "--hide-text"]) == 0
    assert "what is a slot" not in capsys.readouterr().out
