"""`lmdeck estimate FILE`: the estimate on the command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from lmdeck.estimate.gguf import Header, NotGGUF, read_header
from lmdeck.estimate.memory import estimate
from lmdeck.model.estimate import KV_TYPES, Ask, Estimate, Unknown
from lmdeck.model.text import one_line
from lmdeck.model.units import size

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(argv: list[str]) -> int:
    """Run with the arguments after `estimate`. Answers 0 with the estimate on stdout; 1 with the reason on stderr where
    there is none; 2 for arguments that make no sense."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    file: Path = options.file
    try:
        ask = _ask(options)
        found = estimate(read_header(file), ask, _projector(file))
    except NotGGUF as error:
        return _fail(str(error), EXIT_FAILED)
    except ValueError as error:  # a setting out of range
        return _fail(str(error), EXIT_USAGE)
    except OSError as error:
        return _fail(f"{file}: {error.strerror or error}", EXIT_FAILED)
    if isinstance(found, Unknown):
        return _fail(f"{file.name}: unknown: {found.reason}", EXIT_FAILED)
    source = f"{file.name}: {found.source}"
    print(json.dumps(_record(found, source), indent=2) if options.json else "\n".join(_table(found, source)))
    return EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lmdeck estimate",
        description="The memory that a model takes with the settings of a load, by part, from its GGUF header.",
        epilog="Only a file can be named, not a model's key. Not included: what the GPU's driver takes for itself. "
        "Exit codes: 0 done, 1 no estimate (reason on stderr), 2 usage.",
    )
    default = Ask()
    parser.add_argument("file", type=Path, metavar="FILE", help="a .gguf file; of a split model, any of its files")
    parser.add_argument("--context", type=int, default=0, metavar="N", help="tokens, all slots together [the model's]")
    parser.add_argument("--parallel", type=int, default=default.parallel, metavar="N", help="slots [%(default)s]")
    parser.add_argument("--no-unified", action="store_true", help="divide the context among the slots")
    parser.add_argument("--kv-type", default="f16", metavar="TYPE", help=f"{', '.join(KV_TYPES)} [%(default)s]")
    parser.add_argument("--kv-type-v", metavar="TYPE", help="another type for the values")
    parser.add_argument("--flash-attention", choices=("on", "off"), default="on", help="[%(default)s]")
    parser.add_argument(
        "--gpu", default="max", metavar="SHARE", help="layers on the GPU: max, off or 0..1 [%(default)s]"
    )
    parser.add_argument("--no-kv-offload", action="store_true", help="keep the cache in RAM")
    parser.add_argument("--ubatch", type=int, metavar="N", help="physical batch [512; an encoder's 2048]")
    parser.add_argument("--llama-build", type=_build, metavar="N", help="llama.cpp's build number, as 9873 or b9873")
    parser.add_argument("--json", action="store_true", help="integers in bytes, for programs")
    return parser


def _build(text: str) -> int:
    return int(text.removeprefix("b"))


def _ask(options: argparse.Namespace) -> Ask:
    if options.gpu not in ("max", "off"):
        try:
            options.gpu = float(options.gpu)
        except ValueError:
            raise ValueError("--gpu is max, off, or a number from 0 to 1") from None
    return Ask(
        context=options.context,
        parallel=options.parallel,
        unified=not options.no_unified,
        kv_type_k=options.kv_type,
        kv_type_v=options.kv_type_v or options.kv_type,
        flash_attention=options.flash_attention == "on",
        gpu=options.gpu,
        ubatch=options.ubatch,
        llama_build=options.llama_build,
        offload_kv=not options.no_kv_offload,
    )


def _projector(model: Path) -> Header | None:
    """The vision projector's file beside the model, where LM Studio puts it: `mmproj…gguf`, the only one."""
    files = [path for path in model.parent.glob("mmproj*.gguf") if path != model]
    return read_header(files[0]) if len(files) == 1 else None


def _record(found: Estimate, source: str) -> dict[str, object]:
    places = {
        place: {
            "weights_bytes": share.weights,
            "kv_bytes": share.kv,
            "recurrent_bytes": share.recurrent,
            "compute_bytes": share.compute,
            "output_bytes": share.output,
            "total_bytes": share.total,
        }
        for place, share in (("gpu", found.gpu), ("ram", found.ram))
    }
    return {
        "kv_bytes": found.kv_bytes,
        "recurrent_bytes": found.recurrent_bytes,
        "compute_bytes": found.compute_bytes,
        "compute_range_bytes": list(found.compute_range_bytes),
        "weights_bytes": found.weights_bytes,
        "copied_bytes": found.copied_bytes,
        "projector_bytes": found.projector_bytes,
        "output_bytes": found.output_bytes,
        "total_bytes": found.total_bytes,
        "n_ctx": found.n_ctx,
        "n_ctx_seq": found.n_ctx_seq,
        "gpu_layers": found.gpu_layers,
        "layers": found.layers,
        **places,
        "confidence": found.confidence,
        "source": one_line(source),
        "notes": list(found.notes),
    }


def _table(found: Estimate, source: str) -> Iterator[str]:
    low, high = found.compute_range_bytes
    gpu, ram = found.gpu, found.ram
    yield f"{'':<10} {'GPU':>12} {'RAM':>12} {'together':>12}"
    for name, there, here in (
        ("weights", gpu.weights, ram.weights),
        ("KV cache", gpu.kv, ram.kv),
        ("recurrent", gpu.recurrent, ram.recurrent),
        ("compute", gpu.compute, ram.compute),
        ("output", gpu.output, ram.output),
        ("total", gpu.total, ram.total),
    ):
        yield f"{name:<10} {size(there):>12} {size(here):>12} {size(there + here):>12}"
    yield ""
    yield f"context     {found.n_ctx} tokens, {found.n_ctx_seq} in a slot"
    yield f"layers      {found.gpu_layers} of {found.layers} on the GPU"
    yield f"compute     {size(low)} to {size(high)}"
    yield f"confidence  {found.confidence} ({one_line(source)})"
    yield from (f"note        {one_line(note)}" for note in found.notes)


def _fail(words: str, code: int) -> int:
    print(f"lmdeck estimate: {one_line(words)}", file=sys.stderr)
    return code
