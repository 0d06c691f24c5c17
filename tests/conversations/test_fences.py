import pytest

from lmdeck.conversations.fences import closed, fenced


@pytest.mark.parametrize(
    ("text", "block"),
    [("x", "```py\nx\n```"), ("a `` b\n", "```py\na `` b\n```"), ("```\n", "````py\n```\n````"), ("", "```py\n\n```")],
)
def test_nothing_in_a_block_closes_it(text, block):
    assert fenced(text, "py") == block


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("x\n", ""), ("```\nx", "\n```"), ("```\nx\n```\n", ""), ("~~~~\n```\n~~~", "\n~~~~"),
        ("a\n```py\nx\n```py", "\n```"),
        ("a ``` b", ""), ("``` a ```", ""), ("    ```\nx", ""), ("````\n```\n`````", ""),
    ],
)  # fmt: skip
def test_an_open_block_is_closed(text, end):
    assert closed(text) == text.rstrip() + end
