"""`lmdeck estimate FILE|KEY`: the estimate on the command line, without a screen."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lmdeck.estimate.gguf import NotGGUF, read_header
from lmdeck.estimate.memory import check, estimate
from lmdeck.estimate.report import figure_record, figure_table, record, table
from lmdeck.estimate.sources import gguf_at, projector_beside
from lmdeck.model.estimate import KV_TYPES, Ask, Unknown
from lmdeck.plain.frame import EXIT_DONE, EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE, Failed, run_blocking

if TYPE_CHECKING:
    from lmdeck.backend.lms import Lms
    from lmdeck.model.catalog import ModelFile
    from lmdeck.model.load import LoadRequest

_NAMED = 8

_T = TypeVar("_T")


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `estimate`; answers the exit code: 3 where `lms` is needed and does not answer."""
    return run_blocking(_parser(), argv, _estimate)


def _estimate(options: argparse.Namespace) -> int:
    try:
        ask = _ask(options)
        named = Path(options.model).expanduser()
        if named.exists() or _is_path(options.model):
            return _from_file(named, ask, options.json)
        return _from_key(options, ask)
    except NotGGUF as error:
        raise Failed(str(error)) from None
    except ValueError as error:  # a setting out of range
        raise Failed(str(error), EXIT_USAGE) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lmdeck estimate",
        description="The memory that a model takes with the settings of a load, by part, from its GGUF header.",
        epilog="A key needs LM Studio's `lms` on this machine; where the model has no GGUF file here, LM Studio's own "
        "figure is shown. Not included: what the GPU's driver takes for itself. Exit codes: 0 done, 1 no estimate "
        "(reason on stderr), 2 usage, 3 `lms` is needed and does not answer.",
    )
    default = Ask()
    parser.add_argument("model", metavar="FILE|KEY", help="a .gguf file (of a split model any), or a key of `lms ls`")
    parser.add_argument("--context", type=int, default=0, metavar="N", help="tokens, all slots together [the model's]")
    parser.add_argument("--parallel", type=int, default=default.parallel, metavar="N", help="slots [%(default)s]")
    parser.add_argument("--no-unified", action="store_true", help="divide the context among the slots")
    parser.add_argument("--kv-type", default="f16", metavar="TYPE", help=f"{', '.join(KV_TYPES)} [%(default)s]")
    parser.add_argument("--kv-type-v", metavar="TYPE", help="another type for the values")
    parser.add_argument("--flash-attention", choices=("on", "off"), default="on", help="[%(default)s]")
    parser.add_argument("--gpu", default="max", metavar="SHARE", help="layers on the GPU: max, off or 0..1 [max]")
    parser.add_argument("--no-kv-offload", action="store_true", help="keep the cache in RAM")
    parser.add_argument("--ubatch", type=int, metavar="N", help="physical batch [512; an encoder's 2048]")
    parser.add_argument("--llama-build", type=_build, metavar="N", help="llama.cpp's build number, as 9873 or b9873")
    parser.add_argument("--models", metavar="DIR", help="LM Studio's models folder, for a key [found]")
    parser.add_argument("--lms", metavar="PATH", help="LM Studio's command line, for a key [LMDECK_LMS, or found]")
    parser.add_argument("--config", metavar="FILE", help="the configuration file [LMDECK_CONFIG]")
    parser.add_argument("--json", action="store_true", help="integers in bytes, for programs")
    return parser


def _build(text: str) -> int:
    return int(text.removeprefix("b"))


