"""Which refusals blame the prompt's length, and what limit they name."""

import pytest

from lmdeck.backend.too_long import named_limit, says_too_long


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 10247 >= "
         "n_ctx: 4096). Try to load the model with a larger context length", 4096),
        ("Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)", 7424),
        ("Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with context "
         "length of only 7866 tokens, which is not enough.", 7866),
        ("request (5031 tokens) exceeds the available context size (4096 tokens), try increasing it", 4096),
        ("Input length 6491 exceeds context length 1,500", 1500),
        ("Reached context length of 4096 tokens with model (arch: x) that does not currently support mid-generation "
         "context overflow.", 4096),
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens: too long "
         "for the context", 8192),
        ("Context size has been exceeded.", None),
        ("input prompt is too big compared to KV size", None),
        (" exceed_context_size_error", None),
        ("Prompt exceeds maximum context length", None),
    ],
)  # fmt: skip
def test_too_long(words, limit):
    assert says_too_long(words)
    assert named_limit(words) == limit


@pytest.mark.parametrize(
    "words",
    [
        "Cannot change the context length of 'm' while it is busy.",
        "Model was unloaded.",
        "The model has crashed without additional information. (Exit code: 18446744072635812000)",
        "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
        "failed to allocate KV cache: 12 GiB exceed the available memory",
        "Request body is too large.",
        "Model 'm' does not support reasoning setting 'off' (allowed: none).",
        "",
    ],
)
def test_another_refusal(words):
    assert not says_too_long(words)
