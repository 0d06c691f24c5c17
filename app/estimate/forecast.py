"""The forecast of one load: from the best source there is for its memory to a verdict and what would still fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lmdeck.estimate.calibrate import correction
from lmdeck.estimate.fit import (
    DRIVER_BYTES,
    MEASURED_BYTES,
    SYSTEM_BYTES,
    judge,
    largest_context,
    make_room,
    most_slots,
    no_gpu,
)
from lmdeck.estimate.sources import Missing, Subject, find_subject
from lmdeck.model.catalog import Model
from lmdeck.model.confidence import LMSTUDIOS, ROUGH, UNKNOWN
from lmdeck.model.estimate import Ask, Estimate, Unknown
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import Outlook, Question, Room, Verdict

DEFAULT_CONTEXT = 4096
"""What a load without a context length is reckoned for: LM Studio tells its default nowhere over its API."""
DEFAULT_SLOTS = 4
"""LM Studio's default for loads over its API."""
PHYSICAL_BATCH = 512
_ROUGH_FACTOR = 1.1


def ask_of(request: LoadRequest, model: Model) -> Ask:
    """The settings of a load as llama.cpp will see them. Cache types and unified KV can only be chosen in LM Studio's
    window; its defaults, f16 and unified, stand in. An embedding model has one slot and no smaller physical batch."""
    context, slots, batch = request.context_length, request.parallel, request.eval_batch_size
    if context is None:
        context = min(DEFAULT_CONTEXT, model.max_context_length or DEFAULT_CONTEXT)
    if slots is None:
        slots = 1 if model.is_embedding else DEFAULT_SLOTS
    if batch is not None and not model.is_embedding:
        batch = min(PHYSICAL_BATCH, batch)
    return Ask(
        context=context,
        parallel=slots,
        flash_attention=request.flash_attention is not False,
        gpu="max" if request.gpu is None else request.gpu,
        ubatch=batch,
        offload_kv=request.offload_kv_cache_to_gpu is not False,
        embedding=model.is_embedding,
    )


def forecast(question: Question, *, search: bool = True) -> Outlook:
    """What a load will take, whether it fits now, and (with `search`) the most that would. Blocks while it reads the
    model's header, which is cached; raises nothing for whatever the file or the settings say."""
    model, request = question.model, question.request
    ask = replace(ask_of(request, model), llama_build=question.llama_build)
    if no_gpu(question.room):
        ask = replace(ask, gpu="off")
    subject = find_subject(model, question.file, request.num_experts)
    if isinstance(subject, Missing):
        return _without_parts(question, ask, subject)
    if isinstance(subject, Unknown):
        return _blank(question, ask, subject)
    if request.context_length is None and subject.context_length:
        ask = replace(ask, context=min(ask.context, subject.context_length))
    parts = subject.weigh(ask)
    if isinstance(parts, Unknown):
        return _blank(question, ask, parts)
    return _Weighed(question, subject, ask, parts).outlook(search)


