"""What is wrong with a setting."""

from collections.abc import Iterable


class ConfigError(Exception):
    """One sentence for the user: which setting is wrong and what to do. Never holds a secret."""


def nearest(name: str, known: Iterable[str]) -> str:
    """For an unknown name: which known one may be meant, else all of them; goes on behind the name."""
    import difflib

    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else f" (known: {', '.join(sorted(known)) or 'none'})"
