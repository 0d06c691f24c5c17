"""Experiments the user starts on one instance: is the context there, and how does it scale. Times are seconds."""

from dataclasses import dataclass

from lmdeck.model.context import Proof


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """The prompts that will be sent, in tokens, smallest first; bisection may add a few. `seconds` is what they will
    take at `tokens_per_second` of prompt reading; both None until something was measured."""

    instance_id: str
    context: int
    sizes: tuple[int, ...]
    tokens_per_second: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One prompt of a verification. `sent` is the intended size, `counted` the server's `input_tokens`; `needle` says
    whether the answer held the needle (None: the model loses one even in small prompts, so that only the count
    tells); `silent`: no text at all was answered. `refusal`: the server's own words, or that the prompt was cut."""

    sent: int
    counted: int | None = None
    took_s: float = 0.0
    needle: bool | None = None
    refusal: str = ""
    silent: bool = False

    @property
    def passed(self) -> bool:
        """Whether the whole prompt went in."""
        return not self.refusal and self.counted is not None


@dataclass(frozen=True, slots=True)
class Verified:
    """The end of a verification: what it proves, in numbers and in words. No `proof` where nothing was refused and yet
    the needle did not come back: then neither the whole context nor a smaller one is proven."""

    plan: VerifyPlan
    probes: tuple[Probe, ...]
    proof: Proof | None
    words: str


@dataclass(frozen=True, slots=True)
class BenchLevel:
    """`concurrency` requests at once. `together` is how many of them really generated at the same time at the peak,
    `aggregate` all tokens over the wall time, `each` and `ttft` the single requests', in order of their start."""

    concurrency: int
    together: int
    wall_s: float
    tokens: int
    aggregate: float
    each: tuple[float, ...]
    ttft: tuple[float, ...]
    failed: int = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class BenchResult:
    """All levels; `effective` is the concurrency from which more requests at once bring no more tokens (less than a
    tenth), None while every level still brought more."""

    instance_id: str
    slots: int | None
    prompt_tokens: int | None
    answer_tokens: int
    levels: tuple[BenchLevel, ...]
    effective: int | None
    at: float
