"""LM Studio's older API v0: a flat list in which a loaded model is a state, not a list of instances."""

import re
from dataclasses import replace

from lmdeck.backend.decode import count, fields, items, records, text, texts
from lmdeck.backend.errors import BadReply
from lmdeck.model.catalog import Capabilities, Instance, InstanceConfig, Model

MODELS = "/api/v0/models"

_FURTHER_COPY = re.compile(r"(.+):[0-9]+")
_TYPES = {"embeddings": "embedding"}


def models(body: object) -> tuple[Model, ...]:
    """`{"object": "list", "data": [M…]}`; raises BadReply if it is something else. A further copy (`key:2`) is
    listed like a model of its own there and becomes an instance of its model."""
    if (found := items(fields(body).get("data"))) is None:
        raise BadReply("the model list holds no `data`")
    by_key: dict[str, Model] = {}
    for entry in records(found):
        if key := text(entry.get("id")):
            by_key.setdefault(key, _model(key, entry))
    for key in list(by_key):
        copy = _FURTHER_COPY.fullmatch(key)
        if copy and (original := by_key.get(copy[1])) and by_key[key].instances:
            instances = tuple(replace(instance, model_key=copy[1]) for instance in by_key.pop(key).instances)
            by_key[copy[1]] = replace(original, instances=original.instances + instances)
    return tuple(by_key.values())


def loaded_contexts(body: object) -> dict[str, int]:
    """`loaded_context_length` of everything that is loaded, by its id there; raises BadReply as `models` does."""
    loaded = [instance for model in models(body) for instance in model.instances]
    return {one.id: one.config.context_length for one in loaded if one.config.context_length is not None}


def _model(key: str, entry: dict[str, object]) -> Model:
    kind = text(entry.get("type")) or "llm"
    return Model(
        key=key,
        type=_TYPES.get(kind, kind),
        display_name=key,
        publisher=text(entry.get("publisher")) or "",
        architecture=text(entry.get("arch")),
        quantization=text(entry.get("quantization")),
        max_context_length=count(entry.get("max_context_length")),
        format=text(entry.get("compatibility_type")),
        capabilities=Capabilities(vision=kind == "vlm", tools="tool_use" in texts(entry.get("capabilities"))),
        instances=_instances(key, entry),
    )


def _instances(key: str, entry: dict[str, object]) -> tuple[Instance, ...]:
    state = text(entry.get("state"))
    if state in (None, "not-loaded"):
        return ()
    return (Instance(key, key, InstanceConfig(context_length=count(entry.get("loaded_context_length"))), state),)
