"""Whether a refusal says that the prompt is too long, and which limit it names.

Words seen in the wild: "The number of tokens to keep from the initial prompt is greater than the context length
(n_keep: 10247 >= n_ctx: 4096)", "Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)", "Trying to keep the first
10136 tokens when context the overflows. However, the model is loaded with context length of only 7866 tokens",
"request (5031 tokens) exceeds the available context size (4096 tokens)", "Context size has been exceeded", "Input
length 6491 exceeds context length 1500", "input prompt is too big compared to KV size", `exceed_context_size_error`.
"""

import re

_SUBJECT = re.compile(
    r"n_ctx|n_keep|kv.?(size|cache)|context.{0,3}(length|size|window)|\bcontext\b|\b(prompt|input)s?\b|max_kv_size",
    re.I,
)
_EXCESS = re.compile(
    r"exceed|>=|overflow|\b(greater|larger|longer|bigger|more) than\b|\btoo (long|large|big|many tokens)\b"
    r"|\bnot (big |large |long )?enough\b|\breached\b|\b(does ?n.t|does not|cannot|can.t) fit\b",
    re.I,
)
_OTHER = re.compile(r"\b(memory|allocat\w*)\b", re.I)
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+)"
_LIMITS = (
    re.compile(rf"n_ctx\w*\W{{0,5}}{_NUMBER}", re.I),
    re.compile(rf"context[ _](?:length|size|window)\D{{0,30}}?{_NUMBER}", re.I),
)


def says_too_long(words: str) -> bool:
    """Whether the server's words (message, type and code together) blame the length of the prompt. Running out of
    memory on the way is another trouble: it proves nothing about the context."""
    return bool(_SUBJECT.search(words) and _EXCESS.search(words)) and not _OTHER.search(words)


def named_limit(words: str) -> int | None:
    """The context in tokens that the words name: a first guess, not a proof."""
    for pattern in _LIMITS:
        if found := pattern.search(words):
            return int(found[1].replace(",", "")) or None
    return None
