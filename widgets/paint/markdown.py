"""The source of a Markdown block, read into parts that know no width yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.content import Content

from lmdeck.model.text import clean
from lmdeck.widgets.paint.code import CodeBlock, Listing, language_of
from lmdeck.widgets.paint.flow import Code, Margin, Paragraph, Part, Rule, Table
from lmdeck.widgets.paint.inline import inline
from lmdeck.widgets.paint.line import Align

LONGEST = 100_000
"""A block of more characters is shown as it came: reading it would hold up the screen."""
_BULLETS = ("• ", "▪ ", "‣ ", "◦ ")
_BAR = Content.styled("▌ ", "quote")
_NOTHING = Content()
_LINE = Content.styled("│ ", "rule")
_PLAIN = Margin(_LINE, _LINE, copied=False)

# No raw HTML: tags are words like others. No link definitions: a reference and its target both show as they stand,
# and a block never looks different for what comes after it.
_PARSER = MarkdownIt("gfm-like", {"html": False}).disable("reference")


class Reading(NamedTuple):
    """What a block holds."""

    parts: list[Part]
    codes: list[CodeBlock]


def read(text: str) -> Reading:
    """The parts of a block, and its code blocks. Text from anywhere; what is shown of it is safe."""
    if len(text) > LONGEST:
        return read_plain(text)
    reader = _Reader(_PARSER.parse(text))
    return Reading(reader.parts, reader.codes)


def read_plain(text: str) -> Reading:
    """A text that is no Markdown, beside a line."""
    return Reading([Paragraph(_PLAIN, Content(clean(text).removesuffix("\n")))], [])


@dataclass(slots=True, eq=False)
class _Container:
    """A quote, a list, or an item of one."""

    first: Content = _NOTHING
    """What stands left of the next row in it: of an item its mark, once."""
    rest: Content = _NOTHING
    loose: bool | None = None
    """Whether blank rows part what is in it; None in an item, where its list says so."""
    bullet: str = ""
    """The mark of a list's items, without a number."""
    number: int = 0
    """The number of a list's next item."""


class _Reader:
    """Walks over the tokens of a block and collects its parts."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.parts: list[Part] = []
        self.codes: list[CodeBlock] = []
        self._within: list[_Container] = []
        self._before: list[_Container] = []
        self._look = ""
        numbered = iter(enumerate(tokens))
        for at, token in numbered:
            if token.type == "table_open":
                self.parts.append(_table(self._margin(), (token for _, token in numbered)))
            elif token.type.endswith("list_open"):
                self._within.append(self._list(tokens[at:]))
            else:
                self._take(token)

    def _take(self, token: Token) -> None:
        match token.type:
            case "blockquote_open":
                self._within.append(_Container(_BAR, _BAR, loose=True))
            case "list_item_open":
                self._within.append(self._item())
            case "list_item_close":
                item = self._within[-1]
                if item.first is not item.rest:
                    self.parts.append(Paragraph(self._margin(), _NOTHING))
                self._within.pop()
            case "blockquote_close" | "bullet_list_close" | "ordered_list_close":
                self._within.pop()
            case "heading_open":
                self._look = token.tag
            case "heading_close":
                self._look = ""
            case "inline":
                self.parts.append(Paragraph(self._margin(), inline(token.children or (), self._look)))
            case "fence" | "code_block":
                self._code(token)
            case "hr":
                self.parts.append(Rule(self._margin()))

    def _code(self, token: Token) -> None:
        text, language = token.content.removesuffix("\n"), language_of(token.info)
        self.codes.append(CodeBlock(language, text))
        self.parts.append(Code(self._margin(), Listing(text, language)))

    def _list(self, tokens: Sequence[Token]) -> _Container:
        """The list that the first token opens; loose when the parser shows the paragraphs in its items as such."""
        opening, loose = tokens[0], False
        for token in tokens[1:]:
            if token.level == opening.level:
                break
            loose |= token.type == "paragraph_open" and token.level == opening.level + 2 and not token.hidden
        if opening.type == "ordered_list_open":
            return _Container(loose=loose, number=int(opening.attrs.get("start", 1)))
        depth = sum(bool(container.bullet) for container in self._within)
        return _Container(loose=loose, bullet=_BULLETS[depth % len(_BULLETS)])

    def _item(self) -> _Container:
        parent = self._within[-1]
        mark = parent.bullet or f"{parent.number}. "
        parent.number += 1
        return _Container(Content.styled(mark, "mark"), Content(" " * len(mark)))

    def _margin(self) -> Margin:
        """What stands left of the next part, and on a blank row before it, if there is to be one."""
        shared = [one for one, other in zip(self._within, self._before, strict=False) if one is other]
        loose = next((container.loose for container in reversed(shared) if container.loose is not None), True)
        above = _joined([container.rest for container in shared]) if loose and self.parts else None
        first = _joined([container.first for container in self._within])
        for container in self._within:
            container.first = container.rest
        self._before = self._within.copy()
        return Margin(first, _joined([container.rest for container in self._within]), above)


def _joined(pieces: Sequence[Content]) -> Content:
    return Content("").join(pieces)


def _table(margin: Margin, tokens: Iterator[Token]) -> Table:
    """The table whose opening was just taken; takes the rest of it."""
    rows, aligns = list[list[Content]](), list[Align]()
    for token in tokens:
        match token.type:
            case "table_close":
                break
            case "tr_open":
                rows.append([])
            case "th_open":
                aligns.append("right" if "right" in str(token.attrGet("style")) else "left")
            case "inline":
                rows[-1].append(inline(token.children or (), "strong" if len(rows) == 1 else ""))
    return Table(margin, rows, aligns)
