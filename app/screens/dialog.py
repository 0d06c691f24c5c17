"""The base of everything that opens over the dashboard."""

from typing import TypeVar

from textual.screen import ModalScreen

from lmdeck import styles

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A modal screen with the dialogs' style sheet, which is read when the first one opens."""

    CSS_PATH = styles.path("dialogs.tcss")
