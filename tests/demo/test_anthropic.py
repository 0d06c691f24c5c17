"""`/v1/messages`, asked by Anthropic's own client: scripted answers, and SmolLM2's."""

from collections.abc import AsyncIterator

import anthropic
import pytest

from lmdeck.demo.launch import DemoEndpoint

MODEL, THINKER, SMOL = "ha-expert", "zai-org/glm-4.7-flash", "smollm2-135m-instruct"
TOOL = {"name": "look_up", "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}}}


def client_of(endpoint: DemoEndpoint, **token: str) -> anthropic.AsyncAnthropic:
    """Anthropic's client: `api_key` goes as x-api-key, `auth_token` as a bearer's."""
    given = token or {"api_key": endpoint.token}
    return anthropic.AsyncAnthropic(base_url=endpoint.url, max_retries=0, timeout=60, **given)


@pytest.fixture
async def client(scripted_server: DemoEndpoint) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with client_of(scripted_server) as client:
        yield client


@pytest.fixture
async def smol(llama_server: DemoEndpoint) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with client_of(llama_server) as client:
        yield client


def ask(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


async def test_a_whole_message(client, lms):
    async with lms.log("-s", "model") as model_event:
        message = await client.messages.create(model=MODEL, messages=ask("hi"), system="Be kind.", max_tokens=50)
        prompt = (await model_event())["input"]
    assert (message.role, message.model, message.stop_reason) == ("assistant", MODEL, "end_turn")
    assert [block.text for block in message.content] == ["You said: hi"]
    assert message.usage.output_tokens == 3
    assert prompt.startswith("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nhi<|im_end|>")


async def test_a_stream_has_every_event_in_order(client):
    async with client.messages.stream(model=THINKER, messages=ask("2 words"), max_tokens=50) as stream:
        raw = [event.type async for event in stream if event.type not in ("thinking", "text")]
        final = await stream.get_final_message()
    assert raw == [
        "message_start",
        *("content_block_start", *["content_block_delta"] * 8, "content_block_stop"),
        *("content_block_start", *["content_block_delta"] * 2, "content_block_stop"),
        "message_delta",
        "message_stop",
    ]
    thought, text = final.content
    assert (thought.type, text.type, text.text) == ("thinking", "text", "word1 word2")
    assert thought.thinking.startswith("The user wrote 7 characters.")
    assert final.usage.output_tokens == 10


async def test_bounds_and_thinking_turned_off(client):
    cut = await client.messages.create(model=MODEL, messages=ask("9 words"), max_tokens=2)
    assert (cut.content[0].text, cut.stop_reason) == ("word1 word2", "max_tokens")
    stopped = await client.messages.create(
        model=THINKER,
        messages=ask("9 words"),
        max_tokens=50,
        stop_sequences=[" word3"],
        thinking={"type": "disabled"},
    )
    assert [block.type for block in stopped.content] == ["text"]
    assert (stopped.content[0].text, stopped.stop_reason) == ("word1 word2", "stop_sequence")


async def test_a_tool_is_used_and_its_result_answered(client):
    messages = ask("use the tool")
    first = await client.messages.create(model=MODEL, messages=messages, tools=[TOOL], max_tokens=50)
    (use,) = first.content
    assert (first.stop_reason, use.type, use.name) == ("tool_use", "tool_use", "look_up")
    assert use.input == {"query": "use the tool"}
    result = {"type": "tool_result", "tool_use_id": use.id, "content": [{"type": "text", "text": "42"}]}
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = await client.messages.create(model=MODEL, messages=messages, tools=[TOOL], max_tokens=50)
    assert second.content[0].text == "You said: use the tool"


async def test_an_image_goes_to_a_model_that_sees(client):
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "see"}]
    said = [{"role": "user", "content": content}]
    message = await client.messages.create(model="mistralai/devstral-small-2-2512", messages=said, max_tokens=50)
    assert message.content[0].text == "You said: [image_url] see"
    with pytest.raises(anthropic.BadRequestError, match="does not support image inputs"):
        await client.messages.create(model=MODEL, messages=said, max_tokens=50)


async def test_both_headers_carry_the_token(scripted_server):
    async with client_of(scripted_server, auth_token=scripted_server.token) as bearer:
        assert (await bearer.messages.create(model=MODEL, messages=ask("hi"), max_tokens=9)).content
    for wrong in ({"auth_token": "sk-lm-wrong:token"}, {"api_key": "sk-lm-wrong:token"}):
        async with client_of(scripted_server, **wrong) as stranger:
            with pytest.raises(anthropic.AuthenticationError) as refused:
                await stranger.messages.create(model=MODEL, messages=ask("hi"), max_tokens=9)
        assert refused.value.body["error"]["type"] == "authentication_error"


async def test_refusals_have_the_clients_own_exceptions(client, api):
    with pytest.raises(anthropic.NotFoundError) as missing:
        await client.messages.create(model="nope", messages=ask("hi"), max_tokens=9)
    assert missing.value.body == {
        "type": "error",
        "error": {"type": "not_found_error", "message": "Model nope not found in downloaded models"},
    }
    with pytest.raises(anthropic.BadRequestError, match="'messages' is required"):
        await client.messages.create(model=MODEL, messages=[], max_tokens=9)
    await api.faults("mid_stream_error")
    with pytest.raises(anthropic.APIError, match="The model has crashed"):
        async with client.messages.stream(model=MODEL, messages=ask("9 words"), max_tokens=50) as stream:
            await stream.until_done()


async def test_llama_answers_whole_and_streamed(smol, llama_lms):
    question = ask("What is the capital of France?")
    async with llama_lms.log("-s", "model") as model_event:
        whole = await smol.messages.create(model=SMOL, messages=question, system="Be brief.", max_tokens=6)
        said, told = await model_event(), await model_event()
        async with smol.messages.stream(model=SMOL, messages=question, max_tokens=6) as stream:
            pieces = [text async for text in stream.text_stream]
            final = await stream.get_final_message()
    assert said["input"].startswith("<|im_start|>system\nBe brief.<|im_end|>")
    assert whole.model == final.model == SMOL
    assert told["output"] == whole.content[0].text != ""
    assert told["stats"]["predictedTokensCount"] == whole.usage.output_tokens <= 6
    assert told["stats"]["timeToFirstTokenSec"] < told["stats"]["totalTimeSec"]
    assert len(pieces) > 1
    assert "".join(pieces) == final.content[0].text
    assert final.stop_reason in ("max_tokens", "end_turn")
