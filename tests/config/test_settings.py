import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lmdeck.config import schema
from lmdeck.config.errors import ConfigError
from lmdeck.config.paths import config_file, data_dir
from lmdeck.config.settings import Settings, load_settings
from lmdeck.config.token import Token
from lmdeck.model.chat import Tools

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Settings from a file with the given TOML, flags and variables."""

    def make(
        toml: str = "", flags: Mapping[str, str | bool | None] | None = None, mode: int = 0o600, **environ: str
    ) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(toml)
        path.chmod(mode)
        return load_settings(flags or {}, {"LMDECK_CONFIG": str(path), **environ})

    return make


def test_defaults(tmp_path):
    found = load_settings({}, {"LMDECK_CONFIG": ""} | _no_file(tmp_path))
    assert (found.url, found.token, found.token_source) == ("http://127.0.0.1:1234", None, None)
    assert (found.lms, found.theme, found.read_only, found.gpu, found.profile) == (None, None, False, True, None)


def _no_file(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "empty.toml"
    path.touch()
    return {"LMDECK_CONFIG": str(path)}


def test_flags_go_before_the_environment_before_the_file_before_defaults(load):
    toml = 'url = "file"\nlms = "file"\ntheme = "file"\n'
    environ = {"LMDECK_URL": "environ", "LMDECK_LMS": "environ"}
    flags = {"url": "flag", "lms": "flag", "theme": "flag"}
    assert _texts(load()) == ("http://127.0.0.1:1234", None, None)
    assert _texts(load(toml)) == ("http://file", "file", "file")
    assert _texts(load(toml, **environ)) == ("http://environ", "environ", "file")
    assert _texts(load(toml, flags, **environ)) == ("http://flag", "flag", "flag")
    assert _texts(load(toml, dict.fromkeys(flags), LMDECK_URL="", LMDECK_LMS="")) == ("http://file", "file", "file")


def _texts(found: Settings) -> tuple[str, str | None, str | None]:
    return found.url, found.lms, found.theme


def test_switches(load):
    assert (load("read_only = true\ngpu = false").read_only, load("gpu = false").gpu) == (True, False)
    assert load("read_only = true", {"read_only": False, "gpu": True}).read_only  # a flag only switches on
    assert load("", {"read_only": True}).read_only
    assert not load("", {"gpu": False}).gpu


def test_the_token_of_the_environment_goes_first(load):
    toml = 'token_command = "pass show lm"'
    found = load(toml, LM_API_TOKEN=" sk-env\n")
    assert (found.token, found.token_command, found.token_source) == (Token("sk-env"), None, "LM_API_TOKEN")
    found = load(toml, LM_API_TOKEN=" ")
    assert (found.token, found.token_command, found.token_source) == (None, ("pass", "show", "lm"), "token_command")
    found = load('token = "sk-file"')
    assert (found.token, found.token_source) == (Token("sk-file"), "config file")


def test_a_token_command_is_split_without_a_shell(load, monkeypatch):
    assert load("token_command = ['a b', '$HOME', ';']").token_command == ("a b", "$HOME", ";")
    assert load("""token_command = "x 'a b' #no; $(y)" """).token_command == ("x", "a b", "#no;", "$(y)")
    with pytest.raises(ConfigError, match="quote"):
        load("""token_command = "x 'a" """)
    monkeypatch.setattr(schema.os, "name", "nt")
    assert schema.split_command(r'"C:\Program Files\pw.exe" get') == (r"C:\Program Files\pw.exe", "get")


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
def test_a_token_in_a_file_that_others_may_read_is_refused(load):
    for toml in ('token = "sk-secret"', '[profiles.x]\ntoken = "sk-secret"'):
        for mode in (0o644, 0o640, 0o602):
            with pytest.raises(ConfigError, match=r"chmod 600 .*token_command") as caught:
                load(toml, mode=mode)
            assert "sk-secret" not in str(caught.value)
        load(toml, mode=0o400)
    load('token_command = "x"', mode=0o644)


PROFILES = """
url = "http://home:1"
theme = "nord"
token_command = "pass home"
[profiles.office]
url = "http://office:1"
[profiles.quiet]
read_only = true
[profiles.mine]
token = "sk-mine"
"""


def test_a_profile_goes_before_the_top(load):
    quiet = load(PROFILES, {"profile": "quiet"})
    assert (quiet.url, quiet.theme, quiet.read_only, quiet.profile) == ("http://home:1", "nord", True, "quiet")
    assert quiet.token_command == ("pass", "home")
    mine = load(PROFILES, {"profile": "mine"})
    assert (mine.token, mine.token_command) == (Token("sk-mine"), None)


def test_another_servers_profile_does_not_get_the_tops_token(load):
    office = load(PROFILES, {"profile": "office"})
    assert (office.url, office.theme) == ("http://office:1", "nord")
    assert (office.token, office.token_command, office.token_source) == (None, None, None)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('urll = "x"', "unknown setting 'urll'; did you mean 'url'?"),
        ("readonly = true", "did you mean 'read_only'?"),
        (
            "zzz = 1",
            r"unknown setting 'zzz' \(known: ca_file, gpu, gpu_seconds, gpu_url, keys, lms, ",
        ),
        ("[profiles.a]\nthem = 'x'", r"\[profiles\.a\] unknown setting 'them'; did you mean 'theme'"),
        ('read_only = "yes"', "read_only must be true or false"),
        ("url = 7", "url must be text"),
        ("log_days = 0", "log_days must be a whole number from 1 to 3650"),
        ("log_days = true", "log_days must be a whole number"),
        ("log_days = 1.5", "log_days must be a whole number"),
        ("log_megabytes = 100001", "log_megabytes must be a whole number from 1 to 100000"),
        ("log_text = 1", "log_text must be true or false"),
        ("token_command = ['a', 1]", "token_command must be text or a list of texts"),
        ("token = 'a'\ntoken_command = 'b'", "exclude each other"),
        ("profiles = 3", r"\[profiles\.NAME\]"),
        ("[profiles]\na = 3", r"\[profiles\.NAME\]"),
        ("url = ", "not valid TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(load, toml, words):
    with pytest.raises(ConfigError, match=words):
        load(toml)


def test_an_unknown_profile_names_the_nearest(load):
    with pytest.raises(ConfigError, match="no profile 'offic'; did you mean 'office'"):
        load(PROFILES, {"profile": "offic"})
    with pytest.raises(ConfigError, match=r"\(known: none\)"):
        load("", {"profile": "x"})


def test_a_broken_file_never_shows_a_token(load):
    with pytest.raises(ConfigError) as caught:
        load('token = "sk-secret" trailing')
    assert "sk-secret" not in str(caught.value)


def test_files_that_are_not_there_or_cannot_be_read(tmp_path):
    for flags, environ in (({"config": str(tmp_path / "no")}, {}), ({}, {"LMDECK_CONFIG": str(tmp_path / "no")})):
        with pytest.raises(ConfigError, match="does not exist"):
            load_settings(flags, environ)
    (tmp_path / "latin").write_bytes(b'theme = "\xff"')
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_settings({"config": str(tmp_path / "latin")}, {})


def test_paths_are_the_platforms_own(tmp_path):
    assert config_file({"LMDECK_CONFIG": str(tmp_path / "x")}) == tmp_path / "x"
    assert config_file({}).name == "config.toml"
    for path in (config_file({}), data_dir()):
        assert path.is_absolute()
        assert "lmdeck" in path.parts


def test_the_models_folder_by_flag_or_file(load):
    assert load().models_folder is None
    assert load('models_folder = "/m"').models_folder == "/m"
    assert load('models_folder = "/m"', {"models": "/n"}).models_folder == "/n"
    with pytest.raises(ConfigError, match="models_folder must be text"):
        load("models_folder = 7")


def test_what_the_history_keeps(load):
    found = load()
    assert (found.log_text, found.log_days, found.log_megabytes) == (False, 90, 200)
    found = load("log_text = true\nlog_days = 7\nlog_megabytes = 50")
    assert (found.log_text, found.log_days, found.log_megabytes) == (True, 7, 50)
    assert load("log_days = 7\n[profiles.x]\nlog_days = 8", {"profile": "x"}).log_days == 8


TOOLS = """
plugins = ["mcp/playwright", "lmstudio/js-code", "mcp/playwright"]
[mcp.docs]
url = "http://127.0.0.1:3000/mcp"
headers = { Authorization = "MY_VARIABLE", X-Team = "TEAM" }
allowed_tools = ["search", "read"]
[mcp.bare]
url = "https://tools.example/mcp?v=2"
[profiles.plain]
plugins = []
[profiles.mine]
plugins = ["mine/one"]
"""


def test_tools_for_the_chat(load):
    docs = Tools(
        "docs",
        server_url="http://127.0.0.1:3000/mcp",
        allowed_tools=("search", "read"),
        headers={"Authorization": "MY_VARIABLE", "X-Team": "TEAM"},
    )
    bare = Tools("bare", server_url="https://tools.example/mcp?v=2")
    plugins = (
        Tools("mcp/playwright", plugin_id="mcp/playwright"),
        Tools("lmstudio/js-code", plugin_id="lmstudio/js-code"),
    )
    assert load().tools == ()
    assert load(TOOLS).tools == (*plugins, docs, bare)
    assert load(TOOLS, {"profile": "plain"}).tools == (docs, bare)
    assert load(TOOLS, {"profile": "mine"}).tools == (Tools("mine/one", plugin_id="mine/one"), docs, bare)
    assert load('plugins = ["a"]').tools == (Tools("a", plugin_id="a"),)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("plugins = 'mcp/playwright'", "plugins must be a list of texts"),
        ("plugins = ['a', 1]", "plugins must be a list of texts"),
        ("plugins = [' ']", "plugins holds an empty id"),
        ("plugin = ['a']", "unknown setting 'plugin'; did you mean 'plugins'"),
        ("mcpp = 1", "unknown setting 'mcpp'; did you mean 'mcp'"),
        ("mcp = false", r"tables: \[mcp\.NAME\]"),
        ("mcp = []", r"tables: \[mcp\.NAME\]"),
        ("[mcp]\nurl = 'http://x'", r"tables: \[mcp\.NAME\]"),
        ("plugins = ['a']\n[mcp.a]\nurl = 'http://x'", "'a' is a plugin and an MCP server"),
        ("[mcp.'a b']\nurl = 'http://x'", r"\[mcp\.a b\] the name must be letters"),
        ("[mcp.a]\n", r"\[mcp\.a\] url is missing"),
        ("[mcp.a]\nurl = 7", r"\[mcp\.a\] url must be text"),
        ("[mcp.a]\nurl = 'x:1/mcp'", r"\[mcp\.a\] url must be an address such as"),
        ("[mcp.a]\nurl = 'file:///etc/passwd'", "url must be an address such as"),
        ("[mcp.a]\nurl = 'http://a b/'", "url must be an address such as"),
        ("[mcp.a]\nurl = 'http://h:port/'", "url must be an address such as"),
        ("[mcp.a]\nurl = 'http://x'\nheader = {}", "unknown setting 'header'; did you mean 'headers'"),
        ("[mcp.a]\nurl = 'http://x'\nallowed_tools = 'search'", "allowed_tools must be a list of texts"),
        ("[mcp.a]\nurl = 'http://x'\nallowed_tools = ['']", "allowed_tools must be a list of texts"),
        ("[mcp.a]\nurl = 'http://x'\nheaders = 'Authorization'", "headers must be a table"),
        ("[mcp.a]\nurl = 'http://x'\nheaders = { 'A b' = 'X' }", "'A b' is no name of a header"),
        ("[mcp.a]\nurl = 'http://x'\nheaders = { A = 7 }", "A must name an environment variable"),
        ("[profiles.x.mcp.a]\nurl = 'http://x'", r"\[profiles\.x\] unknown setting 'mcp'"),
    ],
)
def test_what_is_wrong_with_tools_is_named(load, toml, words):
    with pytest.raises(ConfigError, match=words):
        load(toml)


def test_a_header_that_holds_its_value_is_refused_without_showing_it(load):
    for toml in ("headers = { Authorization = 'Bearer hidden-value' }", "url = 'http://hidden-value:x@host/mcp'"):
        with pytest.raises(ConfigError, match=r"environment variable|send a header") as caught:
            load(f"[mcp.a]\n{toml if toml.startswith('url') else toml + chr(10) + 'url = ' + repr('http://x')}")
        assert "hidden-value" not in str(caught.value)
