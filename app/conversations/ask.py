"""The request for a conversation's next answer: what is sent, and what the server already knows. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from lmdeck.conversations.fences import fenced
from lmdeck.model.branches import path
from lmdeck.model.chat import ChatRequest, Said, Tools
from lmdeck.model.conversation import KEPT, Conversation, Turn
from lmdeck.model.endpoints import NATIVE, Endpoint, find

_ROLES: Final = {"user": "User", "assistant": "Assistant"}


def request_for(
    conversation: Conversation, turn: Turn, *, server: str, tools: Mapping[str, Tools], replay: bool = False
) -> ChatRequest:
    """The request that answers `turn`, a turn of the user's whose `parent` is in the conversation (or None).

    Where the endpoint keeps answers, it goes on from the nearest earlier one that this server (its URL), endpoint and
    model gave, and only what came after that is sent again; `replay` sends everything, for a server that forgot.
    Earlier turns are sent with their roles where the endpoint takes them, else as a transcript in the input, and as
    plain text that goes on where there is no template at all. `tools` are all that are configured, by label.
    """
    endpoint = find(conversation.endpoint) or NATIVE
    earlier = path(conversation, turn.parent) if turn.parent is not None else ()
    known = None if replay or not endpoint.stateful else _last_known(conversation, earlier, endpoint, server)
    unknown = [each for each in (earlier if known is None else earlier[known + 1 :]) if _says_something(each)]
    images = _images(turn) if endpoint.images else ()
    history: tuple[Said, ...] = ()
    if endpoint.history:
        history = tuple(Said(each.role, _words(each), _images(each) if endpoint.images else ()) for each in unknown)
        words = _words(turn)
    elif endpoint.stateful:
        words = _transcript(unknown, turn)
        images = (*(image for each in unknown for image in _images(each)), *images)
    else:
        words = "".join(_words(each) for each in (*unknown, turn))
    return ChatRequest(
        model=conversation.model,
        input=words,
        previous_response_id=None if known is None else earlier[known].response_id,
        system_prompt=conversation.system_prompt or None,
        store=False if endpoint.store and conversation.keeping != KEPT else None,
        endpoint=endpoint.path,
        parameters=conversation.parameters,
        history=history,
        images=images,
        tools=tuple(
            tools[label]
            for label in conversation.integrations
            if label in tools and (endpoint.integrations or (endpoint.mcp and tools[label].server_url))
        ),
    )


def _last_known(conversation: Conversation, earlier: Sequence[Turn], endpoint: Endpoint, server: str) -> int | None:
    """The place of the last answer that the server can go on from."""
    for place in reversed(range(len(earlier))):
        turn = earlier[place]
        is_there = turn.response_id and turn.server == server and turn.endpoint == endpoint.path
        if is_there and _is_of(conversation.model, turn.instance_id):
            return place
    return None


def _is_of(model: str, instance_id: str) -> bool:
    """Whether an instance is the one that was named, or one of the model that was (`key:2` is the second of `key`)."""
    return not instance_id or instance_id == model or instance_id.startswith(f"{model}:")


def _says_something(turn: Turn) -> bool:
    """An answer that was cut off before its first word is not sent: some endpoints refuse an empty one."""
    return bool(turn.text or turn.attachments)


def _words(turn: Turn) -> str:
    """What was written, with the text files that go with it before it."""
    files = [f"{each.name}:\n{fenced(each.content)}" for each in turn.attachments if each.kind == "text"]
    return "\n\n".join([*files, turn.text]) if files else turn.text


def _images(turn: Turn) -> tuple[str, ...]:
    return tuple(each.data_url for each in turn.attachments if each.kind == "image")


def _transcript(earlier: Sequence[Turn], turn: Turn) -> str:
    """The turns in words, each under the name of its role; the new one alone where there are none before it."""
    if not earlier:
        return _words(turn)
    told = [f"[{_ROLES[each.role]}]\n{_words(each)}" for each in earlier]
    opening = "This is our conversation so far:"
    closing = "This is my next message; answer it, without the name of a role before it:"
    return "\n\n".join((opening, *told, closing, _words(turn)))