@dataclass(frozen=True, slots=True)
class _Need:
    """What a load takes and what should stay free, in bytes, as `judge` wants it."""

    gpu: int
    ram: int
    spread: int
    headroom: int = DRIVER_BYTES

    def verdict(self, room: Room) -> Verdict:
        return judge(self.gpu, self.ram, self.spread, room, headroom=self.headroom)

    def make_room(self, question: Question, verdict: Verdict) -> tuple[str, ...] | None:
        """What would have to go, with room to spare if that is possible."""
        if verdict.word != "does not fit":
            return None if verdict.word == "unknown" else ()
        room, bare, spare = question.room, self.gpu, self.spread + self.headroom
        if no_gpu(room):
            bare, spare = self.gpu + self.ram, self.spread + SYSTEM_BYTES
        elif not self.gpu or (room.ram_free is not None and self.ram > room.ram_free):
            return None  # what an instance frees is counted on the GPU: nothing is known to help in RAM
        going = make_room(bare + spare, room, question.occupants)
        return make_room(bare, room, question.occupants) if going is None else going


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A question whose memory the formulas know."""

    question: Question
    subject: Subject
    ask: Ask
    parts: Estimate

    def outlook(self, search: bool) -> Outlook:
        question, parts = self.question, self.parts
        need, changed = self._need(parts), correction(parts, question.calibration)
        loads = question.calibration.loads if question.calibration and changed else 0
        verdict = need.verdict(question.room)
        search = search and verdict.word != "unknown"
        return replace(
            _frame(question, self.ask, parts.confidence, parts.source),
            gpu_bytes=need.gpu,
            ram_bytes=need.ram,
            parts=parts,
            correction_bytes=changed,
            calibrated_by=loads,
            verdict=verdict,
            largest_context=self._largest_context() if search else None,
            most_slots=most_slots(self._slots_fit) if search and not question.model.is_embedding else None,
            make_room=need.make_room(question, verdict),
            notes=(*_notes(question, self.ask), *_learned(loads), *parts.notes),
        )

    def _need(self, parts: Estimate) -> _Need:
        """The figures with the correction. Measured loads had the driver's memory in them, and the build's ways."""
        changed = correction(parts, self.question.calibration)
        spread = 0 if changed else parts.compute_range_bytes[1] - parts.compute_bytes
        gpu, ram, headroom = parts.gpu.total, parts.ram.total, MEASURED_BYTES if changed else DRIVER_BYTES
        if parts.gpu_layers:
            return _Need(gpu + changed, ram, spread, headroom)
        return _Need(gpu, ram + changed, spread, headroom)

    def _fits(self, ask: Ask) -> bool:
        parts = self.subject.weigh(ask)
        return isinstance(parts, Estimate) and self._need(parts).verdict(self.question.room).word == "fits"

    def _slots_fit(self, slots: int) -> bool:
        return self._fits(replace(self.ask, parallel=slots))

    def _largest_context(self) -> int | None:
        limit = self.question.model.max_context_length or self.subject.context_length or self.ask.context
        return largest_context(limit, lambda context: self._fits(replace(self.ask, context=context)))


def _frame(question: Question, ask: Ask, confidence: str, source: str) -> Outlook:
    """What every outlook says."""
    return Outlook(
        context=ask.context,
        parallel=ask.parallel,
        confidence=confidence,
        source=source,
        lmstudio=question.lmstudio,
        notes=tuple(_notes(question, ask)),
        room=question.room,
        occupants=question.occupants,
    )


def _blank(question: Question, ask: Ask, why: Unknown) -> Outlook:
    """No figure of ours."""
    return replace(_frame(question, ask, UNKNOWN, ""), unknown=why, verdict=Verdict("unknown", why.reason))


def _without_parts(question: Question, ask: Ask, missing: Missing) -> Outlook:
    """LM Studio's figure, else one by the size of the file, else none."""
    why = Unknown(missing.reason)
    figure, size = question.lmstudio, question.model.size_bytes
    if figure is not None and (figure.gpu_bytes is not None or figure.total_bytes is not None):
        gpu = figure.gpu_bytes or 0
        need = _split(gpu, max((figure.total_bytes or 0) - gpu, 0), question.room)
        verdict = need.verdict(question.room)
        outlook = _frame(question, ask, LMSTUDIOS, "lms load --estimate-only")
        notes = (*outlook.notes, "LM Studio's estimate does not count slots")
    elif size:
        share = {"max": 1.0, "off": 0.0}.get(str(ask.gpu), ask.gpu)
        whole = int(size * _ROUGH_FACTOR)
        gpu = int(whole * min(max(float(share), 0.0), 1.0))
        need = _split(gpu, whole - gpu, question.room)
        verdict = _rough(need.verdict(question.room))
        outlook = _frame(question, ask, ROUGH, "size of the file and a tenth more")
        notes = (*outlook.notes, "the context's memory is not included")
    else:
        return _blank(question, ask, why)
    clearing = need.make_room(question, verdict)
    return replace(
        outlook, gpu_bytes=need.gpu, ram_bytes=need.ram, unknown=why, verdict=verdict, make_room=clearing, notes=notes
    )


def _split(gpu: int, ram: int, room: Room) -> _Need:
    return _Need(0, gpu + ram, 0) if no_gpu(room) else _Need(gpu, ram, 0)


def _rough(verdict: Verdict) -> Verdict:
    """The weights alone can show that it does not fit, not that it does."""
    if verdict.word in ("does not fit", "unknown"):
        return verdict
    return Verdict("unknown", f"the weights fit, but the context is not included: {verdict.reason}")


def _notes(question: Question, ask: Ask) -> Iterator[str]:
    """What had to be assumed."""
    request, model = question.request, question.model
    if request.context_length is None:
        yield f"context not set: LM Studio decides; reckoned for {ask.context}"
    if request.parallel is None and not model.is_embedding:
        yield f"slots not set: reckoned for {DEFAULT_SLOTS}, LM Studio's default"
    if no_gpu(question.room):
        yield "no GPU is known: all of it is reckoned in RAM"
    elif request.gpu is None:
        yield "GPU share not set: reckoned with all layers on the GPU"
    if not model.is_embedding:
        yield "cache types and unified KV are set only in LM Studio's window: f16 and unified assumed"


def _learned(loads: int) -> Iterator[str]:
    if loads:
        yield f"calibrated by {loads} load{'' if loads == 1 else 's'}"
