"""OpenAI's `POST /v1/responses`, which LM Studio keeps the conversation of, too."""

from collections.abc import Iterator

from lmdeck.backend.decode import as_json, count, fields, records, text
from lmdeck.backend.dialects.common import Fields, Reveal, data_of, failure, turns
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatRequest,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ReasoningDelta,
    Said,
    ToolCall,
    Tools,
)
from lmdeck.model.parameters import wire

_CALLS = ("function_call", "mcp_call")


def body(request: ChatRequest, reveal: Reveal) -> Fields:
    """The request, streamed: the turns that the server does not have, the system prompt beside them. Of the tools, MCP
    servers can be named here, and plugins cannot."""
    said = turns(request)
    plain = len(said) == 1 and not said[0].images
    sent: Fields = {"model": request.model, "stream": True}
    sent["input"] = said[0].text if plain else [_item(each) for each in said]
    if request.previous_response_id:
        sent["previous_response_id"] = request.previous_response_id
    if request.system_prompt:
        sent["instructions"] = request.system_prompt
    if request.store is not None:
        sent["store"] = request.store
    if tools := [_tool(each, reveal) for each in request.tools if each.server_url]:
        sent["tools"] = tools
    return sent | wire(request.parameters, request.endpoint)


def _item(said: Said) -> Fields:
    message: Fields = {"type": "message", "role": said.role}
    if said.role == "assistant":
        return message | {"content": [{"type": "output_text", "text": said.text}]}
    parts: list[Fields] = [{"type": "input_text", "text": said.text}] if said.text else []
    images = [{"type": "input_image", "image_url": url, "detail": "auto"} for url in said.images]
    return message | {"content": [*parts, *images]}


def _tool(tools: Tools, reveal: Reveal) -> Fields:
    tool: Fields = {"type": "mcp", "server_label": tools.label, "server_url": tools.server_url}
    if tools.allowed_tools:
        tool["allowed_tools"] = list(tools.allowed_tools)
    if tools.headers:
        tool["headers"] = {name: reveal(variable) for name, variable in tools.headers.items()}
    return tool


class Decoder:
    """Reads the events of one response, which is whole with `response.completed`, `.incomplete` or `.failed`."""

    def __init__(self) -> None:
        self._begun = False
        self._thoughts = ""

    def feed(self, event: SSEEvent) -> Iterator[ChatEvent]:
        """What one event says."""
        data = data_of(event)
        response, item = fields(data.get("response")), fields(data.get("item"))
        kind = (text(data.get("type")) or event.event).removeprefix("response.")
        match kind:
            case "created" | "in_progress" if not self._begun:
                self._begun = True
                yield ChatStarted(text(response.get("model")) or "")
            case "output_text.delta" | "refusal.delta" if said := text(data.get("delta")):
                yield MessageDelta(said)
            case "reasoning_text.delta" | "reasoning_summary_text.delta" | "reasoning.delta":
                yield from self._thought(kind, data)
            case "output_item.added" if item.get("type") in _CALLS:
                yield _call(item, "called")
            case "output_item.done" if item.get("type") in _CALLS:
                yield from _called(item)
            case "output_item.done" if item.get("type") == "reasoning":
                yield ReasoningDelta("", done=True)
            case "completed" | "incomplete":
                yield _ended(response)
            case "failed":
                yield from failure(response | {"error": response.get("error") or {}}, _statistics(response))
            case "error":
                yield from failure(data if data.get("error") else {"error": data})
            case _:
                yield from failure(data)

    def close(self) -> Iterator[ChatEvent]:
        """Without its last event it was cut off."""
        return iter(())

    def _thought(self, kind: str, data: Fields) -> Iterator[ChatEvent]:
        """Some servers send the thoughts and their summary: what came first is shown."""
        self._thoughts = self._thoughts or kind
        if kind == self._thoughts and (thought := text(data.get("delta"))):
            yield ReasoningDelta(thought)


def _call(item: Fields, state: str) -> ToolCall:
    arguments = "" if state == "called" else as_json(item.get("arguments"))
    return ToolCall(text(item.get("name")) or "", state, arguments, provider=text(item.get("server_label")) or "")


def _called(item: Fields) -> Iterator[ToolCall]:
    """A function is for the client to run, and its arguments are all there is; an MCP call has been run."""
    call = _call(item, "arguments")
    yield call
    if item.get("type") == "mcp_call":
        error = item.get("error")
        reason = text(fields(error).get("message")) or as_json(fields(error).get("content") or error)
        state = "failure" if reason else "success"
        yield ToolCall(call.tool, state, call.arguments, as_json(item.get("output")), call.provider, reason)


def _ended(response: Fields) -> ChatEnded:
    parts = [part for item in records(response.get("output")) for part in records(item.get("content"))]
    said = [text(part.get("text")) or "" for part in parts if part.get("type") == "output_text"]
    return ChatEnded(
        stats=_statistics(response),
        response_id=None if response.get("store") is False else text(response.get("id")),
        instance_id=text(response.get("model")),
        text="".join(said),
        stop=text(fields(response.get("incomplete_details")).get("reason")) or "",
    )


def _statistics(response: Fields) -> ChatStats:
    usage = fields(response.get("usage"))
    return ChatStats(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        reasoning_tokens=count(fields(usage.get("output_tokens_details")).get("reasoning_tokens")),
    )
