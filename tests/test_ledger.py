"""The ledger: which of the requests that it hears of are counted and kept."""

import time

from exchange_world import request_line

from lmdeck.diagnosis.server import APIS
from lmdeck.ledger import Ledger
from lmdeck.model.exchange import PROBE
from lmdeck.model.log import ServerLine


def heard(body: dict[str, object]) -> tuple[Ledger, int]:
    """A ledger that heard of this request and its refusal, and how many requests it counts."""
    ledger, now = Ledger("http://127.0.0.1:1234", keep_text=False), time.time()
    changed = ledger.hear([request_line(now, body), ServerLine(now, "'model' must be a string", "error")])
    assert len({exchange.number for exchange in changed}) == 1  # it is shown in any case
    assert all(exchange.error or exchange.running for exchange in changed)
    return ledger, max((one.requests for one in ledger.summaries("session", now + 1)), default=0)


def test_a_refused_request_is_counted_and_waits_to_be_kept() -> None:
    ledger, requests = heard({"model": 0, "messages": 0})
    assert (ledger.waiting, requests) == (1, 1)


def test_the_doctors_own_requests_are_neither_counted_nor_kept() -> None:
    chat = next(one for api in APIS for one in api.endpoints if one.path == "/v1/chat/completions")
    assert chat.wrong
    assert PROBE in chat.wrong
    ledger, requests = heard(chat.wrong)
    assert (ledger.waiting, requests) == (0, 0)
