"""What the fields of the chat's panel mean: texts in, parameters out, and words on what is wrong or not sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from lmdeck.model.catalog import Model
from lmdeck.model.chat import Tools, Value
from lmdeck.model.conversation import KEPT, NOT_ON_SERVER, NOWHERE, Keeping
from lmdeck.model.endpoints import Endpoint
from lmdeck.model.parameters import (
    NEEDED,
    PARAMETERS,
    Invalid,
    Parameter,
    accepted,
    check,
    named,
    parse,
    spelled,
    taken,
)

KEEPINGS: Final[Mapping[Keeping, str]] = {
    KEPT: "on server and disk",
    NOT_ON_SERVER: "on disk only",
    NOWHERE: "nowhere",
}
DEFAULT: Final = "server default"
_FLAGS: Final = ("on", "off")


class Note(NamedTuple):
    """Words under a field. `wrong`: with them the settings cannot be accepted."""

    words: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next turn goes, and what may be done there. `start` are the parameters the panel was opened with."""

    endpoint: Endpoint
    model: Model | None = None
    busy: bool = False
    read_only: bool = False
    start: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The parameters that are set, by name, notes under their fields, and each field that is to be shown, as it is at
    the endpoint."""

    values: Mapping[str, Value]
    notes: Mapping[str, Note]
    fields: Mapping[str, Parameter]

    @property
    def wrong(self) -> str | None:
        """The first field that must be put right."""
        return next((name for name, note in self.notes.items() if note.wrong), None)


def text_of(parameters: Mapping[str, Value], name: str) -> str:
    """What to type for a parameter; the empty text where it is not set."""
    return spelled(parameters[name]) if name in parameters else ""


def options(parameter: Parameter, text: str = "") -> tuple[str, ...]:
    """What can be chosen, the default first; `text` among them even where it cannot be chosen here."""
    offered = _FLAGS if parameter.kind == "flag" else parameter.choices
    return (DEFAULT, *offered, *((text,) if text and text not in offered else ()))


def hint(parameter: Parameter) -> str:
    """What stands in an empty field."""
    return f"{DEFAULT} · {parameter.help if parameter.kind == 'text' else parameter.expects}"


def read(texts: Mapping[str, str], kept: Mapping[str, Value], place: Place) -> Reading:
    """The texts as parameters for this place. A value of `kept` that is still there stays, even where it is not sent;
    what is typed must be right."""
    here = {parameter.name: parameter for parameter in accepted(place.endpoint.path, place.model)}
    values = {name: value for name, value in kept.items() if named(name) is None}
    needed = NEEDED.get(place.endpoint.path, {})
    notes: dict[str, Note] = {}
    fields: dict[str, Parameter] = {}
    for parameter in PARAMETERS:
        name, text = parameter.name, texts.get(parameter.name, "").strip()
        if text or name in here:
            fields[name] = here.get(name, parameter)
        if not text:
            if name in needed:
                notes[name] = Note(f"cannot do without: {spelled(needed[name])} is sent where nothing is set")
            continue
        try:
            same = name in kept and text == spelled(kept[name]).strip()
            values[name] = kept[name] if same else parse(fields[name], text)
        except Invalid as reason:
            notes[name] = Note(str(reason), wrong=True)
            continue
        if note := _note(name, values[name], place):
            notes[name] = note
    return Reading(values, notes, fields)


def _note(name: str, value: Value, place: Place) -> Note | None:
    """What is to be known of a value that is set."""
    if not_taken := check({name: value}, place.endpoint.path, place.model):
        return Note(f"not sent: {not_taken[0].removeprefix(f'{name}: ')}")
    if name != "context_length":
        return None
    other = value != (place.start or {}).get(name)
    if other and place.read_only:
        return Note("read-only: it would reload the model", wrong=True)
    if other and place.busy:
        return Note("the model is answering: it cannot be reloaded now", wrong=True)
    return Note("reloads the model where it has another context length")


def summary(reading: Reading, place: Place) -> str:
    """What goes out with each turn: `Sends temperature, top_k · not sent: seed`, or what must be put right first."""
    if reading.wrong is not None:
        return f"✗ {reading.wrong} must be put right first"
    path = place.endpoint.path
    sent = taken({**NEEDED.get(path, {}), **reading.values}, path, place.model)
    left = [name for name in reading.values if name not in sent]
    told = (
        f"Sends {', '.join(sent)}" if sent else "Sends no parameters: the server's defaults hold",
        f"not sent: {', '.join(left)}" if left else "",
    )
    return " · ".join(filter(None, told))


def keeping_words(keeping: Keeping, endpoint: Endpoint) -> str:
    """What a way of keeping means at an endpoint."""
    told = []
    if keeping == NOWHERE:
        told.append("gone with the deck")
    if not endpoint.store:
        told.append("this endpoint keeps nothing on the server")
    elif keeping != KEPT:
        told.append("earlier turns are sent each time")
    return "; ".join(told) or "the server remembers what was said"


def tools_words(tools: Sequence[Tools], endpoint: Endpoint, model: Model | None) -> Note | None:
    """What is to be known before tools are chosen."""
    if not tools:
        return Note("None in the configuration: see `plugins` and `[mcp.NAME]` in the README.")
    if not endpoint.integrations and not endpoint.mcp:
        return Note(f"not sent: {endpoint.path} runs no tools")
    if endpoint.mcp and any(each.plugin_id for each in tools):
        return Note(f"Plugins are not sent: {endpoint.path} runs MCP servers only.")
    if model is not None and not model.capabilities.tools:
        return Note("The model is not trained for tools.")
    return None
