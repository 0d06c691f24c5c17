"""What is asked of a load, and what came of it."""

from dataclasses import dataclass

from lmdeck.model.catalog import InstanceConfig

REST_ONLY = ("eval_batch_size", "flash_attention", "num_experts", "offload_kv_cache_to_gpu")
CLI_ONLY = ("parallel", "gpu", "ttl_s", "identifier")


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """The settings of a load. None means "not set by the user": it is not sent at all.

    `POST /api/v1/models/load` takes the context and `REST_ONLY`, `lms load` the context and `CLI_ONLY`: a request that
    sets one of the latter goes through `lms`. `context_length` and `eval_batch_size` are tokens, `parallel` slots,
    `gpu` the share of the layers on the GPU (0 to 1), `ttl_s` seconds of idleness.
    """

    model: str
    context_length: int | None = None
    eval_batch_size: int | None = None
    flash_attention: bool | None = None
    num_experts: int | None = None
    offload_kv_cache_to_gpu: bool | None = None
    parallel: int | None = None
    gpu: float | None = None
    ttl_s: int | None = None
    identifier: str | None = None

    @property
    def by_cli(self) -> bool:
        """Whether only `lms load` can do it."""
        return any(getattr(self, name) is not None for name in CLI_ONLY)

    @property
    def rest_only(self) -> tuple[str, ...]:
        """The settings in it that `lms load` does not have; together with `by_cli` nobody can carry it out."""
        return tuple(name for name in REST_ONLY if getattr(self, name) is not None)

    def arguments(self) -> tuple[str, ...]:
        """The arguments of `lms` for it; a key that begins with a dash is kept from being read as an option."""
        options = {
            "-c": self.context_length,
            "--parallel": self.parallel,
            "--gpu": None if self.gpu is None else "max" if self.gpu >= 1 else "off" if self.gpu <= 0 else self.gpu,
            "--ttl": self.ttl_s,
            "--identifier": self.identifier,
        }
        chosen = [part for name, value in options.items() if value is not None for part in (name, str(value))]
        return ("load", *chosen, "-y", *(("--",) if self.model.startswith("-") else ()), self.model)

    def body(self) -> dict[str, object]:
        """The request body: only what was set, and the wish to hear the final configuration back."""
        chosen = {name: value for name in ("context_length", *REST_ONLY) if (value := getattr(self, name)) is not None}
        return {"model": self.model, **chosen, "echo_load_config": True}


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The server's answer to a load. `config` is the echoed configuration; None when the server sent none."""

    instance_id: str
    load_time_s: float | None = None
    status: str = "loaded"
    config: InstanceConfig | None = None
