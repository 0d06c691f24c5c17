"""`lmdeck completion SHELL`: a script that completes commands, options and their choices in that shell.

What there is to complete is read from each command's own `--help`: there is no second list of options.
"""

import argparse
import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from lmdeck import cli

_OPTION = re.compile(r"^ +(?:-\w(?: \S+)?, )?(--[a-z][\w-]*)(?: (\{[^}]*\}|\[?[A-Z]\S*))?", re.MULTILINE)
_POSITIONAL = re.compile(r"^ +\{([\w,-]+)\}", re.MULTILINE)
_FILES: Final = ("FILE", "FILE.gguf", "PATH", "DIR", "FOLDER")


@dataclass(frozen=True, slots=True)
class Option:
    """`--name`; `value` says whether one follows, `choices` which ones do, `files` that it is a file."""

    name: str
    value: bool = False
    choices: tuple[str, ...] = ()
    files: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What can follow a command; the empty name is `lmdeck` itself."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `completion`; answers the exit code."""
    parser = argparse.ArgumentParser(
        prog="lmdeck completion",
        description="Prints a script that completes lmdeck's commands and options.",
        epilog="bash: source <(lmdeck completion bash) in ~/.bashrc. zsh: the same in ~/.zshrc, behind compinit. fish: "
        "lmdeck completion fish > ~/.config/fish/completions/lmdeck.fish. PowerShell: lmdeck completion powershell | "
        "Out-String | Invoke-Expression in $PROFILE.",
    )
    parser.add_argument("shell", choices=tuple(_SCRIPTS))
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else 2
    sys.stdout.write("\n".join(_SCRIPTS[options.shell](offers())) + "\n")
    return 0


def offers() -> list[Offer]:
    """`lmdeck` itself first, then every command."""
    found = [_offer("", "", cli.main)]
    for name, command in cli.COMMANDS.items():
        try:
            run = import_module(command.module).main
        except ModuleNotFoundError:  # an extra that is not installed
            found.append(Offer(name, command.help, ()))
        else:
            found.append(_offer(name, command.help, run))
    return found


def _offer(name: str, words: str, run: Callable[[Sequence[str]], int]) -> Offer:
    said = io.StringIO()
    with redirect_stdout(said), suppress(SystemExit):
        run(["--help"])
    text = said.getvalue().partition("\n\n")[2]  # without the usage
    options = {option.name: option for option in map(_option, _OPTION.finditer(text))}
    positional = _POSITIONAL.search(text)
    return Offer(name, words, tuple(options.values()), tuple(positional[1].split(",")) if positional else ())


def _option(found: re.Match[str]) -> Option:
    name, value = found[1], found[2] or ""
    choices = tuple(value.strip("{}").split(",")) if value.startswith("{") else ()
    return Option(name, bool(value) and not value.startswith("["), choices, value in _FILES)


def _named(offer: Offer) -> str:
    return " ".join((*offer.words, *(option.name for option in offer.options)))


def _quoted(text: str, escaped: str) -> str:
    return "'" + text.replace("'", escaped) + "'"


def _cases(found: Sequence[Offer], choices: str, files: str) -> Iterator[str]:
    """The lines of a `case` of bash and zsh over the command and the word before: what an option's value can be. What
    is as `lmdeck` itself has it is said once, at the end."""
    top, *commands = found
    for offer in (*commands, top):
        command = f'"{offer.name}' if offer.name else '*"'
        for option in offer.options:
            if option.value and (offer is top or option not in top.options):
                done = files if option.files else choices.format(" ".join(option.choices)) if option.choices else ":"
                yield f'        {command} {option.name}") {done}; return ;;'


