"""What the user wants to know: forecasts, presets, experiments on an instance. Nothing here changes the server."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from lmdeck.backend.errors import BackendError
from lmdeck.config.paths import exports_dir
from lmdeck.desk import Desk
from lmdeck.experiments.bench import bench
from lmdeck.experiments.report import write_report
from lmdeck.experiments.verify import verify
from lmdeck.model.experiment import BenchLevel, BenchResult, Probe, Verified, VerifyPlan
from lmdeck.model.load import LoadRequest
from lmdeck.model.problem import Problem
from lmdeck.screens import intents
from lmdeck.screens.estimate_screen import EstimateScreen
from lmdeck.screens.experiment_dialog import ExperimentDialog
from lmdeck.screens.load_dialog import LoadDialog
from lmdeck.state.events import ContextProven
from lmdeck.store.errors import StoreError

S = TypeVar("S")
Step = Probe | Verified | BenchLevel | BenchResult | Problem


class Inquiries:
    """Answers the dialogs that are open; an answer nobody waits for any more is dropped."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._app = desk, desk.app

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin it; False for an intent of another room."""
        run = self._app.run_worker
        match intent:
            case intents.Weigh(request=request):
                run(self._weigh(request), group="weigh")
            case intents.AskLmStudio(request=request):
                run(self._ask_lmstudio(request), group="ask-lmstudio", exclusive=True)
            case intents.KeepPreset() | intents.DropPreset():
                run(self._presets(intent), group="store")
            case intents.Verify(plan=plan):
                self._start(plan.instance_id, self._verify(plan))
            case intents.Benchmark(instance_id=name, levels=levels):
                self._start(name, self._bench(name, levels))
            case intents.StopExperiment():
                self._app.workers.cancel_group(self._app, "experiment")
            case intents.Export(result=result):
                run(self._export(result), group="export")
            case _:
                return False
        return True

    def _open(self, kind: type[S]) -> list[S]:
        return [screen for screen in self._app.screen_stack if isinstance(screen, kind)]

    # Before a load

    async def _weigh(self, request: LoadRequest) -> None:
        replaced = [dialog.replacing for dialog in self._open(LoadDialog)]
        outlook = await self._desk.forecaster.outlook(request, without=replaced[0] if replaced else None)
        if outlook is None:
            return
        message = intents.Weighed(request, outlook)
        for dialog in self._open(LoadDialog):
            dialog.weighed(message)
        for screen in self._open(EstimateScreen):
            screen.weighed(message)

    async def _ask_lmstudio(self, request: LoadRequest) -> None:
        if self._desk.cli is None:
            return
        try:
            figure = await self._desk.forecaster.ask_lmstudio(self._desk.cli, request)
        except BackendError as error:
            message = intents.LmStudioSaid(request, None, error.problem)
        else:
            message = intents.LmStudioSaid(request, figure)
        for dialog in self._open(LoadDialog):
            dialog.lmstudio_said(message)

    async def _presets(self, intent: intents.KeepPreset | intents.DropPreset) -> None:
        keeper = self._desk.keeper
        if keeper is None:
            self._desk.notices.tell("There is no history file: presets cannot be kept.", severity="warning")
            return
        try:
            if isinstance(intent, intents.KeepPreset):
                self._desk.apply(await keeper.keep(intent.preset))
                self._desk.notices.tell(f"Kept as {intent.preset.name}.")
            else:
                self._desk.apply(await keeper.drop(intent.model_key, intent.name))
        except StoreError as error:
            self._desk.notices.problem("Preset", error.problem)

    # Experiments

    def _start(self, instance_id: str, steps: AsyncGenerator[Step]) -> None:
        """Begin, unless others' requests run there and the user has not been told so."""
        if self._desk.state().instance(instance_id) is None:
            gone = Problem(
                f"{instance_id} is no longer loaded", next_step="Nothing was sent: it would be loaded again."
            )
            for dialog in self._open(ExperimentDialog):
                dialog.tell(gone)
            return
        activity = self._desk.state().activity.get(instance_id)
        unaware = [dialog for dialog in self._open(ExperimentDialog) if not dialog.warned]
        if activity is not None and activity.queued and unaware:
            for dialog in unaware:
                dialog.warn()
        else:
            self._app.run_worker(self._experiment(steps), group="experiment", exclusive=True)

    async def _experiment(self, steps: AsyncGenerator[Step]) -> None:
        """Hand each step to the dialog that asked; a failure is its last step. Without the dialog there is no reason
        to go on: closing the steps closes the requests."""
        try:
            async with aclosing(steps) as running:
                async for step in running:
                    if not self._tell(step):
                        return
        except BackendError as error:
            self._tell(error.problem)
        finally:
            self._desk.look_again()  # `lms ps` knows best whose requests are left

    def _tell(self, step: Step) -> bool:
        dialogs = self._open(ExperimentDialog)
        for dialog in dialogs:
            dialog.tell(step)
        return bool(dialogs)

    async def _verify(self, plan: VerifyPlan) -> AsyncGenerator[Step]:
        model = self._desk.state().model_of(plan.instance_id)
        reasons = model is not None and "off" in model.capabilities.reasoning
        async with aclosing(verify(self._desk.backend, plan, reasoning_off=reasons)) as steps:
            async for step in steps:
                if isinstance(step, Verified) and step.proof is not None:
                    self._desk.apply(ContextProven(plan.instance_id, step.proof, time.time()))
                yield step

    async def _bench(self, instance_id: str, levels: tuple[int, ...]) -> AsyncGenerator[Step]:
        instance = self._desk.state().instance(instance_id)
        slots = instance.config.parallel if instance else None
        async with aclosing(bench(self._desk.backend, instance_id, levels, slots=slots)) as steps:
            async for step in steps:
                yield step

    async def _export(self, result: BenchResult) -> None:
        try:
            files = await asyncio.to_thread(write_report, result, exports_dir())
        except OSError as error:
            problem = Problem("not written", str(error), "y copies the result instead.")
            self._desk.notices.problem("Export", problem)
        else:
            self._desk.notices.tell("\n".join(map(str, files)), title="Written", timeout=10)
