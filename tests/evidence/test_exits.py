"""Exit codes in words, however they are printed."""

# ruff: noqa: E501  (log lines are quoted as they come)

import pytest

from lmdeck.evidence.exits import exit_code, exit_words, exit_words_in


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (1, "exit code 1"),
        (3, "abort()"),
        (127, "missing"),
        (134, "SIGABRT"),
        (-6, "SIGABRT"),
        ("SIGABRT", "SIGABRT"),
        (139, "SIGSEGV"),
        (-11, "SIGSEGV"),
        (137, "out-of-memory killer"),
        (-9, "out-of-memory killer"),
        (4294967287, "SIGKILL"),
        (132, "AVX"),
        (-4, "AVX"),
        (0xC0000005, "access violation (0xC0000005)"),
        (-1073741819, "access violation (0xC0000005)"),
        ("3221225477", "access violation (0xC0000005)"),
        ("0xc0000005", "access violation (0xC0000005)"),
        ("18446744072635809797", "access violation (0xC0000005)"),
        (0xC0000409, "stopped itself (0xC0000409)"),
        ("18446744072635810825", "stopped itself (0xC0000409)"),
        (0xC00000FD, "stack overflow"),
        (0xC000001D, "illegal instruction"),
        (0xC0000135, "DLL was not found"),
        (0xC0000017, "not enough memory"),
    ],
)
def test_known_codes(code: str | int, part: str) -> None:
    words = exit_words(code)
    assert words is not None
    assert part in words


def test_a_rounded_code_names_all_that_fit() -> None:
    stopped = exit_words("18446744072635812000")
    assert stopped == (
        "the engine crashed; its printed code is rounded and fits the program stopped itself (0xC0000409), "
        "an error in a callback (0xC000041D), assertion failure (0xC0000420)"
    )
    several = exit_words("18446744072635810000")
    assert several is not None
    assert several.index("0xC0000005") < several.index("0xC0000374")
    assert "0xC0000409" not in several
    assert several.endswith("rarer ones")
    small = exit_words("18446744073709552000")
    assert small is not None
    assert "rounded" in small


@pytest.mark.parametrize("printed", [0xC0000005, 0xC0000409, 0xC0000374, 0xC0000017, 0xC00000FD])
def test_the_true_code_is_always_among_those_named(printed: int) -> None:
    as_javascript = f"{int(float(f'{float(2**64 - 2**32 + printed):.17g}'))}"
    words = exit_words(as_javascript)
    assert words is not None
    assert f"0x{printed:08X}" in words or "rarer" in words


@pytest.mark.parametrize(
    "code", ["", "null", "abc", 255, 77, -1, 2**70, -(2**40), "18446744072640856000", "SIGWINCH", "1e5"]
)
def test_unknown_codes_get_no_words(code: str | int) -> None:
    assert exit_words(code) is None


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("The model has crashed without additional information. (Exit code: 18446744072635812000)", "18446744072635812000"),
        ("Error loading model.\n\n(Exit code: 18446744073709515000). Unknown error.", "18446744073709515000"),
        ("Failed to load LLM 'x': Error: engine ended with exit code 134.", "134"),
        ("llama runner process has terminated: exit status 127", "127"),
        ("process ended with exit code -9", "-9"),
        ("exited with code=0xC0000005", "0xC0000005"),
        ("Engine process exited: SIGABRT", "SIGABRT"),
        ("(Exit code: null). Unknown error", None),
        ("Model x has 17 layers, code red", None),
        ("error code 500 from the server", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_code_is_found_in_a_message(message: str, code: str | None) -> None:
    assert exit_code(message) == code
    assert exit_words_in(message) == (None if code is None else exit_words(code))
