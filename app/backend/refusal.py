"""From a status and a body to an error: the server's own words in every shape they come in.

Native and OpenAI: `{"error": {"type", "message", "code"?, "param"?}}`; older endpoints: `{"error": "text"}`;
an unknown path: **200** with `{"error": "Unexpected endpoint or method. (GET /x)"}`. Others in between
answer `{"message": …}`, `{"detail": …}`, plain text or a web page.
"""

import re
from dataclasses import dataclass

from lmdeck.backend.decode import fields, parse, text
from lmdeck.backend.errors import (
    BackendError,
    BadReply,
    ContextOverflow,
    Forbidden,
    ForgottenResponse,
    LoadFailed,
    NotFound,
    NotLoaded,
    Refused,
    Unauthorized,
    Unreachable,
)
from lmdeck.backend.too_long import says_too_long
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line

GATEWAY_TROUBLE = frozenset({502, 503, 504})

_UNKNOWN_PATH = "Unexpected endpoint"
_GUARDRAIL = "insufficient system resources"
_TOKEN_WANTED = "This server wants a token: set LM_API_TOKEN, or `token_command` in the config file."
_TOO_OLD = "This server does not offer it: update LM Studio, or check what answers at this address."
_LONGEST = 8000
_UNLOADED = re.compile(r"\bno models? loaded\b|\b(is not|not currently) loaded\b|\bunloaded\b", re.I)
_FORGOTTEN = re.compile(r"previous.response.*(not.found|not find|expired|unknown)|not find.*previous.response", re.I)
_PAGE_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Words:
    """What a server said about an error."""

    message: str = ""
    kind: str | None = None
    code: str | None = None


def answer(status: int, body: bytes, *, has_token: bool) -> object:
    """The JSON value of a good answer; raises the BackendError that any other answer means."""
    if 300 <= status < 400:
        raise BadReply(f"HTTP {status}: a redirect, which is not followed")
    try:
        value = parse(body)
    except ValueError:
        raise _not_json(status, body, has_token=has_token) from None
    words = error_words(value)
    if status < 300 and words is None:
        return value
    raise refused(status, words or _other_words(value), has_token=has_token)


def error_words(value: object) -> Words | None:
    """The error in a decoded body or stream event; None if it holds none."""
    body = fields(value)
    error = body.get("error")
    if isinstance(error, dict):
        message = text(error.get("message")) or text(error.get("error")) or ""
        return Words(clean(message, _LONGEST), _short(error.get("type")), _short(error.get("code")))
    if isinstance(error, str):
        return Words(clean(error, _LONGEST), code=_short(body.get("code")))
    return None


def refused(status: int, words: Words, *, has_token: bool) -> Refused:
    """The fitting kind of refusal."""
    message, kind, code = words.message, words.kind, words.code
    if status == 401 or "invalid_api_key" in (kind, code):
        hint = None if has_token else _TOKEN_WANTED
        return Unauthorized(message, status=status, kind=kind, code=code, next_step=hint)
    if status == 403:
        return Forbidden(message, status=status, kind=kind, code=code)
    if kind == "model_load_failed" or _GUARDRAIL in message:
        return LoadFailed(message, status=status, kind=kind, code=code)
    if message.startswith(_UNKNOWN_PATH):
        return NotFound(message, status=status, kind=kind, code=code, title="no such endpoint", next_step=_TOO_OLD)
    if status == 404:
        return NotFound(message, status=status, kind=kind, code=code)
    return Refused(message, status=status, kind=kind, code=code)


def of_chat(error: Refused) -> Refused:
    """A refusal of a chat as what it means there."""
    kind = _kind_in_chat(error)
    return error if kind is None else kind(error.detail, status=error.status, kind=error.kind, code=error.code)


def problem_of(words: Words) -> Problem:
    """An error inside a chat's stream."""
    error = of_chat(refused(0, words, has_token=True))
    return Problem(words.kind or "error", words.message) if type(error) is Refused else error.problem


def _kind_in_chat(error: Refused) -> type[Refused] | None:
    """What the words say, where the status and the type of error leave it open."""
    if type(error) is not Refused and (type(error) is not NotFound or error.detail.startswith(_UNKNOWN_PATH)):
        return None
    if _FORGOTTEN.search(f"{error.detail} {error.code or ''}"):
        return ForgottenResponse
    if _UNLOADED.search(error.detail):
        return NotLoaded
    return ContextOverflow if says_too_long(f"{error.detail} {error.kind or ''} {error.code or ''}") else None


def _other_words(value: object) -> Words:
    body = fields(value)
    message = next((found for name in ("message", "detail") if (found := text(body.get(name)))), "")
    return Words(clean(message, _LONGEST))


def _short(value: object) -> str | None:
    found = text(value)
    return one_line(found, 80) if found else None


def _not_json(status: int, body: bytes, *, has_token: bool) -> BackendError:
    page = body[:20_000].decode("utf-8", "replace").strip()
    is_web_page, is_half_json = page.startswith("<"), page.startswith(("{", "["))
    if status in (401, 403) or (
        status >= 400 and not is_web_page and not is_half_json and status not in GATEWAY_TROUBLE
    ):
        return refused(status, Words("" if is_web_page else one_line(page)), has_token=has_token)
    if status in GATEWAY_TROUBLE:
        return Unreachable(f"HTTP {status} from a proxy in between")
    if is_web_page:
        title = _PAGE_TITLE.search(page)
        return BadReply(
            f"HTTP {status} with a web page instead of JSON{f': {one_line(title[1], 100)}' if title else ''}"
        )
    if is_half_json:
        return BadReply(f"HTTP {status} with incomplete JSON")
    return BadReply(
        f"HTTP {status} without JSON: {one_line(page, 100)}" if page else f"HTTP {status} with an empty answer"
    )
