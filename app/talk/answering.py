"""Asks for an answer and records it as it comes."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from uuid import uuid4

from lmdeck.backend.errors import BackendError, ForgottenResponse, StreamCut
from lmdeck.conversations.ask import request_for
from lmdeck.conversations.recorder import Recorder
from lmdeck.model.branches import cut_back, find, shown
from lmdeck.model.catalog import Model
from lmdeck.model.chat import ChatFault, ChatRequest, Value
from lmdeck.model.conversation import KEPT, Turn
from lmdeck.model.parameters import check, taken
from lmdeck.model.problem import Problem
from lmdeck.state.deck import DeckState
from lmdeck.state.views import loaded_rows
from lmdeck.talk.thread import Thread

STOPPED = "stopped by you"
KEPT_EVERY_S = 2.0
"""How often a growing answer is written: what a crash may cost (seconds)."""


@dataclass(frozen=True, slots=True)
class Running:
    """The answer that is coming in. `user` is the turn it answers."""

    recorder: Recorder
    user: Turn


class Answering:
    """One answer at a time."""

    def __init__(self, thread: Thread) -> None:
        self._thread, self._desk, self._pane = thread, thread.desk, thread.pane
        self._running: Running | None = None
        self._said: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether an answer is coming in."""
        return self._running is not None

    def request(self, user: Turn, *, replay: bool = False) -> ChatRequest:
        """What is sent for this turn, with what endpoint and model take of the parameters."""
        conversation = self._thread.conversation
        asked = request_for(conversation, user, server=self._desk.backend.url, tools=self._thread.tools, replay=replay)
        return replace(asked, parameters=taken(asked.parameters, asked.endpoint, self._model(asked.model)))

    def _model(self, target: str) -> Model | None:
        return model_of(self._desk.state(), target)

    def ask(self, user: Turn, *, replay: bool = False) -> None:
        """Send the user's turn, which may have answers already: this one stands beside them."""
        thread, app = self._thread, self._desk.app
        request = self.request(user, replay=replay)
        self._tell_left_out(thread.conversation.parameters, request)
        new = find(thread.conversation, user.id) is None
        if new:
            thread.grow(user)
        else:
            thread.conversation = cut_back(thread.conversation, user.id)
        answer_id = uuid4().hex
        self._pane.begin(shown(thread.conversation)[-1], answer_id)
        stored = thread.conversation.keeping == KEPT
        recorder = Recorder(answer_id, user.id, request.endpoint, self._desk.backend.url, time.time, stored=stored)
        self._running = Running(recorder, user)
        app.run_worker(self._stream(self._running, request), group="chat", exclusive=True)

    def stop(self) -> None:
        """Close the connection, which makes the server stop generating; what came stays."""
        if (running := self._running) is not None:
            self._desk.app.workers.cancel_group(self._desk.app, "chat")
            self._pane.cut_off(STOPPED)
            self._settle(running, STOPPED)

    def _settle(self, running: Running, cut_off: str = "") -> None:
        """The answer is over: it becomes a turn."""
        if self._running is not running:
            return
        self._running = None
        self._thread.grow(running.recorder.turn(cut_off))
        self._thread.show()

    async def _stream(self, running: Running, request: ChatRequest) -> None:
        try:
            await self._receive(running.recorder, request)
        except ForgottenResponse as error:
            self._pane.fail(error.problem)
            self._settle(running, error.problem.sentence)
            await self._offer_replay(running.user, error.problem)
        except StreamCut as error:
            reason = error.detail or error.title
            self._pane.cut_off(reason)
            self._settle(running, reason)
        except BackendError as error:
            self._pane.fail(error.problem)
            self._settle(running, error.problem.sentence)
        except asyncio.CancelledError:
            if self._running is running:  # nobody stopped it: the deck is being closed
                self._thread.keep_turn(running.recorder.turn())
            raise
        else:
            self._settle(running)
        finally:
            self._desk.look_again()

    async def _receive(self, recorder: Recorder, request: ChatRequest) -> None:
        """Show and record what comes. An error before the first word ends the request like one before the stream."""
        fault: Problem | None = None
        kept_at = time.monotonic()
        async with aclosing(self._desk.commands.chat(request)) as events:
            async for event in events:
                recorder.feed(event)
                if isinstance(event, ChatFault) and recorder.empty:
                    fault = event.problem
                if fault is None:
                    self._pane.feed(event)
                if time.monotonic() - kept_at > KEPT_EVERY_S:
                    kept_at = time.monotonic()
                    self._thread.keep_turn(recorder.turn())
        if fault is not None:
            self._pane.fail(fault)

    async def _offer_replay(self, user: Turn, problem: Problem) -> None:
        """The server keeps answers for some time only: then everything must be sent again."""
        from lmdeck.screens.confirm import ConfirmDialog

        words = f"{problem.detail}\n\nThe whole conversation can be sent again, as text before your message."
        if await self._desk.app.push_screen_wait(
            ConfirmDialog("The server forgot this conversation", words, "Send it again")
        ):
            asyncio.get_running_loop().call_soon(self.ask_again, user)

    def ask_again(self, user: Turn) -> None:
        """With the whole history, if nothing else has been asked meanwhile."""
        if self._running is None and find(self._thread.conversation, user.id) is not None:
            self.ask(user, replay=True)

    def _tell_left_out(self, parameters: Mapping[str, Value], request: ChatRequest) -> None:
        """What is set and not taken, once."""
        words = check(parameters, request.endpoint, self._model(request.model))
        if words and words != self._said:
            self._desk.notices.tell("\n".join(words), title="Not sent", severity="warning")
        self._said = words


def obstacle(state: DeckState, target: str, parameters: Mapping[str, Value], *, read_only: bool) -> Problem | None:
    """Why a prompt must not be sent: `context_length` reloads the model, which would hurt whoever is using it."""
    if "context_length" not in parameters:
        return None
    if read_only:
        return Problem("context_length reloads the model", "this deck is read-only", "/param context_length clears it.")
    model = model_of(state, target)
    busy = [row.id for row in loaded_rows(state) or () if model and row.model_key == model.key and row.busy]
    if busy:
        detail = f"{', '.join(busy)} is busy: whoever uses it would get an error"
        return Problem("context_length reloads the model", detail, "Wait, or clear it with /param context_length.")
    return None


def model_of(state: DeckState, target: str) -> Model | None:
    """The model behind an instance id or a key."""
    return state.model_of(target) or state.model(target)
