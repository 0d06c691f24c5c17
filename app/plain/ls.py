"""`lmdeck ls`: the models on the server's disk."""

import argparse
from collections.abc import Sequence

from lmdeck.model.catalog import Model
from lmdeck.model.units import UNKNOWN, gigabytes
from lmdeck.plain.frame import new_parser, run, settings_of
from lmdeck.plain.printing import Record, document, show, table
from lmdeck.plain.reader import reading
from lmdeck.plain.records import model_record
from lmdeck.widgets.paint.available import abilities

_HEADS = ("MODEL", "GB", "MAX CTX", "LOADED", "QUANT", "PARAMS", "CAPS", "ARCH")


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `ls`; answers the exit code."""
    return run(new_parser("ls", "Lists the models on the server's disk.", watch=True), argv, _ls)


async def _ls(options: argparse.Namespace) -> None:
    async with reading(settings_of(options)) as reader:

        async def look() -> tuple[Record, str]:
            models = (await reader.look_at_models()).models or ()
            record = document("ls", {"models": [model_record(model) for model in models]})
            rows = [_cells(model) for model in models]
            return record, table(_HEADS, rows, right={"GB", "MAX CTX", "LOADED"}) if rows else "there are no models"

        await show(options, "lmdeck ls", look)


def _cells(model: Model) -> tuple[str, ...]:
    return (
        model.key,
        gigabytes(model.size_bytes),
        str(model.max_context_length or UNKNOWN),
        str(len(model.instances) or UNKNOWN),
        model.quantization or UNKNOWN,
        model.params or UNKNOWN,
        abilities(model),
        model.architecture or UNKNOWN,
    )
