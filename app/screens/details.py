"""Everything known about one thing, on a page to read and copy."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lmdeck.model import log
from lmdeck.model.catalog import Model
from lmdeck.model.text import clean
from lmdeck.model.units import UNKNOWN, gigabytes, rate, ttft
from lmdeck.screens.dialog import Dialog

Fact = tuple[str, str]


class DetailsScreen(Dialog[None]):
    """Facts as name and value, and a longer text under them; all plain text."""

    BINDING_GROUP_TITLE = "Details"
    BINDINGS = [
        Binding("escape,q,enter", "app.pop_screen", "Close", id="details.close", tooltip="Back to the deck"),
        Binding("y", "copy", "Copy", id="details.copy", tooltip="Copy the text, or the facts when there is none"),
        Binding("j", "scroll(1)", "Down", show=False, id="details.down", tooltip="One line down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="details.up", tooltip="One line up"),
    ]

    def __init__(self, title: str, facts: Iterable[Fact], text: str = "") -> None:
        super().__init__()
        self._title, self._facts, self._text = title, tuple(facts), clean(text)

    def compose(self) -> ComposeResult:
        """Title, facts, text."""
        width = max((len(name) for name, _ in self._facts), default=0) + 2
        lines = [Content.assemble((name.ljust(width), "$text-muted"), clean(value)) for name, value in self._facts]
        with Vertical(classes="dialog dialog-wide"):
            yield Static(clean(self._title), classes="dialog-title", markup=False)
            with VerticalScroll(classes="details-body"):
                yield Static(Content("\n").join(lines))
                if self._text:
                    yield Static(self._text, classes="details-text", markup=False)

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one(VerticalScroll).focus()

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        self.app.copy_to_clipboard(self._text or "\n".join(f"{name}: {value}" for name, value in self._facts))
        self.notify("Copied.")

    def action_scroll(self, lines: int) -> None:
        """Line by line, as in a list."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def model_facts(model: Model) -> list[Fact]:
    """A model's record, and the reported configuration of each instance."""
    capable = model.capabilities
    abilities = [name for name, has in (("vision", capable.vision), ("tools", capable.tools)) if has]
    if capable.reasoning:
        abilities.append(f"reasoning ({', '.join(capable.reasoning)})")
    facts = [
        ("key", model.key),
        ("name", model.display_name),
        ("publisher", model.publisher),
        ("type", model.type),
        ("architecture", model.architecture),
        ("parameters", model.params),
        ("quantisation", model.quantization),
        ("bits per weight", model.bits_per_weight),
        ("size on disk", f"{gigabytes(model.size_bytes)} GB"),
        ("format", model.format),
        ("max context", model.max_context_length),
        ("abilities", ", ".join(abilities)),
        ("variants", ", ".join(model.variants)),
        ("chosen variant", model.selected_variant),
        ("description", model.description),
    ]
    for instance in model.instances:
        config = instance.config
        settings = {name: getattr(config, name) for name in config.__dataclass_fields__}
        told = ", ".join(f"{name}={value}" for name, value in settings.items() if value is not None)
        facts.append((f"instance {instance.id}", told or "no configuration reported"))
    return [(name, str(value)) for name, value in facts if value not in (None, "", UNKNOWN)]


def entry_facts(entry: log.LogEntry) -> list[Fact]:
    """A log entry's fields but its text."""
    facts: list[Fact] = [("source", entry.source), ("level", entry.level)]
    match entry:
        case log.PredictionInput():
            facts += [("instance", entry.instance_id), ("model file", entry.model_path)]
        case log.PredictionOutput(stats=stats):
            facts.append(("instance", entry.instance_id))
            if stats is not None:
                facts += _stats_facts(stats)
        case log.RuntimeLine():
            facts += [("engine", f"{entry.engine} {entry.engine_version}"), ("instance", entry.instance_id or "")]
            facts.append(("pid", str(entry.pid or "")))
    return [(name, value) for name, value in facts if value.strip()]


def _stats_facts(stats: log.PredictionStats) -> list[Fact]:
    counted = (
        ("tokens in", stats.prompt_tokens),
        ("tokens out", stats.predicted_tokens),
        ("draft tokens", stats.draft_tokens),
        ("draft accepted", stats.accepted_draft_tokens),
    )
    facts = [(name, str(value)) for name, value in counted if value is not None]
    facts += [("speed", rate(stats.tokens_per_second)), ("first token", ttft(stats.ttft_s))]
    return [*facts, ("stop reason", stats.stop_reason or UNKNOWN)]
