"""Prompts taken apart: tokens of the common templates, turns, reasoning, and what the user said."""

import pytest

from lmdeck.widgets.paint.prompt import Run, answer_marker, mark_tokens, split_prompt, user_message
from lmdeck.widgets.paint.text_rows import TextRows

TEMPLATES = {
    "chatml": "<|im_start|>system\nbrief<|im_end|>\n<|im_start|>user\nold<|im_end|>\n<|im_start|>assistant\nyes"
    "<|im_end|>\n<|im_start|>user\nWhy [b]?\nTell<|im_end|>\n<|im_start|>assistant\n<think>\n",
    "llama3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nbrief<|eot_id|><|start_header_id|>user"
    "<|end_header_id|>\n\nWhy [b]?\nTell<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "gemma": "<bos><start_of_turn>user\nWhy [b]?\nTell<end_of_turn>\n<start_of_turn>model\n",
    "llama2": "<s>[INST] <<SYS>>\nbrief\n<</SYS>>\n[/INST] yes</s><s>[INST] Why [b]?\nTell [/INST]",
    "phi": "<|system|>\nbrief<|end|>\n<|user|>\nWhy [b]?\nTell<|end|>\n<|assistant|>\n",
    "harmony": "<|start|>system<|message|>brief<|end|><|start|>user<|message|>Why [b]?\nTell<|end|><|start|>assistant",
    "deepseek": "<｜begin▁of▁sentence｜>brief<｜User｜>Why [b]?\nTell<｜Assistant｜>",
    "command": "<BOS_TOKEN><|START_OF_TURN_TOKEN|><|USER_TOKEN|>Why [b]?\nTell<|END_OF_TURN_TOKEN|>",
    "granite": "<|start_of_role|>user<|end_of_role|>Why [b]?\nTell<|end_of_text|>\n",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_runs_joined_are_the_prompt_and_the_user_is_found(template):
    prompt = TEMPLATES[template]
    runs = split_prompt(prompt)
    assert "".join(run.text for run in runs) == prompt
    assert any(run.token and run.opens for run in runs)
    assert not any("Why" in run.text for run in runs if run.token)
    assert user_message(prompt) == "Why [b]?\nTell"


def test_tokens_are_told_from_text():
    assert split_prompt("<s>[INST] a < b [1] <b> [/INST]") == [
        Run("<s>", True), Run("[INST]", True, True), Run(" a < b [1] <b> "), Run("[/INST]", True),
    ]  # fmt: skip
    assert split_prompt("") == []
    assert split_prompt("plain [bold]text[/bold] <div> | a<|b c|>") == [Run("plain [bold]text[/bold] <div> | a<|b c|>")]
    assert user_message("plain text") == ""
    assert user_message("<|im_start|>") == ""
    assert user_message("<|im_start|>user") == ""


def lines(text, marker, cells=60):
    rows = TextRows(text, cells, marker)
    rows.settle(0, 0, 10**6)
    return [rows.pieces(number) for number in range(rows.total)]


def test_a_turn_begins_a_row():
    rows = lines(TEMPLATES["llama3"], mark_tokens)
    assert rows[1][0][:2] == ("<|start_header_id|>", "accent")
    words = ["".join(piece.text for piece in row) for row in rows]
    assert "<|start_header_id|>user<|end_header_id|>" in words
    assert "Tell<|eot_id|>" in words
    assert "yes</s><s>" in [
        "".join(piece.text for piece in row).strip() for row in lines(TEMPLATES["llama2"], mark_tokens)
    ]


@pytest.mark.parametrize(
    ("answer", "quiet"),
    [
        ("<think>hm, so</think>Yes", "hm, so"),
        ("hm, so</think>Yes", "hm, so"),
        ("<think>cut off", "cut off"),
        ("[THINK]hm[/THINK]Yes", "hm"),
        ("No reasoning", ""),
        ("<think>hm <tool_call> so</think>", "hm  so"),
    ],
)
def test_reasoning_is_quiet(answer, quiet):
    drawn = [piece for row in lines(answer, answer_marker(answer)) for piece in row]
    assert "".join(piece.text for piece in drawn if piece.tone == "muted") == quiet
    assert "".join(piece.text for piece in drawn) == answer


def test_long_reasoning_stays_quiet_through_every_block():
    answer = "<think>" + "so it goes " * 3000 + "</think>done"
    rows = lines(answer, answer_marker(answer))
    assert all(piece.tone == "muted" for row in rows[1:-1] for piece in row)
    assert rows[-1][-1][:2] == ("done", "")
