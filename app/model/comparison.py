"""One prompt to several models or sets of parameters: who is asked and how, and how each answer comes along."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from lmdeck.model import parameters
from lmdeck.model.chat import ChatStats, Value
from lmdeck.model.conversation import Conversation
from lmdeck.model.endpoints import NATIVE
from lmdeck.model.text import one_line

LEAST: Final = 2
MOST: Final = 4

State = Literal["not asked", "waiting", "answering", "done", "cut off", "failed"]


@dataclass(frozen=True, slots=True)
class Column:
    """Who is asked, and how: `model` is an instance id or model key, `endpoint` a path, `parameters` hold only what the
    user set. `label` is what tells it from the others."""

    label: str
    model: str
    endpoint: str = NATIVE.path
    parameters: Mapping[str, Value] = field(default_factory=dict)
    system_prompt: str = ""

    @classmethod
    def of(cls, conversation: Conversation) -> "Column":
        """As this conversation's next turn would be sent."""
        return cls(
            conversation.model,
            conversation.model,
            conversation.endpoint,
            conversation.parameters,
            conversation.system_prompt,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer came along so far; `time_s` is what passed from asking to its end, or until now."""

    state: State = "not asked"
    stats: ChatStats | None = None
    time_s: float | None = None


def columns_of(
    words: Sequence[str], base: Column, *, presets: Mapping[str, Mapping[str, Value]], known: Collection[str] = ()
) -> tuple[Column, ...]:
    """The columns that `/compare WORD…` asks for. A word is `MODEL`, `MODEL+temperature=0.2`, `MODEL+PRESET` or, for
    `base`'s own model, `+temperature=0.2`; a single one is compared with `base`. `known` ids may hold a `+` themselves.

    Raises ValueError with words for a person.
    """
    read = [_column(word, base, presets, known) for word in words]
    if len(read) == 1:
        read.insert(0, (base, ()))
    if not LEAST <= len(read) <= MOST:
        raise ValueError(f"{LEAST} to {MOST} are compared: models, or +NAME=VALUE and +PRESET for the same one")
    if not all(column.model for column, _ in read):
        raise ValueError("no model is chosen: name one before the +")
    names = _names({column.model for column, _ in read})
    return tuple(replace(column, label=_label(names[column.model], changes)) for column, changes in read)


def _column(
    word: str, base: Column, presets: Mapping[str, Mapping[str, Value]], known: Collection[str]
) -> tuple[Column, tuple[str, ...]]:
    """What a word means, and the changes that it names."""
    ids = (one for one in known if word == one or word.startswith(f"{one}+"))
    name = max(ids, key=len, default=word.partition("+")[0])
    changes = tuple(filter(None, word[len(name) :].split("+")))
    values = dict(base.parameters)
    for change in changes:
        values |= _change(change, base.endpoint, presets)
    return replace(base, model=name or base.model, parameters=values), changes


def _change(text: str, endpoint: str, presets: Mapping[str, Mapping[str, Value]]) -> Mapping[str, Value]:
    """`NAME=VALUE` or a preset's name."""
    name, equals, value = text.partition("=")
    if not equals:
        if name not in presets:
            raise ValueError(f"{one_line(name, 60)}: no such preset; a parameter is +NAME=VALUE")
        return presets[name]
    accepted = {parameter.name: parameter for parameter in parameters.accepted(endpoint)}
    if name not in accepted:
        known = parameters.named(name) is not None
        raise ValueError(f"{one_line(name, 60)}: {f'{endpoint} does not take it' if known else 'no such parameter'}")
    return {name: parameters.parse(accepted[name], value)}


def _names(models: Collection[str]) -> Mapping[str, str]:
    """What each model is called in a label: nothing for the only one, else what follows its publisher if that is enough
    to tell them apart."""
    if len(models) == 1:
        return dict.fromkeys(models, "")
    short = {model: model.rpartition("/")[2] for model in models}
    return short if len(set(short.values())) == len(short) else {model: model for model in models}


def _label(name: str, changes: Iterable[str]) -> str:
    return one_line(" ".join(filter(None, (name, *changes))) or "as it is")
