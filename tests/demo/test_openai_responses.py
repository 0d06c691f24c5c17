"""`/v1/responses`, asked by OpenAI's own client: stateful on both engines, with all of the stream's events."""

import json
from collections.abc import AsyncIterator

import openai
import pytest

from lmdeck.demo.launch import DemoEndpoint

MODEL, THINKER, SMOL = "ha-expert", "zai-org/glm-4.7-flash", "smollm2-135m-instruct"
TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {"query": {"type": "string"}}}}


def client_of(endpoint: DemoEndpoint) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{endpoint.url}/v1", api_key=endpoint.token, max_retries=0, timeout=60)


@pytest.fixture
async def client(scripted_server: DemoEndpoint) -> AsyncIterator[openai.AsyncOpenAI]:
    async with client_of(scripted_server) as client:
        yield client


@pytest.fixture
async def smol(llama_server: DemoEndpoint) -> AsyncIterator[openai.AsyncOpenAI]:
    async with client_of(llama_server) as client:
        yield client


async def test_a_response_continues_and_branches(client):
    first = await client.responses.create(model=MODEL, input="my name is Ada", instructions="Be kind.")
    second = await client.responses.create(model=MODEL, input="what did I say", previous_response_id=first.id)
    branch = await client.responses.create(model=MODEL, input="what did I say", previous_response_id=first.id)
    third = await client.responses.create(model=MODEL, input="what did I say", previous_response_id=second.id)
    assert (first.status, first.output_text, first.instructions) == (
        "completed",
        "You said: my name is Ada",
        "Be kind.",
    )
    assert second.output_text == third.output_text == branch.output_text == "You first said: my name is Ada"
    assert second.previous_response_id == first.id
    assert third.usage.input_tokens > second.usage.input_tokens == branch.usage.input_tokens


async def test_what_is_not_stored_cannot_be_continued(client):
    kept = await client.responses.create(model=MODEL, input="a secret", store=False)
    assert kept.store is False
    for stale in (kept.id, "resp_unknown"):
        with pytest.raises(openai.BadRequestError, match="Could not find stored response for previous") as refused:
            await client.responses.create(model=MODEL, input="go on", previous_response_id=stale)
        assert refused.value.code == "invalid_value"


async def test_a_stream_has_every_event_in_order(client):
    async with client.responses.stream(model=THINKER, input="2 words") as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    names = [event.type.removeprefix("response.") for event in events if not event.type.endswith(".delta")]
    item = ["output_item.added", "content_part.added", "{}.done", "content_part.done", "output_item.done"]
    thoughts, text = ([name.format(kind) for name in item] for kind in ("reasoning_text", "output_text"))
    assert names == ["created", "in_progress", *thoughts, *text, "completed"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == "word1 word2"
    assert final.output_text == "word1 word2"
    assert [each.type for each in final.output] == ["reasoning", "message"]


async def test_an_answer_cut_off_is_incomplete(client):
    response = await client.responses.create(model=MODEL, input="9 words", max_output_tokens=2)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.output_text == "word1 word2"


async def test_a_function_is_called_and_its_output_answered(client):
    first = await client.responses.create(model=MODEL, input="use a tool", tools=[TOOL])
    (call,) = first.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "look_up", {"query": "use a tool"})
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "42"}
    second = await client.responses.create(model=MODEL, input=[output], previous_response_id=first.id, tools=[TOOL])
    assert second.output_text == "You said: use a tool"


async def test_an_mcp_server_is_asked(client, smol):
    server = {"type": "mcp", "server_label": "web", "server_url": "http://127.0.0.1:9", "headers": {"X-Key": "x"}}
    found = await client.responses.create(model=MODEL, input="use a tool", tools=[server])
    call, message = found.output
    assert (call.type, call.server_label, call.error) == ("mcp_call", "web", None)
    assert json.loads(call.output)[0]["text"] == "scripted result (X-Key)"
    assert message.content[0].text == "You said: use a tool"
    again = await client.responses.create(model=MODEL, input="what did I say", previous_response_id=found.id)
    assert again.output_text == "You first said: use a tool"
    async with client.responses.stream(model=MODEL, input="a bad tool", tools=[server]) as stream:
        kinds = [event.type async for event in stream]
        failed = (await stream.get_final_response()).output[0]
    assert "response.mcp_call.failed" in kinds
    assert failed.error.message == "Cannot find tool with name lookup."
    with pytest.raises(openai.InternalServerError, match="connects to no MCP server"):
        await smol.responses.create(model=SMOL, input="use a tool", tools=[server])


async def test_a_format_and_parts_of_content(client):
    format = {"type": "json_schema", "name": "x", "schema": {"type": "object", "properties": {"a": {"type": "array"}}}}
    parts = [
        {"role": "user", "content": [{"type": "input_text", "text": "one"}, {"type": "input_text", "text": "two"}]}
    ]
    response = await client.responses.create(model=MODEL, input=parts, text={"format": format})
    assert json.loads(response.output_text) == {"a": ["one\ntwo"]}


async def test_a_fault_in_the_stream_is_an_error(client, api):
    await api.faults("mid_stream_error")
    stream = await client.responses.create(model=MODEL, input="9 words", stream=True)
    async with stream:
        with pytest.raises(openai.APIError, match="The model has crashed"):
            async for _ in stream:
                pass


@pytest.mark.parametrize("input", ["", [], [{"type": "riddle"}], [{"role": "user", "content": [{"type": "smell"}]}]])
async def test_input_of_an_unknown_kind_is_refused(api, input):
    response = await api.post("/v1/responses", json={"model": MODEL, "input": input})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "input")


async def test_llama_keeps_the_conversation_too(smol, llama_lms):
    async with llama_lms.log("-s", "model") as model_event:
        first = await smol.responses.create(model=SMOL, input="My name is Ada.", max_output_tokens=4)
        await model_event()
        await model_event()
        second = await smol.responses.create(
            model=SMOL, input="Go on.", previous_response_id=first.id, max_output_tokens=4, instructions="Be brief."
        )
        prompt = (await model_event())["input"]
        told = await model_event()
    assert first.status == "incomplete"
    assert (second.previous_response_id, second.model) == (first.id, SMOL)
    assert second.usage.input_tokens > first.usage.input_tokens
    turns = ["Be brief.", "My name is Ada.", first.output_text, "Go on."]
    places = [prompt.index(turn) for turn in turns]
    assert places == sorted(places)
    assert told["output"] == second.output_text
    assert told["stats"]["predictedTokensCount"] == second.usage.output_tokens


async def test_llamas_stream_is_complete_for_the_clients_helper(smol):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    async with smol.responses.stream(
        model=SMOL,
        input="A number, please.",
        temperature=0,
        max_output_tokens=60,
        text={"format": {"type": "json_schema", "name": "x", "schema": schema}},
    ) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert isinstance(json.loads(final.output_text)["n"], int)
    assert final.usage.output_tokens > 1
