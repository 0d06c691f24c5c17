"""What was sent before, walked through from the editor."""

from collections.abc import Iterable

_MOST = 1000


class Recall:
    """Steps from what is being written back through the texts that were sent. Whatever was changed on the way is still
    there on the way back, until something is sent."""

    def __init__(self) -> None:
        self._sent: list[str] = []
        self._changed: dict[int, str] = {}
        self._place = 0

    def know(self, texts: Iterable[str]) -> None:
        """These were sent earlier, oldest first; what was sent here comes after them."""
        older = dict.fromkeys(texts)
        self._begin([*(text for text in older if text not in self._sent), *self._sent])

    def add(self, text: str) -> None:
        """This was sent."""
        self._begin([*(each for each in self._sent if each != text), text])

    def step(self, steps: int, written: str) -> str | None:
        """The text `steps` further (back: negative), in place of what is `written`; None: there is none."""
        place = self._place + steps
        if not 0 <= place <= len(self._sent):
            return None
        self._changed[self._place] = written
        self._place = place
        return self._changed.get(place, self._sent[place] if place < len(self._sent) else "")

    def _begin(self, sent: list[str]) -> None:
        self._sent = sent[-_MOST:]
        self._changed.clear()
        self._place = len(self._sent)
