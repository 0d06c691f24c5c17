"""The slash commands, carried out."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lmdeck.model.branches import cut_back, path
from lmdeck.model.chat import Value
from lmdeck.model.conversation import KEPT, NOT_ON_SERVER, NOWHERE, Conversation, Keeping
from lmdeck.model.endpoints import ENDPOINTS, find
from lmdeck.model.parameters import Invalid, accepted, named, parse
from lmdeck.model.slash import Command
from lmdeck.model.text import one_line
from lmdeck.talk.answering import model_of
from lmdeck.talk.thread import Thread

_KEEPING: Mapping[str, Keeping] = {"on": KEPT, "off": NOT_ON_SERVER, "nowhere": NOWHERE}


class Refused(ValueError):
    """The command cannot be carried out; the words are for the user."""


def changed(command: Command, thread: Thread) -> Conversation | None:
    """The conversation after a command that changes how it is sent or what it follows; None for another command.
    Raises Refused."""
    conversation, text = thread.conversation, command.text
    match command.name:
        case "system":
            return replace(conversation, system_prompt=text)
        case "param":
            return replace(conversation, parameters=_parameters(command, thread))
        case "endpoint":
            return replace(conversation, endpoint=_endpoint(text))
        case "store":
            return replace(conversation, keeping=_keeping(text))
        case "tools" if text:
            return replace(conversation, integrations=_integrations(text, thread))
        case "preset":
            return _preset(text, thread)
        case "branch":
            return _branched(conversation)
        case "clear":
            return cut_back(conversation, None)
    return None


def _parameters(command: Command, thread: Thread) -> Mapping[str, Value]:
    conversation, name = thread.conversation, command.head
    target = thread.pane.target
    model = model_of(thread.desk.state(), target) if target else None
    there = {each.name: each for each in accepted(conversation.endpoint, model)}
    others = {key: value for key, value in conversation.parameters.items() if key != name}
    if not command.tail:
        return others
    if (parameter := there.get(name)) is None:
        if named(name) is not None:
            raise Refused(f"{conversation.endpoint} does not take {name}")
        raise Refused(f"no parameter {one_line(name, 40)}{_nearest(name, there)}")
    try:
        return {**others, name: parse(parameter, command.tail, model)}
    except Invalid as error:
        raise Refused(str(error)) from None


def _endpoint(name: str) -> str:
    if (endpoint := find(name)) is None:
        names = [each.name for each in ENDPOINTS]
        raise Refused(f"no endpoint {one_line(name, 40)}: there are {', '.join(names)}")
    return endpoint.path


def _keeping(word: str) -> Keeping:
    if (keeping := _KEEPING.get(word.lower())) is None:
        raise Refused("/store takes on (server and disk), off (disk only) or nowhere")
    return keeping


def _integrations(label: str, thread: Thread) -> tuple[str, ...]:
    chosen = thread.conversation.integrations
    if label in chosen:
        return tuple(each for each in chosen if each != label)
    if label not in thread.tools:
        known = ", ".join(thread.tools) or "none: the configuration file names them"
        raise Refused(f"no tools {one_line(label, 40)}; there are {known}")
    return (*chosen, label)


def _preset(name: str, thread: Thread) -> Conversation:
    found = [preset for preset in thread.remembered.presets if preset.name == name]
    if not found:
        raise Refused(
            f"no preset {one_line(name, 40)}{_nearest(name, [each.name for each in thread.remembered.presets])}"
        )
    conversation = thread.conversation
    for preset in found:
        if preset.kind == "parameters":
            conversation = replace(conversation, parameters=preset.parameters)
        else:
            conversation = replace(conversation, system_prompt=preset.system_prompt)
    return conversation


def _branched(conversation: Conversation) -> Conversation:
    """Before the last exchange: what is sent next stands beside it."""
    turns = path(conversation)
    last = next((turn for turn in reversed(turns) if turn.role == "user"), None)
    if last is None:
        raise Refused("nothing was said yet: there is nothing to branch from")
    return cut_back(conversation, last.parent)


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f": did you mean {found[0]}?" if found else ""
