"""Whether a request's words stand in a prompt, under the templates that models have."""

# ruff: noqa: E501  (log lines and cases are one line each)

import json

import pytest

from lmdeck.exchanges.conversation import AS_FAR_AS_KNOWN, AT_THE_END, NOT, SOMEWHERE, level, read_body

TEMPLATES = {
    "chatml": "<|im_start|>system\n{s}<|im_end|>\n<|im_start|>user\n{u}<|im_end|>\n<|im_start|>assistant\n<think>\n",
    "gemma": "<bos><start_of_turn>user\n{s}\n\n{u}<end_of_turn>\n<start_of_turn>model\n",
    "mistral": "<s>[SYSTEM_PROMPT]{s}[/SYSTEM_PROMPT][AVAILABLE_TOOLS][][/AVAILABLE_TOOLS][INST] {u}[/INST]",
    "llama": "<|start_header_id|>system<|end_header_id|>\n\n{s}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{u}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "deepseek": "<｜begin▁of▁sentence｜>{s}<｜User｜>{u}<｜Assistant｜>",
    "harmony": "<|start|>developer<|message|>{s}<|end|><|start|>user<|message|>{u}<|end|><|start|>assistant",
    "vicuna": "{s}\n\nUSER: {u}\nASSISTANT:",
}
DOCUMENT = "A long story. " * 1_000
QUESTIONS = {
    "short": "Why?",
    "letter": "a",
    "word of the template": "user",
    "lines": "Zeile 1\nZeile 2 “ü”",
    "long": DOCUMENT + "What is it about?",
}


def body(**fields: object) -> str:
    return json.dumps(fields, indent=2, ensure_ascii=False)


def chat(*turns: tuple[str, object], **more: object) -> str:
    return body(model="m", messages=[{"role": role, "content": content} for role, content in turns], **more)


def found(text: str, prompt: str) -> int:
    return level(read_body(text, 0)[1], prompt)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_templates(template: str, asked: str) -> None:
    prompt = template.format(s="Be brief.", u=asked.strip())
    given = chat(("system", " Be brief.\n"), ("user", f"{asked}\n"))
    best = SOMEWHERE if asked == "user" else AT_THE_END
    assert found(given, prompt) == best
    assert found(chat(("user", asked)), prompt) == best
    assert found(chat(("system", "Be long."), ("user", asked)), prompt) < AT_THE_END
    assert found(chat(("user", asked + " Or not?")), prompt) == NOT
    further = prompt + "Because.<|im_end|>\n<|im_start|>user\nGo on.<|im_end|>\n<|im_start|>assistant\n"
    assert found(given, further) == SOMEWHERE


@pytest.mark.parametrize(
    "given",
    [
        body(model="m", input="Why?", system_prompt="Be brief."),
        body(model="m", input=[{"type": "text", "content": "Why?"}, {"type": "image", "data_url": "data:"}]),
        body(
            model="m",
            input=[{"role": "user", "content": [{"type": "input_text", "text": "Why?"}]}],
            instructions="Be brief.",
        ),
        body(model="m", messages=[{"role": "user", "content": [{"type": "text", "text": "Why?"}]}], system="Be brief."),
        body(model="m", system=[{"type": "text", "text": "Be brief."}], messages=[{"role": "user", "content": "Why?"}]),
        chat(("user", "Why?"))[:-12],  # broken off after the words
    ],
)
def test_dialects(given: str) -> None:
    assert found(given, TEMPLATES["chatml"].format(s="Be brief.", u="Why?")) >= (
        SOMEWHERE if given[-1] != "}" else AT_THE_END
    )


def test_raw_prompts() -> None:
    assert found(body(prompt="Once upon a time"), "Once upon a time") == AT_THE_END
    assert found(body(prompt=["One", "Two"]), "Two") == AT_THE_END
    assert found(body(prompt=[1, 2, 3]), "Two") == NOT


def test_a_part_of_another_message_is_not_it() -> None:
    assert found(chat(("user", "yes")), TEMPLATES["chatml"].format(s="", u="say yes")) == SOMEWHERE


def test_tools_answers_may_be_rewritten() -> None:
    turns = (("user", "List the files."), ("assistant", None), ("tool", '{"files": ["a"]}'))
    prompt = "<|im_start|>user\nList the files.<|im_end|>\n<|im_start|>tool\n{}<|im_end|>\n<|im_start|>assistant\n"
    assert found(chat(*turns), prompt.format('{"files": ["a"]}')) == AT_THE_END
    assert found(chat(*turns), prompt.format("files: a")) == SOMEWHERE


def test_what_the_log_cut_out_of_a_text_is_not_missed() -> None:
    words = "The beginning of it ... <Truncated in logs> ...and its end."
    prompt = TEMPLATES["chatml"].format(s="", u="The beginning of it" + DOCUMENT + "and its end.")
    assert found(chat(("user", words)), prompt) == AT_THE_END


def test_bodies_that_break_off_keep_their_keys() -> None:
    text = chat(("user", DOCUMENT), temperature=0.5)
    fields, said, complete = read_body(text[:9_000] + "… <more characters>", 0)
    assert (fields, complete) == ({"model": "m"}, False)
    assert level(said, TEMPLATES["chatml"].format(s="", u=DOCUMENT)) == AS_FAR_AS_KNOWN
    assert read_body("no body", 0) == ({}, (), False)
    assert read_body('{"messages": [{"role": 5, "content": {"a": []}}, null, "x"]}', 0)[2]
    assert read_body("{" + '"a":[' * 100_000, 0)[0] == {}
