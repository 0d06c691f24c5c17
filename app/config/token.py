"""An API token that never shows itself by accident."""

from typing import NoReturn

from lmdeck.config.errors import ConfigError


class Token:
    """A bearer token. `repr` and `str` show `***`, it does not pickle, and only `reveal()` gives its text.

    Surrounding white space is dropped; an empty token, or one with characters that no header may carry, is a
    ConfigError (which does not quote it).
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        text = text.strip()
        if not text or not all("!" <= character <= "~" for character in text):
            raise ConfigError("The token is empty or holds characters that no token has (spaces, controls, accents).")
        self.__text = text

    def reveal(self) -> str:
        """The token's text, for the one header or variable that carries it."""
        return self.__text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not pickled")
