"""The chat's slash commands: which there are, how a line is read, and what can follow where the cursor stands. Pure."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lmdeck.model.endpoints import ENDPOINTS

_NAME = re.compile(r"/([a-z]*)(?=\s|$)", re.IGNORECASE)
_REFERENCE = re.compile(r'(?:^|(?<=\s))@("[^"\n]*"?|[^\s"]*)')
_LONGEST_LIST = 50


class Unknown(ValueError):
    """No such command, or one with other arguments than it takes; the words are for the user."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A command as it is offered. Arguments in `usage` that may be left out stand in brackets."""

    name: str
    usage: str
    help: str

    @property
    def needs_text(self) -> bool:
        """Whether it means nothing alone."""
        return " " in self.usage and "[" not in self.usage


def _spec(usage: str, help: str) -> Spec:
    return Spec(usage.split()[0][1:], usage, help)


COMMANDS: Final = (
    _spec("/model ID", "Talk to another instance or model"),
    _spec("/system [TEXT]", "Set the system prompt; without TEXT there is none"),
    _spec("/param NAME [VALUE]", "Set a parameter; without VALUE the server's default"),
    _spec("/preset NAME", "Take a preset's parameters or system prompt"),
    _spec("/endpoint NAME", "Go through another endpoint"),
    _spec("/store on|off|nowhere", "Keep the chat on server and disk, on disk only, or nowhere"),
    _spec("/tools [LABEL]", "Choose tools; with LABEL switch one on or off"),
    _spec("/new", "Begin a new conversation"),
    _spec("/clear", "Begin again with an empty context; what was said stays a branch"),
    _spec("/branch", "Another prompt in place of the last one, as a branch"),
    _spec("/retry", "Ask again"),
    _spec("/attach FILE", "Attach a text or an image to the next turn"),
    _spec("/export FILE", "Write the conversation as Markdown, or as JSON (.json)"),
    _spec("/import FILE", "Read a conversation that was exported as JSON"),
    _spec("/list", "All conversations"),
    _spec("/rename TITLE", "Give the conversation another title"),
    _spec("/compare ID…", "One prompt to several models (ID) or settings (+NAME=VALUE, +PRESET), side by side"),
    _spec("/embed [MODEL]", "Vectors of texts and how alike they are"),
    _spec("/request", "The last prompt's exact HTTP request, as curl and Python"),
    _spec("/help", "All keys"),
)

_BY_NAME: Final = {spec.name: spec for spec in COMMANDS}
_TAKE_FILES: Final = frozenset({"attach", "export", "import"})


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was given; `text` is everything behind its name, without the blanks around it."""

    name: str
    text: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments, split at blanks: `/compare A B`."""
        return tuple(self.text.split())

    @property
    def head(self) -> str:
        """The first argument: a parameter's name."""
        return self.words[0] if self.text else ""

    @property
    def tail(self) -> str:
        """What follows the first argument: a parameter's value, which may hold blanks."""
        return self.text[len(self.head) :].strip()


