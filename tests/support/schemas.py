"""The documented JSON schemas, and a validator for the part of JSON Schema that they use."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "docs" / "schema"
_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
_KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "type", "properties", "required", "additionalProperties",
    "items", "enum", "const", "oneOf",
}  # fmt: skip


@cache
def schema(name: str) -> dict:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def complaints(value: object, name: str) -> list[str]:
    """What is wrong with a value by the schema in this file; what the schema does not document is, too."""
    return list(_check(value, schema(name), schema(name), "$"))


def _check(value: object, rule: dict, root: dict, at: str) -> Iterator[str]:
    assert rule.keys() <= _KNOWN, rule.keys() - _KNOWN
    if (ref := rule.get("$ref")) is not None:
        inner = root["$defs"][ref.rpartition("/")[2]] if ref.startswith("#/") else schema(ref)
        yield from _check(value, inner, root if ref.startswith("#/") else inner, at)
    if "oneOf" in rule:
        tried = [list(_check(value, one, root, at)) for one in rule["oneOf"]]
        if sum(not found for found in tried) != 1:
            yield f"{at}: not exactly one of {len(tried)}: {tried}"
    if "const" in rule and value != rule["const"]:
        yield f"{at}: {value!r} is not {rule['const']!r}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{at}: {value!r} is none of {rule['enum']}"
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{at}: {value!r} is no {' or '.join(kinds)}"
    if isinstance(value, dict):
        yield from _members(value, rule, root, at)
    if isinstance(value, list) and "items" in rule:
        for number, item in enumerate(value):
            yield from _check(item, rule["items"], root, f"{at}[{number}]")


def _members(value: dict, rule: dict, root: dict, at: str) -> Iterator[str]:
    known = rule.get("properties", {})
    yield from (f"{at}: {name} is missing" for name in rule.get("required", ()) if name not in value)
    for name, member in value.items():
        if name in known:
            yield from _check(member, known[name], root, f"{at}.{name}")
        elif known and rule.get("additionalProperties", False) is False:
            yield f"{at}: {name} is not documented"


def _is(value: object, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind])
