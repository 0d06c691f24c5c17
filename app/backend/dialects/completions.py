"""OpenAI's older `POST /v1/completions`: text that goes on, without turns and templates. Its answer is read as that of
a chat completion is."""

from lmdeck.backend.dialects.common import Fields, Reveal
from lmdeck.model.chat import ChatRequest
from lmdeck.model.parameters import wire


def body(request: ChatRequest, reveal: Reveal) -> Fields:
    """The request, streamed with its token counts. A system prompt, for which there is no place, opens the text."""
    prompt = "\n\n".join(filter(None, (request.system_prompt, request.input)))
    streamed: Fields = {"stream": True, "stream_options": {"include_usage": True}}
    return {"model": request.model, "prompt": prompt} | streamed | wire(request.parameters, request.endpoint)
