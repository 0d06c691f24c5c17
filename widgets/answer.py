"""One answer of a model, as it arrives."""

import json
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import AwaitMount
from textual.widgets import Static

from lmdeck.model import chat
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.widgets.folded import Folded
from lmdeck.widgets.paint.answer import progress_line, statistics_line
from lmdeck.widgets.paint.blocks import BlockSplitter

if TYPE_CHECKING:
    from textual.widgets import Markdown

_FRAMES_PER_SECOND = 12
_OPEN_LINES, _OPEN_CHARACTERS = 40, 4000
_WIDGET_CHARACTERS = 1200
"""A Markdown widget takes no more than this and what the last piece brings: whatever grows below lays out only what is
in its own container anew, and full widgets keep their arrangement."""


class Answer(Vertical):
    """Shows chat events: progress bars, folded reasoning, tool cards, Markdown, statistics.

    Deltas are only stored; twelve times a second whole blocks go to a Markdown widget and the block that still
    grows is drawn as plain text under it, so that the cost of a token does not grow with the answer.
    """

    DEFAULT_CSS = """
    Answer { height: auto; margin: 0 0 1 0; }
    Answer > .progress { height: 1; color: $text-muted; }
    Answer > .open { height: auto; }
    Answer > .fact { height: auto; color: $text-muted; }
    Answer > .problem { height: auto; color: $text-error; }
    Answer > Markdown { padding: 0; margin: 0; background: transparent; }
    Answer MarkdownHeader { margin: 0 0 1 0; content-align: left middle; }
    Answer MarkdownFence { background: $boost; margin: 0 0 1 0; }
    """

    class Drawn(Message):
        """The answer is longer than before."""

    def __init__(self) -> None:
        super().__init__()
        self._splitter = BlockSplitter()
        self._pieces: list[str] = []
        self._complete = ""
        self._queued: list[tuple[AwaitMount, Markdown, str]] = []
        self._drawn_open = ""
        self._progress = Static(progress_line("waiting for the server", None, 0), classes="progress", markup=False)
        self._open = Static(classes="open", markup=False)
        self._open.display = False
        self._markdown: Markdown | None = None
        self._written = 0
        self._reasoning: Folded | None = None
        self._tool: Folded | None = None
        self._timer: Timer | None = None
        self._ended = False

    @property
    def text(self) -> str:
        """The answer's Markdown so far."""
        return "".join(self._pieces)

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return not self._ended

    def compose(self) -> ComposeResult:
        """The progress line, and the block that still grows."""
        yield self._progress
        yield self._open

    def on_mount(self) -> None:
        """Start drawing, unless it was over before it began."""
        if not self._ended:
            self._timer = self.set_interval(1 / _FRAMES_PER_SECOND, self._draw)

    def feed(self, event: chat.ChatEvent) -> None:
        """Take one event of the stream."""
        match event:
            case chat.MessageDelta(text):
                text = clean(text)
                self._pieces.append(text)
                self._complete += self._splitter.feed(text)
                self._progress.display = False
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
        if self._pieces or self._reasoning:
            self.cut_off(problem.sentence)
            return
        self._finish()
        self._close_with(problem.lines, "problem")

    def fold_all(self) -> None:
        """Unfold everything folded, or fold it all when something is open."""
        parts = list(self.query_children(Folded))
        shut = any(not part.folded for part in parts)
        for part in parts:
            part.folded = shut

    def _show_progress(self, words: str, progress: float | None) -> None:
        self._progress.update(progress_line(words, progress, self.content_size.width))

    def _feed_reasoning(self, text: str, done: bool) -> None:
        if self._reasoning is None:
            self._reasoning = Folded("reasoning …")
            self.mount(self._reasoning, before=self._progress)
            self._show_progress("thinking", None)
        self._reasoning.append(text)
        if done:
            self._reasoning.title = "reasoning"

    def _feed_tool(self, call: chat.ToolCall) -> None:
        if call.state == "called" or self._tool is None:
            self._flush_before_card()
            self._tool = Folded("")
            self.mount(self._tool, before=self._progress)
        mark = {"success": "✓", "failure": "✗"}.get(call.state, "…")
        self._tool.title = f"tool {call.tool} {mark}" + (f"  ({call.provider})" if call.provider else "")
        parts = {"arguments": _pretty(call.arguments), "output": _pretty(call.output), "reason": call.reason}
        self._tool.replace("\n".join(f"{name}: {text}" for name, text in parts.items() if text))

    def _flush_before_card(self) -> None:
        """Text before a card stays above it: close the Markdown there and start another below."""
        self._complete += self._splitter.finish()
        self._queue_complete()
        self._markdown = None

    def _end(self, event: chat.ChatEnded, stats: chat.ChatStats) -> None:
        if event.text and not self._pieces:
            self.feed(chat.MessageDelta(event.text))
        self._finish()
        self._close_with(statistics_line(stats), "fact")

    def _finish(self) -> None:
        self._ended = True
        self._complete += self._splitter.finish()
        if self._timer is not None:
            self._timer.stop()
        if self._reasoning is not None:
            self._reasoning.title = "reasoning"
        self._progress.display = False
        self.call_later(self._draw)

    def _close_with(self, words: str | Content, kind: str) -> None:
        line = words if isinstance(words, Content) else Content(clean(words))
        self.mount(Static(line, classes=kind, markup=False))

    async def _draw(self) -> None:
        """One frame: whole blocks to Markdown, the open one as plain text, reasoning if it is unfolded.

        Timer and end both come here through this widget's messages, one after the other: Markdown takes a second
        piece only when the first is in its place.
        """
        self._queue_complete()
        queued, self._queued = self._queued, []
        tail = self._splitter.open_tail(_OPEN_LINES)[-_OPEN_CHARACTERS:].rstrip("\n")
        if self._reasoning is not None:
            self._reasoning.refresh_text()
        if not queued and tail == self._drawn_open:
            return
        with self.app.batch_update():
            self._show_open(tail)
            for mounted, markdown, text in queued:
                await mounted  # its own mounting starts with an empty text
                await markdown.append(text)
        self.post_message(self.Drawn())

    def _show_open(self, tail: str) -> None:
        """Draw the open block; the screen is only laid out anew when it takes more or fewer lines than before."""
        content = Content(tail)
        lines = content.get_height({}, max(1, self._open.content_size.width))
        same = bool(tail) and bool(self._drawn_open) and lines == self._open.content_size.height
        self._drawn_open = tail
        self._open.display = bool(tail)
        self._open.update(content, layout=not same)

    def _queue_complete(self) -> None:
        """Give the whole blocks to the Markdown below everything so far, which takes them in the next frame."""
        if not self._complete:
            return
        if self._markdown is None or self._written > _WIDGET_CHARACTERS:
            # Markdown brings a parser that the first screen has no use for.
            from textual.widgets import Markdown

            self._markdown = Markdown(open_links=False)
            self._mounted = self.mount(self._markdown, before=self._progress)
            self._written = 0
        self._written += len(self._complete)
        self._queued.append((self._mounted, self._markdown, self._complete))
        self._complete = ""


def _pretty(text: str) -> str:
    """JSON indented; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
