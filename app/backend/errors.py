"""One family of errors, from the wire to the screen.

```
BackendError
├── Unreachable          nobody answers            down: connection refused
│   └── TimedOut         too slow to answer        down: no answer within 5 s
├── NotLMStudio          somebody else answers
├── BadReply             not what was promised (HTML, half a JSON, a wrong shape)
├── StreamCut            a stream that ended before its end event
├── Refused              the server said no, with its own words
│   ├── Unauthorized     401
│   ├── Forbidden        403
│   ├── NotFound         404, or 200 with "Unexpected endpoint"
│   │   └── NotLoaded    a chat without a model to answer it
│   ├── ContextOverflow  a chat that is longer than the context
│   ├── ForgottenResponse  a chat that goes on from an answer the server does not have
│   ├── LoadFailed       model_load_failed, guardrail …
│   └── DownloadRefused  a download that was not begun
├── NotSent              a request that could not be made
└── CommandFailed        `lms` is missing, crashed or said `Error:`
```
"""

from lmdeck.model.problem import Problem


class BackendError(Exception):
    """Something the server or `lms` did not do. `problem` is what the screen shows."""

    title = "failed"
    next_step = ""

    def __init__(self, detail: str = "", *, title: str | None = None, next_step: str | None = None) -> None:
        self.detail = detail
        self.problem = Problem(title or self.title, detail, self.next_step if next_step is None else next_step)
        super().__init__(self.problem.sentence)


class Unreachable(BackendError):
    """No connection, or it broke before an answer came."""

    title = "down"
    next_step = "Start the server (`lms server start`) or check the address; lmdeck keeps trying."

    def __init__(self, reason: str) -> None:
        super().__init__("", title=f"down: {reason}")
        self.reason = reason


class TimedOut(Unreachable):
    """Connected or not, no answer came in time."""


class NotLMStudio(BackendError):
    """Something answers, but it is not LM Studio."""

    title = "not LM Studio"
    next_step = "Check the address and port: another program answers there."


class BadReply(BackendError):
    """The answer is not what the endpoint promises."""

    title = "bad reply"
    next_step = "lmdeck keeps trying; if it stays, a proxy in between or a newer server may be the reason."


class StreamCut(BackendError):
    """A stream stopped before its closing event; what came before is kept."""

    title = "stream cut off"
    next_step = "The partial answer is kept; send again to retry."


class Refused(BackendError):
    """The server answered with an error of its own; `status`, `kind` and `code` are as it sent them."""

    title = "refused"
    next_step = "The server's lines in the log (4) may say more; r asks again."

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        kind: str | None = None,
        code: str | None = None,
        title: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.status, self.kind, self.code = status, kind, code
        if title is None and self.title == "refused" and status:
            title = f"{status}: {kind or 'refused'}"
        super().__init__(detail, title=title, next_step=next_step)


class Unauthorized(Refused):
    """401: a token is needed, or the one sent is not accepted."""

    title = "401: token not accepted"
    next_step = "Set LM_API_TOKEN, or `token_command` in the config file, to a token from LM Studio's Developer page."


class Forbidden(Refused):
    """403: the token is known but may not do this."""

    title = "403: not allowed"
    next_step = "Give the token this permission on LM Studio's Developer page."


class NotFound(Refused):
    """404, or a body that says the endpoint does not exist."""

    title = "404: not found"
    next_step = "Refresh (r): the model or instance may be gone, or this server is too old for it."


class NotLoaded(NotFound):
    """The model is not in memory (any more), and is not loaded for a request."""

    title = "not loaded"
    next_step = "Load the model (2, l) or choose another one, then ask again."


class ContextOverflow(Refused):
    """The prompt, with the conversation before it, is longer than the context."""

    title = "the context is full"
    next_step = "Branch from an earlier answer, begin a new chat, or load the model with a longer context."


class ForgottenResponse(Refused):
    """The server does not have the answer that the chat goes on from: too old, or it was never kept."""

    title = "the server forgot this conversation"
    next_step = "Send it again with everything said so far."


class LoadFailed(Refused):
    """The model could not be loaded; the cause may stand only in the runtime log."""

    title = "load failed"
    next_step = "Try a smaller context, unload another model, or read the runtime lines in the log."


class DownloadRefused(Refused):
    """The server does not download this, or downloads nothing."""

    title = "not downloaded"
    next_step = "Check the id or the URL; LM Studio's own search may know it by another name."


class NotSent(BackendError):
    """The request could not be made, and nothing went to the server."""

    title = "not sent"


class CommandFailed(BackendError):
    """`lms` could not be run or reported an error; `detail` is the end of its stderr."""

    title = "lms failed"
    next_step = "Run the command by hand to see more; lmdeck tries again by itself."
