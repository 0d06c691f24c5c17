"""Scripted faults, set at the start (`--fault NAME`) or at run time (`POST /demo/faults`)."""

from __future__ import annotations

GUARDRAIL = (
    "Model loading was stopped due to insufficient system resources. Under the current settings, this model requires "
    "approximately {size:.2f} GB of memory, and continuing to load it would likely overload your system and cause it "
    "to freeze. If you believe this is a mistake, you can adjust the model loading guardrails in the settings."
)

TABLE = {
    "http_500": "answer every request with 500 internal_error",
    "unauthorized": "answer 401, whatever the token",
    "hang": "take the request and never answer",
    "html": "answer with a proxy's HTML page",
    "half_json": "answer with the first half of the real body",
    "slow_bytes": "send the real answer three bytes at a time",
    "sse_cut": "end a stream in the middle, without its closing event",
    "load_fail": "refuse to load with the guardrail's words",
    "load_fail_generic": "fail to load with an exit code; the cause is only in the runtime log",
    "forgotten": "know no earlier answer: whatever `previous_response_id` says, it is too old",
    "mid_stream_error": "break off a generation with an `error` event, then chat.end",
    "context_collapse": "allocate 8192 tokens of context (or a quarter, if that is less) and report what was asked for",
    "context_deny": "as context_collapse, and the runtime log repeats what was asked for as well (scripted)",
    "context_mislabel": "report the model's longest context, whatever was asked for and allocated",
    "context_drift": "take 4096 tokens of context away (or half, if that is less) at the first prompt (scripted)",
    "context_truncate": "cut prompts beyond 8192 tokens (or a quarter of the context) in their middle (scripted)",
    "lms_crash": "end every `lms log stream`",
    "lms_flood": "send 1,000 log events a second",
    "malformed_log_lines": "put lines that are no events between the log events",
}
"""Every fault and what it does. The first seven act on every HTTP request but the greeting and `/demo`; a load's are
taken when it begins and stay with its instance. `(scripted)`: the real engine does not have it."""


class Faults:
    """The active faults: `NAME`, `NAME:/path` (only requests below that path) or `NAME*3` (only three times)."""

    def __init__(self, specs: list[str] | None = None) -> None:
        self._left: dict[str, float] = {}
        self._paths: dict[str, str] = {}
        self.replace(specs or [])

    def replace(self, specs: list[str]) -> None:
        """Set exactly these faults. Raises ValueError for an unknown name or a malformed count."""
        left: dict[str, float] = {}
        paths: dict[str, str] = {}
        for spec in specs:
            rest, _, path = spec.partition(":")
            name, _, times = rest.partition("*")
            if name not in TABLE:
                raise ValueError(f"unknown fault {name!r}: one of {', '.join(TABLE)}")
            left[name] = int(times) if times else float("inf")
            paths[name] = path or "/"
        self._left, self._paths = left, paths

    def active(self) -> list[str]:
        """The names of the faults in force."""
        return [name for name, left in self._left.items() if left > 0]

    def on(self, name: str) -> bool:
        """Whether a fault is in force, without using it up."""
        return self._left.get(name, 0) > 0

    def take(self, name: str, path: str = "/") -> bool:
        """Whether a fault strikes now; counts it."""
        if not self.on(name) or not path.startswith(self._paths[name]):
            return False
        self._left[name] -= 1
        return True
