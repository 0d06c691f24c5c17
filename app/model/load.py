"""What is asked of a load, and what came of it."""

from dataclasses import dataclass

from lmdeck.model.catalog import InstanceConfig


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """The parameters of `POST /api/v1/models/load`. None means "not set by the user": it is not sent at all.

    `context_length`, `eval_batch_size` and `num_experts` are counts of tokens, tokens and experts.
    """

    model: str
    context_length: int | None = None
    eval_batch_size: int | None = None
    flash_attention: bool | None = None
    num_experts: int | None = None
    offload_kv_cache_to_gpu: bool | None = None

    def body(self) -> dict[str, object]:
        """The request body: only what was set, and the wish to hear the final configuration back."""
        options = (
            "context_length",
            "eval_batch_size",
            "flash_attention",
            "num_experts",
            "offload_kv_cache_to_gpu",
        )
        chosen = {name: value for name in options if (value := getattr(self, name)) is not None}
        return {"model": self.model, **chosen, "echo_load_config": True}


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The server's answer to a load. `config` is the echoed configuration; None when the server sent none."""

    instance_id: str
    load_time_s: float | None = None
    status: str = "loaded"
    config: InstanceConfig | None = None
