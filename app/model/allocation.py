"""What the runtime's log says it allocated for one instance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allocation:
    """One load as llama.cpp (or an MLX runtime) told it. Everything may be absent; sizes are bytes, contexts tokens.

    `instance_id` and `pid` name whose it is, where the log does. `gpu_bytes` and `host_bytes` sum the buffers by
    where they are (a buffer whose device name starts with CPU, Host or ends in _Host is in RAM).
    """

    instance_id: str | None = None
    pid: int | None = None
    at: float = 0.0
    """Unix time of the last line that counted."""
    n_ctx: int | None = None
    """Context of all slots together."""
    n_ctx_seq: int | None = None
    """Context of one sequence (`n_ctx_seq`, formerly `n_ctx_per_seq`)."""
    slot_context: int | None = None
    """Context of one server slot, after any capping at the model's training context."""
    slots: int | None = None
    unified: bool | None = None
    train_context: int | None = None
    fitted: int | None = None
    """What LM Studio's context auto-fit left, where it says so."""
    configured: int | None = None
    """What that line says was configured."""
    flash_attention: bool | None = None
    build: int | None = None
    """llama.cpp's build number."""
    gpu_layers: int | None = None
    layers: int | None = None
    """`offloaded 20/49 layers to GPU`: 20 and 49."""
    weights_bytes: int | None = None
    kv_bytes: int | None = None
    recurrent_bytes: int | None = None
    compute_bytes: int | None = None
    output_bytes: int | None = None
    gpu_bytes: int | None = None
    host_bytes: int | None = None
    hints: tuple[str, ...] = ()
    """Lines that may explain a smaller context, as they came; none of them accuses by itself."""
