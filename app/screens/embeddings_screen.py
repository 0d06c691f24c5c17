"""How an embedding model sees several texts: the size of its vectors, their lengths, and how alike they are."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, ScrollableContainer, Vertical
from textual.widgets import Static

from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.model.vectors import Comparison, split_inputs
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.experiment_dialog import as_text, content
from lmdeck.screens.intents import Intent
from lmdeck.widgets.paint.matrix import matrix
from lmdeck.widgets.prompt_input import PromptInput

MOST_INPUTS = 64
_HINT = "One text a line; blank lines between them part longer texts."
_KEYS = "Enter embed   ctrl+j new line   Tab results   y there copies   Esc close"


class _Results(ScrollableContainer):
    """The matrix, which may be larger than its place both ways."""

    BINDING_GROUP_TITLE = "Embeddings"
    BINDINGS = [
        Binding("h", "scroll_left", "Left", show=False, id="embeddings.left", tooltip="To the left"),
        Binding("l", "scroll_right", "Right", show=False, id="embeddings.right", tooltip="To the right"),
        Binding("j", "scroll_down", "Down", show=False, id="embeddings.down", tooltip="One line down"),
        Binding("k", "scroll_up", "Up", show=False, id="embeddings.up", tooltip="One line up"),
    ]


class EmbeddingsScreen(Dialog[str]):
    """Posts `Embed`; `show` brings the vectors, measured, or `fail` says why there are none. It is left with the texts
    as they stand."""

    BINDING_GROUP_TITLE = "Embeddings"
    BINDINGS = [
        Binding("i", "write", "Write", show=False, id="embeddings.write", tooltip="To the texts"),
        Binding("y", "copy", "Copy", id="embeddings.copy", tooltip="Copy the results"),
        Binding("escape,q", "close", "Close", id="embeddings.close", tooltip="Back to the deck"),
    ]
    DEFAULT_CSS = """
    EmbeddingsScreen {
        #hint { height: 1; color: $text-muted; }
        #editor { height: auto; max-height: 40%; }
        #editor > Static { width: 2; color: $text-accent; }
        #status { height: auto; max-height: 40%; margin: 1 0; }
        #status.-error { color: $text-error; }
        _Results { height: 1fr; scrollbar-size: 1 1; }
        #matrix { width: auto; height: auto; }
    }
    """

    class Embed(Intent):
        """The vectors of these texts are wanted."""

        def __init__(self, model: str, inputs: tuple[str, ...]) -> None:
            super().__init__()
            self.model, self.inputs = model, inputs

    def __init__(self, model: str, text: str = "") -> None:
        super().__init__()
        self._model = model
        self._editor = PromptInput(text)
        self._comparison: Comparison | None = None

    def compose(self) -> ComposeResult:
        """Title, hint, texts, what came of it, the matrix, the keys."""
        with Vertical(classes="dialog dialog-page"):
            yield Static(f"Embeddings  {one_line(self._model, 120)}", classes="dialog-title", markup=False)
            yield Static(_HINT, id="hint", markup=False)
            with Horizontal(id="editor"):
                yield Static(">", markup=False)
                yield self._editor
            yield Static(id="status", markup=False)
            with _Results():
                yield Static(id="matrix", markup=False)
            yield Static(_KEYS, classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        """Ready for typing."""
        self.set_focus(self._editor)

    # Asking and being told

    @on(PromptInput.Submitted)
    def _ask(self, event: PromptInput.Submitted) -> None:
        event.stop()
        inputs = split_inputs(event.text)
        if len(inputs) > MOST_INPUTS:
            words = f"{len(inputs)} texts: at most {MOST_INPUTS} are compared."
            self.notify(words, severity="warning", markup=False)
        elif inputs:
            self._tell(f"Embedding {len(inputs)} {_texts(len(inputs))} …")
            self.post_message(self.Embed(self._model, inputs))

    def show(self, comparison: Comparison) -> None:
        """The vectors, measured."""
        self._comparison = comparison
        self._tell("\n".join(_facts(comparison)))
        self.query_one("#matrix", Static).update(content(matrix(comparison)))

    def fail(self, problem: Problem) -> None:
        """There are none, for this reason; the texts stay."""
        self._tell(problem.lines, error=True)

    def _tell(self, words: str, *, error: bool = False) -> None:
        status = self.query_one("#status", Static)
        status.set_class(error, "-error")
        status.update(clean(words))

    # Keys

    def action_write(self) -> None:
        """To the texts."""
        self.set_focus(self._editor)

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        if self._comparison is None:
            self.notify("There is nothing to copy.", severity="warning", markup=False)
            return
        facts = "\n".join(_facts(self._comparison))
        self.app.copy_to_clipboard(f"{clean(facts)}\n\n{as_text(matrix(self._comparison))}")
        self.notify("Copied.")

    @on(PromptInput.Left)
    def action_close(self) -> None:
        """Back."""
        self.dismiss(self._editor.text)


def _texts(count: int) -> str:
    return "text" if count == 1 else "texts"


def _facts(comparison: Comparison) -> list[str]:
    """Size and extremes, in words."""
    sizes = sorted(set(comparison.sizes))
    numbers = " or ".join(map(str, sizes))
    facts = [f"{len(comparison.inputs)} {_texts(len(comparison.inputs))}, vectors of {numbers} numbers"]
    if (extremes := comparison.extremes()) is not None:
        (one, other, most), (third, fourth, least) = extremes
        facts.append(f"most alike {one + 1} and {other + 1}: {most:.3f}")
        if (third, fourth) != (one, other):
            facts.append(f"least alike {third + 1} and {fourth + 1}: {least:.3f}")
    return facts
