"""One answer of a model, as it arrives."""

import json
import time

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from lmdeck.model import chat
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.widgets.folded import Folded
from lmdeck.widgets.ground import ground
from lmdeck.widgets.paint.answer import progress_line, statistics_line
from lmdeck.widgets.paint.code import CodeBlock
from lmdeck.widgets.prose import Prose

_FRAMES_PER_SECOND = 12
_REST = 8
"""After a frame the next one waits so many times as long as it took: a block that is long in drawing, such as a large
table, is drawn less often."""


class Answer(Vertical):
    """Shows chat events: progress bars, folded reasoning, tool cards, Markdown, statistics.

    Deltas are only stored; at most twelve times a second what still grows is drawn anew, so that the cost of a token
    does not grow with the answer.
    """

    DEFAULT_CSS = """
    Answer { height: auto; margin: 0 0 1 0; }
    Answer > .progress { height: 1; color: $text-muted; }
    Answer > Prose { margin: 0 0 1 0; }
    Answer > .fact { height: auto; color: $text-muted; }
    Answer > .problem { height: auto; color: $text-error; }
    """

    class Drawn(Message):
        """The answer is longer than before."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[str] = []
        self._held = ""
        self._progress = Static(progress_line("waiting for the server", None, 0), classes="progress", markup=False)
        self._early: list[Widget] = []
        self._prose: Prose | None = None
        self._proses: list[Prose] = []
        self._folds: list[Folded] = []
        self._reasoning: Folded | None = None
        self._tools: list[tuple[chat.ToolCall, Folded]] = []
        self._timer: Timer | None = None
        self._rest_until = 0.0
        self._ended = False

    @property
    def text(self) -> str:
        """The answer's Markdown so far."""
        return "".join(self._pieces)

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return not self._ended

    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The code blocks of the answer so far, in order, the one that grows included."""
        return tuple(code for prose in self._proses for code in prose.code_blocks)

    def compose(self) -> ComposeResult:
        """The progress line, under what came before it could be shown."""
        yield from self._early
        yield self._progress

    def on_mount(self) -> None:
        """Start drawing, unless it was over before it began."""
        if not self._ended:
            self._timer = self.set_interval(1 / _FRAMES_PER_SECOND, self._draw)

    def render_lines(self, crop: Region) -> list[Strip]:
        return ground(super().render_lines, crop)

    def feed(self, event: chat.ChatEvent) -> None:
        """Take one event of the stream."""
        match event:
            case chat.MessageDelta(text):
                self._write(text)
            case chat.ModelLoading(progress, done):
                self._show_progress("model loaded" if done else "loading the model", progress)
            case chat.PromptProcessing(progress, done):
                self._show_progress("thinking" if done else "reading the prompt", progress)
            case chat.ReasoningDelta(text, done):
                self._feed_reasoning(text, done)
            case chat.ToolCall():
                self._feed_tool(event)
            case chat.ChatFault(problem):
                self._close_with(f"cut off: {problem.sentence}", "problem")
            case chat.ChatEnded(stats):
                self._end(event, stats)

    def cut_off(self, reason: str) -> None:
        """The stream ended early: keep what came and say why."""
        self._finish()
        self._close_with(f"cut off: {one_line(reason)}", "problem")

    def fail(self, problem: Problem) -> None:
        """The request failed: a cut-off answer if something came, else the problem with its next step."""
        if self._pieces or self._folds:
            self.cut_off(problem.sentence)
            return
        self._finish()
        self._close_with(problem.lines, "problem")

    def fold_all(self) -> None:
        """Unfold everything folded, or fold it all when something is open."""
        shut = any(not part.folded for part in self._folds)
        for part in self._folds:
            part.folded = shut

    def _show_progress(self, words: str, progress: float | None) -> None:
        self._progress.update(progress_line(words, progress, self.content_size.width), layout=False)

    def _place(self, part: Widget) -> None:
        """Put it under everything so far, over the progress line."""
        if self._progress.parent is None:
            self._early.append(part)
        else:
            self.mount(part, before=self._progress)

    def _write(self, text: str) -> None:
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""  # the line feed that belongs to it may still come
        # Tabs stay what they are: code is copied with them.
        text = "\t".join(map(clean, text.removesuffix("\r").split("\t")))
        self._pieces.append(text)
        self._progress.display = False
        if self._prose is None:
            if not text.strip():
                return  # nothing to see, and no room for it
            self._prose = Prose()
            self._proses.append(self._prose)
            self._place(self._prose)
        self._prose.feed(text)

    def _fold(self, title: str) -> Folded:
        """Something folded under what was written so far."""
        self._close_prose()
        self._folds.append(folded := Folded(title))
        self._place(folded)
        return folded

    def _feed_reasoning(self, text: str, done: bool) -> None:
        if self._reasoning is None:
            if not text:
                return
            self._reasoning = self._fold("reasoning …")
            self._show_progress("thinking", None)
        self._reasoning.append(text)
        if done:
            self._end_reasoning()

    def _end_reasoning(self) -> None:
        if self._reasoning is not None:
            self._reasoning.title = "reasoning"
            self._reasoning.refresh_text()
            self._reasoning = None

    def _feed_tool(self, call: chat.ToolCall) -> None:
        """A card for each call, with all that is known of it; why it failed can be read while it is folded."""
        for place in reversed(range(len(self._tools))):
            known, card = self._tools[place]
            if known.goes_on(call):
                call = known.with_news(call)
                self._tools[place] = call, card
                break
        else:
            card = self._fold("")
            self._tools.append((call, card))
        mark = {"success": "✓", "failure": "✗"}.get(call.state, "…")
        told = (f"tool {call.tool} {mark}", f"({call.provider})" if call.provider else "", call.reason)
        card.title = " ".join(filter(None, told))
        parts = {"arguments": _pretty(call.arguments), "output": _pretty(call.output), "reason": call.reason}
        card.replace("\n".join(f"{name}: {text}" for name, text in parts.items() if text))

    def _close_prose(self) -> None:
        """What is written next goes under what comes now."""
        if self._prose is not None:
            self._prose.finish()
            self._prose.redraw()
            self._prose = None

    def _end(self, event: chat.ChatEnded, stats: chat.ChatStats) -> None:
        if event.text and not self._pieces:
            self.feed(chat.MessageDelta(event.text))
        self._finish()
        self._close_with(statistics_line(stats), "fact")

    def _finish(self) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.stop()
        self._progress.display = False
        self._close_prose()
        self._end_reasoning()
        self.call_after_refresh(self.post_message, self.Drawn())

    def _close_with(self, words: str | Content, kind: str) -> None:
        line = words if isinstance(words, Content) else Content(clean(words))
        self._place(Static(line, classes=kind, markup=False))

    def _draw(self) -> None:
        """One frame, if there is something new and the last one did not take long."""
        begun = time.monotonic()
        if begun < self._rest_until:
            return
        drawn = self._prose is not None and self._prose.redraw()
        if self._reasoning is not None:
            drawn |= self._reasoning.refresh_text()
        self._rest_until = begun + (1 + _REST) * (time.monotonic() - begun)
        if drawn:
            self.post_message(self.Drawn())


def _pretty(text: str) -> str:
    """JSON indented; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
