"""What is looked at closely, over the dashboard: models, instances, log entries, loads to come, experiments."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from textual import on

from lmdeck.model.context import ContextReading
from lmdeck.screens import intents
from lmdeck.screens.pane_screen import PaneScreen
from lmdeck.state.deck import DeckState
from lmdeck.widgets.available_pane import AvailablePane
from lmdeck.widgets.loaded_pane import LoadedPane
from lmdeck.widgets.log_pane import LogPane

if TYPE_CHECKING:
    from lmdeck.model.load import LoadRequest
    from lmdeck.model.log import LogEntry
    from lmdeck.model.rows import LoadedRow


_DEFAULT_SLOTS, _DEFAULT_BATCH = 4, 512
"""LM Studio's own; what equals them need not be asked for again."""


class CloseUpScreen(PaneScreen):
    """Opens dialogs with what the state knows. They are imported when wanted: the first frame does without them."""

    def __init__(self, read_only: bool) -> None:
        super().__init__()
        self._read_only = read_only
        self._state = DeckState()

    # Models

    @on(AvailablePane.LoadRequested)
    def open_load_dialog(self, message: AvailablePane.LoadRequested) -> None:
        """Ask how to load."""
        self._open_load_dialog(message.model.key)

    def _open_load_dialog(self, key: str, start: LoadRequest | None = None, replacing: str | None = None) -> None:
        from lmdeck.screens.load_dialog import LoadDialog

        if (model := self._state.model(key)) is not None:
            presets = self._state.presets.get(key, ())
            self.app.push_screen(
                LoadDialog(model, presets=presets, start=start, replacing=replacing, cli=self._state.has_cli)
            )

    @on(AvailablePane.LoadAgainRequested)
    def load_again(self, message: AvailablePane.LoadAgainRequested) -> None:
        """As last time, unasked; a model that was never loaded from here is asked about."""
        key = message.model.key
        settings, records = self._state.last_settings(key), self._state.records.get(key, ())
        if any(job.request.model == key for job in self._state.loads):
            self.notify("It is being loaded.", timeout=3)
        elif settings is None:
            self.notify("Never loaded from here: choose its settings.", timeout=3)
            self._open_load_dialog(key)
        elif records and (records[0].allocated_context or math.inf) < (settings.context_length or 0):
            self.notify("Its context collapsed last time: choose one that fits.", severity="warning")
            self._open_load_dialog(key, start=settings)
        elif message.model.instances:
            self._open_load_dialog(key, start=settings)
        else:
            self.post_message(intents.Load(settings))

    @on(AvailablePane.EstimateRequested)
    def show_estimate(self, message: AvailablePane.EstimateRequested) -> None:
        """What it takes, at which context."""
        from lmdeck.screens.estimate_screen import EstimateScreen

        key = message.model.key
        last, records = self._state.last_settings(key), self._state.records.get(key, ())

        def load(start: LoadRequest | None) -> None:
            if start is not None:
                self._open_load_dialog(key, start)

        self.app.push_screen(EstimateScreen(message.model, last, records, read_only=self._read_only), load)

    @on(AvailablePane.DownloadRequested)
    def show_downloads(self) -> None:
        """What is being downloaded, and what else is to be."""
        self.post_message(intents.ShowDownloads())

    @on(AvailablePane.DetailsRequested)
    def show_model(self, message: AvailablePane.DetailsRequested) -> None:
        """Everything about a model."""
        from lmdeck.screens.details import DetailsScreen, model_facts
        from lmdeck.screens.instance_facts import record_facts

        key = message.model.key
        facts = [*model_facts(message.model), *record_facts(self._state.records.get(key, ()))]
        self.app.push_screen(DetailsScreen(key, facts, self._story(key)))

    def _story(self, key: str) -> str:
        from lmdeck.screens.instance_facts import story

        return story(one for one in self._state.timeline if one.model_key == key)

    # Instances

    @on(LoadedPane.DetailsRequested)
    def show_instance(self, message: LoadedPane.DetailsRequested) -> None:
        """Everything about an instance, its model and its copies."""
        from lmdeck.screens.details import DetailsScreen, model_facts
        from lmdeck.screens.instance_facts import instance_facts, record_facts

        row, model = message.row, self._state.model(message.row.model_key)
        if model is not None:
            records = record_facts(self._state.records.get(model.key, ()))
            facts = [*instance_facts(row), *records, *model_facts(model)]
            self.app.push_screen(DetailsScreen(row.id, facts, self._story(model.key)))

    @on(LoadedPane.HistoryRequested)
    def show_history(self, message: LoadedPane.HistoryRequested) -> None:
        """When its model came and went, and why."""
        from lmdeck.screens.details import DetailsScreen

        key = message.row.model_key
        text = self._story(key) or "Nothing happened to it since this deck was opened."
        self.app.push_screen(DetailsScreen(f"History of {key}", (), text))

    @on(LoadedPane.ReloadRequested)
    def reload(self, message: LoadedPane.ReloadRequested) -> None:
        """Load it anew: what was allocated fits for certain, so a collapsed one starts from there."""
        row = message.row
        if row.busy:
            self.notify(f"{row.id} is busy: whoever waits for it gets an error if you reload it.", severity="warning")
        self._open_load_dialog(row.model_key, start=self._settings_of(row), replacing=row.id)

    def _settings_of(self, row: LoadedRow) -> LoadRequest:
        """As it was loaded, as far as anybody tells: a name, an idle time or slots of its own must not get lost."""
        from lmdeck.model.load import LoadRequest

        model, activity = self._state.model(row.model_key), self._state.activity.get(row.id)
        instance, context = self._state.instance(row.id), _fitting(row.context)
        own_name = None if row.id.partition(":")[0] == row.model_key else row.id
        ttl = activity.ttl_s if activity else None
        slots = row.slots if row.slots != _DEFAULT_SLOTS and not (model and model.is_embedding) else None
        if self._state.has_cli and (own_name or ttl or slots):
            ttl_s = None if ttl is None else round(ttl)
            return LoadRequest(row.model_key, context, parallel=slots, ttl_s=ttl_s, identifier=own_name)
        told = instance.config if instance else None
        batch = told.eval_batch_size if told and told.eval_batch_size != _DEFAULT_BATCH else None
        return LoadRequest(
            row.model_key,
            context,
            eval_batch_size=batch,
            flash_attention=False if told and told.flash_attention is False else None,
            num_experts=told.num_experts if told else None,
            offload_kv_cache_to_gpu=False if told and told.offload_kv_cache_to_gpu is False else None,
        )

    @on(LoadedPane.VerifyRequested)
    def verify(self, message: LoadedPane.VerifyRequested) -> None:
        """Show the plan; nothing is sent before it is accepted."""
        from lmdeck.experiments.verify import plan
        from lmdeck.screens.verify_dialog import VerifyDialog

        row, promised = message.row, message.row.context.promised
        model = self._state.model(row.model_key)
        if promised is None:
            self.notify("Nobody has said how much context it has: there is nothing to prove.", severity="warning")
        elif model is None or model.is_embedding:
            self.notify("An embedding model answers no prompts.", severity="warning")
        else:
            speed = self._state.prompt_speeds.get(row.id)
            wanted = plan(row.id, promised.tokens, prompt_speed=speed)
            self.app.push_screen(VerifyDialog(wanted, busy=row.busy, promised_source=promised.source))

    @on(LoadedPane.BenchmarkRequested)
    def benchmark(self, message: LoadedPane.BenchmarkRequested) -> None:
        """Show what will be run; nothing is sent before it is accepted."""
        from lmdeck.experiments.bench import levels_for
        from lmdeck.screens.bench_dialog import BenchDialog

        row, model = message.row, self._state.model(message.row.model_key)
        if model is None or model.is_embedding:
            self.notify("An embedding model generates nothing.", severity="warning")
            return
        self.app.push_screen(BenchDialog(row.id, row.slots, levels_for(row.slots), busy=row.busy))

    # The log

    @on(LogPane.EntryChosen)
    def show_entry(self, message: LogPane.EntryChosen) -> None:
        """A log entry, with the exchange that it is a part of."""
        self.post_message(intents.OpenEntry(message.entry, self.log_pane.hide_prompts))

    @on(LogPane.PastRequested)
    def show_past(self) -> None:
        """The requests of the history."""
        self.post_message(intents.ShowPast(self.log_pane.hide_prompts))

    @on(LogPane.ExportRequested)
    def export_log(self) -> None:
        """Ask in which form, then write."""
        from lmdeck.screens.export_dialog import Choice, ExportDialog

        entries = list(self.log_pane.shown())

        def write(choice: Choice | None) -> None:
            if choice is not None:
                self.post_message(intents.ExportLog(entries, *choice))

        self.app.push_screen(ExportDialog(f"{len(entries)} lines"), write)

    def show_plain_entry(self, entry: LogEntry) -> None:
        """A log entry that belongs to no exchange."""
        from lmdeck.screens.details import DetailsScreen, entry_facts

        private = self.log_pane.hide_prompts and entry.source in ("model", "server")
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
        self.app.push_screen(
            DetailsScreen(f"{entry.source}  {when}", entry_facts(entry), "" if private else entry.text)
        )


def _fitting(found: ContextReading) -> int | None:
    """The context to start a reload from."""
    best = found.real if found.collapse else found.promised
    return best.tokens if best else None
