"""`POST /v1/chat/completions` and `/v1/completions`, read and answered in OpenAI's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from lmdeck.demo import fields
from lmdeck.demo.engines.base import GenerateRequest
from lmdeck.demo.fields import FieldError, Json
from lmdeck.demo.openai_call import Ask, Call, Function, Renderer, effort, messages, options
from lmdeck.demo.openai_chunks import STOP, Chunks, whole_chat, whole_completion
from lmdeck.demo.openai_tally import Tally
from lmdeck.demo.openai_wire import Event, count, objects

MAX_ANSWERS = 16


class _Chunked(Call):
    """What chats and completions share."""

    @property
    def limit(self) -> int | None:
        """`max_tokens`, or its newer name."""
        names = ("max_tokens", "max_completion_tokens")
        given = next((limit for name in names if (limit := fields.integer(self.body, name, minimum=-1))), None)
        return given if given and given > 0 else None

    @property
    def usage(self) -> bool:
        """Whether the token counts are part of the answer: always, unless it is streamed."""
        wanted = fields.obj(self.body.get("stream_options")).get("include_usage")
        return not self.stream or wanted is True

    def options(self) -> Json:
        """The sampling parameters."""
        found = options(self.body)
        return found | ({"max_tokens": self.limit} if self.limit else {})

    def answers(self) -> int:
        """`n`: how many answers each prompt gets."""
        wanted = fields.integer(self.body, "n") or 1
        if wanted > MAX_ANSWERS:
            raise FieldError("n", f"'n' must be between 1 and {MAX_ANSWERS}")
        return wanted

    def upstream(self) -> Json:
        """With the token counts where they are part of the answer."""
        body = super().upstream()
        return body | {"stream_options": {"include_usage": True}} if self.usage else body

    def event(self, data: Json, instance_id: str) -> Event:
        """A chunk; `system_fingerprint` is the instance, as LM Studio has it."""
        return Event(data | {"model": instance_id, "system_fingerprint": instance_id})

    def hear(self, data: Json, tally: Tally) -> None:
        """A chunk's texts, counts and end."""
        tally.usage(data.get("usage"))
        tally.timings(data.get("timings"))
        for choice in objects(data.get("choices")):
            delta = fields.obj(choice.get("delta"))
            tally.say(delta.get("content", choice.get("text")), count(choice, "index") or 0)
            if delta.get("reasoning_content") or delta.get("tool_calls"):
                tally.begin()
            tally.stop(STOP, choice.get("finish_reason"))


class ChatCall(_Chunked):
    """A chat completion."""

    path: ClassVar[str] = "/v1/chat/completions"

    def read(self) -> Ask:
        """Messages, sampling parameters, tools, the format of the answer."""
        given = self.options() | effort(fields.text(self.body, "reasoning_effort"))
        request = GenerateRequest(messages=tuple(messages(self.body)), options=given)
        functions, must_call = _functions(self.body)
        return Ask((request,) * self.answers(), functions, must_call, _schema(self.body.get("response_format")))

    def renderer(self) -> Renderer:
        """Chat chunks."""
        logprobs = fields.flag(self.body, "logprobs") is True
        return Chunks(raw=False, usage=self.usage, logprobs=logprobs)

    def whole(self, events: Iterable[Json]) -> Json:
        """A `chat.completion`; LM Studio's has an empty `stats`."""
        return {"stats": {}} | whole_chat(events)


class CompletionCall(_Chunked):
    """A completion of a raw prompt."""

    path: ClassVar[str] = "/v1/completions"
    kind: ClassVar[str] = "completion"

    def read(self) -> Ask:
        """One prompt or several."""
        given = self.body.get("prompt")
        self._prompts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        if not self._prompts or not all(isinstance(prompt, str) for prompt in self._prompts):
            raise FieldError("prompt", "'prompt' is required: a string or an array of strings")
        wanted = range(self.answers())
        chosen = self.options()
        return Ask(tuple(GenerateRequest(prompt=text, options=chosen) for text in self._prompts for _ in wanted))

    def renderer(self) -> Renderer:
        """Text chunks."""
        return Chunks(raw=True, usage=self.usage, prompts=len(self._prompts))

    def whole(self, events: Iterable[Json]) -> Json:
        """A `text_completion`."""
        return {"stats": {}} | whole_completion(events)


def _functions(body: Json) -> tuple[tuple[Function, ...], bool]:
    """The tools to choose from, the chosen one first, and whether one must be called."""
    found: list[Function] = []
    for tool in fields.objects(body, "tools"):
        function = fields.obj(tool.get("function"))
        if tool.get("type") != "function" or not isinstance(name := function.get("name"), str):
            raise FieldError("tools", "every tool must be a function with a name")
        found.append(Function(name, fields.obj(function.get("parameters"))))
    choice = body.get("tool_choice")
    named = fields.obj(fields.obj(choice).get("function")).get("name")
    return choose(found, choice, named)


def choose(functions: list[Function], choice: object, named: object) -> tuple[tuple[Function, ...], bool]:
    """`tool_choice` put into effect. Raises FieldError for a name that is not among the tools."""
    if choice == "none":
        return (), False
    if named is None:
        return tuple(functions), choice in ("required", "any")
    chosen = tuple(function for function in functions if function.name == named)
    if not chosen:
        raise FieldError("tool_choice", f"'tool_choice' names a tool that is not there: {named!r}")
    return chosen, True


def _schema(format: object) -> Json | None:
    """The schema that `response_format` asks for."""
    wanted = fields.obj(format)
    if wanted.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    if wanted.get("type") == "json_schema":
        return fields.obj(fields.obj(wanted.get("json_schema")).get("schema"))
    if wanted.get("type") not in (None, "text"):
        raise FieldError("response_format", "'response_format.type' must be 'text', 'json_object' or 'json_schema'")
    return None
