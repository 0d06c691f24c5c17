"""The real cause of a failed load among runtime lines; wording from llama.cpp b11549, LM Studio and public logs."""

# ruff: noqa: E501  (log lines are quoted as they come)

import pytest

from lmdeck.evidence.causes import find_cause

CASES = {
    "cuda, with its size": (
        [
            "1.06.520.077 E ggml_backend_cuda_buffer_type_alloc_buffer: allocating 51748.72 MiB on device 1: cudaMalloc "
            "failed: out of memory",
            "1.06.520.084 E ggml_gallocr_reserve_n_impl: failed to allocate CUDA1 buffer of size 54262464512",
            "1.06.520.086 E graph_reserve: failed to allocate compute buffers",
            "1.06.520.090 E llama_init_from_model: failed to initialize the context: failed to allocate compute pp buffers",
        ],
        "The GPU ran out of memory: 50.5 GiB on device 1 could not be allocated.",
    ),
    "cuda, the size a line later": (
        [
            "ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory",
            "alloc_tensor_range: failed to allocate CUDA0 buffer of size 151851674624",
            "llama_model_load: error loading model: unable to allocate CUDA0 buffer",
        ],
        "The GPU ran out of memory: 141.4 GiB could not be allocated.",
    ),
    "the demo server's": (
        [
            "llama_model_loader: loaded meta data from x.gguf (version GGUF V3 (latest))",
            "ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory",
            "llama_init_from_model: failed to initialize the context",
        ],
        "The GPU ran out of memory.",
    ),
    "cuda, while it runs": (
        [
            "2025-07-22 01:26:42 [DEBUG]\n CUDA error: out of memory\n  current device: 0, in function x at ggml-cuda.cu:610\n"
            "  cudaStreamSynchronize(((cudaStream_t)0x2))\nllama.cpp abort:79: CUDA error"
        ],
        "The GPU ran out of memory.",
    ),
    "rocm": (["ROCm error: out of memory"], "The GPU ran out of memory."),
    "only the consequence": (
        ["llama_model_load: error loading model: unable to allocate ROCm0 buffer", "llama_load_model: failed to load model"],
        "There is not enough memory for the ROCm0 buffer.",
    ),
    "vulkan": (
        [
            "ggml_vulkan: Device memory allocation of size 369827840 failed.",
            "ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory",
        ],
        "The GPU ran out of memory (Vulkan): 352.7 MiB could not be allocated.",
    ),
    "metal": (
        ["error: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)"],
        "The GPU ran out of memory (Metal).",
    ),
    "metal, a buffer": (
        ["ggml_metal_log_allocated_size: error: failed to allocate buffer, size =  4096.00 MiB"],
        "The GPU ran out of memory (Metal): 4.0 GiB could not be allocated.",
    ),
    "sycl": (
        ["Native API failed. Native API returns: 40 (UR_RESULT_ERROR_OUT_OF_RESOURCES)"],
        "The GPU ran out of memory (SYCL or OpenCL).",
    ),
    "ram": (
        [
            "ggml_aligned_malloc: insufficient memory (attempted to allocate 23552.00 MB)",
            "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 24696061952",
        ],
        "The machine ran out of RAM: 23.0 GiB could not be allocated.",
    ),
    "architecture": (
        [
            "0.00.1 I llama_model_loader: loaded meta data with 3 key-value pairs and 9 tensors from a.gguf (version GGUF V3)",
            "0.00.327.111 E llama_model_load: error loading model: unknown model architecture: 'qwen9'",
            "0.00.327.114 E llama_model_load_from_file_impl: failed to load model",
            "0.00.327.115 E cmn  common_init_: failed to load model 'a.gguf'",
            "0.00.327.116 E srv    load_model: failed to load model, 'a.gguf'",
        ],
        "The runtime does not know this model's architecture, qwen9.",
    ),
    "mlx architecture": (
        ["ValueError: Model type kimi_k9 not supported."],
        "The runtime does not know models of type kimi_k9.",
    ),
    "tokenizer": (
        ["llama_model_load: error loading model: error loading model vocabulary: unknown pre-tokenizer type: 'zeta'"],
        "The runtime does not know this model's tokenizer, zeta.",
    ),
    "cut off": (
        [
            "llama_model_load: error loading model: tensor 'blk.54.ffn_down_exps.weight' data is not within the file bounds, "
            "model is corrupted or incomplete",
            "llama_load_model_from_file: failed to load model",
        ],
        "The model's file is cut off or damaged: blk.54.ffn_down_exps.weight lies outside of it.",
    ),
    "magic": (
        [
            "gguf_init_from_file_impl: invalid magic characters: '<!DO', expected 'GGUF'",
            "llama_model_load: error loading model: llama_model_loader: failed to load model from a.gguf",
        ],
        "The model's file is no whole GGUF file: it is damaged, cut off or of another kind.",
    ),
    "gguf version": (
        ["gguf_init: this GGUF file is version 5 but this software only supports up to version 3"],
        "The file is GGUF version 5, the runtime reads up to version 3.",
    ),
    "gguf version 1": (
        ["gguf_init: GGUFv1 is no longer supported, please use a more up-to-date version"],
        "The file's GGUF version is one the runtime does not read.",
    ),
    "missing tensor": (
        ["llama_model_load: error loading model: missing tensor 'output_norm.weight'"],
        "The file does not fit what the runtime expects of it: output_norm.weight.",
    ),
    "number of tensors": (
        ["llama_model_load: error loading model: done_getting_tensors: wrong number of tensors; expected 292, got 291"],
        "The file does not fit what the runtime expects of it: wrong number of tensors; expected 292, got 291.",
    ),
    "split": (
        ["llama_model_load: error loading model: llama_model_loader: failed to load GGUF split from b-00002-of-00003.gguf"],
        "The model's file, or one part of it, cannot be opened.",
    ),
    "mmproj": (
        [
            "mtmd_init_from_file: error: mismatch between text model (n_embd = 4096) and mmproj (n_embd = 2560)",
            "hint: you may be using wrong mmproj",
            "srv    load_model: failed to load multimodal model, 'mmproj.gguf'",
        ],
        "The vision part does not belong to this model: mismatch between text model (n_embd = 4096) and mmproj (n_embd = "
        "2560).",
    ),
    "driver": (
        ["ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for CUDA runtime version"],
        "The graphics driver is too old for this CUDA runtime.",
    ),
    "library": (
        ["llama-server: error while loading shared libraries: libcublas.so.12: cannot open shared object file: No such file"],
        "A library of the runtime or the driver is missing.",
    ),
    "dll": (
        [r"Failed to load LLM engine from path: C:\x\llm_engine_cuda.node. The specified module could not be found."],
        "A library of the runtime or the driver is missing.",
    ),
    "no backend": (
        ["0.01.795.619 E llama_model_load: error loading model: make_cpu_buft_list: no CPU backend found"],
        "A library of the runtime or the driver is missing.",
    ),
    "kernel image": (
        ["CUDA error: no kernel image is available for execution on the device"],
        "This runtime is not built for this GPU.",
    ),
    "quantized V": (
        ["llama_init_from_model: failed to initialize the context: quantized V cache was requested, but this requires Flash "
         "Attention"],
        "A quantized V cache needs flash attention, which is off.",
    ),
    "assert": (
        ["/x/llama-context.cpp:1220: GGML_ASSERT(n_tokens_all <= cparams.n_batch) failed", "Aborted (core dumped)"],
        "The runtime stopped itself at a failed check: n_tokens_all <= cparams.n_batch.",
    ),
    "gpu error": (
        ["CUDA error: an illegal memory access was encountered", "GGML_ASSERT(false) failed"],
        "The GPU reported an error: an illegal memory access was encountered.",
    ),
    "anything else": (
        ["llama_model_load: error loading model: the moon is full", "llama_load_model_from_file: failed to load model"],
        "The runtime could not load the file: the moon is full.",
    ),
    "context": (
        ["srv    load_model: failed to create_context with model 'a.gguf'"],
        "The model was read, but its context could not be set up; mostly memory is short.",
    ),
    "guardrail": (
        ["Model loading was stopped due to insufficient system resources. Under the current settings…"],
        "LM Studio's guardrail stopped the load: by its estimate too little memory is free.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "words"), CASES.values(), ids=list(CASES))
def test_the_cause_is_found(lines: list[str], words: str) -> None:
    healthy = ["llama_context: n_ctx = 8192", "print_info: file type   = Q8_0", "load: special tokens cache size = 28"]
    cause = find_cause([*healthy, *lines, "process ended"])
    assert cause is not None
    assert cause.words == words
    assert cause.next_step
    assert cause.line
    assert len(cause.line) <= 300
    assert "\n" not in cause.line


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["llama_context: n_ctx = 8192", "srv update_slots: all slots are idle"],
        ["ggml_cuda_host_malloc: failed to allocate 1900.00 MiB of pinned memory: invalid argument"],
        ["ggml_vulkan: Failed to allocate pinned memory.", "ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory"],
        ["print_info: ssm_dt_b_c_rms = 0", "load: control-looking token: 128247 '</s>' was not control-type"],
        ["common_fit_params: failed to fit params to free device memory: n_gpu_layers already set by user to 99, abort"],
    ],
)  # fmt: skip
def test_warnings_and_healthy_lines_are_no_cause(lines: list[str]) -> None:
    assert find_cause(lines) is None


def test_a_failure_that_was_survived_explains_nothing() -> None:
    first = CASES["cuda, with its size"][0][:3]
    retried = "1.06.520.107 W sched_reserve: compute buffer allocation failed, retrying without pipeline parallelism"
    assert find_cause([*first, retried]) is None
    later = find_cause([*first, retried, "llama_model_load: error loading model: missing tensor 'x'"])
    assert later is not None
    assert "missing" in later.line


def test_an_earlier_load_is_not_blamed_for_a_later_one() -> None:
    start = "llama_model_loader: loaded meta data with 3 key-value pairs and 9 tensors from b.gguf (version GGUF V3)"
    cause = find_cause([*CASES["vulkan"][0], start, *CASES["architecture"][0][1:]])
    assert cause is not None
    assert "qwen9" in cause.words


def test_the_first_of_equals_wins_and_the_line_is_made_safe() -> None:
    first = "\x1b[31m0.00.000.001 E x: CUDA error: out of memory\x1b[0m\x07"
    cause = find_cause([first, *["llama_context: n_ctx = 8192"] * 5, *CASES["vulkan"][0]])
    assert cause is not None
    assert cause.words == "The GPU ran out of memory."
    assert cause.line == "x: CUDA error: out of memory␇"
