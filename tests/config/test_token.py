import copy
import pickle
import traceback

import pytest

from lmdeck.config.errors import ConfigError
from lmdeck.config.settings import Settings
from lmdeck.config.token import Token

SECRET = "sk-lm-12345678:abcdefghijklmnopqrst"


def test_a_token_shows_itself_only_when_asked():
    token = Token(f" {SECRET}\n")
    assert token.reveal() == SECRET
    for shown in (repr(token), str(token), f"{token}", f"{token!r:>40}", repr([token]), repr(Settings(token=token))):
        assert SECRET not in shown
        assert "***" in shown


def test_a_token_is_compared_but_not_copied_out():
    assert Token(SECRET) == Token(SECRET)
    assert len({Token(SECRET), Token(SECRET), Token("other")}) == 2
    assert Token(SECRET) != SECRET
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(Token(SECRET))
    with pytest.raises(TypeError):
        vars(Token(SECRET))


def test_a_token_is_not_in_the_locals_of_a_traceback():
    def fail(token: Token) -> None:
        raise ValueError(f"with {token}")

    with pytest.raises(ValueError, match=r"\*\*\*") as caught:
        fail(Token(SECRET))
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "token = ***" in shown
    assert SECRET not in shown


@pytest.mark.parametrize("text", ["", "  ", "two words", "sk-lm-é", "sk\x1b[2J", "sk\r\nX-Evil: 1"])
def test_what_no_header_may_carry_is_refused_and_not_repeated(text):
    with pytest.raises(ConfigError) as caught:
        Token(text)
    assert not text.strip() or text not in str(caught.value)
