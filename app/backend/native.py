"""LM Studio's native API v1: its records as the deck's values. Tolerant: one bad record never loses the list."""

from lmdeck.backend.decode import count, fields, flag, items, number, record, records, text, texts
from lmdeck.backend.errors import BadReply
from lmdeck.model.catalog import Capabilities, Instance, InstanceConfig, Model
from lmdeck.model.load import LoadResult

MODELS = "/api/v1/models"
LOAD = "/api/v1/models/load"
UNLOAD = "/api/v1/models/unload"


def models(body: object) -> tuple[Model, ...]:
    """`{"models": [Model…]}`; raises BadReply if it is something else."""
    if (found := items(fields(body).get("models"))) is None:
        raise BadReply("the model list holds no `models`")
    by_key: dict[str, Model] = {}
    for entry in records(found):
        if (model := _model(entry)) is not None:
            by_key.setdefault(model.key, model)
    return tuple(by_key.values())


def load_result(body: object) -> LoadResult:
    """The answer to a load; raises BadReply if it names no instance."""
    answer = fields(body)
    if not (instance_id := text(answer.get("instance_id"))):
        raise BadReply("the answer to the load names no instance")
    echoed = record(answer.get("load_config"))
    return LoadResult(
        instance_id=instance_id,
        load_time_s=number(answer.get("load_time_seconds")),
        status=text(answer.get("status")) or "loaded",
        config=None if echoed is None else config(echoed),
    )


def config(entry: dict[str, object]) -> InstanceConfig:
    """An instance's or an echoed load's `config`."""
    return InstanceConfig(
        context_length=count(entry.get("context_length")),
        parallel=count(entry.get("parallel")),
        eval_batch_size=count(entry.get("eval_batch_size")),
        flash_attention=flag(entry.get("flash_attention")),
        num_experts=count(entry.get("num_experts")),
        offload_kv_cache_to_gpu=flag(entry.get("offload_kv_cache_to_gpu")),
    )


def _model(entry: dict[str, object]) -> Model | None:
    if not (key := text(entry.get("key"))):
        return None
    quantization = entry.get("quantization")
    return Model(
        key=key,
        type=text(entry.get("type")) or "llm",
        display_name=text(entry.get("display_name")) or key,
        publisher=text(entry.get("publisher")) or "",
        architecture=text(entry.get("architecture")),
        quantization=text(quantization) or text(fields(quantization).get("name")),
        bits_per_weight=number(fields(quantization).get("bits_per_weight")),
        size_bytes=count(entry.get("size_bytes")),
        params=text(entry.get("params_string")),
        max_context_length=count(entry.get("max_context_length")),
        format=text(entry.get("format")),
        capabilities=_capabilities(fields(entry.get("capabilities"))),
        description=text(entry.get("description")),
        variants=texts(entry.get("variants")),
        selected_variant=text(entry.get("selected_variant")),
        instances=_instances(key, entry.get("loaded_instances")),
    )


def _capabilities(entry: dict[str, object]) -> Capabilities:
    reasoning = fields(entry.get("reasoning"))
    return Capabilities(
        vision=flag(entry.get("vision")) or False,
        tools=flag(entry.get("trained_for_tool_use")) or False,
        reasoning=texts(reasoning.get("allowed_options")),
        reasoning_default=text(reasoning.get("default")),
    )


def _instances(key: str, loaded: object) -> tuple[Instance, ...]:
    by_id: dict[str, Instance] = {}
    for entry in records(loaded):
        if instance_id := text(entry.get("id")):
            ttl = number(entry.get("remaining_ttl_seconds"))
            state = text(entry.get("state"))
            instance = Instance(instance_id, key, config(fields(entry.get("config"))), state, ttl)
            by_id.setdefault(instance_id, instance)
    return tuple(by_id.values())
