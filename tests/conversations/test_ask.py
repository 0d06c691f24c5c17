"""What is sent for the next answer, and what is left to the server's memory."""

from dataclasses import replace

import pytest

from lmdeck.conversations.ask import request_for
from lmdeck.model.chat import ChatRequest, Said, Tools
from lmdeck.model.conversation import KEPT, NOT_ON_SERVER, NOWHERE, Attachment, Conversation, Turn
from lmdeck.model.endpoints import CHAT_COMPLETIONS, COMPLETIONS, ENDPOINTS, MESSAGES, NATIVE, RESPONSES, V0_CHAT

SERVER = "http://here:1"
PICTURE = Attachment("image", "a.png", "image/png", "AAAA", 3)
URL = "data:image/png;base64,AAAA"
NOTES = Attachment("text", "notes.txt", "text/plain", "one\n```\ntwo\n", 12)


def user(id: str, parent: str | None, text: str, *files: Attachment) -> Turn:
    return Turn(id, parent, "user", text, 1.0, attachments=files)


def answer(id: str, parent: str, text: str, response_id: str | None = None, **parts: object) -> Turn:
    known = {"instance_id": "m", "endpoint": NATIVE.path, "server": SERVER, "response_id": response_id} | parts
    return Turn(id, parent, "assistant", text, 1.0, **known)


FIRST = user("u1", None, "Hi", PICTURE)
TURNS = (FIRST, answer("a1", "u1", "Ho", "resp_1"), user("u2", "a1", "Why?"), answer("a2", "u2", "So", "resp_2"))
TALK = Conversation("c", 0, 0, turns=TURNS, leaf="a2", model="m")
NEXT = user("u3", "a2", "And?")
TRANSCRIPT = (
    "This is our conversation so far:\n\n[User]\nHi\n\n[Assistant]\nHo\n\n[User]\nWhy?\n\n[Assistant]\nSo\n\n"
    "This is my next message; answer it, without the name of a role before it:\n\nAnd?"
)
HISTORY = (Said("user", "Hi", (URL,)), Said("assistant", "Ho"), Said("user", "Why?"), Said("assistant", "So"))


def ask(conversation: Conversation = TALK, turn: Turn = NEXT, *, replay: bool = False, **tools: Tools) -> ChatRequest:
    return request_for(conversation, turn, server=SERVER, tools=tools, replay=replay)


def test_the_first_turn_is_alone():
    empty = Conversation("c", 0, 0, model="m")
    assert ask(empty, FIRST) == ChatRequest("m", "Hi", images=(URL,))
    assert ask(replace(empty, endpoint=MESSAGES.path), FIRST) == ChatRequest(
        "m", "Hi", endpoint=MESSAGES.path, images=(URL,)
    )


def test_the_server_goes_on_from_its_last_answer():
    assert ask() == ChatRequest("m", "And?", previous_response_id="resp_2")


def test_an_earlier_answer_is_a_branch():
    assert ask(turn=user("u3", "a1", "And?")).previous_response_id == "resp_1"
    assert ask(turn=TURNS[2]) == ChatRequest("m", "Why?", previous_response_id="resp_1")  # asked again
    assert ask(turn=FIRST) == ChatRequest("m", "Hi", images=(URL,))


def test_a_server_that_forgot_is_told_everything_in_words():
    assert ask(replay=True) == ChatRequest("m", TRANSCRIPT, images=(URL,))
    through_responses = replace(TALK, endpoint=RESPONSES.path)
    assert ask(through_responses, replay=True) == ChatRequest("m", "And?", endpoint=RESPONSES.path, history=HISTORY)


@pytest.mark.parametrize(
    "parts",
    [
        {"server": "http://other:1"}, {"endpoint": RESPONSES.path}, {"instance_id": "other"}, {"instance_id": "m2"},
        {"response_id": None},
    ],
)  # fmt: skip
def test_only_an_answer_of_this_server_endpoint_and_model_is_known_there(parts):
    """The one before it still is: only what came after that is told."""
    foreign = replace(TURNS[3], **parts)
    request = ask(replace(TALK, turns=(*TURNS[:3], foreign)))
    assert request.previous_response_id == "resp_1"
    assert request.input.startswith("This is our conversation so far:\n\n[User]\nWhy?\n\n[Assistant]\nSo\n\nThis is my")
    assert request.images == ()


def test_the_second_instance_of_a_model_is_of_it():
    second = replace(TALK, turns=tuple(replace(turn, instance_id="m:2") for turn in TURNS))
    assert ask(second).previous_response_id == "resp_2"
    assert ask(replace(second, model="m:2")).previous_response_id == "resp_2"
    assert ask(replace(second, model="m:3")).previous_response_id is None


@pytest.mark.parametrize("endpoint", [CHAT_COMPLETIONS, MESSAGES, V0_CHAT])
def test_an_endpoint_without_memory_gets_the_turns_with_their_roles(endpoint):
    assert ask(replace(TALK, endpoint=endpoint.path)) == ChatRequest(
        "m", "And?", endpoint=endpoint.path, history=HISTORY
    )


def test_without_a_template_the_text_goes_on():
    request = ask(replace(TALK, endpoint=COMPLETIONS.path, system_prompt="Once"))
    assert request == ChatRequest("m", "HiHoWhy?SoAnd?", endpoint=COMPLETIONS.path, system_prompt="Once")


def test_an_answer_without_a_word_is_not_sent():
    silent = (FIRST, answer("a1", "u1", "", cut_off="stopped"), user("u2", "a1", "Why?"))
    request = ask(replace(TALK, turns=silent, endpoint=CHAT_COMPLETIONS.path), user("u3", "u2", "And?"))
    assert [said.text for said in request.history] == ["Hi", "Why?"]


def test_text_files_stand_before_the_text_in_fences_of_their_own():
    told = "notes.txt:\n````\none\n```\ntwo\n````\n\nWhat is it?"
    asked = user("u1", None, "What is it?", NOTES, PICTURE)
    for endpoint in ENDPOINTS:
        request = ask(Conversation("c", 0, 0, model="m", endpoint=endpoint.path), asked)
        assert (request.input, request.images) == (told, (URL,) if endpoint.images else ())
    later = Conversation("c", 0, 0, turns=(asked, answer("a1", "u1", "Two")), endpoint=CHAT_COMPLETIONS.path)
    assert ask(later, user("u2", "a1", "And?")).history[0] == Said("user", told, (URL,))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("keeping", [KEPT, NOT_ON_SERVER, NOWHERE])
def test_what_shall_stay_nowhere_is_said_where_it_can_be(endpoint, keeping):
    request = ask(replace(TALK, endpoint=endpoint.path, keeping=keeping))
    assert request.store is (False if keeping != KEPT and endpoint in (NATIVE, RESPONSES) else None)


def test_settings_and_tools_go_along():
    plugin, server = Tools("p", plugin_id="p"), Tools("s", server_url="http://x")
    chosen = replace(TALK, parameters={"top_k": 3}, system_prompt="Short.", integrations=("s", "gone", "p"))
    request = ask(chosen, p=plugin, s=server, unused=Tools("unused"))
    assert (request.parameters, request.system_prompt) == ({"top_k": 3}, "Short.")
    assert request.tools == (server, plugin)
    assert ask(replace(chosen, endpoint=RESPONSES.path), p=plugin, s=server).tools == (server,)
    assert ask(replace(chosen, endpoint=MESSAGES.path), p=plugin, s=server).tools == ()


def test_an_endpoint_that_nobody_knows_is_the_native_one():
    assert ask(replace(TALK, endpoint="/v9/dream")) == ask()
