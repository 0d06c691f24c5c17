"""The room of comparisons: what is asked of the server, what reaches the screens, and what ends it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from textual import on
from textual.app import App
from textual.pilot import Pilot

from lmdeck.backend.errors import BackendError, NotFound, StreamCut
from lmdeck.comparing import Comparing
from lmdeck.model.catalog import Instance, Model
from lmdeck.model.chat import ChatEnded, ChatEvent, ChatRequest, ChatStats, MessageDelta
from lmdeck.model.comparison import Column
from lmdeck.model.endpoints import CHAT_COMPLETIONS
from lmdeck.screens import intents
from lmdeck.screens.compare_screen import CompareScreen
from lmdeck.screens.embeddings_screen import EmbeddingsScreen
from lmdeck.state.deck import DeckState

MODELS = (
    Model("a", instances=(Instance("a", "a"),)),
    Model("b", instances=(Instance("b:2", "b"),)),
    Model("c"),
    Model("nomic", type="embedding"),
    Model("bert", type="embedding", instances=(Instance("bert:2", "bert"),)),
)
COLUMNS = (Column("first", "a"), Column("second", "b:2"))
END = ChatEnded(ChatStats(1, 2, None, 3.0, 0.4))


class Backend:
    """Answers with what a test puts into `answers`, by model."""

    def __init__(self) -> None:
        self.asked = list[ChatRequest]()
        self.answers: dict[str, asyncio.Queue[ChatEvent | BackendError]] = {}
        self.closed = list[ChatRequest]()
        self.embedded = list[tuple[str, tuple[str, ...]]]()
        self.refusal: BackendError | None = None

    async def chat(self, request: ChatRequest) -> AsyncIterator[ChatEvent]:
        self.asked.append(request)
        events = self.answers[request.model] = asyncio.Queue()
        try:
            while True:
                event = await events.get()
                if isinstance(event, BackendError):
                    raise event
                yield event
                if isinstance(event, ChatEnded):
                    return
        finally:
            self.closed.append(request)

    async def embed(self, model: str, inputs: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        self.embedded.append((model, tuple(inputs)))
        if self.refusal is not None:
            raise self.refusal
        return tuple((float(len(text)), 1.0) for text in inputs)


class Host(App[None]):
    """Carries out what the screens ask for, and keeps what nobody does."""

    def __init__(self, *, models: tuple[Model, ...] = MODELS, read_only: bool = False) -> None:
        super().__init__()
        self.backend, self.left_over, self.told = Backend(), list[intents.Intent](), list[str]()
        self.looks = 0
        desk = SimpleNamespace(
            app=self,
            backend=self.backend,
            commands=self.backend,
            state=lambda: DeckState(models=models),
            dashboard=SimpleNamespace(loaded=SimpleNamespace(read_only=read_only)),
            notices=SimpleNamespace(tell=lambda words, **_: self.told.append(words)),
            look_again=self.look_again,
        )
        self.comparing = Comparing(desk)  # type: ignore[arg-type]

    def look_again(self) -> None:
        self.looks += 1

    @on(intents.Intent)
    def carry_out(self, intent: intents.Intent) -> None:
        if not self.comparing.carry_out(intent):
            self.left_over.append(intent)

    def states(self) -> list[str]:
        assert isinstance(self.screen, CompareScreen)
        return [column.outcome.state for column in self.screen._columns]

    def texts(self) -> list[str]:
        assert isinstance(self.screen, CompareScreen)
        return [column.text for column in self.screen._columns]

    def words(self) -> str:
        strips = self.screen._compositor.render_strips(self.screen.size)
        return " ".join("".join(segment.text for segment in strip) for strip in strips)


class Driven:
    """A host with its pilot."""

    def __init__(self, host: Host, pilot: Pilot[None]) -> None:
        self.host, self.pilot, self.backend = host, pilot, host.backend

    async def until(self, holds) -> None:
        for _ in range(1000):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"not within ten seconds:\n{self.host.words()}")

    async def ask(self, prompt: str = "hi", columns: Sequence[Column] = COLUMNS) -> None:
        """Open the screen, send a prompt, and wait until every column's request is under way."""
        before = len(self.backend.asked)
        if not isinstance(self.host.screen, CompareScreen):
            self.host.comparing.open_compare(columns)
            await self.pilot.pause()
        await self.pilot.press(*prompt, "enter")
        await self.until(lambda: len(self.backend.asked) == before + len(columns))

    async def say(self, model: str, event: ChatEvent | BackendError) -> None:
        await self.backend.answers[model].put(event)


