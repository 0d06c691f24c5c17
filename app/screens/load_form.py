"""What the load dialog's fields mean: text and choices in, a `LoadRequest` or a reason out. No widgets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lmdeck.model.catalog import Model
from lmdeck.model.load import LoadRequest

CHOICES = ("server default", "on", "off")
_CHOSEN = (None, True, False)
_NUMBER = re.compile(r"(\d+)(k?)")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the request, its label, whether it is a number or a choice, the most it takes."""

    name: str
    label: str
    hint: str
    is_choice: bool = False
    most: int | None = None


class Invalid(ValueError):
    """A field's text cannot be sent; the message says why, `field` is its name."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def fields_for(model: Model) -> tuple[Field, ...]:
    """The parameters that REST accepts for this model; an embedding model has only a context."""
    limit = model.max_context_length
    context = Field("context_length", "Context length", f"server default · at most {limit or '?'}", most=limit)
    if model.is_embedding:
        return (context,)
    return (
        context,
        Field("eval_batch_size", "Evaluation batch", "server default · tokens per step of the prompt"),
        Field("flash_attention", "Flash attention", "", is_choice=True),
        Field("offload_kv_cache_to_gpu", "KV cache on GPU", "", is_choice=True),
        Field("num_experts", "Active experts", "server default · mixture-of-experts models only"),
    )


def number(field: Field, text: str) -> int | None:
    """`32768`, `32,768` or `32k` as a count; None for an empty text; raises Invalid."""
    text = re.sub(r"[\s_,.']", "", text.lower())
    if not text:
        return None
    match = _NUMBER.fullmatch(text)
    if not match:
        raise Invalid(field.name, f"{field.label}: a whole number, such as 8192 or 8k")
    value = int(match[1]) * (1024 if match[2] else 1)
    if value < 1:
        raise Invalid(field.name, f"{field.label}: at least 1")
    if field.most is not None and value > field.most:
        raise Invalid(field.name, f"{field.label}: at most {field.most}, the model's limit")
    return value


def request_of(model: Model, texts: Mapping[str, str], choices: Mapping[str, int]) -> LoadRequest:
    """The request that sends exactly what was set; raises Invalid for the first field that cannot be sent."""
    found: dict[str, int | None] = {}
    chosen: dict[str, bool | None] = {}
    for field in fields_for(model):
        if field.is_choice:
            chosen[field.name] = _CHOSEN[choices.get(field.name, 0)]
        else:
            found[field.name] = number(field, texts.get(field.name, ""))
    return LoadRequest(
        model=model.key,
        context_length=found["context_length"],
        eval_batch_size=found.get("eval_batch_size"),
        num_experts=found.get("num_experts"),
        flash_attention=chosen.get("flash_attention"),
        offload_kv_cache_to_gpu=chosen.get("offload_kv_cache_to_gpu"),
    )
