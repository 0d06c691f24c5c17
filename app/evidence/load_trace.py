"""What the lines of one runtime process add up to: the allocation of its last load.

llama.cpp tells a load in this order: the model's buffers, the context's settings, its caches and compute buffers, the
server's slots. Since late 2025 a measuring pass comes first, with buffers of 0.00 MiB and all settings; the real load
after it may leave the settings out. So a pass that goes back to the model begins anew, but keeps what a measuring pass
said until it is said again.
"""

import re

from lmdeck.evidence.lines import quoted
from lmdeck.model.allocation import Allocation

MOST_HINTS = 8

_CONTEXT = r"(?:llama_context|llama_init_from_model|llama_new_context_with_model)"
_SETTING = re.compile(rf"{_CONTEXT}: (n_seq_max|n_ctx|n_ctx_per_seq|n_ctx_seq|flash_attn|kv_unified)\s*= (\S+)")
_TRAINED = re.compile(
    rf"{_CONTEXT}: n_ctx(?:_per)?_seq \(\d+\) [<>] n_ctx_train \((\d{{1,12}})\)"
    r"|(?:print_info|llm_load_print_meta): n_ctx_train\s*= (\d{1,12})"
)
_BUFFER = re.compile(r"(\w+):\s+(\S+)\s+(?:(model|KV|RS|compute|output) )?buffer size =\s*(\d{1,9}(?:\.\d+)?) MiB")
_SIZE = re.compile(r"(\w+): (?:KV self )?size\s*=\s*(\d{1,9}(?:\.\d+)?) MiB")
_OFFLOADED = re.compile(r"\w+: offloaded (\d{1,6})/(\d{1,6}) layers to GPU")
_SLOTS = re.compile(r"\bn_slots = (\d{1,6})")
_SLOT = re.compile(r"\bn_ctx_slot = (\d{1,12})|\bnew slot, n_ctx = (\d{1,12})")
_UNIFIED = re.compile(r"\bkv_unified = '(true|false)'")
_CAPPED = re.compile(r"slot context \(\d{1,12}\) exceeds the training context of the model \((\d{1,12})\)")
_FLASH = re.compile(r"\w+: Flash Attention (?:was auto, set to )?(enabled|disabled)")
_BUILD = re.compile(r"(?:build:|.{0,80}\bbuild(?:_info:)?) ?=?\s*b?(\d{1,9})(?: \(|-[0-9a-f]{4}|, commit)")
_FIT = re.compile(r"(?:\[[\w.]+\])*:? ?Model context auto-fit:.*?\bfitted=([\d,]{1,15})")
_TARGET = re.compile(
    r"(?:\[[\w.]+\])*:? ?VLM prompt cache context target:.*?configured=([\d,]{1,15}) fitted=([\d,]{1,15})"
)
_HINT = re.compile(
    r"Not using full context length for VRAM|- capping$|capping per-slot context|context size reduced from|"
    r"possible training context overflow|KV cache not unified -> using"
)
_WORDS = (
    "llama_", "buffer size", "n_ctx", "n_slots", "offloaded", "build", "loading ", "creating MTP", "Flash Attention",
    "context auto-fit", "context target", "context length for VRAM", "context size", "per-slot context",
    "training context",
)  # fmt: skip
_OWNER = {"load_tensors": "model", "llm_load_tensors": "model", "sched_reserve": "compute", "graph_reserve": "compute"}
_SUMMED = frozenset({"model", "KV", "RS"})
_ON = {"1": True, "0": False, "enabled": True, "disabled": False, "true": True, "false": False}
_CONTEXT_PARTS = ("KV", "RS", "compute", "output")


def may_tell(text: str) -> bool:
    """A quick look: whether an entry can hold anything about an allocation."""
    return any(word in text for word in _WORDS)