def _ask(options: argparse.Namespace) -> Ask:
    """The settings; raises ValueError for one out of range."""
    if options.gpu not in ("max", "off"):
        try:
            options.gpu = float(options.gpu)
        except ValueError:
            raise ValueError("--gpu is max, off, or a number from 0 to 1") from None
    ask = Ask(
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
    check(ask)
    return ask


def _is_path(text: str) -> bool:
    """Whether a file was meant that is not there; keys have slashes, too."""
    return text.lower().endswith(".gguf") or text.startswith(("/", ".", "~")) or Path(text).is_absolute()


def _from_file(named: Path, ask: Ask, as_json: bool) -> int:
    """Print the estimate of a file, or of the one model in a folder. Raises NotGGUF, OSError, ValueError, Failed."""
    path = gguf_at(named)
    if path is None:
        raise Failed(f"{named}: holds no model, or several")
    found = estimate(read_header(path), ask, projector_beside(path))
    if isinstance(found, Unknown):
        raise Failed(f"{path.name}: unknown: {found.reason}")
    source = f"{path.name}: {found.source}"
    _print(record(found, source), table(found, source), as_json)
    return EXIT_DONE


def _from_key(options: argparse.Namespace, ask: Ask) -> int:
    """Print the estimate of a model by its key: from its file if that is here, else LM Studio's own figure."""
    from lmdeck.config.errors import ConfigError
    from lmdeck.config.models_folder import model_path, models_folder
    from lmdeck.config.settings import load_settings

    try:
        flags = {"lms": options.lms, "models": options.models, "config": options.config}
        settings = load_settings(flags, os.environ)
    except ConfigError as error:
        raise Failed(str(error), EXIT_USAGE) from None
    lms = _find_lms(settings.lms, options.model)
    model = _the_one(options.model, _told(lms, lambda cli: cli.ls(), EXIT_UNREACHABLE))
    folder = models_folder(settings.models_folder, Path.home())
    path = None if model.device else model_path(folder, model.path)
    if path is not None and path.exists():
        file = gguf_at(path)
        if file is not None and file.suffix.lower() == ".gguf":
            return _from_file(file, ask, options.json)
    reason = "it is on a linked device" if model.device else f"no GGUF file at {folder / model.path}"
    try:
        figure = _told(lms, lambda cli: cli.estimate(_request(model.key, ask)), EXIT_FAILED)
    except Failed as error:
        raise Failed(f"{model.key}: {reason}; {error}", error.code) from None
    source = f"{model.key}: {reason}; lms load --estimate-only"
    notes = ["slots and cache types are not counted"]
    notes += [] if ask.context else ["for LM Studio's default context"]
    notes += ["LM Studio doubts it itself"] if figure.low_confidence else []
    _print(figure_record(figure, source, notes), figure_table(figure, source, notes), options.json)
    return EXIT_DONE


def _request(key: str, ask: Ask) -> LoadRequest:
    """What `lms` can be asked: it knows of a load's settings only the context and the GPU's share."""
    from lmdeck.model.load import LoadRequest

    share = {"max": None, "off": 0.0}[ask.gpu] if isinstance(ask.gpu, str) else ask.gpu
    return LoadRequest(key, context_length=ask.context or None, gpu=share)


def _find_lms(named: str | None, asked: str) -> str:
    from lmdeck.backend.lms import find_lms

    if found := find_lms(named):
        return found
    words = f"{asked}: no such file, and LM Studio's `lms`, which knows the keys of models, was not found"
    raise Failed(words, EXIT_UNREACHABLE)


def _told(path: str, question: Callable[[Lms], Awaitable[_T]], code: int) -> _T:
    """The answer of `lms` to one question. Raises Failed with this code and its words."""
    import asyncio

    from lmdeck.backend.errors import CommandFailed
    from lmdeck.backend.lms import Lms

    async def ask() -> _T:
        lms = Lms(path)
        try:
            return await question(lms)
        finally:
            await lms.close()

    try:
        return asyncio.run(ask())
    except CommandFailed as error:
        raise Failed(error.problem.sentence, code) from None


def _the_one(key: str, files: Iterable[ModelFile]) -> ModelFile:
    """The model called `key`, or the only one whose key ends so; this machine's copy rather than a linked one's."""
    by_key: dict[str, ModelFile] = {}
    for file in files:
        if file.key not in by_key or by_key[file.key].device:
            by_key[file.key] = file
    if key in by_key:
        return by_key[key]
    matching = sorted(name for name in by_key if name.lower().endswith(key.lower()))
    if len(matching) == 1:
        return by_key[matching[0]]
    if matching:
        raise Failed(f"{key} may be any of {_list(matching)}")
    raise Failed(f"{key}: no such file, and no model of this key; there are {_list(sorted(by_key)) or 'none'}")


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _print(values: dict[str, object], lines: Iterable[str], as_json: bool) -> None:
    print(json.dumps(values, indent=2) if as_json else "\n".join(lines))
