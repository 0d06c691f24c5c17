"""What a log line means for a load that failed: the table behind `find_cause`, first causes and their consequences."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from lmdeck.model.text import one_line

SMALLER = "Try a smaller context, fewer slots or fewer layers on the GPU, or unload other models."
MORE_RAM = "Free RAM, put more layers on the GPU, or choose a smaller model or context."
UPDATE = "Update the runtime in LM Studio, or choose another model."
AGAIN = "Delete the model's file and download it again; compare its size with the publisher's."
DRIVER = "Update the graphics driver, or choose another runtime in LM Studio (CPU, Vulkan or an older CUDA)."
OTHER_MMPROJ = "Get the mmproj file of this model, or move it out of the model's folder to load without it."
REPORT = "Try another version of the runtime; if it stays, the line is what its makers need in a report."

Words = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line's meaning. `rank` 0 is a first cause; higher ranks are its consequences, used when nothing better is told.
    `wants_size` lets the words be completed by a size from the lines near."""

    pattern: re.Pattern[str]
    words: Words
    next_step: str
    rank: int = 0
    wants_size: bool = False


def _rule(pattern: str, words: Words, next_step: str, rank: int = 0, *, wants_size: bool = False) -> Rule:
    return Rule(re.compile(pattern), words, next_step, rank, wants_size)


def _name(text: str) -> str:
    return one_line(text, 120)


def _assertion(found: re.Match[str]) -> str:
    return f"The runtime stopped itself at a failed check: {_name(found[1])}."


