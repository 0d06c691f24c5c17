"""Answers side by side, and embeddings: opens their screens, and carries out what they ask for."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from lmdeck.backend.errors import BackendError, Forbidden, StreamCut
from lmdeck.desk import Desk
from lmdeck.model import parameters
from lmdeck.model.catalog import Model
from lmdeck.model.chat import ChatEvent, ChatRequest
from lmdeck.model.comparison import MOST, Column
from lmdeck.model.endpoints import find
from lmdeck.model.vectors import compared
from lmdeck.screens import intents
from lmdeck.screens.compare_screen import CompareScreen, Leaving
from lmdeck.screens.embeddings_screen import EmbeddingsScreen

S = TypeVar("S")

_RELOADS = frozenset({"context_length"})
"""Parameters that would reload a model, and with it end the other answers."""


class Comparing:
    """One comparison at a time: every column is a request of its own, each in a worker group `compare:<index>`."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._app = desk, desk.app
        self._asked = self._unsent = self._texts = ""

    def open_compare(self, columns: Sequence[Column], prompt: str = "") -> None:
        """Open the screen for two to four columns; nothing is sent before the user sends it. It begins with this
        prompt, or with one that was typed into the last comparison and never sent."""
        screen = CompareScreen(columns, self._unsent or prompt, "\n".join(self._remarks(columns)))
        self._app.push_screen(screen, partial(self._left, prompt))

    def open_embeddings(self, model: str = "", text: str = "") -> None:
        """Open the screen for this model or instance, else for the first embedding model, one in memory before others.
        A notice says so if there is none. Without a text it begins with the last ones."""
        models = [each for each in self._desk.state().models or () if each.is_embedding]
        models.sort(key=lambda each: not each.instances)
        chosen = model or next((each.instances[0].id if each.instances else each.key for each in models), "")
        if chosen:
            self._app.push_screen(EmbeddingsScreen(chosen, text or self._texts), self._left_embeddings)
        else:
            self._desk.notices.tell("The server has no embedding model.", severity="warning")

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin it; False for an intent of another room."""
        match intent:
            case CompareScreen.Asked(prompt=prompt, columns=columns):
                self._ask(prompt, columns)
            case CompareScreen.Stopped():
                self._stop()
            case EmbeddingsScreen.Embed(model=model, inputs=inputs):
                self._app.run_worker(self._embed(model, inputs), group="embed", exclusive=True)
            case _:
                return False
        return True

    def _ask(self, prompt: str, columns: Sequence[Column]) -> None:
        self._stop()
        screens = self._open(CompareScreen)
        if not screens:
            return  # closed meanwhile
        self._asked = prompt
        for screen in screens:
            screen.begin()
        for index, column in enumerate(columns):
            self._app.run_worker(self._answer(index, column, prompt), group=f"compare:{index}")

    def _open(self, kind: type[S]) -> list[S]:
        return [screen for screen in self._app.screen_stack if isinstance(screen, kind)]

    def _cancel(self, group: str) -> None:
        self._app.workers.cancel_group(self._app, group)

    def _stop(self) -> None:
        """Closing the connections makes the server stop generating."""
        for index in range(MOST):
            self._cancel(f"compare:{index}")

    def _left(self, begun_with: str, leaving: Leaving | None) -> None:
        self._stop()
        if leaving is None:
            return
        known = leaving.taken is not None or leaving.prompt in (begun_with, self._asked)
        self._unsent = "" if known else leaving.prompt
        if leaving.taken is not None:
            self._app.post_message(CompareScreen.Take(leaving.taken, leaving.prompt))

    def _left_embeddings(self, texts: str | None) -> None:
        self._cancel("embed")
        self._texts = texts or ""

    # What is sent

    def _model(self, name: str) -> Model | None:
        state = self._desk.state()
        return state.model_of(name) or state.model(name)

    def _is_loaded(self, name: str) -> bool:
        model = self._model(name)
        return model is not None and bool(model.instances)

    def _may_ask(self, name: str) -> None:
        """Raises Forbidden where asking would load a model on behalf of a read-only deck."""
        if self._desk.dashboard.loaded.read_only and not self._is_loaded(name):
            raise Forbidden(f"{name} is not loaded", title="read-only", next_step="lmdeck --read-only loads nothing.")

    def _remarks(self, columns: Sequence[Column]) -> Iterator[str]:
        """What should be known before it is asked."""
        names = dict.fromkeys(column.model for column in columns if not self._is_loaded(column.model))
        if names:
            listed = ", ".join(names)
            yield f"Not loaded: {listed}. The server loads what it is asked for, and may unload another for it."
        told = (
            words
            for column in columns
            for words in parameters.check(column.parameters, column.endpoint, self._model(column.model))
        )
        kept_back = (f"{name}: it would reload the model" for c in columns for name in _RELOADS & c.parameters.keys())
        for words in dict.fromkeys((*told, *kept_back)):
            yield f"Not sent: {words}."

    def _request(self, column: Column, prompt: str) -> ChatRequest:
        """A first turn, of which the server keeps nothing."""
        endpoint = find(column.endpoint)
        taken = parameters.taken(column.parameters, column.endpoint, self._model(column.model))
        return ChatRequest(
            column.model,
            prompt,
            system_prompt=column.system_prompt or None,
            store=False if endpoint is not None and endpoint.store else None,
            endpoint=column.endpoint,
            parameters={name: value for name, value in taken.items() if name not in _RELOADS},
        )

    # Workers

    async def _answer(self, index: int, column: Column, prompt: str) -> None:
        """Stream one column's answer into the screen, for as long as it is open."""
        try:
            self._may_ask(column.model)
            await self._feed(index, self._desk.commands.chat(self._request(column, prompt)))
        except StreamCut as error:
            for screen in self._open(CompareScreen):
                screen.cut_off(index, error.detail or error.title)
        except BackendError as error:
            for screen in self._open(CompareScreen):
                screen.fail(index, error.problem)
        finally:
            self._desk.look_again()

    async def _feed(self, index: int, answer: AsyncGenerator[ChatEvent]) -> None:
        async with aclosing(answer) as events:
            async for event in events:
                screens = self._open(CompareScreen)
                if not screens:
                    return
                for screen in screens:
                    screen.feed(index, event)

    async def _embed(self, model: str, inputs: tuple[str, ...]) -> None:
        try:
            self._may_ask(model)
            vectors = await self._desk.backend.embed(model, inputs)
        except BackendError as error:
            for screen in self._open(EmbeddingsScreen):
                screen.fail(error.problem)
        else:
            comparison = await asyncio.to_thread(compared, inputs, vectors)
            for screen in self._open(EmbeddingsScreen):
                screen.show(comparison)
        finally:
            self._desk.look_again()
