"""Stored answers: what `previous_response_id` continues or branches from."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from lmdeck.demo.errors import ApiError
from lmdeck.demo.faults import Faults
from lmdeck.demo.fields import Json

KEPT = 1000


class Conversations:
    """The last thousand answers, each with the whole conversation that led to it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._turns: OrderedDict[str, tuple[Json, ...]] = OrderedDict()

    def new_id(self) -> str:
        """An id for an answer."""
        return f"resp_{secrets.token_hex(24)}"

    def store(self, response_id: str, messages: tuple[Json, ...]) -> None:
        """Keep a conversation up to and with its answer."""
        self._turns[response_id] = messages
        while len(self._turns) > KEPT:
            self._turns.popitem(last=False)

    def get(self, response_id: str | None) -> tuple[Json, ...]:
        """The conversation up to an answer; empty for None. Raises ApiError 400 for an id that is not stored."""
        if response_id is None:
            return ()
        if response_id not in self._turns or self._faults.take("forgotten"):
            raise ApiError(
                400,
                "invalid_request",
                f"Could not find stored response for previous_response_id '{response_id}'. It may have expired or "
                "been created with store=false.",
                code="invalid_value",
                param="previous_response_id",
            )
        return self._turns[response_id]
