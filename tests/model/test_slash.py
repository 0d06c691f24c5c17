"""Slash commands: what is one, what it says when it is none, and what can follow where the cursor stands."""

import pytest

from lmdeck.model.slash import (
    COMMANDS,
    Command,
    Offers,
    Unknown,
    complete,
    complete_path,
    parse,
    path_at,
    prompt,
    spec_at,
)

OFFERS = Offers(
    models=("qwen3-8b", "llama-3", "my-qwen"),
    parameters={"temperature": "how bold", "top_p": "nucleus", "top_k": "the k likeliest", "reasoning": "effort"},
    values={"reasoning": ("off", "low", "high")},
    presets=("precise",),
    tools=("mcp/browser",),
)


def texts(text: str, cursor: int | None = None) -> list[str]:
    return [item.text for item in complete(text, len(text) if cursor is None else cursor, OFFERS)]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/new", Command("new")),
        ("/NEW  ", Command("new")),
        ("/model qwen3-8b", Command("model", "qwen3-8b")),
        ("/system You are\nterse.", Command("system", "You are\nterse.")),
        ("/system", Command("system")),
        ("/param stop [\"a b\"]", Command("param", 'stop ["a b"]')),
        ("/param seed", Command("param", "seed")),
        ("hello", None),
        ("//not a command", None),
        ("/usr/bin/env is a path", None),
        (" /new", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_is_a_command(text: str, command: Command | None) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/modle x", "did you mean /model?"),
        ("/xyzzy", "/help lists them"),
        ("/", "/help lists them"),
        ("/model", "usage: /model ID"),
        ("/new please", "usage: /new"),
        ("/param", "usage: /param NAME [VALUE]"),
    ],
)
def test_what_is_none_says_what_was_meant(text: str, words: str) -> None:
    with pytest.raises(Unknown, match=r".*") as told:
        parse(text)
    assert words in str(told.value)


def test_every_command_can_be_given_and_is_explained() -> None:
    for spec in COMMANDS:
        command = parse(f"/{spec.name} x" if " " in spec.usage else f"/{spec.name}")
        assert command is not None
        assert command.name == spec.name
        assert spec.usage.startswith(f"/{spec.name}")
        assert spec.help


def test_arguments() -> None:
    command = parse('/param stop  ["a", "b"] ')
    assert command is not None
    assert (command.head, command.tail) == ("stop", '["a", "b"]')
    compare = parse("/compare a  b\nc")
    assert compare is not None
    assert compare.words == ("a", "b", "c")
    assert (Command("new").head, Command("new").tail) == ("", "")


def test_two_slashes_send_one() -> None:
    assert prompt("//etc is a folder") == "/etc is a folder"
    assert prompt("what is //?") == "what is //?"


def test_commands_complete_by_their_beginning_first() -> None:
    assert texts("/mo") == ["/model "]
    assert texts("/e") == ["/endpoint ", "/export ", "/embed ", *[each for each in texts("/e") if each[1] != "e"]]
    assert texts("/ne") == ["/new"]
    assert texts("hello /mo") == []
    assert len(texts("/")) == len(COMMANDS)


def test_a_command_completes_in_its_middle() -> None:
    (item,) = complete("/mod qwen", 4, OFFERS)
    assert (item.start, item.end) == (0, 4)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/model ", ["qwen3-8b", "llama-3", "my-qwen"]),
        ("/model qwen", ["qwen3-8b", "my-qwen"]),
        ("/compare llama-3 ", ["qwen3-8b", "my-qwen"]),
        ("/param top", ["top_p", "top_k"]),
        ("/param reasoning ", ["off", "low", "high"]),
        ("/param reasoning l", ["low"]),
        ("/param temperature 0", []),
        ("/endpoint any", []),
        ("/endpoint anth", ["anthropic"]),
        ("/store o", ["on", "off", "nowhere"]),
        ("/preset ", ["precise"]),
        ("/tools m", ["mcp/browser"]),
        ("/rename top", []),
        ("/system qw", []),
        ("/new ", []),
        ("/nonsense q", []),
    ],
)
def test_arguments_complete(text: str, found: list[str]) -> None:
    assert texts(text) == found


def test_a_completion_replaces_the_word_that_the_cursor_is_in() -> None:
    (item,) = complete("/param rea low", 10, OFFERS)
    assert ("/param rea low"[: item.start] + item.text + "/param rea low"[item.end :]) == "/param reasoning low"
    assert complete("/system a\nqw", 12, OFFERS) == ()


def test_the_usage_shows_once_arguments_are_written() -> None:
    assert spec_at("/mod") is None
    assert spec_at("/model") is None
    told = spec_at("/model ")
    assert told is not None
    assert told.usage == "/model ID"
    assert spec_at("//model x") is None


@pytest.mark.parametrize(
    ("text", "prefix", "replaced"),
    [
        ("see @doc", "doc", "@doc"),
        ("@", "", "@"),
        ('see @"my fi', "my fi", '@"my fi'),
        ("one\n@b", "b", "@b"),
        ("/attach no", "no", "no"),
        ("/attach my fi", "my fi", "my fi"),
        ("/export ", "", ""),
    ],
)
def test_where_a_path_is_written(text: str, prefix: str, replaced: str) -> None:
    place = path_at(text, len(text))
    assert place is not None
    assert place.prefix == prefix
    assert text[place.start : place.end] == replaced


@pytest.mark.parametrize("text", ["me@home", "@doc and more", "/model @x", "/attach", "nothing", '@"closed" x'])
def test_where_none_is(text: str) -> None:
    assert path_at(text, len(text)) is None


@pytest.mark.parametrize(
    ("text", "path", "written"),
    [
        ("see @doc", "docs/a.md", "see @docs/a.md"),
        ("see @my", "my file.md", 'see @"my file.md"'),
        ("see @my", "my folder/", 'see @"my folder/'),
        ('see @"my folder/', "my folder/b.md", 'see @"my folder/b.md"'),
        ("/attach my", "my file.md", "/attach my file.md"),
    ],
)
def test_a_path_is_quoted_where_it_must(text: str, path: str, written: str) -> None:
    place = path_at(text, len(text))
    assert place is not None
    (item,) = complete_path(place, [path])
    assert text[: item.start] + item.text + text[item.end :] == written