@asynccontextmanager
async def opened(**options) -> AsyncIterator[Driven]:
    host = Host(**options)
    async with host.run_test(size=(160, 45)) as pilot:
        yield Driven(host, pilot)


async def test_every_column_is_a_request_of_its_own():
    first = Column("first", "a", parameters={"temperature": 0.2, "seed": 1, "context_length": 9000}, system_prompt="s")
    second = Column("second", "b:2", CHAT_COMPLETIONS.path, {"seed": 1})
    async with opened() as deck:
        await deck.ask("one prompt".replace(" ", "_"), (first, second))
        one, two = sorted(deck.backend.asked, key=lambda request: request.model)
        assert (one.model, one.input, one.system_prompt, one.store) == ("a", "one_prompt", "s", False)
        assert one.parameters == {"temperature": 0.2}
        assert (two.model, two.input, two.system_prompt, two.store) == ("b:2", "one_prompt", None, None)
        assert (two.endpoint, two.parameters) == (CHAT_COMPLETIONS.path, {"seed": 1})


async def test_what_is_not_sent_and_what_is_not_loaded_is_said_before():
    columns = (Column("first", "a", parameters={"seed": 1, "context_length": 9000}), Column("second", "c"))
    async with opened() as deck:
        deck.host.comparing.open_compare(columns)
        await deck.until(lambda: "Not loaded: c." in deck.host.words())
        assert "Not sent: seed: /api/v1/chat does not take it." in deck.host.words()
        assert "Not sent: context_length: it would reload the model." in deck.host.words()
        assert deck.backend.asked == []


async def test_answers_come_together_and_each_ends_in_its_own_way():
    columns = (*COLUMNS, Column("third", "c"))
    async with opened() as deck:
        await deck.ask(columns=columns)
        await deck.say("a", MessageDelta("Hello"))
        await deck.say("b:2", MessageDelta("Half"))
        await deck.until(lambda: deck.host.texts()[:2] == ["Hello", "Half"])
        await deck.say("a", END)
        await deck.say("b:2", StreamCut("the server went away"))
        await deck.say("c", NotFound("no such model"))
        await deck.until(lambda: deck.host.states() == ["done", "cut off", "failed"])
        await deck.until(lambda: "cut off: the server went away" in deck.host.words())
        assert "no such model" in deck.host.words()
        await deck.until(lambda: deck.host.looks == 3)


async def test_escape_closes_the_connections():
    async with opened() as deck:
        await deck.ask()
        await deck.say("a", MessageDelta("Half"))
        await deck.until(lambda: deck.host.texts()[0] == "Half")
        await deck.pilot.press("escape")
        await deck.until(lambda: len(deck.backend.closed) == 2)
        assert deck.host.states() == ["cut off", "cut off"]


async def test_leaving_closes_them_too():
    async with opened() as deck:
        await deck.ask()
        deck.host.screen.dismiss(None)
        await deck.until(lambda: len(deck.backend.closed) == 2)


async def test_nothing_of_an_earlier_answer_lands_in_a_later_one():
    async with opened() as deck:
        await deck.ask()
        old = dict(deck.backend.answers)
        await deck.say("a", MessageDelta("old"))
        await deck.until(lambda: deck.host.texts()[0] == "old")
        await old["a"].put(MessageDelta("older"))  # under way while it is stopped
        await deck.pilot.press("escape")
        await deck.ask()
        for events in old.values():
            await events.put(MessageDelta("late"))
        await deck.say("a", MessageDelta("new"))
        await deck.say("b:2", MessageDelta("too"))
        await deck.until(lambda: deck.host.texts() == ["new", "too"])


async def test_sent_twice_in_a_burst_the_second_replaces_the_first():
    async with opened() as deck:
        await deck.ask()
        deck.host.carry_out(CompareScreen.Asked("again", COLUMNS))
        await deck.until(lambda: len(deck.backend.asked) == 4)
        await deck.until(lambda: [request.input for request in deck.backend.closed] == ["hi", "hi"])


