"""`lmdeck log --search WORDS`: the requests that are kept in the history, newest first."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from lmdeck.model.exchange import ExchangeRecord, ExchangeText
from lmdeck.model.text import one_line
from lmdeck.model.units import rate, ttft
from lmdeck.store.errors import StoreError
from lmdeck.store.history import Store

SCHEMA = 1
"""The version of the JSON records: an `ExchangeRecord`'s fields, and `prompt` and `answer` where they were kept."""
EXIT_DONE, EXIT_FAILED = 0, 1


def search(path: Path | None, words: str, *, most: int, as_json: bool, hide_text: bool) -> int:
    """Print what matches all `words` (everything, for an empty text); answers 0, or 1 with the reason on stderr."""
    if path is None or not path.is_file():
        print("lmdeck log: there is no history yet: the deck keeps it", file=sys.stderr)
        return EXIT_FAILED
    try:
        found = asyncio.run(_find(path, words, most))
    except StoreError as error:
        print(f"lmdeck log: {error.problem.lines}", file=sys.stderr)
        return EXIT_FAILED
    for record, text in found:
        kept = None if hide_text else text
        print(_record(record, kept) if as_json else "\n".join(_lines(record, kept)))
    return EXIT_DONE


async def _find(path: Path, words: str, most: int) -> tuple[tuple[ExchangeRecord, ExchangeText | None], ...]:
    async with await Store.open(path) as store:
        if words.strip():
            return await store.search(words, most)
        return tuple((record, None) for record in await store.exchanges(limit=most))


def _record(record: ExchangeRecord, text: ExchangeText | None) -> str:
    return json.dumps({"schema": SCHEMA, **asdict(record), **(asdict(text) if text else {})}, ensure_ascii=False)


def _lines(record: ExchangeRecord, text: ExchangeText | None) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.at))
    tokens = f"{_count(record.prompt_tokens)}→{_count(record.predicted_tokens)} tok"
    told = (rate(record.tokens_per_second), ttft(record.ttft_s), record.stop_reason or "", record.error)
    yield one_line(" · ".join(filter(None, (when, record.instance_id, record.path, tokens, *told))), 400)
    if text is not None:
        yield f"    {one_line(text.prompt, 200)}"
        yield f"    {one_line(text.answer, 200)}"


def _count(value: int | None) -> str:
    return "–" if value is None else str(value)
