"""What a screen asks of the application, and what it is told: the messages between the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from lmdeck.model.problem import Problem

if TYPE_CHECKING:
    from lmdeck.model.experiment import BenchResult, VerifyPlan
    from lmdeck.model.history import Preset
    from lmdeck.model.load import LoadRequest
    from lmdeck.model.log import LogEntry
    from lmdeck.model.outlook import LmsFigure, Outlook
    from lmdeck.state.deck import DeckState
    from lmdeck.widgets.chat_wishes import ChatWish


class StateChanged(Message):
    """The deck's state is another one now. Only the newest matters."""

    bubble = False

    def __init__(self, state: DeckState) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        """A burst of changes is drawn once."""
        return isinstance(message, StateChanged)


class Intent(Message):
    """Something the user asked for, once everything that must be asked has been asked."""


class Load(Intent):
    """Load a model."""

    def __init__(self, request: LoadRequest) -> None:
        super().__init__()
        self.request = request


class LoadOver(Message):
    """A load is over; `problem` says why it failed."""

    def __init__(self, request: LoadRequest, problem: Problem | None = None) -> None:
        super().__init__()
        self.request, self.problem = request, problem


class CancelLoad(Intent):
    """Stop waiting for this load, and look what becomes of it."""

    def __init__(self, request: LoadRequest) -> None:
        super().__init__()
        self.request = request


class Unload(Intent):
    """Unload these instances."""

    def __init__(self, instance_ids: tuple[str, ...]) -> None:
        super().__init__()
        self.instance_ids = instance_ids


class Chat(Intent):
    """Something is wanted in the chat."""

    def __init__(self, wish: ChatWish) -> None:
        super().__init__()
        self.wish = wish


class Reload(Intent):
    """Unload this instance, then load its model anew."""

    def __init__(self, instance_id: str, request: LoadRequest) -> None:
        super().__init__()
        self.instance_id, self.request = instance_id, request


class Weigh(Intent):
    """A forecast for these settings is wanted; `Weighed` brings it. It costs no request."""

    def __init__(self, request: LoadRequest) -> None:
        super().__init__()
        self.request = request


class Weighed(Message):
    """The forecast, for whoever asked with this very request."""

    def __init__(self, request: LoadRequest, outlook: Outlook) -> None:
        super().__init__()
        self.request, self.outlook = request, outlook


class AskLmStudio(Intent):
    """LM Studio's own estimate is wanted (`lms load --estimate-only`, a process); `LmStudioSaid` brings it. A newer
    question replaces an older one."""

    def __init__(self, request: LoadRequest) -> None:
        super().__init__()
        self.request = request


class LmStudioSaid(Message):
    """Its figure, or why there is none."""

    def __init__(self, request: LoadRequest, figure: LmsFigure | None, problem: Problem | None = None) -> None:
        super().__init__()
        self.request, self.figure, self.problem = request, figure, problem


class KeepPreset(Intent):
    """Keep these settings for their model under a name."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset = preset


class DropPreset(Intent):
    """Forget a named preset of a model."""

    def __init__(self, model_key: str, name: str) -> None:
        super().__init__()
        self.model_key, self.name = model_key, name


class Verify(Intent):
    """Carry out this plan on its instance; its dialog is told each step."""

    def __init__(self, plan: VerifyPlan) -> None:
        super().__init__()
        self.plan = plan


class Benchmark(Intent):
    """Measure how an instance scales with requests at once; its dialog is told each step."""

    def __init__(self, instance_id: str, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.instance_id, self.levels = instance_id, levels


class StopExperiment(Intent):
    """End the running verification or benchmark: its requests are closed."""


class Export(Intent):
    """Write a benchmark's result as Markdown and JSON files; a notice tells where."""

    def __init__(self, result: BenchResult) -> None:
        super().__init__()
        self.result = result


class OpenEntry(Intent):
    """Everything about a log entry is wanted, its whole exchange if it is part of one."""

    def __init__(self, entry: LogEntry, hide_text: bool) -> None:
        super().__init__()
        self.entry, self.hide_text = entry, hide_text


class ShowStatistics(Intent):
    """The statistics are wanted."""


class ShowDoctor(Intent):
    """How every part is, is wanted."""


class ShowPast(Intent):
    """The requests of the history are wanted."""

    def __init__(self, hide_text: bool) -> None:
        super().__init__()
        self.hide_text = hide_text


class ExportLog(Intent):
    """Write the exchanges of these entries as `jsonl`, `csv` or `markdown`; a notice tells where."""

    def __init__(self, entries: Sequence[LogEntry], kind: str, with_text: bool) -> None:
        super().__init__()
        self.entries, self.kind, self.with_text = entries, kind, with_text


class ShowDownloads(Intent):
    """The downloads are wanted, and the form for a new one."""


class Download(Intent):
    """Download a model to the server: a catalogue id, or a Hugging Face URL with a quantisation or without."""

    def __init__(self, model: str, quantization: str | None) -> None:
        super().__init__()
        self.model, self.quantization = model, quantization


class Refresh(Intent):
    """Read everything again now."""
