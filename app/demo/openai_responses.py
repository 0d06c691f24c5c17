"""`POST /v1/responses`, stateful by `previous_response_id`. llama-server keeps no state and leaves out parts of the
shape, so the conversation is kept here and its events are completed on their way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from lmdeck.demo import fields
from lmdeck.demo.conversations import Conversations
from lmdeck.demo.engines.base import EngineError, GenerateRequest
from lmdeck.demo.errors import ApiError
from lmdeck.demo.fields import FieldError, Json
from lmdeck.demo.openai_call import Ask, Call, Function, Renderer, effort, options
from lmdeck.demo.openai_chat import choose
from lmdeck.demo.openai_items import as_messages, read_items, stored
from lmdeck.demo.openai_response_events import ResponseEvents
from lmdeck.demo.openai_tally import Tally
from lmdeck.demo.openai_wire import Event, count, objects, string

ECHOED: Json = {
    "background": False,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "output": [],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "usage": None,
}
"""Fields of every response: what was asked for, else these values."""
NOT_ECHOED = ("error", "incomplete_details", "output", "usage")
ENDS = ("response.completed", "response.incomplete")


class ResponseCall(Call):
    """One response. `conversations` is where earlier ones are found and this one is kept."""

    path: ClassVar[str] = "/v1/responses"
    closing: ClassVar[bytes] = b""

    def __init__(self, body: Json, conversations: Conversations) -> None:
        self._conversations = conversations
        self._sequence = 0
        self._places: dict[str, int] = {}
        super().__init__(body)

    def read(self) -> Ask:
        """The conversation up to now, sampling parameters, tools, the format of the answer."""
        body = self.body
        earlier = self._conversations.get(fields.text(body, "previous_response_id"))
        self._items = [*earlier, *read_items(body.get("input"))]
        instructions = fields.text(body, "instructions")
        system: list[Json] = [{"role": "system", "content": instructions}] if instructions else []
        chosen = options(body) | effort(fields.obj(body.get("reasoning")).get("effort"))
        if self.limit:
            chosen["max_tokens"] = self.limit
        self._format = fields.obj(fields.obj(body.get("text")).get("format"))
        functions, must_call = _functions(body)
        servers = (
            tool | {"type": "ephemeral_mcp"} for tool in fields.objects(body, "tools") if tool.get("type") == "mcp"
        )
        request = GenerateRequest((*system, *as_messages(self._items)), None, chosen, tuple(servers))
        schema = fields.obj(self._format.get("schema")) if self._format.get("type") == "json_schema" else None
        return Ask((request,), functions, must_call, schema)

    @property
    def limit(self) -> int | None:
        """`max_output_tokens`."""
        return fields.integer(self.body, "max_output_tokens")

    def upstream(self) -> Json:
        """Without what llama-server refuses, and with the whole conversation. It reads the format of the answer from
        `response_format` only. Raises EngineError."""
        if self.ask.requests[0].integrations:
            raise EngineError("This server connects to no MCP server.", "mcp_connection_error")
        body = {k: v for k, v in super().upstream().items() if k not in ("previous_response_id", "store", "text")}
        if self._format.get("type") == "json_schema":
            schema = {name: value for name, value in self._format.items() if name != "type"}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body | {"input": self._items}

    def renderer(self) -> Renderer:
        """Response events."""
        return ResponseEvents()

    def hear(self, data: Json, tally: Tally) -> None:
        """Deltas, and the numbers of the last event."""
        kind = string(data, "type")
        if kind == "response.output_text.delta":
            tally.say(data.get("delta"))
        elif kind.endswith(".delta"):
            tally.begin()
        elif kind in ENDS:
            response = fields.obj(data.get("response"))
            tally.usage(response.get("usage"))
            tally.timings(data.get("timings"))
            called = any(item.get("type") == "function_call" for item in objects(response.get("output")))
            tally.stop_reason = "toolCalls" if called else "length" if self._cut(data) else "eosFound"

    def _cut(self, data: Json) -> bool:
        """Whether the bound on tokens ended the answer, which llama-server shows by its count only."""
        said = count(fields.obj(data.get("timings")), "predicted_n")
        return self.limit is not None and said is not None and said >= self.limit

    def event(self, data: Json, instance_id: str) -> Event:
        """An event with its number, its place in the output and, where it carries the response, the request's echo. The
        last one is kept for later requests."""
        if data.get("type") == "response.completed" and self._cut(data):
            response = fields.obj(data.get("response")) | {"status": "incomplete"}
            data = data | {"type": "response.incomplete", "response": response}
        kind = string(data, "type")
        whole = data | {"sequence_number": self._sequence} | self._place(kind, data)
        self._sequence += 1
        if "response" in whole:
            whole["response"] = response = self._response(fields.obj(whole["response"]), instance_id)
            if kind in ENDS and response["store"] is not False:
                answer = stored(objects(response["output"]))
                self._conversations.store(string(response, "id"), (*self._items, *answer))
        return Event(whole, kind)

    def _place(self, kind: str, data: Json) -> Json:
        """Which item of the output, and which part of it, an event is about."""
        item = fields.obj(data.get("item"))
        name = string(item, "id") or string(item, "call_id") or string(data, "item_id")
        if not name:
            return {}
        place: Json = {"output_index": self._places.setdefault(name, len(self._places))}
        if item:
            place["item"] = item | {"id": name}
        if "_text." in kind or ".content_part." in kind:
            place["content_index"] = 0
        return place | {"logprobs": []} if ".output_text." in kind else place

    def _response(self, response: Json, instance_id: str) -> Json:
        echo = {name: self.body.get(name, usual) for name, usual in ECHOED.items() if name not in NOT_ECHOED}
        whole = ECHOED | echo | response | {"model": instance_id}
        whole["output"] = [{"id": item.get("call_id")} | item for item in objects(whole["output"])]
        if whole.get("status") == "incomplete":
            whole["incomplete_details"] = {"reason": "max_output_tokens"}
        return whole

    def whole(self, events: Iterable[Json]) -> Json:
        """The response of the last event."""
        return fields.obj([*events][-1].get("response"))

    def error(self, error: ApiError) -> Event:
        """An `error` event with the details below `error`, as OpenAI sends it."""
        return Event({"type": "error", "sequence_number": self._sequence} | error.openai(), "error")


def _functions(body: Json) -> tuple[tuple[Function, ...], bool]:
    """The tools to choose from, the chosen one first, and whether one must be called."""
    found: list[Function] = []
    for tool in fields.objects(body, "tools"):
        if tool.get("type") == "mcp":
            continue
        if tool.get("type") != "function" or not isinstance(name := tool.get("name"), str):
            raise FieldError("tools", "every tool must be an MCP server or a function with a name")
        found.append(Function(name, fields.obj(tool.get("parameters"))))
    choice = body.get("tool_choice")
    return choose(found, choice, fields.obj(choice).get("name"))
