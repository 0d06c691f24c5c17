"""From runtime lines to allocations, and what an allocation says about a context that is smaller than promised."""

from collections.abc import Iterable
from dataclasses import replace

from lmdeck.evidence.lines import LONGEST_ENTRY, plain_lines
from lmdeck.evidence.load_trace import LoadTrace, may_tell
from lmdeck.model.allocation import Allocation
from lmdeck.model.context import Claim, ContextReading
from lmdeck.model.log import LogEntry, RuntimeLine, ServerLine

MOST_STREAMS = 64
"""Processes remembered at once; the one that has been silent longest is forgotten first."""

Key = tuple[str, str | int]


class _Stream:
    """One process's load, whose it is, and what was last told of it."""

    def __init__(self) -> None:
        self.trace = LoadTrace()
        self.instance_id: str | None = None
        self.pid: int | None = None
        self.told: Allocation | None = None

    def news(self, at: float) -> Allocation | None:
        """The allocation, if it has changed since the last time."""
        now = self.trace.allocation(self.instance_id, self.pid, at)
        before = self.told or Allocation(self.instance_id, self.pid)
        if replace(before, at=at) == now:
            return None
        self.told = now
        return now


class AllocationReader:
    """Reads runtime lines, and server lines (on some builds llama.cpp's trace comes there), of any number of instances.

    A stream is a process (`pid`), else an instance, else everything of one source that names neither. A process that
    loads an instance anew replaces the older one. Memory is bounded whatever comes."""

    def __init__(self) -> None:
        self._streams: dict[Key, _Stream] = {}
        self._owner: dict[str, Key] = {}

    def feed(self, entries: Iterable[LogEntry]) -> list[Allocation]:
        """The allocations that these entries change, the latest version of each."""
        changed: dict[Key, float] = {}
        for entry in entries:
            if isinstance(entry, RuntimeLine | ServerLine) and may_tell(
                entry.text if len(entry.text) <= LONGEST_ENTRY else entry.text[:LONGEST_ENTRY]
            ):
                for key in self._read(entry):
                    changed[key] = entry.at
        news = [self._streams[key].news(at) for key, at in changed.items() if key in self._streams]
        return [allocation for allocation in news if allocation is not None]

    def _read(self, entry: RuntimeLine | ServerLine) -> set[Key]:
        told: set[Key] = set()
        instance_id, pid = (entry.instance_id, entry.pid) if isinstance(entry, RuntimeLine) else (None, None)
        for line in plain_lines(entry.text):
            whose, process = instance_id or line.model, line.pid if pid is None else pid
            key = self._key(entry.source, whose, process)
            stream = self._streams.get(key) or _Stream()
            if stream.trace.read(line.text):
                self._keep(key, stream, whose, process)
                told.add(key)
        return told

    def _key(self, source: str, instance_id: str | None, pid: int | None) -> Key:
        if pid is not None:
            return ("pid", pid)
        if instance_id is not None:
            return self._owner.get(instance_id, ("instance", instance_id))
        return ("source", source)

    def _keep(self, key: Key, stream: _Stream, instance_id: str | None, pid: int | None) -> None:
        """Note whose stream it is, as the one that was told last; drop what it replaces and what is too much."""
        self._streams.pop(key, None)
        self._streams[key] = stream
        stream.pid = stream.pid if pid is None else pid
        if instance_id is not None and instance_id != stream.instance_id:
            if stream.instance_id is not None:
                self._owner.pop(stream.instance_id, None)
            stream.instance_id = instance_id
        if instance_id is not None and (older := self._owner.get(instance_id)) != key:
            if older is not None:
                self._streams.pop(older, None)
            self._owner[instance_id] = key
        if len(self._streams) > MOST_STREAMS:
            oldest = self._streams.pop(next(iter(self._streams)))
            if oldest.instance_id is not None:
                self._owner.pop(oldest.instance_id, None)


def claims(allocation: Allocation) -> Claim | None:
    """The tokens that one request can use, and which word of the log says so; None when it says nothing.

    A server slot is the last word. Without one a unified cache gives every sequence all of it, whatever older builds
    print as n_ctx_per_seq (the mean). n_ctx may be more than was asked: it is padded to a multiple of 256."""
    one, whole = allocation.n_ctx_seq, allocation.n_ctx
    tokens = one if allocation.unified is False else whole or one
    name = "n_ctx_seq" if tokens == one else "n_ctx"
    tokens = tokens or whole
    if allocation.slot_context is not None:
        name = name if tokens == allocation.slot_context else "slot context"
        tokens = allocation.slot_context
    if allocation.fitted is not None and (not tokens or allocation.fitted < tokens):
        name, tokens = "context auto-fit", allocation.fitted
    return Claim(tokens, f"runtime log: {name}") if tokens else None


def shortfall_reason(reading: ContextReading, allocation: Allocation | None, model_max: int | None) -> str:
    """The likely reason of a collapse, one sentence with numbers; empty when nothing contradicts."""
    if (collapse := reading.collapse) is None:
        return ""
    promised, real = collapse
    asked, got = promised.tokens, real.tokens
    if allocation is not None and (told := _told(allocation, asked, got)):
        return told
    if model_max is not None and asked > model_max and got <= model_max:
        return f"{asked} tokens are more than the model's maximum of {model_max}."
    if allocation is not None and (claim := claims(allocation)) is not None and claim.tokens < asked:
        return f"The runtime allocated {claim.tokens} of {asked} tokens without saying why."
    if reading.proof is not None:
        return f"A prompt of more than {got} of {asked} tokens does not go in; the log does not say why."
    return f"The server reports {got} tokens, less than the {asked} asked for."


def _told(allocation: Allocation, asked: int, got: int) -> str:
    """The reason, where the allocation holds one that explains `got`."""
    fitted, trained = allocation.fitted, allocation.train_context
    whole, slots, slot = allocation.n_ctx, allocation.slots or 1, allocation.slot_context or allocation.n_ctx_seq
    if fitted is not None and got <= fitted < asked:
        configured = allocation.configured or asked
        return f"LM Studio's context auto-fit left {fitted} of {configured} tokens to stay within memory."
    if slot is not None and slot == trained and got <= trained < asked and (whole or 0) >= trained:
        return f"The runtime capped each slot at the model's training context of {trained} tokens."
    if whole is not None and slot is not None and slots > 1 and slot < whole and got <= slot < asked:
        why = " because the KV cache is not unified" if allocation.unified is not True else ""
        return f"The context of {whole} tokens is split among {slots} slots, {slot} each,{why}".rstrip(",") + "."
    if reduced := next((hint for hint in allocation.hints if "context size reduced from" in hint), None):
        return f"llama.cpp made the context smaller to fit into memory: {got} of {asked} tokens ({reduced})."
    return ""
