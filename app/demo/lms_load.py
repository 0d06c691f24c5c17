"""`lms load` and its estimate."""

from __future__ import annotations

import argparse
import json
from contextlib import closing

from lmdeck.demo.lms_client import LmsError, Record, Server, binary, record, say


class Cancelled(Exception):
    """Ctrl+C gave a load up; what there is to say about it."""


def load(server: Server, options: argparse.Namespace) -> None:
    """`lms load`"""
    body: Record = {"model": options.model, "context_length": options.context_length}
    if options.estimate_only:
        _estimate(server, options, body)
        return
    body |= {"parallel": options.parallel, "gpu": options.gpu, "ttl": options.ttl, "identifier": options.identifier}
    say(f'Loading model "{options.model}"...')
    try:
        last = _load(server, {name: value for name, value in body.items() if value is not None})
    except KeyboardInterrupt:
        raise Cancelled("Load cancelled.") from None  # the connection is closed with it: that stops the load
    if "identifier" not in last:
        raise LmsError(str(last.get("error", "The load was interrupted.")))
    seconds = last["seconds"]
    took = f"{seconds:.2f}s" if isinstance(seconds, int | float) else "?"
    say(f"Model loaded successfully in {took}.\n({binary(last['size'])})")
    say(f'To use the model in the API/SDK, use the identifier "{last["identifier"]}".')


def _load(server: Server, body: Record) -> Record:
    """Tell the progress; answers the last thing the server says."""
    last: Record = {}
    with closing(server.lines("/demo/load", body)) as batches:
        for lines in batches:
            for line in lines:
                last = record(json.loads(line))
                if isinstance(share := last.get("progress"), float):
                    say(f"Loading {share:.0%}")
    return last


def _estimate(server: Server, options: argparse.Namespace, body: Record) -> None:
    answer = record(server.call("/demo/estimate", {name: value for name, value in body.items() if value is not None}))
    say(f"Model: {answer['model']}")
    if options.context_length:
        say(f"Context Length: {options.context_length:,}")
    if options.gpu is not None:
        say(f"GPU Offload: {options.gpu:.0%}")
    share = 1.0 if options.gpu is None else options.gpu
    needed = answer["bytes"] if isinstance(answer["bytes"], int) else 0
    say(f"Estimated GPU Memory:   {binary(needed * share)}")
    say(f"Estimated Total Memory: {binary(needed)}")
    verdict = "may be loaded" if answer["fits"] else "will fail to load"
    say(f"\nEstimate: This model {verdict} based on your resource guardrails settings.")


def _gpu(text: str) -> float:
    """`off`, `max` or a share 0..1."""
    share = {"off": 0.0, "max": 1.0}.get(text.lower())
    share = float(text) if share is None else share
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def load_options(loading: argparse.ArgumentParser) -> None:
    """The options of `lms load`."""
    loading.add_argument("model")
    loading.add_argument("--context-length", "-c", type=int)
    loading.add_argument("--parallel", type=int)
    loading.add_argument("--gpu", type=_gpu)
    loading.add_argument("--ttl", type=int)
    loading.add_argument("--identifier")
    loading.add_argument("--estimate-only", action="store_true")
    loading.add_argument("--yes", "-y", action="store_true")
