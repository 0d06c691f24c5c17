"""Kept conversations, presets, and what a comparison is left with: carried out for the screens beside the chat."""

from collections.abc import Coroutine
from dataclasses import replace

from lmdeck.model.comparison import Column
from lmdeck.model.conversation import ChatPreset
from lmdeck.model.problem import Problem
from lmdeck.screens import intents
from lmdeck.screens.chat_panel import ChatPanel
from lmdeck.screens.compare_screen import CompareScreen
from lmdeck.screens.conversations_screen import ConversationsScreen
from lmdeck.store.errors import StoreError
from lmdeck.talk.answering import Answering
from lmdeck.talk.files import Files
from lmdeck.talk.scribe import Scribe
from lmdeck.talk.thread import Thread, fresh

_NO_HISTORY = Problem("conversations are not kept", "there is no history file", "The log pane says why.")


class Shelf:
    """Carries out what the list of conversations, the panel and a comparison ask for."""

    def __init__(self, thread: Thread, answering: Answering, files: Files) -> None:
        self._thread, self._answering, self._files = thread, answering, files
        self._app = thread.desk.app

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin it; False for an intent of another room."""
        match intent:
            case ConversationsScreen.Search(query=query):
                self._begin(self._search(query), group="chat:search")
            case ConversationsScreen.Open(id=id):
                self._begin(self._open(id))
            case ConversationsScreen.Rename(id=id, title=title):
                self._begin(self._rename(id, title))
            case ConversationsScreen.Pin(id=id, pinned=pinned):
                self._begin(self._pin(id, pinned))
            case ConversationsScreen.Drop(id=id):
                self._begin(self._drop(id))
            case ConversationsScreen.Export(id=id):
                self._begin(self._export(id))
            case ChatPanel.KeepPreset(preset=preset):
                self._begin(self._keep_preset(preset))
            case ChatPanel.DropPreset(preset=preset):
                self._begin(self._drop_preset(preset))
            case CompareScreen.Take(column=column, prompt=prompt):
                self._take(column, prompt)
            case _:
                return False
        return True

    def _begin(self, work: Coroutine[object, object, None], group: str = "chat:shelf") -> None:
        self._app.run_worker(self._told(work), group=group, exclusive=group == "chat:search")

    async def _told(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except StoreError as error:
            if (screen := self._screen()) is not None:
                screen.fail(error.problem)
            else:
                self._thread.desk.notices.problem("History", error.problem)

    def _screen(self) -> ConversationsScreen | None:
        return next((each for each in self._app.screen_stack if isinstance(each, ConversationsScreen)), None)

    @property
    def _scribe(self) -> Scribe:
        if self._thread.scribe is None:
            raise StoreError(_NO_HISTORY.title, _NO_HISTORY.detail, _NO_HISTORY.next_step)
        return self._thread.scribe

    def _changed(self) -> None:
        if (screen := self._screen()) is not None:
            screen.ask_again()

    async def _search(self, query: str) -> None:
        found = await self._scribe.store.conversations(query)
        if (screen := self._screen()) is not None:
            screen.show(found, query)

    async def _open(self, id: str) -> None:
        found = await self._scribe.store.conversation(id)
        if found is None:
            raise StoreError("this conversation is gone", "another lmdeck may have dropped it")
        self._answering.stop()
        self._thread.turn_to(found)
        self._thread.desk.dashboard.choose_target(found.model or None)
        if (screen := self._screen()) is not None and self._app.screen is screen:
            screen.dismiss(None)
        self._thread.desk.dashboard.action_pane("chat")

    async def _rename(self, id: str, title: str) -> None:
        if id == self._thread.conversation.id:
            self._thread.rename(title)
        else:
            await self._scribe.rename(id, title)
        self._changed()

    def _take(self, column: Column, prompt: str) -> None:
        """Go on as one of the compared was asked: the next turn is sent that way."""
        thread = self._thread
        thread.change(
            replace(
                thread.conversation,
                endpoint=column.endpoint,
                parameters=column.parameters,
                system_prompt=column.system_prompt,
            )
        )
        thread.desk.dashboard.choose_target(column.model)
        thread.desk.dashboard.action_pane("chat")
        thread.pane.write(prompt)

    async def _pin(self, id: str, pinned: bool) -> None:
        if id == self._thread.conversation.id:
            self._thread.conversation = replace(self._thread.conversation, pinned=pinned)
        await self._scribe.pin(id, pinned)
        self._changed()

    async def _drop(self, id: str) -> None:
        if id == self._thread.conversation.id:
            self._answering.stop()
            await self._scribe.write_rest()  # what was to be written of it would bring it back
            self._thread.turn_to(fresh(self._thread.conversation))
        await self._scribe.store.drop_conversation(id)
        self._thread.forget(id)
        self._changed()

    async def _export(self, id: str) -> None:
        conversation = self._thread.conversation
        found = conversation if id == conversation.id else await self._scribe.store.conversation(id)
        if found is not None:
            await self._files.export_both(found)

    async def _keep_preset(self, preset: ChatPreset) -> None:
        await self._scribe.store.keep_chat_preset(preset)
        await self._refresh_presets()

    async def _drop_preset(self, preset: ChatPreset) -> None:
        await self._scribe.store.drop_chat_preset(preset.kind, preset.name)
        await self._refresh_presets()

    async def _refresh_presets(self) -> None:
        presets = self._thread.with_configured(await self._scribe.store.chat_presets())
        self._thread.remembered = replace(self._thread.remembered, presets=presets)
