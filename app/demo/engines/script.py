"""What the scripted engine says: deterministic text from the prompt alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from lmdeck.demo.engines.base import EngineError, GenerateRequest, ToolUse
from lmdeck.demo.fields import Json

MARKDOWN = """# A heading

Some **bold** text, some *italics*, and `inline code`.

- first item
- second item with a [link](https://example.org)

| model | speed |
| --- | --- |
| one | 41.3 tok/s |

```python
def answer() -> int:
    return 42
```

> The end."""


def tokens(text: str) -> list[str]:
    """Pieces that join to `text`: words with the white space before them."""
    return re.findall(r"\s*\S+|\s+$", text)


def content(message: Json) -> str:
    """A message's text; parts other than text count as `[type]`."""
    value = message.get("content")
    if isinstance(value, list):
        parts = (part if isinstance(part, dict) else {} for part in value)
        return " ".join(str(part.get("text", f"[{part.get('type')}]")) for part in parts)
    return value if isinstance(value, str) else ""


def format_prompt(request: GenerateRequest) -> str:
    """The prompt in ChatML, the template most of the catalogue's models have."""
    if request.prompt is not None:
        return request.prompt
    turns = (f"<|im_start|>{m.get('role', 'user')}\n{content(m)}<|im_end|>\n" for m in request.messages)
    return "".join(turns) + "<|im_start|>assistant\n"


def without_middle(request: GenerateRequest, count: int) -> GenerateRequest:
    """The request without `count` tokens from the middle of what was said last."""

    def cut(text: str) -> str:
        words = tokens(text)
        start = max(0, (len(words) - count) // 2)
        return "".join([*words[:start], *words[start + count :]])

    if request.prompt is not None:
        return replace(request, prompt=cut(request.prompt))
    *before, last = request.messages or ({},)
    return replace(request, messages=(*before, {**last, "content": cut(content(last))}))


def question(request: GenerateRequest) -> str:
    """What was asked last."""
    if request.prompt is not None:
        return request.prompt
    return next((content(m) for m in reversed(request.messages) if m.get("role") == "user"), "")


def answer(request: GenerateRequest) -> str:
    """The answer. `markdown` in the question gives a sample of everything, `count to N` and `N words` a text of a
    known length, `what is the secret code` the one that the question tells (`the secret code is …`), `what did I say`
    the first question of the conversation; anything else is echoed."""
    asked = question(request)
    if "markdown" in asked.lower():
        return MARKDOWN
    if match := re.search(r"count to (\d{1,5})", asked, re.IGNORECASE):
        return " ".join(str(n) for n in range(1, int(match[1]) + 1))
    if match := re.search(r"(\d{1,5}) words", asked):
        return " ".join(f"word{n}" for n in range(1, int(match[1]) + 1))
    if "what is the secret code" in asked.lower():
        told = re.search(r"secret code is ([\w-]+)\.", asked)
        return told[1] if told else "I was told no secret code."
    if "what did i say" in asked.lower():
        users = [content(m) for m in request.messages if m.get("role") == "user"]
        return f"You first said: {users[0]}"
    return f"You said: {asked}"


def cut(text: str, stops: object) -> tuple[str, bool]:
    """`text` up to the first of the stop strings, and whether there is one in it."""
    places = [text.find(stop) for stop in stops if isinstance(stop, str)] if isinstance(stops, list) else []
    found = [place for place in places if place >= 0]
    return (text[: min(found)], True) if found else (text, False)


def thought(request: GenerateRequest) -> str:
    """The reasoning before the answer."""
    return f"The user wrote {len(question(request))} characters. I will answer."


def tool_use(request: GenerateRequest) -> ToolUse | None:
    """A call of the first integration's first tool, if the question has the word `tool`. A `bad tool` is not there, a
    `wrong tool` gets arguments it does not take, and a `lost tool`'s server is out of reach (EngineError). What worked
    tells the names of the headers that it was asked with."""
    asked = question(request)
    if not request.integrations or "tool" not in asked.lower():
        return None
    first = request.integrations[0]
    plugin = first if isinstance(first, dict) else {"type": "plugin", "id": first}
    allowed = plugin.get("allowed_tools")
    tool = str(allowed[0]) if isinstance(allowed, list) and allowed else "lookup"
    if plugin.get("type") == "ephemeral_mcp":
        provider: Json = {"type": "ephemeral_mcp", "server_label": plugin.get("server_label")}
    else:
        provider = {"type": "plugin", "plugin_id": plugin.get("id")}
    use = ToolUse(tool, {"query": asked}, provider)
    if "bad tool" in asked.lower():
        return replace(use, failure=f"Cannot find tool with name {tool}.")
    if "wrong tool" in asked.lower():
        return replace(use, failure=f"Arguments of {tool} do not match its schema.", invalid="arguments")
    if "lost tool" in asked.lower():
        raise EngineError(f"Cannot connect to {plugin.get('server_label') or plugin.get('id')}.", _lost(plugin))
    headers = plugin.get("headers")
    told = f" ({', '.join(headers)})" if isinstance(headers, dict) and headers else ""
    return replace(use, output=json.dumps([{"type": "text", "text": f"scripted result{told}"}]))


def _lost(integration: Json) -> str:
    return "mcp_connection_error" if integration.get("type") == "ephemeral_mcp" else "plugin_connection_error"
