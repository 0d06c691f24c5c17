"""The headers of MCP servers: the configuration names environment variables, and only a request gets their values."""

import os

from lmdeck.backend.errors import NotSent


class _Hidden(str):
    """A text that a traceback does not show."""

    def __repr__(self) -> str:
        return "'[hidden]'"


def from_environment(variable: str) -> str:
    """A variable's value; raises NotSent if it is not set."""
    try:
        return _Hidden(os.environ[variable])
    except KeyError:
        words = f"a tool's header needs the environment variable {variable}, which is not set"
        raise NotSent(words, next_step="Set it and start lmdeck again, or take the tool away.") from None
