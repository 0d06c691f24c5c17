"""The parameters of a request, and what each endpoint calls them. `parameters.py` is how they are used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from lmdeck.model.chat import Value
from lmdeck.model.endpoints import CHAT_COMPLETIONS, COMPLETIONS, MESSAGES, NATIVE, RESPONSES, V0_CHAT

Kind = Literal["number", "integer", "flag", "choice", "text", "texts", "json"]
Group = Literal["sampling", "penalties", "length", "format", "model"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting. `low` and `high` bound a number, both included, None for no bound; `choices` are what a `choice`
    can be; `wire` is its name by endpoint path, where a dot nests."""

    name: str
    group: Group
    kind: Kind
    low: float | None = None
    high: float | None = None
    help: str = ""
    wire: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()

    @property
    def expects(self) -> str:
        """What it takes, in words: `a number from 0 to 1`, `one of off, low, high` …"""
        match self.kind:
            case "number" | "integer":
                return ("a number" if self.kind == "number" else "a whole number") + self._range
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "texts":
                return "a text on each line, or a JSON list of texts"
            case "json":
                return "a JSON object"
        return "on or off" if self.kind == "flag" else "a text"

    @property
    def _range(self) -> str:
        low = "" if self.low is None else f" from {self.low:.15g}"
        return low if self.high is None else f"{low} to {self.high:.15g}"


_OPENAI = (CHAT_COMPLETIONS.path, V0_CHAT.path)
_COMPLETING = (*_OPENAI, COMPLETIONS.path)
_LLAMA = (NATIVE.path, *_COMPLETING)
_ALL = (*_LLAMA, RESPONSES.path, MESSAGES.path)
EFFORTS = ("off", "on", "low", "medium", "high", "xhigh")
SPELLED_NONE = (*_OPENAI, RESPONSES.path)
"""Where `off` is called `none`, and an effort has a level: there is no `on`."""
HIGHEST = {(NATIVE.path, "temperature"): 1.0}

NEEDED: Final[Mapping[str, Mapping[str, Value]]] = {MESSAGES.path: {"max_output_tokens": 8192}}
"""What an endpoint (by path) cannot do without, and what is sent where it is not set."""


def _on(paths: tuple[str, ...], name: str, **other: str) -> dict[str, str]:
    """`name` on these endpoints, other names on others."""
    named = {"native": NATIVE, "responses": RESPONSES, "messages": MESSAGES, "completions": COMPLETIONS}
    return dict.fromkeys(paths, name) | {named[endpoint].path: called for endpoint, called in other.items()}


_MOST = _on(_COMPLETING, "max_tokens", messages="max_tokens", native="max_output_tokens", responses="max_output_tokens")
_STOP = _on(_COMPLETING, "stop", messages="stop_sequences")
_OTHERS = _on(_OPENAI, "top_logprobs", completions="logprobs")
_REASONING = _on(_OPENAI, "reasoning_effort", native="reasoning", responses="reasoning.effort")

PARAMETERS: Final[tuple[Parameter, ...]] = (
    Parameter("temperature", "sampling", "number", 0, 2, "0: always the likeliest token.", _on(_ALL, "temperature")),
    Parameter("top_p", "sampling", "number", 0, 1, "Only the likeliest tokens of this share.", _on(_ALL, "top_p")),
    Parameter(
        "top_k",
        "sampling",
        "integer",
        0,
        None,
        "Only so many of the likeliest.",
        _on((*_LLAMA, MESSAGES.path), "top_k"),
    ),
    Parameter("min_p", "sampling", "number", 0, 1, "Only tokens of this probability.", _on(_LLAMA, "min_p")),
    Parameter("seed", "sampling", "integer", None, None, "The same seed, the same answer.", _on(_COMPLETING, "seed")),
    Parameter("repeat_penalty", "penalties", "number", 0, None, "Above 1 repeats less.", _on(_LLAMA, "repeat_penalty")),
    Parameter(
        "frequency_penalty", "penalties", "number", -2, 2, "Rarer each time.", _on(_COMPLETING, "frequency_penalty")
    ),
    Parameter(
        "presence_penalty", "penalties", "number", -2, 2, "Rarer from then on.", _on(_COMPLETING, "presence_penalty")
    ),
    Parameter(
        "logit_bias", "penalties", "json", None, None, '{"token id": -100 to 100}', _on(_COMPLETING, "logit_bias")
    ),
    Parameter("max_output_tokens", "length", "integer", 1, None, "The answer ends after so many tokens.", _MOST),
    Parameter("stop", "length", "texts", None, None, "The answer ends before any of these.", _STOP),
    Parameter(
        "response_format", "format", "json", None, None, "A schema the answer fits.", _on(_OPENAI, "response_format")
    ),
    Parameter("logprobs", "format", "flag", None, None, "How likely each token was.", _on(_OPENAI, "logprobs")),
    Parameter("top_logprobs", "format", "integer", 0, 20, "How likely so many other tokens were.", _OTHERS),
    Parameter("reasoning", "model", "choice", None, None, "How much it thinks before it answers.", _REASONING, EFFORTS),
    Parameter(
        "context_length", "model", "integer", 1, None, "Reloads the model with it.", {NATIVE.path: "context_length"}
    ),
    Parameter(
        "draft_model", "model", "text", None, None, "A small one that guesses ahead.", _on(_LLAMA, "draft_model")
    ),
    Parameter("ttl", "model", "integer", 1, None, "Seconds until it is unloaded when idle.", _on(_COMPLETING, "ttl")),
)
"""In the order in which they are shown."""
