"""What went wrong, in words a person can act on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure as the screen shows it.

    `title` is one short line (`down: connection refused`, `401: token not accepted`), `detail` the other
    side's own words (may be empty), `next_step` what the user can do now.
    """

    title: str
    detail: str = ""
    next_step: str = ""

    @property
    def sentence(self) -> str:
        """Title and detail on one line, for a notice or a log line."""
        return f"{self.title}: {self.detail}" if self.detail else self.title

    @property
    def lines(self) -> str:
        """What is known of title, detail and next step, each on its own line."""
        return "\n".join(filter(None, (self.title, self.detail, self.next_step)))