def _bash(found: Sequence[Offer]) -> Iterator[str]:
    top, *commands = found
    yield "_lmdeck() {"
    yield "    local IFS=$' \\t\\n' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words"
    yield "    COMPREPLY=()"
    yield '    case "${COMP_WORDS[1]} $prev" in'
    yield from _cases(
        found,
        'COMPREPLY=($(compgen -W "{}" -- "$cur"))',
        "IFS=$'\\n'; COMPREPLY=($(compgen -f -- \"$cur\"))",
    )
    yield "    esac"
    yield "    case ${COMP_WORDS[1]} in"
    for offer in commands:
        yield f'        {offer.name}) words="{_named(offer)}" ;;'
    yield f'        *) words="{_named(top)}" ;;'
    yield "    esac"
    yield f'    ((COMP_CWORD == 1)) && words="{" ".join(offer.name for offer in commands)} {_named(top)}"'
    yield '    COMPREPLY=($(compgen -W "$words" -- "$cur"))'
    yield "}"
    yield "complete -F _lmdeck lmdeck"


def _zsh(found: Sequence[Offer]) -> Iterator[str]:
    top, *commands = found
    yield "#compdef lmdeck"
    yield "_lmdeck() {"
    yield "    local -a commands"
    yield '    case "$words[2] $words[CURRENT-1]" in'
    yield from _cases(found, "compadd -- {}", "_files")
    yield "    esac"
    yield "    if (( CURRENT == 2 )); then"
    described = " ".join(_quoted(f"{offer.name}:{offer.help}", r"'\''") for offer in commands)
    yield f"        commands=({described})"
    yield "        _describe command commands"
    yield "    fi"
    yield "    case $words[2] in"
    for offer in commands:
        yield f"        {offer.name}) compadd -- {_named(offer)} ;;"
    yield f"        *) compadd -- {_named(top)} ;;"
    yield "    esac"
    yield "}"
    yield 'if [[ $funcstack[1] == _lmdeck ]]; then _lmdeck "$@"; else compdef _lmdeck lmdeck; fi'


def _fish(found: Sequence[Offer]) -> Iterator[str]:
    yield "complete -c lmdeck -e"
    yield "complete -c lmdeck -f"
    for offer in found:
        where = f"'__fish_seen_subcommand_from {offer.name}'" if offer.name else "__fish_use_subcommand"
        if offer.name:
            described = _quoted(offer.help, r"\'")
            yield f"complete -c lmdeck -n __fish_use_subcommand -a {offer.name} -d {described}"
        if offer.words:
            yield f"complete -c lmdeck -n {where} -a '{' '.join(offer.words)}'"
        for option in offer.options:
            value = f" -xa '{' '.join(option.choices)}'" if option.choices else " -rF" if option.files else " -x"
            yield f"complete -c lmdeck -n {where} -l {option.name[2:]}{value if option.value else ''}"


def _powershell(found: Sequence[Offer]) -> Iterator[str]:
    top, *commands = found
    yield "Register-ArgumentCompleter -Native -CommandName lmdeck -ScriptBlock {"
    yield "    param($word, $ast, $position)"
    yield "    $before = $ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position }"
    yield '    $words = @($before | ForEach-Object { "$_" })'
    yield "    $command = if ($words.Count -gt 1) { $words[1] } else { '' }"
    yield '    $found = switch ("$command $($words[-1])") {'
    for offer in commands:
        for option in offer.options:
            if option.choices:
                yield f"        '{offer.name} {option.name}' {{ '{' '.join(option.choices)}' }}"
    yield "        default { switch ($command) {"
    for offer in commands:
        yield f"            '{offer.name}' {{ '{_named(offer)}' }}"
    yield f"            '' {{ '{' '.join(offer.name for offer in commands)} {_named(top)}' }}"
    yield f"            default {{ '{_named(top)}' }}"
    yield "        } }"
    yield "    }"
    yield "    $found -split ' ' | Where-Object { $_ -like \"$word*\" } | ForEach-Object {"
    yield "        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)"
    yield "    }"
    yield "}"


_SCRIPTS: Final[dict[str, Callable[[Sequence[Offer]], Iterator[str]]]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
    "powershell": _powershell,
}
