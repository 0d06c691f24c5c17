"""`lmdeck load KEY`: load a model, and find out whether it got what was asked for."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing

from lmdeck.commands import Commands, shortfall
from lmdeck.experiments.verify import cost, plan, verify
from lmdeck.model.catalog import Model
from lmdeck.model.context import ContextReading
from lmdeck.model.experiment import Probe, Verified
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.units import elapsed
from lmdeck.plain.frame import EXIT_DONE, EXIT_UNVERIFIED, EXIT_USAGE, Failed, new_parser, run, settings_of, tell
from lmdeck.plain.listening import listening, wait_for_allocation
from lmdeck.plain.printing import Record, document, emit
from lmdeck.plain.reader import Reader, must_change, reading, the_instance, the_model
from lmdeck.plain.records import context_record
from lmdeck.state.contexts import reading as context_of
from lmdeck.state.events import ContextProven
from lmdeck.widgets.paint.line import plain
from lmdeck.widgets.paint.loaded import context as context_words

_PROG = "lmdeck load"
_NOT_BOTH = "slots, GPU share, idle time and identifier can be set by `lms load` only, and it does not have"


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `load`; answers the exit code: 5 where the model is loaded, but not with what was
    asked for, or with --verify nothing proves it."""
    return run(_parser(), argv, _load)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(
        "load",
        "Loads a model, waits until it is in memory, and reads back what it got. Exit code 5: it is loaded, but the "
        "context collapsed or another setting is not what was asked for. What is not set is LM Studio's default.",
    )
    parser.add_argument("model", metavar="KEY", help="as `lmdeck ls` has it, or the end of it")
    parser.add_argument("--context", type=_count, metavar="N", help="tokens, all slots together")
    parser.add_argument("--verify", action="store_true", help="prove by prompts that the context is there (or exit 5)")
    cli = parser.add_argument_group("settings that need `lms`")
    cli.add_argument("--parallel", type=_count, metavar="N", help="slots")
    cli.add_argument("--gpu", type=_share, metavar="SHARE", help="layers on the GPU: max, off or 0..1")
    cli.add_argument("--ttl", type=_count, metavar="SECONDS", help="unload after so much idleness")
    cli.add_argument("--identifier", metavar="ID", help="the name of the instance")
    rest = parser.add_argument_group("settings that `lms` does not have")
    rest.add_argument("--batch", type=_count, metavar="N", help="tokens read at once")
    rest.add_argument("--flash-attention", choices=("on", "off"))
    rest.add_argument("--experts", type=_count, metavar="N", help="active experts")
    rest.add_argument("--kv-offload", choices=("on", "off"), help="the cache on the GPU")
    return parser


def _count(text: str) -> int:
    if (value := int(text)) <= 0:
        raise argparse.ArgumentTypeError("a number from 1 up")
    return value


def _share(text: str) -> float:
    value = {"max": 1.0, "off": 0.0}.get(text) if text in ("max", "off") else float(text)
    if value is None or not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("max, off, or a number from 0 to 1")
    return value


async def _load(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    must_change(settings)
    async with reading(settings) as reader:
        model = the_model(await reader.look_at_models(), options.model)
        request = _request(options, model)
        async with AsyncExitStack() as stack:
            if options.verify:
                await stack.enter_async_context(listening(reader, ("runtime", "server")))
            result = await _carry_out(reader, request)
            await reader.look()
            if options.verify:
                await wait_for_allocation(reader, result.instance_id)
        verified = await _proof(reader, model, result.instance_id) if options.verify else None
        return _report(options, reader, request, result, verified)


def _request(options: argparse.Namespace, model: Model) -> LoadRequest:
    """The load that is asked for. Raises Failed where nobody can carry it out."""
    if options.verify and model.is_embedding:
        raise Failed(f"{model.key}: an embedding model answers no prompts, so nothing can be verified", EXIT_USAGE)
    request = LoadRequest(
        model.key,
        context_length=options.context,
        eval_batch_size=options.batch,
        flash_attention=_switch(options.flash_attention),
        num_experts=options.experts,
        offload_kv_cache_to_gpu=_switch(options.kv_offload),
        parallel=options.parallel,
        gpu=options.gpu,
        ttl_s=options.ttl,
        identifier=options.identifier,
    )
    if request.by_cli and request.rest_only:
        raise Failed(f"{_NOT_BOTH} {', '.join(request.rest_only)}", EXIT_USAGE)
    return request


def _switch(word: str | None) -> bool | None:
    return None if word is None else word == "on"


async def _carry_out(reader: Reader, request: LoadRequest) -> LoadResult:
    tell(_PROG, f"loading {request.model} …")
    commands = Commands(reader.sources.backend, reader.apply, reader.sources.cli)
    try:
        return await commands.load(request)
    except asyncio.CancelledError:
        words = "the load is interrupted, too" if request.by_cli else "LM Studio may go on with the load"
        tell(_PROG, f"no longer waiting for {request.model}: {words}")
        raise


async def _proof(reader: Reader, model: Model, instance_id: str) -> Verified | None:
    """The verdict of prompts; None where the runtime's log says already that the context is smaller."""
    told = _context(reader, instance_id)
    if told.collapse is not None:
        return None
    if told.promised is None:
        raise Failed("nobody says how much context there is, so nothing can be verified", EXIT_UNVERIFIED)
    wanted = plan(instance_id, told.promised.tokens)
    prompts, tokens = cost(wanted)
    tell(_PROG, f"verifying {wanted.context} tokens: {prompts} prompts, about {tokens} tokens")
    verdict: Verified | None = None
    quiet = "off" in model.capabilities.reasoning
    async with aclosing(verify(reader.sources.backend, wanted, reasoning_off=quiet)) as steps:
        async for step in steps:
            if isinstance(step, Probe):
                tell(_PROG, _probe(step))
            else:
                verdict = step
                if step.proof is not None:
                    reader.apply(ContextProven(instance_id, step.proof, 0.0))
    return verdict


def _probe(probe: Probe) -> str:
    if not probe.passed:
        return f"{probe.sent} tokens: {probe.refusal}"
    lost = ", the needle was not found" if probe.needle is False else ""
    return f"{probe.counted} tokens went in{lost} ({elapsed(probe.took_s)})"


def _context(reader: Reader, instance_id: str) -> ContextReading:
    instance = the_instance(reader.state, instance_id)
    return context_of(reader.state, the_model(reader.state, instance.model_key), instance)


def _report(
    options: argparse.Namespace, reader: Reader, request: LoadRequest, result: LoadResult, verified: Verified | None
) -> int:
    """Print what came of it; answers the exit code."""
    told = _context(reader, result.instance_id)
    differs = shortfall(request, result)
    record = _record(result, told, request.model, differs, verified)
    took = "" if result.load_time_s is None else f" in {result.load_time_s:.1f} s"
    words = f"Loaded {result.instance_id}{took}, context {plain(context_words(told))}"
    emit(options, record, words if verified is None else f"{words}\n{verified.words}")
    failures = [differs, told.notice, told.reason]
    if options.verify and told.notice is None and (verified is None or verified.proof is None):
        failures.append("the context is not proven")
    said = [failure for failure in failures if failure]
    for failure in said:
        tell(_PROG, failure)
    return EXIT_UNVERIFIED if said else EXIT_DONE


def _record(
    result: LoadResult, told: ContextReading, model: str, differs: str | None, verified: Verified | None
) -> Record:
    return document(
        "load",
        {
            "instance": result.instance_id,
            "model": model,
            "load_time_s": result.load_time_s,
            "context": context_record(told),
            "differs": differs,
            "verdict": verified.words if verified else None,
        },
    )
