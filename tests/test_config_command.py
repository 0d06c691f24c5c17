import json
import re
from pathlib import Path

import pytest
from schemas import complaints

from lmdeck.config.configfile import load
from lmdeck.config_command import main

SECRET = "sk-lm-hidden"
README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the file that is read."""
    for name in ("LMDECK_URL", "LM_API_TOKEN", "LMDECK_LMS"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "folder" / "config.toml"
    monkeypatch.setenv("LMDECK_CONFIG", str(path))
    return path


def written(path: Path, toml: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(toml)
    path.chmod(0o600)


def test_init_writes_a_private_file_once(file, capsys):
    assert main(["init"]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert file.stat().st_mode & 0o077 == 0
    assert load(file).table == {}
    file.write_text("mine = 1")
    assert main(["init"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert file.read_text() == "mine = 1"


def test_every_example_in_the_file_is_sound(file):
    main(["init"])
    text = re.sub(r"^# (?=\S+ = |\[)", "", file.read_text(), flags=re.MULTILINE)
    exclusive = r"^token(_env|_command)? = .*\n"  # token_keyring stays
    top, tables = text.split("[servers.gpubox]")
    file.write_text(re.sub(exclusive, "", top, flags=re.MULTILINE) + "[servers.gpubox]" + tables)
    assert load(file).faults() == []
    assert set(load(file).table) > {"servers", "profiles", "keys", "presets", "mcp", "url", "plugins", "log_days"}


def test_the_example_in_the_readme_is_sound(file):
    (example,) = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    written(file, example)
    assert main(["check", "--json"]) == 0


def test_check_tells_everything_that_is_wrong_with_its_line(file, capsys):
    written(file, "them = 1\n\ntheme = 'nordd'\n[keys]\n'loaded.unlod' = 'u'\n")
    assert main(["check"]) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"{file}:1: unknown setting 'them'; did you mean 'theme'?.",
        f"{file}:3: there is no theme 'nordd'; did you mean 'nord'?.",
    ]
    written(file, "theme = 'nord'\n[keys]\n'loaded.unlod' = 'u'\napp.quit = 'x'\n")
    assert main(["check"]) == 2
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{file}:3: there is no binding 'loaded.unlod'; did you mean 'loaded.unload'?."
    assert any(line.startswith(f"{file}:4: app.quit: x is the key of log.export, too") for line in said)
    written(file, "theme = nord")
    assert main(["check"]) == 2
    assert "not valid TOML" in capsys.readouterr().err


def test_check_warns_of_what_works_but_hardly_as_meant(file, capsys):
    toml = f"url = 'http://gpubox:1'\ntoken = '{SECRET}'\nca_file = '/nowhere/ca.pem'\n"
    written(file, toml)
    assert main(["check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert complaints(told, "config-check.json") == []
    plain, in_file, missing = told["warnings"]
    assert plain.startswith(f"{file}:1: the token goes to gpubox over plain HTTP")
    assert in_file.startswith(f"{file}:2: the token stands in the file")
    assert missing == f"{file}:3: ca_file /nowhere/ca.pem is not there."
    assert SECRET not in str(told)


def test_check_is_content_with_a_sound_file_and_with_none(file, capsys):
    written(file, "url = 'http://127.0.0.1:1'\ntoken_env = 'X'")
    assert main(["check"]) == 0
    assert capsys.readouterr().out == f"{file}: nothing is wrong\n"


def test_show_tells_every_value_and_its_origin_but_no_token(file, capsys, monkeypatch):
    monkeypatch.setenv("LM_API_TOKEN", SECRET)
    monkeypatch.setenv("LMDECK_LMS", "/my/lms")
    toml = (
        f"log_days = 7\n[servers.box]\nurl = 'https://box'\ntoken = '{SECRET}'\n[keys]\nloaded.unload = 'x'\n"
        "[servers.other]\nurl = 'https://other'\ntoken_command = ['sh', '-c', 'echo sk-lm-hidden']\n"
    )
    written(file, toml)
    assert main(["show", "--url", "http://here"]) == 0
    out = capsys.readouterr().out
    for pattern in (
        r"url +http://here +--url",
        r"token +\*\*\* by LM_API_TOKEN +LM_API_TOKEN",
        r"lms +/my/lms +LMDECK_LMS",
        r"theme +– +default",
        r"log_days +7 +\S+:1$",
        r"keys\.loaded\.unload +x +\S+:6$",
        r"servers\.box +https://box token \*\*\* +\S+:2$",
    ):
        assert re.search(f"^{pattern}", out, re.MULTILINE), pattern
    monkeypatch.delenv("LM_API_TOKEN")
    assert main(["show", "--profile", "other", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert complaints(found, "config-show.json") == []
    values = {row["name"]: (row["value"], row["origin"]) for row in found["values"]}
    assert values["token"] == ("*** by token_command (sh)", f"{file}:9")
    assert values["gpu"] == (True, "default")
    assert "hidden" not in out + str(found)


def test_keys_lists_the_bindings_with_the_users_own(file, capsys):
    written(file, "[keys]\nloaded.unload = 'x'\n")
    assert main(["keys", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert complaints(told, "config-keys.json") == []
    found = {each["id"]: each["keys"] for each in told["bindings"]}
    assert (found["loaded.unload"], found["list.up"], found["app.quit"]) == (["x"], ["up", "k"], ["q"])


def test_wrong_usage(file, capsys):
    assert main([]) == 2
    assert main(["--help"]) == 0
    written(file, "x = 1")
    assert main(["show"]) == 2
    assert "unknown setting 'x'" in capsys.readouterr().err
