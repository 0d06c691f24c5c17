"""The language of the log's filter.

    word  "a phrase"      must occur in the entry, upper and lower case alike; all of them must
    re:PATTERN            a regular expression must be found; re:"with blanks"; case is ignored,
                          ^ and $ stand for the ends of any line
    model:NAME            part of the instance's id
    source:model          model, server, runtime or deck; several with commas; beginnings will do
    level:warn            this level and those above: debug < info < warn < error
    stop:REASON           part of the stop reason
    tps<20  ttft>=2  tokens>1000  out>500
                          tokens/s, seconds to the first token (also 300ms), prompt tokens, predicted tokens;
                          with < <= > >= or =
    since:10m             not older than 30s, 10m, 2h or 1d, counted from when it is typed; since:14:30 is a time of day
    -term                 leaves out what the term would show, -word and -model:x alike

An unknown NAME: is a word like any other; what stands in quotes is always text. A quote that is not closed goes on to
the end, so that typing one shows no error in between.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lmdeck.model.log import SOURCES, PredictionInput, PredictionOutput, RuntimeLine
from lmdeck.model.log_pattern import Hits, Pattern

if TYPE_CHECKING:
    from lmdeck.model.exchange import Exchange
    from lmdeck.model.log import LogEntry, PredictionStats

Test = Callable[["LogEntry", "Exchange | None"], bool]

_TOKEN = re.compile(
    r'(?P<no>-(?=[^\s-]))?(?:(?P<key>[a-z]+)(?P<sign><=|>=|[:<>=]))?(?P<value>"(?:[^"\\]|\\.)*\\?(?:"|\Z)|\S*)',
    re.IGNORECASE | re.DOTALL,
)
_LEVELS = {"trace": 0, "debug": 0, "info": 1, "warn": 2, "warning": 2, "error": 3, "fatal": 3, "critical": 3}
_FIGURES = {"tps": "tokens_per_second", "ttft": "ttft_s", "tokens": "prompt_tokens", "out": "predicted_tokens"}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "=": lambda value, bound: value == bound,
}
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class BadQuery(ValueError):
    """A filter that cannot be understood: `words` say why, `position` is the character it is about."""

    def __init__(self, words: str, position: int) -> None:
        super().__init__(words)
        self.words = words
        self.position = position


@dataclass(frozen=True, slots=True)
class Query:
    """What a filter asks for. `text` is what was typed; `parse_query` makes it."""

    text: str = ""
    words: tuple[str, ...] = ()
    """All of these must occur; lower case."""
    unwanted: tuple[str, ...] = ()
    """None of these may."""
    patterns: tuple[Pattern, ...] = ()
    unwanted_patterns: tuple[Pattern, ...] = ()
    tests: tuple[Test, ...] = ()
    """What is asked of the entry's fields and its exchange's."""
    by_exchange: bool = False
    """Whether the exchange has a say: an entry that did not pass may pass once more is known of it."""

    def passes(self, entry: LogEntry, exchange: Exchange | None = None) -> bool:
        """Whether the entry is asked for. Model, stop reason and statistics are its exchange's where that is known, so
        that all lines of an exchange are shown or none; everything else is its own."""
        for test in self.tests:
            if not test(entry, exchange):
                return False
        if self.words or self.unwanted:
            text, labels = entry.text.lower(), _labels(entry)
            for word in self.words:
                if word not in text and word not in labels:
                    return False
            for word in self.unwanted:
                if word in text or word in labels:
                    return False
        if self.patterns and not all(pattern.found(entry.text) for pattern in self.patterns):
            return False
        return not any(pattern.found(entry.text) for pattern in self.unwanted_patterns)

    @property
    def needle(self) -> str | None:
        """The first word or phrase that is looked for, in lower case."""
        return self.words[0] if self.words else None

    @property
    def skipped(self) -> int:
        """How many entries its expressions could not be tried on in time."""
        return sum(pattern.skipped for pattern in (*self.patterns, *self.unwanted_patterns))

    def hits(self, text: str) -> Hits:
        """Where in `text` its words and expressions are found: start and end, in order, none overlapping."""
        found: Hits = []
        if self.words:
            any_word = re.compile("|".join(map(re.escape, self.words)), re.IGNORECASE)
            found += [match.span() for match in any_word.finditer(text)]
        for pattern in self.patterns:
            found += pattern.hits(text)
        joined: Hits = []
        for start, end in sorted(found):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return joined


def parse_query(text: str, now: float) -> Query:
    """The query that `text` says (this module's docstring is the language); `now` is Unix seconds, for `since:`.

    Raises BadQuery.
    """
    words: dict[bool, list[str]] = {True: [], False: []}
    patterns: dict[bool, list[Pattern]] = {True: [], False: []}
    tests: list[Test] = []
    by_exchange = False
    for token in _tokens(text):
        if token.key == "re" and token.sign == ":":
            patterns[token.wanted].append(_pattern(token))
        elif token.key and (test := _test(token, now)):
            tests.append(test if token.wanted else _not(test))
            by_exchange = by_exchange or token.key in _FIGURES or token.key in ("model", "stop")
        elif token.word:
            words[token.wanted].append(token.word.lower())
    return Query(
        text,
        tuple(words[True]),
        tuple(words[False]),
        tuple(patterns[True]),
        tuple(patterns[False]),
        tuple(tests),
        by_exchange,
    )


@dataclass(frozen=True, slots=True)
class _Token:
    """A term: `key` and `sign` where it has them, `value` behind them, and the whole of it as a `word`."""

    at: int
    wanted: bool
    key: str
    sign: str
    value: str
    word: str

    def bad(self, words: str) -> BadQuery:
        return BadQuery(f"{self.key}{self.sign} {words}", self.at)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        assert match is not None  # it matches anything but a blank
        key, sign, value = (match["key"] or "").lower(), match["sign"] or "", match["value"]
        quoted = value.startswith('"')
        if quoted:
            value = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
            if key != "re":
                value = re.sub(r'\\(["\\])', r"\1", value)
        word = value if not key else match[0][len(match["no"] or "") :]
        yield _Token(at, not match["no"], key, sign, value, word)
        at = match.end()


def _not(test: Test) -> Test:
    return lambda entry, exchange: not test(entry, exchange)


def _pattern(token: _Token) -> Pattern:
    if not token.value:
        raise token.bad("needs a pattern")
    try:
        return Pattern(token.value)
    except ValueError as error:
        raise token.bad(str(error)) from None


def _test(token: _Token, now: float) -> Test | None:
    """What a term with a name asks; None where the name means nothing, so that it is a word. Raises BadQuery."""
    if token.key in _FIGURES:
        return _figure(token)
    make = {"model": _model, "stop": _stop, "source": _source, "level": _level}.get(token.key)
    if token.key != "since" and make is None:
        return None
    if token.sign != ":":
        raise BadQuery(f"{token.key} is written with a colon: {token.key}:…", token.at)
    return make(token) if make else _since(token, now)


def _figure(token: _Token) -> Test:
    """A statistic against a bound; one that is not known is on neither side of it."""
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})(ms|s)?", token.value, re.ASCII)
    if token.sign == ":" or match is None or (match[2] and token.key != "ttft"):
        raise BadQuery(f"{token.key} is compared with a number: {token.key}>20", token.at)
    name, compare = _FIGURES[token.key], _COMPARE[token.sign]
    bound = float(match[1]) / (1000 if match[2] == "ms" else 1)

    def test(entry: LogEntry, exchange: Exchange | None) -> bool:
        stats = _stats(entry, exchange)
        value = getattr(stats, name) if stats else None
        return value is not None and compare(value, bound)

    return test


def _model(token: _Token) -> Test:
    if not token.value:
        raise token.bad("needs a part of an instance's id")
    part = token.value.lower()
    return lambda entry, exchange: part in (_instance(entry) or (exchange.instance_id if exchange else "")).lower()


def _stop(token: _Token) -> Test:
    if not token.value:
        raise token.bad("needs a part of a stop reason, such as eosFound")
    part = token.value.lower()

    def test(entry: LogEntry, exchange: Exchange | None) -> bool:
        stats = _stats(entry, exchange)
        return stats is not None and part in (stats.stop_reason or "").lower()

    return test


def _source(token: _Token) -> Test:
    names, chosen = (*SOURCES, "deck"), set[str]()
    for wanted in token.value.lower().split(","):
        meant = [name for name in names if wanted and name.startswith(wanted)]
        if not meant:
            raise token.bad(f"is one of {', '.join(names)}")
        chosen.update(meant)
    return lambda entry, exchange: entry.source in chosen


def _level(token: _Token) -> Test:
    meant = [rank for name, rank in _LEVELS.items() if token.value and name.startswith(token.value.lower())]
    if not meant:
        raise token.bad("is one of debug, info, warn, error")
    least = meant[0]
    return lambda entry, exchange: _LEVELS.get(entry.level.lower(), 1) >= least


def _since(token: _Token, now: float) -> Test:
    if match := re.fullmatch(r"(\d{1,5})([smhd])", token.value.lower(), re.ASCII):
        begin = now - int(match[1]) * _UNITS_S[match[2]]
    elif match := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", token.value, re.ASCII):
        clock = int(match[1]), int(match[2]), int(match[3] or 0)
        today = time.localtime(now)
        begin = time.mktime((*today[:3], *clock, 0, 0, -1))
        if begin > now:
            begin = time.mktime((today[0], today[1], today[2] - 1, *clock, 0, 0, -1))
    else:
        raise token.bad("needs a time, such as 10m, 2h or 14:30")
    return lambda entry, exchange: entry.at >= begin


def _stats(entry: LogEntry, exchange: Exchange | None) -> PredictionStats | None:
    own = entry.stats if isinstance(entry, PredictionOutput) else None
    return (exchange.stats if exchange else None) or own


def _instance(entry: LogEntry) -> str:
    return (entry.instance_id or "") if isinstance(entry, PredictionInput | PredictionOutput | RuntimeLine) else ""


def _labels(entry: LogEntry) -> str:
    """What is shown beside the entry's text and can be looked for, too; in lower case."""
    if isinstance(entry, PredictionOutput) and entry.stats and entry.stats.stop_reason:
        return f"{entry.instance_id} {entry.stats.stop_reason}".lower()
    return _instance(entry).lower()