class LoadTrace:
    """The last load of one process. Feed it plain lines; `allocation` answers what is known so far."""

    def __init__(self) -> None:
        self.build: int | None = None
        self._aside = False
        self._ahead: dict[str, None] = {}
        self._clear()

    def _clear(self) -> None:
        self._settings: dict[str, str] = {}
        self._buffers: dict[str, dict[str, float]] = {}
        self._sizes: dict[str, float] = {}
        self._stale: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._hints, self._ahead = self._ahead, {}
        self._measuring = False
        self._in_context = False

    def _begin_load(self, *, hard: bool = False) -> None:
        if hard or not self._measuring:
            self._clear()
            return
        for part in ("model", "KV", "RS"):
            self._buffers.pop(part, None)
        self._stale = {"settings", *_CONTEXT_PARTS}
        self._measuring = self._in_context = False

    def _begin_context(self) -> None:
        self._settings = {}
        for part in _CONTEXT_PARTS:
            self._buffers.pop(part, None)
            self._sizes.pop(part, None)
        for name in ("slots", "slot_context", "flash", "slots_unified"):
            self._numbers.pop(name, None)
        self._stale = set()

    def read(self, line: str) -> bool:
        """Take in one line; whether it told something."""
        if self._read_start(line) or self._read_slots(line):
            return True
        if self._aside:
            return False
        return self._read_context(line) or self._read_memory(line) or self._read_words(line)

    def _read_start(self, line: str) -> bool:
        """Where a load begins, and where a draft model's does, which is none of the instance's context."""
        if "loading draft model '" in line or "creating MTP draft context" in line:
            self._aside = True
        elif line.startswith(("srv ", "main: ")) and "loading model '" in line:
            self._aside = False
            self._begin_load(hard=True)
        elif not self._aside and line.startswith("llama_model_loader: loaded meta data") and self._has_begun():
            self._begin_load()
        else:
            return False
        return True

    def _has_begun(self) -> bool:
        return self._in_context or bool(self._buffers.get("model"))

    def _read_slots(self, line: str) -> bool:
        if not line.startswith(("srv ", "slot ")):
            return False
        told = False
        if found := _SLOTS.search(line):
            self._aside, told = False, True
            self._numbers["slots"] = int(found[1])
            self._numbers.pop("slot_context", None)
        if found := _UNIFIED.search(line):
            self._numbers["slots_unified"] = int(found[1] == "true")
        if found := _SLOT.search(line):
            self._numbers["slot_context"] = int(found[1] or found[2])
            self._in_context = told = True
        if found := _CAPPED.search(line):
            self._numbers["train_context"] = int(found[1])
            told = self._hint(line)
        return told or (_HINT.search(line) is not None and self._hint(line))

    def _read_context(self, line: str) -> bool:
        if found := _SETTING.match(line):
            name, value = found[1].replace("_per_seq", "_seq"), found[2]
            if name == "n_seq_max" or name in self._settings or "settings" in self._stale:
                self._begin_context()
            self._settings[name] = value
            self._in_context = True
            self._ahead = {}
            return True
        if found := _TRAINED.match(line):
            if found[2] and self._in_context:
                self._begin_load()
            self._numbers["train_context"] = int(found[1] or found[2])
            if "possible training context overflow" in line:
                self._hint(line)
            return True
        if found := _FLASH.match(line):
            self._numbers["flash"] = int(found[1] == "enabled")
            return True
        return False

    def _read_memory(self, line: str) -> bool:
        if found := _BUFFER.match(line):
            return self._buffer(found[1], found[2], found[3], float(found[4]))
        if found := _SIZE.match(line):
            who = found[1]
            if not who.startswith("llama_") or not ("cache" in who or "memory" in who or "self size" in line):
                return False
            part = "RS" if "recurrent" in who else "KV"
            if part in self._stale:
                self._stale.discard(part)
                self._sizes.pop(part, None)
            self._sizes[part] = self._sizes.get(part, 0.0) + float(found[2])
            return True
        if found := _OFFLOADED.match(line):
            if self._in_context:
                self._begin_load()
            self._numbers["gpu_layers"], self._numbers["layers"] = int(found[1]), int(found[2])
            return True
        return False

    def _buffer(self, who: str, device: str, kind: str | None, mib: float) -> bool:
        part = kind or _OWNER.get(who)
        if part is None or not (who in _OWNER or who.startswith("llama_")) or _OWNER.get(who, part) != part:
            return False
        if part == "model":
            if self._in_context:
                self._begin_load()
            self._measuring = not mib and not self._buffers.get("model")
        if not mib:
            return True
        if part in self._stale and part not in _SUMMED:
            self._stale.discard(part)
            self._buffers.pop(part, None)
        devices = self._buffers.setdefault(part, {})
        devices[device] = mib + (devices.get(device, 0.0) if part in _SUMMED else 0.0)
        return True

    def _read_words(self, line: str) -> bool:
        if found := _FIT.match(line):
            if "fitted" in self._numbers:
                self._begin_load(hard=True)
            self._numbers["fitted"] = _grouped(found[1])
            return self._hint(line, ahead=True)
        if found := _TARGET.match(line):
            self._numbers["configured"], self._numbers["fitted"] = _grouped(found[1]), _grouped(found[2])
            return self._hint(line, ahead=True)
        if "build" in line and (found := _BUILD.match(line)):
            self.build = int(found[1]) or None
            return True
        return _HINT.search(line) is not None and self._hint(line, ahead=True)

    def _hint(self, line: str, *, ahead: bool = False) -> bool:
        """Keep it; `ahead`: LM Studio says it before the load begins, so the next beginning does not clear it."""
        for hints in (self._hints, self._ahead) if ahead else (self._hints,):
            if len(hints) < MOST_HINTS:
                hints[quoted(line)] = None
        return True

    def allocation(self, instance_id: str | None, pid: int | None, at: float) -> Allocation:
        """All that is known of the load now."""
        numbers, settings = self._numbers, self._settings
        unified = numbers.get("slots_unified")
        flash = numbers.get("flash")
        gpu, host = self._places()
        return Allocation(
            instance_id=instance_id,
            pid=pid,
            at=at,
            n_ctx=_count(settings.get("n_ctx")),
            n_ctx_seq=_count(settings.get("n_ctx_seq")),
            slot_context=numbers.get("slot_context"),
            slots=numbers.get("slots") or _count(settings.get("n_seq_max")),
            unified=_ON.get(settings.get("kv_unified", "")) if unified is None else bool(unified),
            train_context=numbers.get("train_context"),
            fitted=numbers.get("fitted"),
            configured=numbers.get("configured"),
            flash_attention=_ON.get(settings.get("flash_attn", "")) if flash is None else bool(flash),
            build=self.build,
            gpu_layers=numbers.get("gpu_layers"),
            layers=numbers.get("layers"),
            weights_bytes=self._sum("model"),
            kv_bytes=_bytes(self._sizes.get("KV", 0.0)) or self._sum("KV"),
            recurrent_bytes=_bytes(self._sizes.get("RS", 0.0)) or self._sum("RS"),
            compute_bytes=self._sum("compute"),
            output_bytes=self._sum("output"),
            gpu_bytes=gpu,
            host_bytes=host,
            hints=tuple(self._hints),
        )

    def _sum(self, part: str) -> int | None:
        return _bytes(sum(self._buffers.get(part, {}).values()))

    def _places(self) -> tuple[int | None, int | None]:
        """All buffers on the GPUs, and in RAM; unknown while the largest part, the weights, is."""
        if not self._buffers.get("model"):
            return None, None
        gpu = host = 0.0
        for devices in self._buffers.values():
            for device, mib in devices.items():
                if device.startswith(("CPU", "Host", "AMX")) or device.endswith("_Host"):
                    host += mib
                else:
                    gpu += mib
        return round(gpu * 2**20), round(host * 2**20)


def _grouped(number: str) -> int:
    """`152,576`"""
    return int(number.replace(",", "") or 0)


def _count(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 13 else None


def _bytes(mib: float) -> int | None:
    return round(mib * 2**20) or None
