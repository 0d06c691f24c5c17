"""`lmdeck config init|check|show|keys`: the configuration file without the screen."""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lmdeck.config.configfile import ConfigFile, load
from lmdeck.config.paths import config_file
from lmdeck.config.remarks import remarks
from lmdeck.config.schema import KEYS, PROFILES, SECRETS, SERVERS, SETTINGS
from lmdeck.config.settings import Origin, Settings, config_path, load_settings
from lmdeck.plain.frame import EXIT_DONE, EXIT_USAGE, EXITS, Failed, guarded
from lmdeck.plain.printing import document, emit, table, write

Row = tuple[str, object, Origin]

_PROG = "lmdeck config"
_ATTRIBUTES: Mapping[str, Callable[[Settings], object]] = {
    "poll_seconds": lambda found: found.intervals.models,
    "lms_seconds": lambda found: found.intervals.activity,
    "gpu_seconds": lambda found: found.intervals.machine,
    "plugins": lambda found: [each.plugin_id for each in found.tools if each.plugin_id],
}
"""Settings that `Settings` holds in another form."""


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `config`; answers 0, 1 where a file cannot be written, 2 for what is wrong with
    arguments or settings."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    work = {"init": _init, "check": _check, "show": _show, "keys": _keys}[options.action]
    return guarded(_PROG, lambda: work(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROG, description="The configuration file.", epilog=EXITS)
    actions = parser.add_subparsers(dest="action", required=True)
    for name, words in (
        ("init", "write a file with every setting, commented out; never over one that is there"),
        ("check", "tell everything that is wrong with the file, by line"),
        ("show", "print every setting that holds, and where it comes from; tokens are masked"),
        ("keys", "list the bindings that [keys] can change"),
    ):
        action = actions.add_parser(name, help=words, description=words)
        action.add_argument("--config", metavar="FILE", help="the configuration file [LMDECK_CONFIG]")
        if name == "show":
            action.add_argument("--profile", metavar="NAME", help="a profile or server of the file")
            action.add_argument("--url", help="the server's address [LMDECK_URL]")
            action.add_argument("--lms", metavar="PATH", help="LM Studio's command line [LMDECK_LMS]")
            action.add_argument("--theme", metavar="NAME", help="the theme")
        if name != "init":
            action.add_argument("--json", action="store_true", help="JSON, for programs")
    return parser


def _init(options: argparse.Namespace) -> int:
    from lmdeck.config.template import template

    path = Path(options.config).expanduser() if options.config else config_file(os.environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failed(f"{path} is there already; it stays as it is.") from None
    with open(handle, "w", encoding="utf-8") as file:
        file.write(template())
    write(str(path))
    return EXIT_DONE


def _check(options: argparse.Namespace) -> int:
    file = load(config_path(vars(options), os.environ))
    faults = [*file.faults(), *_theme_faults(file)]
    faults += _key_faults(file) if not faults else []
    warnings = [] if faults else list(remarks(file, os.environ))
    words = [*faults, *(f"warning: {each}" for each in warnings)]
    if not words:
        words = [f"{file.path}: {'nothing is wrong' if file.text else 'not there; the defaults hold'}"]
    record = {"file": str(file.path), "exists": file.path.is_file(), "faults": faults, "warnings": warnings}
    emit(options, document("config-check", record), "\n".join(words))
    return EXIT_USAGE if faults else EXIT_DONE


def _theme_faults(file: ConfigFile) -> Iterator[str]:
    from textual.theme import BUILTIN_THEMES

    from lmdeck.config.errors import nearest
    from lmdeck.styles.themes import THEMES

    known = (*(theme.name for theme in THEMES), *BUILTIN_THEMES)
    for place in (("theme",), *((PROFILES, name, "theme") for name in file.tables(PROFILES))):
        theme = file.value(place)
        if isinstance(theme, str) and theme and theme not in known:
            yield f"{file.where(place)}: there is no theme {theme!r}{nearest(theme, known)}."


def _key_faults(file: ConfigFile) -> list[str]:
    if KEYS not in file.table:
        return []
    from lmdeck.config.chatting import keymap
    from lmdeck.keymap import faults
    from lmdeck.main import LMDeck

    def where(id: str) -> str:
        quoted = (KEYS, id)
        return file.where(quoted if file.value(quoted) is not None else (KEYS, *id.split(".")))

    return [f"{where(id)}: {words}" for id, words in faults(keymap(file.table[KEYS]), LMDeck)]


def _show(options: argparse.Namespace) -> int:
    settings = load_settings(vars(options), os.environ)
    assert settings.config is not None  # load_settings has looked for it
    file = load(settings.config)
    rows: list[Row] = [(name, *_shown(settings, name)) for name in SETTINGS if name not in SECRETS]
    rows.insert(1, ("token", *_token(settings)))
    rows += [(f"keys.{id}", keys, (KEYS, id)) for id, keys in settings.keys.items()]
    rows += [(f"presets.{each.name}", each.kind, ("presets", each.name)) for each in settings.presets]
    rows += [(f"mcp.{each.label}", each.server_url, ("mcp", each.label)) for each in settings.tools if each.server_url]
    rows += [
        (f"servers.{each.name}", f"{each.url}{'  token ***' if each.token_source else ''}", _home(file, each.name))
        for each in settings.servers
    ]
    cells = [(name, _cell(value), _words(origin, file)) for name, value, origin in rows]
    values = [
        {"name": name, "value": value, "origin": words}
        for (name, value, _), (_, _, words) in zip(rows, cells, strict=True)
    ]
    record = {"file": str(file.path), "exists": bool(file.text), "profile": settings.profile, "values": values}
    emit(options, document("config-show", record), table(("SETTING", "VALUE", "FROM"), cells))
    return EXIT_DONE


def _shown(settings: Settings, name: str) -> tuple[object, Origin]:
    value = _ATTRIBUTES[name](settings) if name in _ATTRIBUTES else getattr(settings, name)
    return value, settings.origins.get(name, "default")


def _token(settings: Settings) -> tuple[object, Origin]:
    """Never the token; of a program that prints it only the name."""
    if settings.token_source is None:
        return None, "default"
    program = f" ({Path(settings.token_command[0]).name})" if settings.token_command else ""
    origin = next((settings.origins[key] for key in SECRETS if key in settings.origins), "default")
    return f"*** by {settings.token_source}{program}", origin


def _home(file: ConfigFile, name: str) -> Origin:
    return (SERVERS if name in file.tables(SERVERS) else PROFILES, name)


def _words(origin: Origin, file: ConfigFile) -> str:
    if isinstance(origin, str):
        return origin
    place = (KEYS, *origin[1].split(".")) if origin[0] == KEYS and file.value(origin) is None else origin
    return file.where(place)


def _cell(value: object) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _keys(options: argparse.Namespace) -> int:
    from lmdeck.keymap import bindings
    from lmdeck.main import LMDeck

    own = load_settings(vars(options), os.environ).keys
    rows = [(id, own.get(id, keys), words) for id, keys, words in bindings(LMDeck)]
    record = {"bindings": [{"id": id, "keys": keys.split(","), "words": words} for id, keys, words in rows]}
    emit(options, document("config-keys", record), table(("BINDING", "KEYS", "WHAT IT DOES"), rows))
    return EXIT_DONE