RULES = (
    _rule(
        r"(?:cuda|hip|musa)Malloc\w* failed: out of memory|(?:CUDA|ROCm|HIP|MUSA) error: out of memory"
        r"|CUBLAS_STATUS_ALLOC_FAILED|cuMemCreate.*out of memory",
        "The GPU ran out of memory",
        SMALLER,
        wants_size=True,
    ),
    _rule(
        r"ErrorOutOfDeviceMemory|ggml_vulkan: Device memory allocation of size",
        "The GPU ran out of memory (Vulkan)",
        SMALLER,
        wants_size=True,
    ),
    _rule(
        r"kIOGPUCommandBufferCallbackErrorOutOfMemory|\[METAL\].*Insufficient Memory|\[metal::malloc\]"
        r"|ggml_metal\w*:.*failed to allocate (?:context|buffer)",
        "The GPU ran out of memory (Metal)",
        SMALLER,
        wants_size=True,
    ),
    _rule(
        r"UR_RESULT_ERROR_OUT_OF_(?:DEVICE_MEMORY|RESOURCES)|PI_ERROR_OUT_OF_(?:DEVICE_MEMORY|RESOURCES)"
        r"|can't (?:allocate|malloc) \d+ Bytes? of memory on device"
        r"|CL_MEM_OBJECT_ALLOCATION_FAILURE|CL_OUT_OF_RESOURCES",
        "The GPU ran out of memory (SYCL or OpenCL)",
        SMALLER,
        wants_size=True,
    ),
    _rule(
        r"std::bad_alloc|bad_alloc error|ErrorOutOfHostMemory|insufficient memory \(attempted to allocate"
        r"|[Cc]annot allocate memory|ggml_aligned_malloc: insufficient memory|failed to allocate CPU\w* buffer"
        r"|ggml_backend_cpu_buffer\w*: failed to allocate|VirtualAlloc.*failed|paging file is too small",
        "The machine ran out of RAM",
        MORE_RAM,
        wants_size=True,
    ),
    _rule(
        r"insufficient system resources",
        "LM Studio's guardrail stopped the load: by its estimate too little memory is free.",
        "Free memory or ask for less; the guardrail itself is changed in LM Studio's settings only.",
    ),
    _rule(
        r"(?:unknown|unsupported) model architecture: '([^']*)",
        lambda found: f"The runtime does not know this model's architecture, {_name(found[1])}.",
        UPDATE,
    ),
    _rule(
        r"Model type (\S+) not supported", lambda f: f"The runtime does not know models of type {_name(f[1])}.", UPDATE
    ),
    _rule(
        r"unknown pre-tokenizer type: '([^']*)",
        lambda found: f"The runtime does not know this model's tokenizer, {_name(found[1])}.",
        UPDATE,
    ),
    _rule(
        r"file is version (\d+) but this software only supports up to version (\d+)",
        lambda found: f"The file is GGUF version {found[1]}, the runtime reads up to version {found[2]}.",
        UPDATE,
    ),
    _rule(
        r"GGUFv1 is no longer supported|bad GGUF version|GGUF file version \d+ is extremely large",
        "The file's GGUF version is one the runtime does not read.",
        "Get a current GGUF file of this model.",
    ),
    _rule(
        r"tensor '([^']*)' data is not within the file bounds",
        lambda found: f"The model's file is cut off or damaged: {_name(found[1])} lies outside of it.",
        AGAIN,
    ),
    _rule(
        r"invalid magic|failed to read (?:magic|header|key-value pairs|tensor info|tensor data)",
        "The model's file is no whole GGUF file: it is damaged, cut off or of another kind.",
        AGAIN,
    ),
    _rule(r"corrupted model: (\d+ tensors expected but \d+ found)", lambda f: f"The file is damaged: {f[1]}.", AGAIN),
    _rule(
        r"missing tensor '([^']*)|(wrong number of tensors; expected \d+, got \d+)|tensor '([^']*)' has wrong shape",
        lambda f: f"The file does not fit what the runtime expects of it: {_name(f[1] or f[2] or f[3])}.",
        f"{UPDATE} The file may also be from a faulty conversion.",
    ),
    _rule(
        r"failed to open GGUF file|failed to load GGUF split|invalid split (?:file|count)|illegal split file idx"
        r"|failed to open .*\.gguf",
        "The model's file, or one part of it, cannot be opened.",
        "Check that all parts are there and readable, and that the disk is connected.",
    ),
    _rule(
        r"mismatch between (?:text model|vision and audio)[^\n]{0,80}mmproj[^\n]{0,40}",
        lambda found: f"The vision part does not belong to this model: {_name(found[0])}.",
        OTHER_MMPROJ,
    ),
    _rule(
        r"failed to load (?:CLIP|multimodal|vision|mmproj) model|[Uu]nknown (?:vision )?projector type",
        "The vision part (mmproj) of the model could not be loaded.",
        OTHER_MMPROJ,
        1,
    ),
    _rule(
        r"CUDA driver version is insufficient|unsupported toolchain|forward compatibility was attempted",
        "The graphics driver is too old for this CUDA runtime.",
        DRIVER,
    ),
    _rule(r"no kernel image is available", "This runtime is not built for this GPU.", DRIVER),
    _rule(
        r"cannot open shared object file|specified module could not be found|Library not loaded: "
        r"|Failed to load LLM engine from path|no CPU backend found",
        "A library of the runtime or the driver is missing.",
        "Install the runtime again in LM Studio; for a GPU runtime check the driver.",
    ),
    _rule(
        r"quantized V cache (?:was requested|requires)|V cache quantization requires flash_attn",
        "A quantized V cache needs flash attention, which is off.",
        "Turn flash attention on, or leave the V cache at f16.",
    ),
    _rule(r"ErrorDeviceLost|device lost", "The GPU stopped answering.", DRIVER),
    _rule(r"(?:CUDA|ROCm|HIP) error: (.{1,200})", lambda f: f"The GPU reported an error: {_name(f[1])}.", DRIVER, 1),
    _rule(r"GGML_ASSERT\((.{1,200})\) failed", _assertion, REPORT, 1),
    _rule(
        r"(?:failed|unable) to allocate (?!CPU|\w+_Host|compute)(\w+) buffer|failed to allocate buffer for kv cache",
        lambda found: f"There is not enough memory for the {_name(found[1] or 'KV')} buffer",
        SMALLER,
        1,
        wants_size=True,
    ),
    _rule(
        r"failed to allocate compute buffers",
        "There is not enough memory for the compute buffers",
        SMALLER,
        2,
        wants_size=True,
    ),
    _rule(
        r"error loading model: (.{1,300})",
        lambda found: f"The runtime could not load the file: {_name(found[1])}.",
        UPDATE,
        2,
    ),
    _rule(
        r"failed to (?:initialize the context|create_?\s?context)",
        "The model was read, but its context could not be set up; mostly memory is short.",
        SMALLER,
        3,
    ),
    _rule(r"GGML_ABORT|\babort:\d+: (.{0,200})|fatal error$", "The runtime aborted itself.", REPORT, 3),
)
