"""What can be set for one request: who takes it, what a text means for it, and how it is sent.

Only what the user set is sent. Everywhere a parameter has its canonical name and its value is as the user meant it;
`wire` alone spells both for an endpoint.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite

from lmdeck.model.catalog import Model
from lmdeck.model.chat import Value
from lmdeck.model.parameter_table import EFFORTS, HIGHEST, NEEDED, PARAMETERS, SPELLED_NONE, Parameter
from lmdeck.model.text import one_line

__all__ = [
    "NEEDED",
    "PARAMETERS",
    "Invalid",
    "Parameter",
    "accepted",
    "check",
    "named",
    "parse",
    "spelled",
    "taken",
    "wire",
]


class Invalid(ValueError):
    """A text is no value for a parameter; the words are for a person."""


_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


def named(name: str) -> Parameter | None:
    """By its canonical name."""
    return _BY_NAME.get(name)


def accepted(endpoint: str, model: Model | None = None) -> tuple[Parameter, ...]:
    """What an endpoint (by path) takes for this model, with the bounds and choices that hold there."""
    there = (_there(parameter, endpoint, model) for parameter in PARAMETERS)
    return tuple(found for found in there if isinstance(found, Parameter))


def check(parameters: Mapping[str, Value], endpoint: str, model: Model | None = None) -> tuple[str, ...]:
    """What this endpoint or model will not take of the parameters, in words, one each; `taken` leaves them out."""
    return tuple(words for _, _, words in _judged(parameters, endpoint, model) if words)


def taken(parameters: Mapping[str, Value], endpoint: str, model: Model | None = None) -> dict[str, Value]:
    """The parameters without those that `check` speaks of, still by their canonical names."""
    return {name: value for name, value, words in _judged(parameters, endpoint, model) if not words}


def wire(parameters: Mapping[str, Value], endpoint: str) -> dict[str, Value]:
    """What is sent: named and spelled for the endpoint, without what it does not take, with what it needs."""
    sent: dict[str, Value] = {}
    for name, value in {**NEEDED.get(endpoint, {}), **taken(parameters, endpoint)}.items():
        spelled_none = name == "reasoning" and value == "off" and endpoint in SPELLED_NONE
        folder, _, last = _BY_NAME[name].wire[endpoint].rpartition(".")
        inner = sent.setdefault(folder, {}) if folder else sent
        assert isinstance(inner, dict)  # no name is a folder's, too
        inner[last] = "none" if spelled_none else value
    return sent


def _judged(
    parameters: Mapping[str, Value], endpoint: str, model: Model | None
) -> Iterator[tuple[str, Value, str | None]]:
    """Each parameter, and what speaks against it."""
    for name, value in parameters.items():
        known = named(name)
        there = f"{name}: no such parameter" if known is None else _there(known, endpoint, model)
        if isinstance(there, Parameter) and there.kind == "choice" and model is None and isinstance(value, str):
            there = _open_to(there, value)
        yield name, value, there if isinstance(there, str) else _objection(there, value)


def _open_to(parameter: Parameter, value: str) -> Parameter:
    """A model that is not known may allow more than most do, but an endpoint no more than it has."""
    return parameter if value in EFFORTS else replace(parameter, choices=(*parameter.choices, value))


def _there(parameter: Parameter, endpoint: str, model: Model | None) -> Parameter | str:
    """The parameter as it is on this endpoint for this model, or why it is not."""
    name = parameter.name
    if endpoint not in parameter.wire:
        return f"{name}: {endpoint} does not take it"
    parameter = _for_model(parameter, model)
    if name == "reasoning":
        choices = tuple(one for one in parameter.choices if one != "on" or endpoint not in SPELLED_NONE)
        return replace(parameter, choices=choices) if choices else f"{name}: the model has no such setting here"
    return replace(parameter, high=HIGHEST.get((endpoint, name), parameter.high))


def _for_model(parameter: Parameter, model: Model | None) -> Parameter:
    if model is not None and parameter.name == "reasoning":
        allowed = model.capabilities.reasoning
        narrowed = tuple(one for one in allowed if one in parameter.choices)
        return replace(parameter, choices=allowed if parameter.choices == EFFORTS else narrowed)
    if model is not None and parameter.name == "context_length":
        return replace(parameter, high=model.max_context_length)
    return parameter


def _objection(parameter: Parameter, value: Value) -> str | None:
    """Why this is no value of the parameter, in words."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    fits = {
        "number": is_number,
        "integer": is_number and isinstance(value, int),
        "flag": isinstance(value, bool),
        "choice": value in parameter.choices,
        "text": isinstance(value, str) and bool(value.strip()),
        "texts": isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value),
        "json": isinstance(value, dict),
    }[parameter.kind]
    if fits and isinstance(value, int | float) and is_number:
        low, high = parameter.low, parameter.high
        fits = (low is None or value >= low) and (high is None or value <= high)
    return None if fits else f"{parameter.name}: {parameter.expects}, not {one_line(spelled(value), 40)}"


def parse(parameter: Parameter, text: str, model: Model | None = None) -> Value:
    """The value that a text means; raises Invalid. Best given one of `accepted`, whose bounds and choices hold for an
    endpoint; `model` bounds others. Counts may be written `32k`, texts one a line."""
    parameter = _for_model(parameter, model)
    try:
        value = _read(parameter, text.strip())
    except json.JSONDecodeError as error:
        words = f"{parameter.name}: not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise Invalid(words) from None
    except (ValueError, RecursionError):
        raise Invalid(f"{parameter.name}: {parameter.expects}, not {one_line(text, 40)}") from None
    if objection := _objection(parameter, value):
        raise Invalid(objection)
    return value


def spelled(value: Value) -> str:
    """A value as `parse` reads it and a person writes it."""
    match value:
        case bool():
            return "on" if value else "off"
        case str():
            return value
        case [*texts] if all(isinstance(one, str) and _PLAIN.fullmatch(one) for one in texts):
            return "\n".join(map(str, texts))
    return json.dumps(value, ensure_ascii=False)


_PLAIN = re.compile(r'[^\s"\[](?:.*\S)?')
_COUNT = re.compile(r"([+-]?\d{1,18})(k?)")
_FLAGS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_FORMATS = ("text", "json_object", "json_schema")


def _read(parameter: Parameter, text: str) -> Value:
    match parameter.kind:
        case "number":
            return int(text) if text.isdecimal() else float(text.replace(",", "."))
        case "integer":
            if not (count := _COUNT.fullmatch(re.sub(r"[\s_,']", "", text.lower()))):
                raise ValueError
            return int(count[1]) * (1024 if count[2] else 1)
        case "flag":
            return _FLAGS.get(text.lower(), text)
        case "choice":
            return text.lower()
        case "texts":
            if not text.startswith(("[", '"')):
                return list(filter(None, text.splitlines()))
            return [found] if isinstance(found := _json(text), str) else found
        case "json":
            return _format(_json(text)) if parameter.name == "response_format" else _json(text)
    return text


def _format(value: Value) -> Value:
    """A bare JSON schema becomes the format that asks for it."""
    if not isinstance(value, dict) or value.get("type") in _FORMATS:
        return value
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": value}}


def _json(text: str) -> Value:
    value: Value = json.loads(text, parse_constant=_refuse)
    return value


def _refuse(constant: str) -> Value:
    raise ValueError(f"{constant} is no JSON")
