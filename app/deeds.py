"""What changes the server: each intent becomes a worker in a group named by what it does."""

import asyncio
import time
from dataclasses import replace

from lmdeck.backend.errors import BackendError, NotFound
from lmdeck.commands import shortfall
from lmdeck.desk import Desk
from lmdeck.evidence.causes import find_cause
from lmdeck.evidence.exits import exit_words_in
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.problem import Problem
from lmdeck.model.timeline import Happening
from lmdeck.screens import intents
from lmdeck.state.events import LoadExplained
from lmdeck.store.errors import StoreError

_LOG_LAG_S, _SHORT_LAG_S, _LOOK_S = 1.5, 0.6, 0.1
"""A failure's cause may reach the log this much later than the server's answer; words of the server's own that are not
generic are less likely to have one."""
_GUARDRAIL = "insufficient system resources"


class Deeds:
    """Carries out loads and unloads; every one ends by itself, with an event or a notice."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._app = desk, desk.app
        self._given_up: dict[str, frozenset[str]] = {}

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin it; False for an intent of another room."""
        match intent:
            case intents.Load(request=request):
                self._app.run_worker(self._load(request), group=f"load:{id(request)}")
            case intents.Reload(instance_id=name, request=request):
                self._app.run_worker(self._reload(name, request), group=f"load:{id(request)}")
            case intents.CancelLoad(request=request):
                self._give_up(request)
            case intents.Unload(instance_ids=ids):
                self._app.run_worker(self._unload(ids), group="unload")
            case _:
                return False
        return True

    def _give_up(self, request: LoadRequest) -> None:
        self._app.workers.cancel_group(self._app, f"load:{id(request)}")
        if request.by_cli:
            self._desk.notices.tell(f"`lms load {request.model}` is being interrupted, and the load with it.")
            return
        self._desk.notices.tell(f"No longer waiting for {request.model}. LM Studio may go on: you will be told.")
        self._given_up[request.model] = self._desk.copies(request.model)

    def heed_arrivals(self) -> None:
        """After a new list: a load given up here that the server finished all the same is told."""
        for key, known in tuple(self._given_up.items()):
            if new := self._desk.copies(key) - known:
                del self._given_up[key]
                words = f"LM Studio went on and loaded {', '.join(new)}: u unloads it."
                self._desk.notices.tell(words, severity="warning")

    async def _load(self, request: LoadRequest) -> None:
        begun = time.time()
        self._given_up.pop(request.model, None)  # what comes now was asked for
        try:
            result = await self._desk.commands.load(request)
        except BackendError as error:
            await self._failed(request, error.problem, begun)
        else:
            await self._loaded(request, result)
        finally:
            self._desk.look_again()

    async def _reload(self, instance_id: str, request: LoadRequest) -> None:
        """Unload, then load: two copies would not fit where one did not."""
        try:
            if self._desk.state().instance(instance_id) is not None:  # a second try finds it unloaded by the first
                await self._desk.commands.unload(instance_id)
        except NotFound:
            pass  # somebody was faster
        except BackendError as error:
            problem = Problem(f"unloading {instance_id}: {error.problem.title}", error.problem.detail)
            self._app.post_message(intents.LoadOver(request, problem))
            self._desk.look_again()
            return
        await self._load(request)

    async def _loaded(self, request: LoadRequest, result: LoadResult) -> None:
        took = f" in {result.load_time_s:.1f} s" if result.load_time_s is not None else ""
        self._desk.notices.tell(f"Loaded {result.instance_id}{took}")
        if differs := shortfall(request, result):
            self._desk.notices.tell(differs, title="Not loaded as asked", severity="warning")
        self._app.post_message(intents.LoadOver(request))
        if self._desk.keeper is not None:
            try:
                self._desk.apply(await self._desk.keeper.remember(request))
            except StoreError as error:
                self._desk.notices.note(error.problem)

    async def _failed(self, request: LoadRequest, problem: Problem, begun: float) -> None:
        problem = await self._explained(request, problem, begun)
        self._app.post_message(intents.LoadOver(request, problem))
        happening = Happening(time.time(), "load failed", request.model, request.model, problem.sentence, "this deck")
        self._desk.apply(LoadExplained(happening))

    async def _explained(self, request: LoadRequest, problem: Problem, begun: float) -> Problem:
        """The problem with the cause that the runtime's log tells, and an exit code in words. A guardrail's refusal is
        its own cause, and is not waited for."""
        words = exit_words_in(problem.detail)
        wait = 0.0 if _GUARDRAIL in problem.detail else _LOG_LAG_S if words else _SHORT_LAG_S
        deadline = time.monotonic() + wait
        while (cause := find_cause(self._desk.runtime_lines(request, begun))) is None:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(_LOOK_S)
        if cause is not None:
            found = f"{problem.detail}\nThe runtime log tells the cause: {cause.words}\n{cause.line}"
            return replace(problem, detail=found.strip(), next_step=cause.next_step or problem.next_step)
        return replace(problem, detail=f"{problem.detail}\n{words}") if words else problem

    async def _unload(self, instance_ids: tuple[str, ...]) -> None:
        try:
            await self._desk.commands.unload_all(instance_ids)
        except BackendError as error:
            self._desk.notices.problem("Unloading", error.problem)
        else:
            self._desk.notices.tell(f"Unloaded {', '.join(instance_ids)}")
        finally:
            self._desk.look_again()
