"""The exit codes of engine processes in words, in every form in which they are printed.

A Windows code such as 0xC0000409 comes as itself, signed (-1073740791), unsigned (3221226505), or as LM Studio prints
it: sign-extended to 64 bits and passed through a JavaScript number, `18446744072635812000`. That loses the lowest
digits, so several codes can be behind one print; all that fit are named.
"""

import re

_PLAIN = {
    0: "the engine ended by itself (exit code 0)",
    1: "the engine gave up with an error of its own (exit code 1); its lines in the runtime log say which",
    3: "the engine aborted itself (exit code 3, how abort() ends a program on Windows): a failed check or allocation",
    126: "the engine's program could not be run (exit code 126): it is not executable here",
    127: "the engine's program or one of its libraries is missing (exit code 127)",
}
_SIGNALS = {
    2: ("SIGINT", "it was interrupted"),
    4: ("SIGILL", "the CPU lacks an instruction it needs (AVX or newer): choose a runtime built for this CPU"),
    5: ("SIGTRAP", "it stopped itself at a failed check"),
    6: ("SIGABRT", "it aborted itself, after a failed allocation or check"),
    7: ("SIGBUS", "it read memory that is not there: a model file that was changed, or a full disk"),
    8: ("SIGFPE", "an impossible calculation"),
    9: ("SIGKILL", "it was killed from outside, most likely by the kernel's out-of-memory killer"),
    11: ("SIGSEGV", "it touched memory it must not: a bug in the runtime or its driver"),
    15: ("SIGTERM", "it was asked to end"),
}
# The likeliest first: the order in which codes are named where a rounded print fits several.
_WINDOWS = {
    0xC0000005: ("access violation", "a bug in the runtime or the graphics driver"),
    0xC0000409: ("the program stopped itself", "how abort() ends a program on Windows: a failed allocation or check"),
    0xC0000374: ("heap corruption", "a bug in the runtime or the graphics driver"),
    0xC000001D: ("illegal instruction", "the CPU lacks one it needs (AVX or newer): choose a runtime for this CPU"),
    0xC0000017: ("not enough memory", "RAM and page file together were too small"),
    0xC000012D: ("commit limit reached", "RAM and page file together were too small"),
    0xC00000FD: ("stack overflow", "a bug in the runtime"),
    0xC0000135: ("a DLL was not found", "the runtime or the driver is not installed completely"),
    0xC0000139: ("a DLL lacks an entry point", "runtime and driver versions do not fit together"),
    0xC0000142: ("a DLL failed to start", "runtime and driver versions do not fit together"),
    0xC000007B: ("a DLL of the wrong kind", "32 and 64 bits are mixed, or a file is damaged"),
    0xC0000006: ("a page could not be read", "the disk or network drive of the model failed"),
    0xC000009A: ("not enough system resources", "Windows ran out of memory for its own tables"),
    0xC0000094: ("division by zero", "a bug in the runtime"),
    0xC0000096: ("privileged instruction", "a bug in the runtime"),
    0xC000041D: ("an error in a callback", "a bug in the runtime or the graphics driver"),
    0xC0000420: ("assertion failure", "a failed check in the runtime"),
    0xC000013A: ("interrupted", "its window was closed or Ctrl+C was pressed"),
    0x40010004: ("ended by a debugger", "somebody ended it"),
}
_CODE = r"-?(?:0[xX][0-9a-fA-F]{1,16}|\d{1,20})"
_IN_WORDS = re.compile(
    rf"\bexit(?:ed)?(?: with)?[ _-]?(?:code|status)?(?: is|:|=)? ?\(?({_CODE})(?!\w|\.\d)|\b(SIG[A-Z]{{2,6}})\b|"
    rf"\bcode[:=] ?({_CODE})(?!\w|\.\d)",
    re.IGNORECASE,
)
_WHOLE = re.compile(rf"\s*(?:{_CODE}|SIG[A-Z]{{2,6}})\s*")
_LONGEST = 20_000
_MOST_NAMED = 5


def exit_code(message: str) -> str | None:
    """The exit code or signal that a message names, as it is printed: `(Exit code: N)`, `exited with code N`,
    `exit status N`, `SIGABRT`; None when there is none."""
    found = _IN_WORDS.search(message[:_LONGEST])
    return None if found is None else found[1] or found[3] or found[2].upper()


def exit_words(text_or_code: str | int) -> str | None:
    """What an exit code (a number, its print, or a signal's name) means; None for one that is not known. 64-bit prints
    that JavaScript has rounded name every known code that fits."""
    if isinstance(text_or_code, int):
        return _words(text_or_code)
    if _WHOLE.fullmatch(text_or_code) is None:
        return None
    text = text_or_code.strip()
    if text.startswith("SIG"):
        return next((_signal(number) for number, (name, _) in _SIGNALS.items() if name == text), None)
    return _words(int(text, 16 if "x" in text.lower() else 10))


def exit_words_in(message: str) -> str | None:
    """The words for the exit code or signal that a message names; None when it names none, or an unknown one."""
    code = exit_code(message)
    return None if code is None else exit_words(code)


def _words(code: int) -> str | None:
    if code >= 2**32:
        exact = _words(code - 2**64) if 2**63 <= code < 2**64 else None
        return exact or _rounded(code)
    if code < -(2**31):
        return None
    if (status := code % 2**32) in _WINDOWS:
        name, meaning = _WINDOWS[status]
        return f"the engine crashed: {name} (0x{status:08X}), {meaning}"
    signed = code - 2**32 if code >= 2**31 else code
    if signed in _PLAIN:
        return _PLAIN[signed]
    return _signal(-signed if signed < 0 else signed - 128)


def _signal(number: int) -> str | None:
    if number not in _SIGNALS:
        return None
    name, meaning = _SIGNALS[number]
    return f"the engine ended by {name}: {meaning}"


def _rounded(code: int) -> str | None:
    """Words for a 64-bit code whose lowest digits a double has lost."""
    as_double = float(code)
    fitting = [status for status in _WINDOWS if float(2**64 - 2**32 + status) == as_double and status >= 2**31]
    if len(fitting) == 1:
        return _words(fitting[0])
    if fitting:
        names = ", ".join(f"{_WINDOWS[status][0]} (0x{status:08X})" for status in fitting[:_MOST_NAMED])
        rest = len(fitting) - _MOST_NAMED
        more = f" and {rest} rarer ones" if rest > 1 else " and a rarer one" if rest == 1 else ""
        return f"the engine crashed; its printed code is rounded and fits {names}{more}"
    if as_double == 2.0**64:
        return "the engine ended with a small negative code; which one is lost, for the printed code is rounded"
    return None
