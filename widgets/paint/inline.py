"""Words with marks among them: emphasis, code, links."""

import re
from collections.abc import Sequence

from markdown_it.token import Token
from textual.content import Content, Span

from lmdeck.model.text import clean

_LOOKS = {"em": "em", "strong": "strong", "s": "strike", "link": "link"}
_BREAK = re.compile(r"<br ?/?>")


def inline(tokens: Sequence[Token], look: str = "") -> Content:
    """A paragraph's words, with the names of their looks as styles. A link shows where it leads: `text (address)`."""
    writer = _Writer()
    for token in tokens:
        writer.take(token)
    return writer.content(look)


class _Writer:
    """Collects text and the spans over it. Entities such as `&#8238;` are cleaned after the parser resolved them."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._size = 0
        self._spans: list[Span] = []
        self._open: list[tuple[str, int, str]] = []

    def content(self, look: str) -> Content:
        """All of it, in that look where nothing else is said."""
        under = [Span(0, self._size, look)] if look and self._size else []
        return Content("".join(self._text), [*under, *self._spans])

    def take(self, token: Token) -> None:
        """One more token."""
        name = token.type.removesuffix("_open").removesuffix("_close")
        if token.type.endswith("_open"):
            # A bare address is its own target.
            target = "" if token.markup in ("linkify", "autolink") else str(token.attrGet("href") or "")
            self._open.append((_LOOKS.get(name, ""), self._size, target))
        elif token.type.endswith("_close"):
            self._close()
        elif name == "code_inline":
            self._write(token.content, "code")
        elif name == "image":
            self._write(f"image: {token.content}", "link")
            self._target(str(token.attrGet("src") or ""))
        elif name == "hardbreak":
            self._write("\n")
        else:
            self._write(" " if name == "softbreak" else _BREAK.sub("\n", token.content))

    def _close(self) -> None:
        look, start, target = self._open.pop()
        self._mark(start, look)
        if target and target != "".join(self._text)[start:]:
            self._target(target)

    def _target(self, target: str) -> None:
        self._write(f" ({target})", "target")

    def _write(self, text: str, look: str = "") -> None:
        text = clean(text)
        start = self._size
        self._text.append(text)
        self._size += len(text)
        self._mark(start, look)

    def _mark(self, start: int, look: str) -> None:
        if look and start < self._size:
            self._spans.append(Span(start, self._size, look))
