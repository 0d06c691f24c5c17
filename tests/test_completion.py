"""`lmdeck completion`: each script in its real shell, where that is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lmdeck import cli
from lmdeck.completion import main, offers

LINES = (
    (("st",), {"status"}),
    (("load", "--par"), {"--parallel"}),
    (("load", "--flash-attention", ""), {"on", "off"}),
    (("completion", "z"), {"zsh"}),
    (("--read",), {"--read-only"}),
    (("ps", "--wat"), {"--watch"}),
)

# How a shell is asked: what is run behind the script for the words of a line, to print one candidate a line.
ASK = {
    "bash": 'COMP_WORDS=(lmdeck "$@"); COMP_CWORD=$#; _lmdeck; printf "%s\\n" "${COMPREPLY[@]}"',
    "zsh": 'words=(lmdeck "$@"); CURRENT=$#words; _lmdeck',
    "fish": 'complete -C "lmdeck $argv" | string replace -r "\\t.*" ""',
    "pwsh": '(TabExpansion2 "lmdeck $args" ("lmdeck $args").Length).CompletionMatches.CompletionText',
}
# zsh gives `compadd` its meaning only while its line editor asks.
BEFORE = {
    "zsh": "compdef() { :; }; compadd() { shift; print -l -- ${(M)@:#${words[CURRENT]}*}; }\n"
    "_describe() { print -l -- ${(M)${(@)commands%%:*}:#${words[CURRENT]}*}; }\n"
}


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([shell]) == 0
    return capsys.readouterr().out


def ask(program: str, file: Path, words: tuple[str, ...]) -> set[str]:
    quiet = {"bash": ("--norc",), "zsh": ("-f",), "fish": ("--no-config",), "pwsh": ("-NoProfile", "-File")}[program]
    ran = subprocess.run((program, *quiet, str(file), *words), capture_output=True, text=True, timeout=120)
    assert ran.stderr == ""
    return set(ran.stdout.split())


@pytest.mark.parametrize("program", ["bash", "zsh", "fish", "pwsh"])
def test_in_the_real_shell(program: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine; what its script holds is checked without it")
    file = tmp_path / ("complete.ps1" if program == "pwsh" else "complete")
    shell = "powershell" if program == "pwsh" else program
    file.write_text(BEFORE.get(program, "") + script(shell, capsys) + ASK[program] + "\n", encoding="utf-8")
    for words, expected in LINES:
        assert ask(program, file, words) == expected, words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_command_and_its_options_are_in_it(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    for name in cli.COMMANDS:
        assert name in text
    assert "--flash-attention" in text or "-l flash-attention" in text


def test_options_are_read_from_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    found = {offer.name: {option.name: option for option in offer.options} for offer in offers()}
    assert found[""]["--config"].files
    assert found["demo-server"]["--engine"].choices == ("llama", "scripted")
    assert found["load"]["--context"].value
    assert not found["ps"]["--watch"].value  # its value may be left out
    assert not found["ps"]["--json"].value
    assert capsys.readouterr().out == ""


def test_a_shell_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["csh"]) == 2
    assert main(["--help"]) == 0
    assert "source <(lmdeck completion bash)" in " ".join(capsys.readouterr().out.split())
