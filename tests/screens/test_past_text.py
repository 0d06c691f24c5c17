"""A request of the history in words: its pages, and what can be done with it."""

from lmdeck.model.exchange import KEPT_TEXT, ExchangeRecord, ExchangeText
from lmdeck.screens.exchange_sections import first_hit, read
from lmdeck.screens.past_text import past_exchange, past_sections

RECORD = ExchangeRecord(
    1_795_780_800.25, "http://gpubox", "coder", "/v1/chat/completions", "contextLengthReached", 812, 143, 41.31, 0.312,
    3.4, 120, 96, "it broke\x1b", "likely",
)  # fmt: skip
TEXT = ExchangeText("<|im_start|>user\nwhat is a slot<|im_end|>", "<think>hm</think>A place for one request.")


def pages(record: ExchangeRecord, text: ExchangeText | None, hide_text: bool = False) -> dict[str, tuple[str, str]]:
    """Text and remark by title."""
    exchange = past_exchange(record, text)
    found = {section.title: read(section, exchange, hide_text) for section in past_sections(record, text)}
    return {title: (page.text, page.remark) for title, page in found.items()}


def test_everything_that_is_kept_is_told() -> None:
    found = pages(RECORD, TEXT)
    assert [" ".join(line.split()) for line in found["Overview"][0].splitlines() if "began" not in line] == [
        "request /v1/chat/completions",
        "model coder",
        "server http://gpubox",
        "error it broke␛",
        "tokens in 812",
        "tokens out 143",
        "speed 41.3 tok/s",
        "first token TTFT 0.31 s",
        "stop reason cut off: the context is full (contextLengthReached)",
        "draft 96 of 120 tokens accepted, 80 %",
        "server's time 3.4 s",
        "joined ? likely, by tokens, times and model",
        "texts kept",
    ]
    assert found["Prompt"] == (TEXT.prompt, "")
    assert found["Answer"] == (TEXT.answer, "")


def test_texts_that_are_not_there_say_why() -> None:
    found = pages(ExchangeRecord(1.0, "", ""), None)
    assert "texts           not kept: log_text = true" in found["Overview"][0]
    assert found["Prompt"] == found["Answer"]
    assert "log_text = true in the configuration" in found["Prompt"][1]
    assert pages(RECORD, ExchangeText("", ""))["Prompt"] == ("", "No log had told it.")
    cut = pages(RECORD, ExchangeText("p" * KEPT_TEXT, "short"))
    assert "the history keeps no more" in cut["Prompt"][1]
    assert cut["Answer"] == ("short", "")


def test_hidden_texts_stay_hidden() -> None:
    found = pages(RECORD, TEXT, hide_text=True)
    assert "slot" not in str(found)
    assert "P shows them" in found["Prompt"][1]
    assert "P shows them" in found["Answer"][1]


def test_only_a_whole_prompt_can_be_sent_again() -> None:
    whole = past_exchange(RECORD, TEXT)
    assert whole.input is not None
    assert whole.input.text == TEXT.prompt
    for text in (None, ExchangeText("", "answer"), ExchangeText("p" * KEPT_TEXT, "")):
        assert past_exchange(RECORD, text).input is None


def test_the_words_lead_to_where_they_stand() -> None:
    def hit(words: str, hide_text: bool = False) -> tuple[int, str]:
        return first_hit(past_sections(RECORD, TEXT), past_exchange(RECORD, TEXT), hide_text, words)

    assert hit("A SLOT") == (1, "A SLOT")
    assert hit("slot request") == (1, "slot")
    assert hit("place") == (2, "place")
    assert hit("coder") == (0, "coder")
    assert hit("gemma") == hit("") == (0, "")
    assert hit("slot", hide_text=True) == (0, "")
