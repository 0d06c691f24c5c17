"""Style sheets and themes."""

from pathlib import Path


def path(name: str) -> Path:
    """The absolute path of a style sheet in this package; Textual resolves relative ones against the caller."""
    return Path(__file__).parent / name
