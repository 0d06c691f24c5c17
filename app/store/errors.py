"""What is wrong with the history."""

from lmdeck.model.problem import Problem


class StoreError(Exception):
    """The history could not be read or written; `problem` is what the screen shows. The deck works without it."""

    def __init__(self, title: str, detail: str = "", next_step: str = "") -> None:
        self.problem = Problem(title, detail, next_step)
        super().__init__(self.problem.sentence)
