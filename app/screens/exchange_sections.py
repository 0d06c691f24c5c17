"""The pages of an exchange: each is a text, what looks different in it, and a remark about it."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from lmdeck.model.exchange import Exchange
from lmdeck.screens import exchange_text
from lmdeck.screens.exchange_message import request_body
from lmdeck.widgets.paint.prompt import answer_marker, mark_tokens
from lmdeck.widgets.paint.text_rows import Marker, no_marks

HIDDEN: Final = "Prompt and answer are hidden. In the deck, P shows them."


class Page(NamedTuple):
    """An empty `text` stands for nothing to show; `remark` then says why."""

    text: str
    marker: Marker = no_marks
    remark: str = ""


class Section(NamedTuple):
    """A page by its title; `private`: it holds prompt or answer."""

    title: str
    page: Callable[[Exchange, bool], Page]
    private: bool = False


def read(section: Section, exchange: Exchange, hide_text: bool) -> Page:
    """What the section shows now."""
    return Page("", remark=HIDDEN) if hide_text and section.private else section.page(exchange, hide_text)


def first_hit(sections: Sequence[Section], exchange: Exchange, hide_text: bool, words: str) -> tuple[int, str]:
    """The first section with all of `words` as they stand, else with one of them, and what is found there."""
    texts = [read(section, exchange, hide_text).text.lower() for section in sections] if words else []
    for needle in (words, *words.split()):
        for index, text in enumerate(texts):
            if needle.lower() in text:
                return index, needle
    return 0, ""


def _overview(exchange: Exchange, hide_text: bool) -> Page:
    return Page(*exchange_text.overview(exchange, hide_text))


def _prompt(exchange: Exchange, _: bool) -> Page:
    if exchange.input is not None:
        return Page(exchange.input.text, mark_tokens, "As the model got it, with the tokens of its template.")
    if body := request_body(exchange):
        return Page(body, remark="The request's body: the model log has not told what the template made of it.")
    return Page("", remark="No log has told the prompt.")


def _answer(exchange: Exchange, _: bool) -> Page:
    if exchange.output is not None:
        text = exchange.output.text
        return Page(text, answer_marker(text), "" if text else "The answer is empty.")
    if exchange.generated is not None:
        text = exchange.generated.text
        return Page(text, answer_marker(text), "From the server's log: the model log has not told the answer.")
    running = "No answer yet: LM Studio logs it whole, at its end."
    return Page("", remark=running if exchange.running else "No log has told the answer.")


def _runtime(exchange: Exchange, _: bool) -> Page:
    text = exchange_text.runtime(exchange)
    return Page(text, remark="" if text else "The engine has logged nothing for it.")


def _json(exchange: Exchange, _: bool) -> Page:
    text = exchange_text.raw_json(exchange)
    return Page(text, remark="Rebuilt from what the deck keeps: fields it does not read are missing.")


SECTIONS: Final = (
    Section("Overview", _overview),
    Section("Prompt", _prompt, private=True),
    Section("Answer", _answer, private=True),
    Section("Runtime", _runtime),
    Section("JSON", _json, private=True),
)