@dataclass(frozen=True, slots=True)
class Offers:
    """What commands can be completed with. Mappings go from a name to words about it; `values` from a parameter to
    what it can be."""

    models: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=lambda: {each.name: each.supports for each in ENDPOINTS})
    presets: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` in place of what stands from `start` to `end`; `help` says what it is."""

    text: str
    start: int
    end: int
    help: str = ""


@dataclass(frozen=True, slots=True)
class PathPlace:
    """Where a path is being written: what there is of it, and the text from `start` to `end` that a path replaces."""

    prefix: str
    start: int
    end: int
    reference: bool
    """Whether it is an `@path` in a prompt; else the argument of a command."""


def parse(text: str) -> Command | None:
    """The command that this text gives; None: it is a prompt. Raises `Unknown` for a name or arguments that are none.

    A text that begins with `//` is a prompt, and so is a path: `/usr/bin`.
    """
    match = _NAME.match(text)
    if match is None:
        return None
    name, rest = match[1].lower(), text[match.end() :].strip()
    spec = _BY_NAME.get(name)
    if spec is None:
        near = difflib.get_close_matches(name, _BY_NAME, 1, 0.5)
        meant = f"did you mean /{near[0]}?" if near else "/help lists them"
        raise Unknown(f"no command /{name}: {meant} (// sends a text that begins with a slash)")
    if bool(rest) < spec.needs_text or (rest and " " not in spec.usage):
        raise Unknown(f"usage: {spec.usage}")
    if name == "param" and not rest:
        raise Unknown(f"usage: {spec.usage}")
    return Command(name, rest)


def prompt(text: str) -> str:
    """What is sent of a text that is no command: `//x` is `/x`."""
    return text[1:] if text.startswith("//") else text


def spec_at(text: str) -> Spec | None:
    """The command whose arguments are being written."""
    match = _NAME.match(text)
    return _BY_NAME.get(match[1].lower()) if match and match.end() < len(text) else None


def complete(text: str, cursor: int, offers: Offers) -> tuple[Completion, ...]:
    """What the word before the cursor can become; paths are found by `path_at`. Those that begin so come first, then
    those that contain it."""
    match = _NAME.match(text)
    if match is None or "\n" in text[:cursor]:
        return ()
    if cursor <= match.end():
        names = {spec.name: spec.help for spec in COMMANDS}
        return tuple(
            Completion(f"/{name}" + (" " if " " in _BY_NAME[name].usage else ""), 0, match.end(), help)
            for name, help in _fitting(match[1], names.items())
        )
    start = max(text.rfind(" ", 0, cursor), match.end()) + 1
    end = next((place for place in range(cursor, len(text)) if text[place].isspace()), len(text))
    before = text[match.end() : start].split()
    choices = _arguments(match[1].lower(), before, offers)
    return tuple(Completion(word, start, end, help) for word, help in _fitting(text[start:cursor], choices))


def _arguments(name: str, before: list[str], offers: Offers) -> Iterable[tuple[str, str]]:
    """The words that can stand next, behind those `before`."""
    match name, before:
        case ("model" | "embed", []):
            return _bare(offers.models)
        case ("compare", _):
            return _bare(model for model in offers.models if model not in before)
        case ("param", []):
            return offers.parameters.items()
        case ("param", [parameter]):
            return _bare(offers.values.get(parameter, ()))
        case ("endpoint", []):
            return offers.endpoints.items()
        case ("preset", []):
            return _bare(offers.presets)
        case ("tools", []):
            return _bare(offers.tools)
        case ("store", []):
            return (("on", "on the server and on disk"), ("off", "on disk only"), ("nowhere", "neither"))
    return ()


def _bare(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((word, "") for word in words)


def _fitting(written: str, choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    wanted = written.lower()
    found = [choice for choice in choices if wanted in choice[0].lower()]
    return sorted(found, key=lambda choice: not choice[0].lower().startswith(wanted))[:_LONGEST_LIST]


def path_at(text: str, cursor: int) -> PathPlace | None:
    """The path that is being written before the cursor: an `@path` in a prompt, or a command's file."""
    match = _NAME.match(text)
    if match is not None:
        if match[1].lower() not in _TAKE_FILES or cursor <= match.end():
            return None
        return PathPlace(text[match.end() : cursor].lstrip(), match.end() + 1, len(text), reference=False)
    for found in _REFERENCE.finditer(text):
        if found.start() < cursor <= found.end():
            return PathPlace(text[found.start() + 1 : cursor].strip('"'), found.start(), found.end(), reference=True)
    return None


def complete_path(place: PathPlace, paths: Iterable[str]) -> tuple[Completion, ...]:
    """These paths in that place, quoted where they hold blanks. A folder, which ends with a slash, can go on."""
    return tuple(Completion(_written(path, place.reference), place.start, place.end) for path in paths)


def _written(path: str, reference: bool) -> str:
    if not reference:
        return path
    quoted = f'"{path}' if " " in path else path
    return "@" + quoted + ('"' if " " in path and not path.endswith("/") else "")
