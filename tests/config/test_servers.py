import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lmdeck.config.errors import ConfigError
from lmdeck.config.intervals import Intervals
from lmdeck.config.servers import ServerProfile, read_token
from lmdeck.config.settings import Settings, load_settings
from lmdeck.config.token import Token
from lmdeck.model.conversation import ChatPreset

SERVERS = """
ca_file = "~/ca.pem"
token_command = "pass home"
[servers.gpubox]
url = "https://gpubox/lm/"
token_env = "GPUBOX_TOKEN"
gpu = false
gpu_url = "http://gpubox:9400/metrics"
[servers.ring]
url = "ring:1234"
token_keyring = "lm/deck/ring"
ca_file = "other.pem"
[profiles.quiet]
read_only = true
[profiles.office]
url = "http://office:1"
lms = "/lms"
"""

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Settings from a file with the given TOML, a profile and variables."""

    def make(toml: str, profile: str | None = None, **environ: str) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(toml)
        path.chmod(0o600)
        return load_settings({"profile": profile}, {"LMDECK_CONFIG": str(path), **environ})

    return make


def test_every_server_of_the_file_with_its_own_token(load, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    gpubox, ring, office = load(SERVERS, GPUBOX_TOKEN="sk-box", LM_API_TOKEN="sk-home").servers
    assert gpubox == ServerProfile(
        "gpubox",
        url="https://gpubox/lm",
        token=Token("sk-box"),
        token_source="GPUBOX_TOKEN",
        ca_file="~/ca.pem",
        gpu=False,
        gpu_url="http://gpubox:9400/metrics",
    )
    assert (ring.url, ring.ca_file, ring.token_source) == ("http://ring:1234", "other.pem", "token_keyring")
    assert ring.token_command == (sys.executable, "-m", "keyring", "get", "lm/deck", "ring")
    assert (office.name, office.lms, office.token, office.token_source) == ("office", "/lms", None, None)


def test_a_server_is_chosen_as_a_profile_is(load):
    found = load(SERVERS, "gpubox", GPUBOX_TOKEN=" sk-box\n", LM_API_TOKEN="sk-home")
    assert (found.url, found.gpu, found.ca_file) == ("https://gpubox/lm", False, "~/ca.pem")
    assert (found.token, found.token_command, found.token_source) == (Token("sk-box"), None, "GPUBOX_TOKEN")
    assert load(SERVERS, "office").token_command is None
    assert load(SERVERS, "quiet").token_command == ("pass", "home")
    with pytest.raises(ConfigError, match="no profile 'gpubix'; did you mean 'gpubox'"):
        load(SERVERS, "gpubix")


def test_a_variable_that_is_not_set_is_an_error_only_of_the_server_that_is_asked_for(load):
    assert load(SERVERS).servers[0].token is None
    with pytest.raises(ConfigError, match="GPUBOX_TOKEN, which token_env names, is not set"):
        load(SERVERS, "gpubox", LM_API_TOKEN="sk-home")


async def test_a_token_of_the_keyring(tmp_path, monkeypatch):
    (tmp_path / "keyring.py").write_text(
        "import sys\nif sys.argv[2] != 'lm': sys.exit(1)\nprint('sk-', *sys.argv[3:], sep='')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    command = (sys.executable, "-m", "keyring", "get")
    found = ServerProfile("x", token_command=(*command, "lm", "me"), token_source="token_keyring")
    assert await read_token(found) == Token("sk-me")
    lost = ServerProfile("x", token_command=(*command, "nobody", "me"), token_source="token_keyring")
    with pytest.raises(ConfigError, match=r"token_keyring .*failed with exit code 1.*`keyring set nobody me`"):
        await read_token(lost)


def test_intervals_presets_and_keys(load):
    assert load("").intervals == Intervals(2, 10, 1)
    found = load(
        "poll_seconds = 5\nlms_seconds = 60\ngpu_seconds = 0.5\n"
        "[keys]\nloaded.unload = 'x'\n'app.help' = ['question_mark', 'f1']\n"
        "[presets.precise]\ntemperature = 0\nsystem_prompt = 'Be brief.'\n[presets.wild]\ntemperature = 1.5\n"
    )
    assert found.intervals == Intervals(5, 60, 0.5)
    assert found.keys == {"loaded.unload": "x", "app.help": "question_mark,f1"}
    assert found.presets == (
        ChatPreset("parameters", "precise", {"temperature": 0}),
        ChatPreset("system prompt", "precise", system_prompt="Be brief."),
        ChatPreset("parameters", "wild", {"temperature": 1.5}),
    )


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("\nurl = 'ftp://x'", r"config.toml:2: url: The address 'ftp://x' is not a URL"),
        ("[servers.a]\ntheme = 'nord'\nurl = 'x'", r":2: \[servers.a\] unknown setting 'theme'"),
        ("\n[servers.a]\ngpu = true", r":2: \[servers.a\] url is missing"),
        ("[servers]\na = 1", r":1: servers are written as tables: \[servers.NAME\]"),
        ("[profiles.a]\n[servers.a]\nurl = 'x'", r":2: \[servers.a\] and \[profiles.a\] have the same name"),
        ("[servers.a]\nurl = 'x'\ntoken_env = 'sk-1'", ":3: .*name of an environment variable, never the token"),
        ("token_keyring = 'lmdeck'", ':1: token_keyring: token_keyring is written as "SERVICE/USER"'),
        ("token_env = 'A'\ntoken_keyring = 'a/b'", ":2: token_env and token_keyring exclude each other"),
        ("poll_seconds = 0.1", ":1: poll_seconds must be a number from 0.5 to 3600"),
        ("gpu_seconds = true", "gpu_seconds must be a number"),
        ("keys = 1", r"keys are written as a table: \[keys\]"),
        ("[keys]\na.b = 1", r":2: \[keys\] a.b must be a key or a list of keys"),
        ("[keys]\na = ''", "must be a key"),
        ("[keys]\na = []", "must be a key"),
        ("presets = 1", r"tables: \[presets.NAME\]"),
        (
            "[presets.a]\ntemprature = 1",
            r":2: \[presets.a\] unknown parameter 'temprature'; did you mean 'temperature'",
        ),
        ("[presets.a]\ntop_p = 7", r":2: \[presets.a\] top_p: a number from 0 to 1"),
        ("[presets.a]\nsystem_prompt = 7", "system_prompt must be text"),
        ("a = 1\nb = 2\nc = 3", r":1: unknown setting 'a'.* \(2 more: lmdeck config check\)"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(load, toml, words):
    with pytest.raises(ConfigError, match=words):
        load(toml)


def test_where_everything_comes_from(load):
    found = load(SERVERS, "office", LMDECK_URL="http://x", LM_API_TOKEN="sk-home")
    assert found.origins == {
        "url": "LMDECK_URL",
        "token": "LM_API_TOKEN",
        "ca_file": ("ca_file",),
        "lms": ("profiles", "office", "lms"),
    }
