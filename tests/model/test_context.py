"""What four claims about one context come to."""

import pytest

from lmdeck.model.context import Claim, ContextReading, Proof


def claim(tokens: int) -> Claim:
    return Claim(tokens, "test")


@pytest.mark.parametrize(
    ("reading", "mark", "notice"),
    [
        (ContextReading(), "unknown", None),
        (ContextReading(reported=claim(8192)), "unknown", None),
        (ContextReading(claim(8192), claim(8192)), "unknown", None),
        (ContextReading(None, claim(8192), claim(8192)), "agree", None),
        # llama.cpp rounds up
        (ContextReading(claim(1000), claim(1000), claim(1024)), "agree", None),
        (
            ContextReading(claim(32768), claim(32768), claim(8192)),
            "collapsed",
            "context collapsed: 32768 requested, 8192 allocated",
        ),
        (
            ContextReading(None, claim(32768), claim(8192)),
            "collapsed",
            "context collapsed: 32768 reported, 8192 allocated",
        ),
        (ContextReading(claim(32768), claim(4096)), "collapsed", "context collapsed: 32768 requested, 4096 reported"),
        # an experiment beats the log, whatever the log says
        (ContextReading(claim(32768), claim(32768), claim(8192), Proof(32700)), "agree", None),
        (
            ContextReading(claim(32768), claim(32768), claim(32768), Proof(8150, 8280)),
            "collapsed",
            "context collapsed: 32768 requested, 8150 proven",
        ),
        (ContextReading(None, claim(8192), None, Proof(8000)), "agree", None),
    ],
)
def test_mark_and_notice(reading: ContextReading, mark: str, notice: str | None) -> None:
    assert (reading.mark, reading.notice) == (mark, notice)
