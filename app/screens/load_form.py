"""What the load dialog's fields mean: text and choices in, a `LoadRequest` or a reason out. No widgets."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lmdeck.model.catalog import Model
from lmdeck.model.load import CLI_ONLY, LoadRequest
from lmdeck.model.text import clean, one_line

CHOICES = ("server default", "on", "off")
_CHOSEN = (None, True, False)
_NUMBER = re.compile(r"(\d{1,15})(k?)")
_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s?)?")
_LONGEST_NAME = 64

Kind = Literal["number", "choice", "share", "duration", "text"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the request, its label, what it says while empty, and the most it takes."""

    name: str
    label: str
    hint: str = ""
    kind: Kind = "number"
    most: int | None = None

    @property
    def cli_only(self) -> bool:
        """Whether only `lms load` can set it."""
        return self.name in CLI_ONLY


class Invalid(ValueError):
    """A field's text cannot be sent; the message says why, `field` is its name."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


SLOTS = Field("parallel", "Slots", "server default · requests answered at once")
_PLACED = (
    Field("gpu", "GPU share", "server default · max, off, 0 to 1, or per cent such as 50%", "share"),
    Field("ttl_s", "Idle TTL", "stays · seconds, or 60m, 1h: unloaded after so much idleness", "duration"),
    Field("identifier", "Identifier", "the model's key · the name that requests use", "text"),
)
_REST = (
    Field("eval_batch_size", "Evaluation batch", "server default · tokens per step of the prompt"),
    Field("flash_attention", "Flash attention", kind="choice"),
    Field("offload_kv_cache_to_gpu", "KV cache on GPU", kind="choice"),
    Field("num_experts", "Active experts", "server default · mixture-of-experts models only"),
)


def fields_for(model: Model) -> tuple[Field, ...]:
    """The settings that make sense for this model; an embedding model has no slots and no attention to tune."""
    limit = model.max_context_length
    context = Field("context_length", "Context length", f"server default · at most {limit or '?'}", most=limit)
    return (context, *_PLACED) if model.is_embedding else (context, SLOTS, *_PLACED, *_REST)


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


def share(field: Field, text: str) -> float | None:
    """`max`, `off`, `0.5`, `50%` as a share from 0 to 1; None for an empty text; raises Invalid."""
    text = text.strip().lower().replace(",", ".")
    if not text or text in ("max", "off"):
        return {"max": 1.0, "off": 0.0}.get(text)
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})\s*(%?)", text)
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= value <= 1:
        raise Invalid(field.name, f"{field.label}: max, off, a share from 0 to 1, or per cent such as 50%")
    return value


def duration(field: Field, text: str) -> int | None:
    """`3600`, `60m`, `1h`, `1h30m` in seconds; None for an empty text; raises Invalid."""
    text = re.sub(r"\s", "", text.lower())
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if (total := hours * 3600 + minutes * 60 + seconds) < 1:
        raise Invalid(field.name, f"{field.label}: seconds, or a time such as 90s, 60m or 1h")
    return total


def identifier(field: Field, text: str) -> str | None:
    """The name as typed; None for an empty one; raises Invalid for what would be no name."""
    text = text.strip()
    if not text:
        return None
    if text.startswith("-") or not text.isprintable() or len(text) > _LONGEST_NAME:
        raise Invalid(field.name, f"{field.label}: at most {_LONGEST_NAME} visible characters, no dash in front")
    return text


def request_of(model: Model, texts: Mapping[str, str], choices: Mapping[str, int]) -> LoadRequest:
    """The request that sends exactly what was set; raises Invalid for the first field that cannot be sent."""
    counts: dict[str, int | None] = {}
    chosen: dict[str, bool | None] = {}
    gpu, name = None, None
    for field in fields_for(model):
        text = texts.get(field.name, "")
        match field.kind:
            case "number":
                counts[field.name] = number(field, text)
            case "duration":
                counts[field.name] = duration(field, text)
            case "choice":
                chosen[field.name] = _CHOSEN[choices.get(field.name, 0)]
            case "share":
                gpu = share(field, text)
            case "text":
                name = identifier(field, text)
    request = LoadRequest(
        model=model.key,
        context_length=counts["context_length"],
        eval_batch_size=counts.get("eval_batch_size"),
        flash_attention=chosen.get("flash_attention"),
        num_experts=counts.get("num_experts"),
        offload_kv_cache_to_gpu=chosen.get("offload_kv_cache_to_gpu"),
        parallel=counts.get("parallel"),
        gpu=gpu,
        ttl_s=counts.get("ttl_s"),
        identifier=name,
    )
    _refuse_both(request)
    return request


def _refuse_both(request: LoadRequest) -> None:
    if request.by_cli and request.rest_only:
        over_rest, by_lms = labels(request.rest_only), cli_only(request)
        raise Invalid(by_lms[0], f"Only REST can set {over_rest}, only `lms load` can set {labels(by_lms)}: clear one")


def cli_only(request: LoadRequest) -> tuple[str, ...]:
    """The settings in it that only `lms load` has."""
    return tuple(name for name in CLI_ONLY if getattr(request, name) is not None)


def labels(names: tuple[str, ...]) -> str:
    """`slots, GPU share and idle TTL`: settings as the form calls them."""
    known = {field.name: field.label for field in (SLOTS, *_PLACED, *_REST)}
    words = [known[name] for name in names]
    words = [word if word[1:2].isupper() else word[0].lower() + word[1:] for word in words]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def request_text(request: LoadRequest, replacing: str | None = None) -> str:
    """The exact request (or command) that would go out, safe to show; `replacing`: the instance unloaded before."""
    before = f"POST /api/v1/models/unload {json.dumps({'instance_id': replacing}, ensure_ascii=False)}\n"
    if request.by_cli:
        words = f"{shlex.join(('lms', *request.arguments()))}\nthrough lms: REST cannot set {labels(cli_only(request))}"
    else:
        words = f"POST /api/v1/models/load\n{json.dumps(request.body(), ensure_ascii=False)}"
    return clean((before if replacing is not None else "") + words)


def texts_of(request: LoadRequest) -> dict[str, str]:
    """What to type for these settings, by field; the empty text where nothing is set."""
    names = ("context_length", "parallel", "eval_batch_size", "num_experts", "identifier")
    texts = {name: str(value) if (value := getattr(request, name)) is not None else "" for name in names}
    if request.gpu is None:
        texts["gpu"] = ""
    else:
        texts["gpu"] = "max" if request.gpu >= 1 else "off" if request.gpu <= 0 else f"{request.gpu:g}"
    seconds = request.ttl_s
    unit, name = next(
        ((unit, name) for unit, name in ((3600, "h"), (60, "m")) if seconds and not seconds % unit), (1, "")
    )
    texts["ttl_s"] = "" if seconds is None else f"{seconds // unit}{name}"
    return texts


def choices_of(request: LoadRequest) -> dict[str, int]:
    """What to choose for these settings, by field."""
    return {name: _CHOSEN.index(getattr(request, name)) for name in ("flash_attention", "offload_kv_cache_to_gpu")}


def preset_name(text: str) -> str:
    """A preset's name as it is kept; empty: none is wanted."""
    return one_line(text, 40)
