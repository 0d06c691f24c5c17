"""What the user wants in the chat, carried out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from lmdeck.conversations.attach import AttachFailed, text_attachment
from lmdeck.conversations.export import title_for
from lmdeck.desk import Desk
from lmdeck.model.branches import cut_back, find, turned
from lmdeck.model.chat import Tools
from lmdeck.model.conversation import Attachment, ChatPreset, Turn
from lmdeck.model.endpoints import find as find_endpoint
from lmdeck.model.problem import Problem
from lmdeck.screens import intents
from lmdeck.state.deck import DeckState
from lmdeck.state.views import loaded_rows
from lmdeck.store.history import Store
from lmdeck.talk.answering import Answering, model_of, obstacle
from lmdeck.talk.files import Files
from lmdeck.talk.offers import offers
from lmdeck.talk.orders import Orders, Views
from lmdeck.talk.scribe import Scribe
from lmdeck.talk.thread import NEW, Thread, fresh
from lmdeck.widgets import chat_wishes as wishes

if TYPE_CHECKING:
    from lmdeck.model.chat_settings import ChatSettings
    from lmdeck.talk.shelf import Shelf


class Talk:
    """Heeds the chat's wishes, one after the other."""

    def __init__(
        self, desk: Desk, tools: Sequence[Tools], views: Callable[[], Views], presets: Sequence[ChatPreset] = ()
    ) -> None:
        self._desk, self._app = desk, desk.app
        self._read_only = desk.dashboard.loaded.read_only
        self._thread = Thread(desk, {each.label: each for each in tools}, presets)
        self._pane = self._thread.pane
        self._answering = Answering(self._thread)
        self._files = Files(self._thread)
        self._orders = Orders(self._thread, self._answering, self._files, views, self)
        self._before_edit: tuple[Attachment, ...] | None = None
        self.heed(DeckState())

    @cached_property
    def shelf(self) -> "Shelf":
        """What the screens beside the chat ask for; it brings them."""
        from lmdeck.talk.shelf import Shelf

        return Shelf(self._thread, self._answering, self._files)

    @asynccontextmanager
    async def keeping(self, store: Store) -> AsyncIterator[None]:
        """While the history is open: what earlier sessions left comes back and what is said is written, at the end the
        last of it. Raises StoreError."""
        scribe = Scribe(store, self._desk.notices.note)
        await self._remember(scribe)
        writing = asyncio.create_task(scribe.write())
        try:
            yield
        finally:
            await asyncio.sleep(0)  # an answer that is cancelled with this one has its say first
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing
            await scribe.write_rest()
            self._thread.scribe = None

    async def _remember(self, scribe: Scribe) -> None:
        thread, early, kept = self._thread, self._thread.remembered, await scribe.remembered()
        thread.scribe = scribe
        drafts, prompts = {**kept.drafts, **early.drafts}, (*kept.prompts, *early.prompts)
        presets = thread.with_configured(kept.presets)
        thread.remembered = replace(kept, drafts=drafts, prompts=prompts, presets=presets)
        self._pane.prompts = prompts
        if thread.conversation.turns:
            await scribe.keep_all(thread.conversation)
        elif written := self._pane.draft:
            thread.draft(written)
        elif draft := drafts.get(NEW):
            self._pane.write(draft)

    def heed(self, before: DeckState) -> None:
        """The state is another one: what can be completed, and how full the context is."""
        state = self._desk.state()
        if state.models is not before.models:
            self.offer()
        self._thread.measure()

    def offer(self) -> None:
        """Tell the editor what can be completed."""
        thread = self._thread
        self._pane.offers = offers(
            self._desk.state(), self._pane.target, thread.conversation, thread.remembered.presets, thread.tools
        )

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin what a screen beside the chat asks for; False for an intent of another room."""
        return self.shelf.carry_out(intent)

    def heed_wish(self, wish: wishes.ChatWish) -> None:
        """Begin what the pane asks for."""
        thread = self._thread
        match wish:
            case wishes.Sent(text=text, edits=edits):
                self._run(self._send(text, edits), "chat:send")
            case wishes.Stopped():
                self._answering.stop()
            case wishes.Begun():
                self.begin()
            case wishes.Typed(text=text):
                thread.draft(text)
            case wishes.Commanded(command=command):
                self._orders.obey(command)
            case wishes.TurnWish():
                self._heed_turn(wish)
            case wishes.EditDropped():
                self._end_edit()
            case wishes.AttachmentDropped(index=index):
                thread.attach(tuple(each for place, each in enumerate(thread.attachments) if place != index))
            case wishes.PathsWanted(prefix=prefix):
                self._run(self._files.offer_paths(prefix), "chat:paths")
            case wishes.PastedLarge(text=text):
                self._attach_paste(text)
            case wishes.PanelWanted():
                self.open_panel()
            case wishes.ListWanted():
                self.open_list()

    def _heed_turn(self, wish: wishes.TurnWish) -> None:
        thread, conversation = self._thread, self._thread.conversation
        turn = find(conversation, wish.turn_id)
        if turn is None or self._answering.running:
            self._desk.notices.tell("An answer is still coming: Esc stops it.", severity="warning")
            return
        match wish:
            case wishes.EditWanted():
                self._before_edit = thread.attachments
                thread.attach(turn.attachments)
            case wishes.AgainWanted():
                self.again(turn)
            case wishes.BranchWanted():
                thread.turn_to(cut_back(conversation, turn.id if turn.role == "assistant" else turn.parent))
                self._pane.focus_content()
            case wishes.WalkWanted(step=step):
                thread.turn_to(turned(conversation, turn.id, step))

    def _run(self, work: Coroutine[object, object, None], group: str) -> None:
        self._app.run_worker(work, group=group, exclusive=True)

    # Sending

    async def _send(self, text: str, edits: str | None) -> None:
        """The next turn: what was typed, the files that it names, what was attached."""
        thread, target = self._thread, self._pane.target
        if self._answering.running or target is None or self._is_hindered(target):
            if target is None:
                self._desk.notices.tell(self._desk.dashboard.nobody, severity="warning")
            return
        try:
            named = await self._files.referenced(text, images=self.takes_images(target))
        except AttachFailed as error:
            self._desk.notices.problem("Not sent", Problem(str(error)))
            return
        edited = find(thread.conversation, edits) if edits is not None else None
        user = Turn(
            id=uuid4().hex,
            parent=edited.parent if edited else thread.parent_for_next(),
            role="user",
            text=text,
            at=time.time(),
            attachments=(*thread.attachments, *(each for each in named if each not in thread.attachments)),
        )
        self._desk.dashboard.choose_target(target)
        title = thread.conversation.title or title_for(text)
        thread.draft("")
        thread.conversation = replace(thread.conversation, model=target, title=title)
        self._before_edit = None
        thread.attach(())
        thread.prompted(text)
        self._answering.ask(user)

    def _is_hindered(self, target: str) -> bool:
        parameters = self._thread.conversation.parameters
        if problem := obstacle(self._desk.state(), target, parameters, read_only=self._read_only):
            self._desk.notices.problem("Not sent", problem)
        return problem is not None

    def takes_images(self, target: str | None) -> bool:
        """Whether this model can see, through this endpoint."""
        model = model_of(self._desk.state(), target) if target else None
        endpoint = find_endpoint(self._thread.conversation.endpoint)
        return bool(model and model.capabilities.vision and endpoint and endpoint.images)

    def again(self, turn: Turn) -> None:
        """Another answer beside this one, or to this prompt."""
        conversation, target = self._thread.conversation, self._pane.target
        user = turn if turn.role == "user" else find(conversation, turn.parent or "")
        if user is None or target is None or self._is_hindered(target):
            return
        self._thread.conversation = replace(conversation, model=target)
        self._answering.ask(user)

    # The conversation

    def begin(self) -> None:
        """Another conversation, sent as this one is."""
        self._answering.stop()
        self._thread.turn_to(fresh(self._thread.conversation))
        self._desk.dashboard.choose_target(None)

    def open_list(self) -> None:
        """The conversations."""
        from lmdeck.screens.conversations_screen import ConversationsScreen

        self._app.push_screen(ConversationsScreen(current=self._thread.conversation.id))

    def _end_edit(self) -> None:
        if self._before_edit is not None:
            self._thread.attach(self._before_edit)
            self._before_edit = None

    def _attach_paste(self, text: str) -> None:
        number = 1 + sum(each.name.startswith("pasted text") for each in self._thread.attachments)
        self._thread.attach((*self._thread.attachments, text_attachment(f"pasted text {number}", text)))

    def open_panel(self) -> None:
        """The parameters; what is accepted there holds from the next turn on."""
        from lmdeck.model.chat_settings import ChatSettings
        from lmdeck.screens.chat_panel import ChatPanel

        thread, state, target = self._thread, self._desk.state(), self._pane.target
        model = model_of(state, target) if target else None
        busy = any(row.busy for row in loaded_rows(state) or () if model and row.model_key == model.key)

        def accept(settings: "ChatSettings | None") -> None:
            if settings is not None:
                thread.change(settings.applied(thread.conversation))
                self.offer()

        panel = ChatPanel(
            ChatSettings.of(thread.conversation),
            model=model,
            presets=thread.remembered.presets,
            tools=tuple(thread.tools.values()),
            busy=busy,
            read_only=self._read_only,
        )
        self._app.push_screen(panel, accept)