async def test_a_prompt_that_was_sent_and_left_at_once_asks_nobody():
    async with opened() as deck:
        deck.host.comparing.open_compare(COLUMNS)
        await deck.pilot.pause()
        screen = deck.host.screen
        screen.dismiss(None)
        await deck.until(lambda: deck.host.screen is not screen)
        deck.host.carry_out(CompareScreen.Asked("hi", COLUMNS))
        await deck.pilot.pause()
        assert not [worker for worker in deck.host.workers if worker.group.startswith("compare")]


async def test_an_answer_is_taken_and_its_prompt_with_it():
    async with opened() as deck:
        await deck.ask("question")
        await deck.pilot.press("tab", "2", "enter")
        await deck.until(lambda: deck.host.left_over)
        (take,) = deck.host.left_over
        assert isinstance(take, CompareScreen.Take)
        assert (take.column, take.prompt) == (COLUMNS[1], "question")
        await deck.until(lambda: len(deck.backend.closed) == 2)


async def test_what_was_typed_and_not_sent_comes_back():
    async with opened() as deck:

        async def reopened(prompt: str) -> str:
            await deck.pilot.press("escape")
            await deck.until(lambda: not isinstance(deck.host.screen, CompareScreen))
            deck.host.comparing.open_compare(COLUMNS, prompt)
            await deck.until(lambda: isinstance(deck.host.screen, CompareScreen) and deck.host.screen.focused)
            return deck.host.screen._editor.text

        deck.host.comparing.open_compare(COLUMNS, "from the chat")
        await deck.until(lambda: isinstance(deck.host.screen, CompareScreen) and deck.host.screen.focused)
        assert await reopened("the chat again") == "the chat again"
        await deck.pilot.press("exclamation_mark")
        assert await reopened("other") == "the chat again!"
        assert await reopened("other") == "the chat again!"
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.host.screen.running)
        await deck.pilot.press("escape")
        assert await reopened("other") == "other"


async def test_a_read_only_deck_asks_only_what_is_loaded():
    async with opened(read_only=True) as deck:
        deck.host.comparing.open_compare((COLUMNS[0], Column("second", "c")))
        await deck.pilot.pause()
        await deck.pilot.press("h", "i", "enter")
        await deck.until(lambda: deck.host.states() == ["waiting", "failed"])
        await deck.until(lambda: "lmdeck --read-only loads nothing" in deck.host.words())
        assert [request.model for request in deck.backend.asked] == ["a"]
        await deck.pilot.press("escape", "escape")
        await deck.until(lambda: not isinstance(deck.host.screen, CompareScreen))
        deck.host.comparing.open_embeddings("nomic", "text")
        await deck.until(lambda: isinstance(deck.host.screen, EmbeddingsScreen))
        await deck.pilot.press("enter")
        await deck.until(lambda: "lmdeck --read-only loads nothing" in deck.host.words())
        assert deck.backend.embedded == []


async def test_texts_are_embedded_by_the_model_in_memory_first():
    async with opened() as deck:
        deck.host.comparing.open_embeddings()
        await deck.until(lambda: isinstance(deck.host.screen, EmbeddingsScreen))
        await deck.pilot.press(*"one", "ctrl+j", *"three", "enter")
        await deck.until(lambda: "2 texts, vectors of 2 numbers" in deck.host.words())
        assert deck.backend.embedded == [("bert:2", ("one", "three"))]
        await deck.pilot.press("escape")
        await deck.until(lambda: not isinstance(deck.host.screen, EmbeddingsScreen))
        deck.host.comparing.open_embeddings("nomic")
        await deck.until(lambda: isinstance(deck.host.screen, EmbeddingsScreen))
        assert deck.host.screen._editor.text == "one\nthree"
        deck.backend.refusal = NotFound("no such model")
        await deck.pilot.press("enter")
        await deck.until(lambda: "no such model" in deck.host.words())
        assert deck.backend.embedded[1][0] == "nomic"


@pytest.mark.parametrize("models", [(), MODELS[:3]])
async def test_without_an_embedding_model_it_is_said(models):
    async with opened(models=models) as deck:
        deck.host.comparing.open_embeddings()
        assert deck.host.told == ["The server has no embedding model."]
        assert not isinstance(deck.host.screen, EmbeddingsScreen)
