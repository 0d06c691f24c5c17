"""The machine's memory as a place for models: what is free, whose is what."""

import re
from urllib.parse import urlsplit

from lmdeck.evidence.spill import spill_hint
from lmdeck.model.catalog import Instance, Model
from lmdeck.model.machine import EngineProcess, Gpu
from lmdeck.model.outlook import NO_ROOM_KNOWN, Occupant, Room
from lmdeck.state.deck import DeckState

_GPU_RUNTIME = re.compile(r"cuda|nvidia|vulkan|rocm|hip\\b|amd", re.IGNORECASE)


def is_local(url: str) -> bool:
    """Whether the server runs on this machine, as far as its address tells: only then are the gauges its own."""
    host = urlsplit(url).hostname or ""
    return not url or host in ("localhost", "::1") or host.startswith("127.")


def server_gpus(state: DeckState) -> tuple[Gpu, ...]:
    """The GPUs that the server runs on: this machine's if it runs here, or those that an exporter tells of."""
    return state.gpus.gpus if state.gpus and (is_local(state.url) or state.gpus.origin) else ()


def room(state: DeckState) -> Room:
    """Free and total memory now; of a server on another machine only what an exporter tells of its GPUs."""
    host = state.host if is_local(state.url) else None
    read = [(gpu.vram_used, gpu.vram_total) for gpu in server_gpus(state)]
    known = [(used, total) for used, total in read if used is not None and total]
    if not known and _on_a_gpu(state):
        return NO_ROOM_KNOWN  # RAM is the wrong measure for it
    return Room(
        vram_free=sum(total - used for used, total in known) if known else None,
        vram_total=sum(total for _, total in known) if known else None,
        ram_free=host.ram_total - host.ram_used if host else None,
        ram_total=host.ram_total if host else None,
    )


def _on_a_gpu(state: DeckState) -> bool:
    """Whether the runtime uses a GPU of its own memory, as its name or its log tells."""
    offloads = any(found.gpu_layers for found in state.allocations.values())
    return offloads or bool(_GPU_RUNTIME.search(state.runtime or ""))


def engine_of(state: DeckState, model: Model, instance: Instance) -> EngineProcess | None:
    """The process that runs this instance: by the pid in the runtime's log, else by the file on its command line, else
    because there is only one of each."""
    engines = state.host.engines if state.host and is_local(state.url) else ()
    allocation, file = state.allocations.get(instance.id), state.files.get(model.key)
    if allocation is not None and allocation.pid is not None:
        return next((engine for engine in engines if engine.pid == allocation.pid), None)
    if file is not None and len(model.instances) == 1:
        path = file.path.replace("\\", "/")
        for engine in engines:
            if engine.model_path and engine.model_path.replace("\\", "/").endswith(path):
                return engine
    alone = len(engines) == 1 and len(state.instances()) == 1
    return engines[0] if alone else None


def occupants(state: DeckState) -> tuple[Occupant, ...]:
    """What could be unloaded to make room, with what that frees."""
    found = []
    for model in state.models or ():
        forecast = state.outlooks.get(model.key)
        for instance in model.instances:
            engine, activity = engine_of(state, model, instance), state.activity.get(instance.id)
            measured = engine.vram if engine else None
            expected = forecast.gpu_bytes if forecast else None
            found.append(
                Occupant(
                    instance.id,
                    measured or expected or model.size_bytes,
                    busy=bool(activity and activity.queued),
                    last_used=activity.last_used_s if activity else None,
                )
            )
    return tuple(found)


def spill(state: DeckState, model: Model, instance: Instance) -> str:
    """Why this instance seems to run partly from RAM, or an empty string."""
    allocation, activity = state.allocations.get(instance.id), state.activity.get(instance.id)
    last = state.last_settings(model.key)
    return spill_hint(
        server_gpus(state),
        busy=bool(activity and activity.queued),
        gpu_layers=allocation.gpu_layers if allocation else None,
        layers=allocation.layers if allocation else None,
        wanted_all=last is None or last.gpu is None or last.gpu >= 1,
    )
