"""The prompt of a verification: a code word near the start, filler, and the question at the end.

All prompts of one verification begin alike and differ only in how much filler follows, so that a server that keeps the
read prompt reads only what is new. Ordinary words in a fixed round: every tokeniser takes about the same number of
tokens for each round, which makes a size in tokens something that can be aimed at.
"""

import random
from dataclasses import dataclass, field

_FILLER = (
    "The river ran past the old mill and the children watched the boats go by. In the morning the baker opened his "
    "door and the smell of bread went down the street to the market where people talked about the weather."
)
_ROUND = _FILLER.split()

ROUND = len(_ROUND)
"""Words in one round of filler."""

_NAMES = ("MAPLE", "TIGER", "OCEAN", "PIANO", "ROBIN", "CEDAR", "DELTA", "AMBER")


@dataclass(frozen=True, slots=True)
class Haystack:
    """Prompts around one random code word, which no model can guess."""

    code: str = field(default_factory=lambda: f"{random.choice(_NAMES)}-{random.randrange(1000, 10000)}")

    def prompt(self, words: int) -> str:
        """The prompt with so many words of filler."""
        rounds, rest = divmod(max(words, 0), ROUND)
        filler = " ".join([*[_FILLER] * rounds, *_ROUND[:rest]])
        return (
            f"The secret code is {self.code}. Keep it in mind while you read the text.\n\n{filler}\n\n"
            f"What is the secret code from the beginning? Answer with the code only."
        )

    def in_answer(self, text: str) -> bool:
        """Whether an answer (or the reasoning before it) names the code."""
        return self.code.lower() in text.replace(" ", "").lower()


@dataclass(slots=True)
class Scale:
    """Words of filler to the server's tokens: a line through the bare prompt and the longest one counted so far."""

    base: int
    slope: float = 1.0
    _longest: int = 0

    def learn(self, words: int, counted: int) -> None:
        """A prompt that went in whole."""
        if words > self._longest and counted > self.base:
            self._longest, self.slope = words, (counted - self.base) / words

    def tokens(self, words: int) -> int:
        """What the server should count for so many words."""
        return round(self.base + self.slope * words)

    def words(self, tokens: int) -> int:
        """How many words make a prompt of at most so many tokens."""
        return max(0, int((tokens - self.base) / self.slope))
