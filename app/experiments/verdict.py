"""What the probes of a verification prove, in numbers and in words. Pure."""

from lmdeck.experiments.search import RESERVE, tolerance
from lmdeck.model.context import Proof
from lmdeck.model.experiment import Probe, Verified, VerifyPlan

BY_NEEDLE = "a code word from the start came back"
BY_COUNT = "by the server's count alone"


def verdict(plan: VerifyPlan, probes: tuple[Probe, ...], limit: int | None = None) -> Verified:
    """`limit` is the context that a refusal named, if it did.

    A prompt counts as gone in when the server counted it whole and the needle came back, or could not be looked for. A
    refusal within the tolerance of the promise is none: the largest prompt leaves room for an answer.
    """
    proven = [probe for probe in probes if probe.passed and probe.needle is not False]
    tokens = max((probe.counted or 0 for probe in proven), default=0)
    found = any(probe.needle for probe in proven if probe.counted == tokens)
    how = BY_NEEDLE if found else BY_COUNT
    refused = [probe for probe in probes if not probe.passed and probe.sent > tokens]
    lost = [probe for probe in probes if probe.passed and probe.needle is False and (probe.counted or 0) > tokens]
    if refused:
        first = min(refused, key=lambda probe: probe.sent)
        if plan.context - tokens <= RESERVE + tolerance(plan.context):
            words = f"{tokens} of {plan.context} tokens went in: all but what an answer needs. {_found(found)}"
            return Verified(plan, probes, Proof(tokens, None, how), words)
        words = _refused(plan, tokens, first, limit) + _lost(lost)
        return Verified(plan, probes, Proof(tokens, first.sent, how), words)
    if lost:
        words = f"{tokens} tokens are proven, not all of {plan.context}.{_lost(lost)}"
        return Verified(plan, probes, None, words)
    words = f"{tokens} of {plan.context} tokens went in and the needle came back."
    if not found:
        words = f"{tokens} of {plan.context} tokens went in. {_found(found)}"
    return Verified(plan, probes, Proof(tokens, None, how), words)


def _found(found: bool) -> str:
    if found:
        return "The needle came back."
    return "This model loses a needle even in a small prompt: only the server's count proves it."


def _refused(plan: VerifyPlan, tokens: int, first: Probe, limit: int | None) -> str:
    verb = "refused" if first.counted is None else f"silently cut to {first.counted}"
    if not tokens:
        return f"Not even a tiny prompt goes in: it is {verb}."
    context = limit if limit and tokens <= limit <= first.sent else (tokens + first.sent) // 2
    return f"{tokens} tokens go in, {first.sent} are {verb}: the context is about {context}, not {plan.context}."


def _lost(lost: list[Probe]) -> str:
    if not lost:
        return ""
    first = min(lost, key=lambda probe: probe.sent)
    what = "the server counted all tokens and answered nothing" if first.silent else "the needle was not found"
    return (
        f" At {first.counted} tokens {what}: either the prompt was cut without a word, or the model loses sight of its "
        "start. That proves neither."
    )
