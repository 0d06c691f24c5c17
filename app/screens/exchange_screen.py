"""One exchange, whole: overview, prompt, answer, the engine's lines, and what was received."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from lmdeck.model.exchange import Exchange
from lmdeck.model.text import clean, one_line
from lmdeck.screens.choices import choices
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.exchange_message import last_user_message, request_body
from lmdeck.screens.exchange_sections import HIDDEN, SECTIONS, Page, Section, first_hit, read
from lmdeck.screens.exchange_text import moment
from lmdeck.widgets.filter_bar import FilterBar
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.paint.log_line import clock_time, kilobytes
from lmdeck.widgets.text_view import TextView

COPIED = 1_000_000
"""Characters that are copied at most: terminals drop what is too long for them altogether."""


@dataclass(frozen=True, slots=True)
class ExchangeAction:
    """What is to be done with an exchange. `chat`: `text` is the last user message, for the chat's input. `repeat`:
    `text` is the request's JSON body; where it is empty, only the prompt (`exchange.input`) is known."""

    kind: Literal["chat", "repeat"]
    text: str
    exchange: Exchange


class ExchangeScreen(Dialog[ExchangeAction | None]):
    """`update` brings what came since. With `hide_text`, prompt and answer are neither shown, found nor copied. Without
    `can_send` it is only to be read. It opens where the words of `look_for` are found."""

    BINDING_GROUP_TITLE = "Exchange"
    BINDINGS = [
        *(
            Binding(
                f"{number}", f"open({number - 1})", title, show=False, id=f"exchange.{title.lower()}", tooltip=title
            )
            for number, title in enumerate((section.title for section in SECTIONS), 1)
        ),
        Binding("tab", "turn(1)", "Next section", show=False, id="exchange.next", tooltip="The next section"),
        Binding("shift+tab", "turn(-1)", "Section before", show=False, id="exchange.before", tooltip="The one before"),
        Binding("slash", "find", "Find", id="exchange.find", tooltip="Find a text in this section"),
        Binding("n", "step(1)", "Next hit", show=False, id="exchange.next_hit", tooltip="To the next hit"),
        Binding("N", "step(-1)", "Hit before", show=False, id="exchange.hit_before", tooltip="To the hit before"),
        Binding("y", "copy", "Copy", id="exchange.copy", tooltip="Copy this section"),
        Binding("Y", "copy_all", "Copy all", id="exchange.copy_all", tooltip="Copy every section"),
        Binding("c", "chat", "Chat", id="exchange.chat", tooltip="Put the last user message into the chat"),
        Binding("R", "repeat", "Repeat", id="exchange.repeat", tooltip="Send this request again"),
        Binding("escape,q", "close", "Close", id="exchange.close", tooltip="Back to the deck"),
    ]

    def __init__(
        self,
        exchange: Exchange,
        *,
        hide_text: bool,
        can_send: bool,
        sections: Sequence[Section] = SECTIONS,
        look_for: str = "",
    ) -> None:
        super().__init__()
        self._exchange, self._hide_text, self._can_send = exchange, hide_text, can_send
        self._sections, self._look_for = sections, look_for
        self._section = 0
        self._page = Page("")
        self._places: dict[int, int] = {}
        self._view = TextView(id="text")
        self._bar: FilterBar | None = None

    def compose(self) -> ComposeResult:
        """Title, sections, a remark, the text, the keys."""
        with Vertical(classes="dialog dialog-page", id="page"):
            yield Static(classes="dialog-title", id="title", markup=False)
            yield Static(id="sections")
            yield Static(id="remark", markup=False)
            yield self._view
            yield Static(classes="dialog-keys", id="keys", markup=False)

    def on_mount(self) -> None:
        """The keys scroll."""
        self.set_focus(self._view)
        section, needle = first_hit(self._sections, self._exchange, self._hide_text, self._look_for)
        self._open(section)
        if needle:
            self.call_after_refresh(self._find, needle)

    @property
    def number(self) -> int:
        """Which exchange it shows."""
        return self._exchange.number

    def update(self, exchange: Exchange) -> None:
        """More is known of it now. Place and search stay."""
        self._exchange = exchange
        needle, before = self._view.needle, self._page.text
        self._page = read(self._sections[self._section], exchange, self._hide_text)
        if self._page.text != before or not before:
            self._show(self._view.place)
            if needle:
                self._view.find(needle)
        self._tell()

    # Sections

    def _open(self, section: int) -> None:
        self._places[self._section] = self._view.place
        self._section = section
        self._page = read(self._sections[section], self._exchange, self._hide_text)
        needle = self._view.needle
        self._show(self._places.get(section, 0))
        if needle:
            self._view.find(needle)
        self._tell()

    def _show(self, place: int) -> None:
        self._view.show(self._page.text, self._page.marker, place=place)
        if not self._page.text:
            self._view.show_words([Paragraph(self._page.remark, "muted")])

    def _tell(self) -> None:
        """Everything around the text."""
        exchange = self._exchange
        name = one_line(exchange.instance_id, 60) or "unknown model"
        running = "  … running" if exchange.running else ""
        past = f"Request  {name}  {moment(exchange.at)[:-4]}"
        present = f"Exchange {exchange.number}  {name}  {clock_time(exchange.at)}{running}"
        self.query_one("#title", Static).update(present if exchange.number else past)
        size = f"   {len(self._page.text)} chars" if self._section and self._page.text else ""
        titles = choices([f"{index} {section.title}" for index, section in enumerate(self._sections, 1)], self._section)
        self.query_one("#sections", Static).update(Content.assemble(titles, size))
        self.query_one("#remark", Static).update(self._page.remark if self._page.text else "")
        self._tell_keys()

    def _tell_keys(self) -> None:
        found = f"{self._view.found} n N hits" if self._view.needle else "/ find"
        send = "c chat  R repeat  " if self._can_send else ""
        sections = f"1-{len(self._sections)} section"
        self.query_one("#keys", Static).update(f"{sections}  {found}  y copy  Y all  {send}Esc close")

    def action_open(self, section: int) -> None:
        """To this section, at the place where it was left."""
        if section != self._section and section < len(self._sections):
            self._open(section)

    def action_turn(self, sections: int) -> None:
        """To the next section, or the one before; round at the ends."""
        self._open((self._section + sections) % len(self._sections))

    # Search

    def action_find(self) -> None:
        """Open the search line, or go back into it."""
        if self._bar is None:
            self._bar = FilterBar(self._view.needle, "/ find in this section: Enter keeps, Esc clears")
            self.query_one("#page").mount(self._bar)
        self.set_focus(self._bar)

    def action_step(self, hits: int) -> None:
        """From hit to hit."""
        self._view.step(hits)
        self._tell_keys()

    @on(FilterBar.Changed)
    def _look(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._find(event.value)

    @on(FilterBar.Closed)
    def _end_search_line(self, event: FilterBar.Closed) -> None:
        event.stop()
        if not event.keep:
            self._find("")
        if event.back:
            self.set_focus(self._view)
        if self._bar is not None:
            self._bar.remove()
            self._bar = None

    def _find(self, needle: str) -> None:
        if needle != self._view.needle:
            self._view.find(needle)
            self._tell_keys()

    # What can be done with it

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is only to be read is not sent."""
        return None if action in ("chat", "repeat") and not self._can_send else True

    def action_copy(self) -> None:
        """This section to the clipboard, through the terminal (OSC 52)."""
        section = self._sections[self._section]
        self._copy(HIDDEN if self._hide_text and section.private else self._page.text)

    def action_copy_all(self) -> None:
        """All sections, under their titles."""
        pages = [(section.title, read(section, self._exchange, self._hide_text)) for section in self._sections]
        self._copy("\n\n".join(f"# {title}\n\n{(page.text or page.remark).rstrip()}" for title, page in pages))

    def _copy(self, text: str) -> None:
        if not text or text == HIDDEN:
            self.notify(text or "There is nothing to copy.", severity="warning")
            return
        self.app.copy_to_clipboard("\t".join(map(clean, text[:COPIED].split("\t"))))
        cut = f" the first {kilobytes(COPIED)} of {kilobytes(len(text))}" if len(text) > COPIED else ""
        self.notify(f"Copied{cut}.")

    def action_chat(self) -> None:
        """On to the chat, with the last user message."""
        message = "" if self._hide_text else last_user_message(self._exchange)
        if message:
            self.dismiss(ExchangeAction("chat", message, self._exchange))
        else:
            self.notify(HIDDEN if self._hide_text else "No log has told a user message.", severity="warning")

    def action_repeat(self) -> None:
        """The same request once more."""
        body = request_body(self._exchange)
        if body or self._exchange.input is not None:
            self.dismiss(ExchangeAction("repeat", body, self._exchange))
        else:
            self.notify("No log has told the request: there is nothing to repeat.", severity="warning")

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
