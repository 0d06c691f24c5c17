"""The slash commands, obeyed."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Protocol

from lmdeck.model.branches import path
from lmdeck.model.comparison import Column, columns_of
from lmdeck.model.conversation import Turn
from lmdeck.model.slash import Command
from lmdeck.talk.answering import Answering, model_of
from lmdeck.talk.commands import Refused, changed
from lmdeck.talk.files import Files
from lmdeck.talk.thread import Thread

_EXAMPLE = "Hello"
"""Stands in a request that is shown before anything was said."""


class Views(Protocol):
    """Who opens the screens that stand beside the chat (`lmdeck.comparing.Comparing` is one)."""

    def open_compare(self, columns: Sequence[Column], prompt: str = "") -> None:
        """One prompt to several models or parameter sets."""
        ...

    def open_embeddings(self, model: str = "", text: str = "") -> None:
        """Vectors of texts."""
        ...


class Chat(Protocol):
    """What commands and keys have in common, done by the room."""

    def begin(self) -> None:
        """Another conversation."""
        ...

    def again(self, turn: Turn) -> None:
        """Another answer beside this one."""
        ...

    def open_panel(self) -> None:
        """The parameters."""
        ...

    def open_list(self) -> None:
        """The conversations."""
        ...

    def offer(self) -> None:
        """What can be completed is something else."""
        ...

    def takes_images(self, target: str | None) -> bool:
        """Whether this model can see, through this endpoint."""
        ...


class Orders:
    """Carries out commands on the thread; what several ways lead to is the `chat`'s to do."""

    def __init__(
        self, thread: Thread, answering: Answering, files: Files, views: Callable[[], Views], chat: Chat
    ) -> None:
        self._thread, self._answering, self._files = thread, answering, files
        self._desk, self._pane, self._views, self._chat = thread.desk, thread.pane, views, chat

    def obey(self, command: Command) -> None:
        """Begin it; a command that cannot be carried out says why."""
        try:
            after = changed(command, self._thread)
        except Refused as error:
            self._refuse(command, str(error))
            return
        if after is None:
            self._do(command)
            return
        if command.name in ("branch", "clear"):
            self._answering.stop()
        self._thread.change(after)
        self._chat.offer()

    def _refuse(self, command: Command, words: str) -> None:
        self._desk.notices.tell(words, title=f"/{command.name}", severity="warning")

    def _do(self, command: Command) -> None:
        """A command that does something else than change how the conversation goes on."""
        thread, text = self._thread, command.text
        match command.name:
            case "model":
                self._choose(command)
            case "new":
                self._chat.begin()
            case "retry" if turns := path(thread.conversation):
                self._chat.again(turns[-1])
            case "attach":
                images = self._chat.takes_images(self._pane.target)
                self._run(self._files.attach(text, images=images), "chat:attach")
            case "export":
                self._run(self._files.export(thread.conversation, text), "chat:export")
            case "import":
                self._run(self._import(text), "chat:import")
            case "list":
                self._chat.open_list()
            case "tools":
                self._chat.open_panel()
            case "rename":
                thread.rename(text)
            case "compare":
                self._compare(command)
            case "embed":
                self._views().open_embeddings(text)
            case "request":
                self._run(self._show_request(), "chat:request")
            case "help":
                self._desk.app.call_later(self._desk.app.run_action, "help")

    def _run(self, work: Coroutine[object, object, None], group: str) -> None:
        self._desk.app.run_worker(work, group=group, exclusive=True)

    def _choose(self, command: Command) -> None:
        if model_of(self._desk.state(), command.text) is None:
            self._refuse(command, f"{command.text}: no such instance or model")
            return
        self._desk.dashboard.choose_target(command.text)
        self._chat.offer()

    async def _import(self, written: str) -> None:
        found = await self._files.read(written)
        if found is None:
            return
        self._answering.stop()
        self._thread.turn_to(found)
        self._desk.dashboard.choose_target(found.model or None)
        self._thread.keep(lambda scribe: scribe.keep_all(found))

    def _compare(self, command: Command) -> None:
        thread, state = self._thread, self._desk.state()
        base = replace(Column.of(thread.conversation), model=self._pane.target or "")
        presets = {each.name: each.parameters for each in thread.remembered.presets if each.kind == "parameters"}
        known = (*(each.id for each in state.instances()), *(each.key for each in state.models or ()))
        try:
            columns = columns_of(command.words, base, presets=presets, known=known)
        except ValueError as error:
            self._refuse(command, str(error))
            return
        if unknown := next((each.model for each in columns if model_of(state, each.model) is None), None):
            self._refuse(command, f"{unknown}: no such instance or model")
        else:
            prompt = "" if self._pane.hide_prompts else self._last_prompt()
            self._views().open_compare(columns, prompt)

    def _last_prompt(self) -> str:
        turns = reversed(path(self._thread.conversation))
        return next((turn.text for turn in turns if turn.role == "user"), "")

    async def _show_request(self) -> None:
        """As it went for the last prompt, or would go for a first one. Images make it megabytes."""
        from lmdeck.backend.request_text import as_curl, as_python
        from lmdeck.screens.request_screen import RequestScreen

        thread, backend = self._thread, self._desk.backend
        turns = reversed(path(thread.conversation))
        example = Turn("", None, "user", _EXAMPLE, time.time(), thread.attachments)
        user = next((turn for turn in turns if turn.role == "user"), example)
        target = self._pane.target or thread.conversation.model
        request = replace(self._answering.request(user), model=target)
        texts = [
            await asyncio.to_thread(form, request, backend.url, backend.has_token) for form in (as_curl, as_python)
        ]
        self._desk.app.push_screen(RequestScreen(*texts))
