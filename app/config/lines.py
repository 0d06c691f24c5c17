"""At which line of a TOML file a setting stands. The parser of the standard library does not tell."""

from collections.abc import Mapping

Place = tuple[str, ...]
"""The names that lead to a setting: `("servers", "gpubox", "url")`."""

_MAX_STATEMENT = 2000


def places(text: str) -> dict[Place, int]:
    """The line, from 1, of every table and setting in `text`, which must be valid TOML."""
    found: dict[Place, int] = {}
    lines, at, table = text.splitlines(), 0, Place()
    while at < len(lines):
        length, parsed = _statement(lines, at)
        header = lines[at].lstrip().startswith("[")
        names = _names(parsed, deepest=header)
        if header and names:
            table = max(names, key=len)
        for place in names:
            found.setdefault(place if header else table + place, at + 1)
        at += length
    return found


def line_of(place: Place, known: Mapping[Place, int]) -> int | None:
    """The line of a setting, else of the nearest table around it."""
    for end in range(len(place), 0, -1):
        if (line := known.get(place[:end])) is not None:
            return line
    return None


def _statement(lines: list[str], at: int) -> tuple[int, Mapping[str, object]]:
    """How many lines the statement at `at` takes, and what it says alone: a value may go over several lines."""
    import tomllib

    for length in range(1, min(len(lines) - at, _MAX_STATEMENT) + 1):
        try:
            return length, tomllib.loads("\n".join(lines[at : at + length]))
        except tomllib.TOMLDecodeError:
            continue
    return 1, {}


def _names(table: Mapping[str, object], *, deepest: bool) -> list[Place]:
    """Every place that a statement names. `deepest`: of a header, whose tables are empty or a list of them."""
    found: list[Place] = []
    for name, value in table.items():
        found.append((name,))
        inner = value[0] if deepest and isinstance(value, list) and value else value
        if isinstance(inner, Mapping):
            found += [(name, *place) for place in _names(inner, deepest=deepest)]
    return found
