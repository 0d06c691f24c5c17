"""Markdown of every shape, by a seed: what a property holds for."""

import random
from collections.abc import Iterator

# fmt: off
PIECES = (
    "# Title\n", "word ", "*em* ", "**st", "`co` ", "\n", "\n\n", "- item\n", "  - nested\n", "1. one\n",
    "10. ten\n", "    indented\n", "   three\n", "```python\n", "```\n", "   ```\n", "x = 1\n", "\ty = 2\n",
    "> quote\n", ">\n", "| a | b |\n", "|---|--:|\n", "| 1 | 漢字 |\n", "---\n", "https://x.y ",
    "[l](http://e.f)", "![i](s)", "<br>", "&#8238;", "&lt;", "\\", "~~~\n", "e\u0302\u0301", "👩\u200d👧 ",
    "* \n", "==\n", "\x1b[2J", "very_long_word_" * 8, "[r]: http://q\n", "- ```\n", "````\n", "\u202e",
    "[b]x[/b]", "漢字かな" * 9,
)
# fmt: on


def any_markdown(dice: random.Random) -> str:
    """Up to 60 pieces, and now and then a code longer than what is coloured at a time."""
    text = "".join(dice.choice(PIECES) for _ in range(dice.randrange(60)))
    if dice.random() < 0.1:
        text += "\n```python\n" + "x = 'a'\n" * dice.randrange(200) + dice.choice(["```\n", ""])
    return text


def cut(dice: random.Random, text: str) -> Iterator[str]:
    """The text in pieces of any size."""
    at = 0
    while at < len(text):
        size = dice.choice((1, 2, 5, 30, 300))
        yield text[at : at + size]
        at += size
