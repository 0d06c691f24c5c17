"""Conversations of every shape, by a seed: what a property holds for."""

import base64
import random

from lmdeck.model.chat import ChatStats, ToolCall, Value
from lmdeck.model.conversation import Attachment, Conversation, Keeping, Turn
from lmdeck.model.endpoints import ENDPOINTS

WORDS = (
    "", "a", "Öl", "\x1b[31m", "```", "```py\nx\n", "~~~", "\ud800", "\0",
    "日本語", "e\u0301", "'; DROP TABLE turns;--", "<b>", "\u202e", "[x](y)", "\r\n",
    "\t", "# head", '"', "\\", "\u2028",
)  # fmt: skip
KEEPINGS: tuple[Keeping, ...] = ("kept", "not on server", "nowhere")


def any_text(dice: random.Random, most: int = 8) -> str:
    """Some words that are hard to keep, or none."""
    return " ".join(dice.choice(WORDS) for _ in range(dice.randrange(most)))


def any_conversation(seed: int, *, turns: int | None = None) -> Conversation:
    """A tree of up to 30 turns, with everything that a turn can hold."""
    dice = random.Random(seed)
    count = dice.randrange(30) if turns is None else turns
    made: list[Turn] = []
    for number in range(count):
        parent = dice.choice([None, *(turn.id for turn in made), *(turn.id for turn in made[-2:] * 3)])
        if dice.random() < 0.05:
            parent = "nobody"
        made.append(any_turn(dice, f"t{number}", parent))
    return Conversation(
        id=f"c{seed}",
        created=dice.random() * 2e9,
        changed=max([turn.at for turn in made], default=0.0),
        title=any_text(dice),
        pinned=dice.random() < 0.3,
        turns=tuple(made),
        leaf=dice.choice([None, *(turn.id for turn in made)]),
        model=dice.choice(["", "qwen/qwen3", "qwen/qwen3:2"]),
        endpoint=dice.choice(ENDPOINTS).path,
        system_prompt=any_text(dice),
        parameters={f"p{n}": any_value(dice) for n in range(dice.randrange(4))},
        integrations=tuple(any_text(dice) for _ in range(dice.randrange(3))),
        keeping=dice.choice(KEEPINGS),
    )


def any_turn(dice: random.Random, id: str, parent: str | None) -> Turn:
    """A turn of either side; an answer has what only answers have."""
    if dice.random() < 0.5:
        files = tuple(any_attachment(dice) for _ in range(dice.choice((0, 0, 0, 1, 2))))
        return Turn(id, parent, "user", any_text(dice), dice.random() * 2e9, attachments=files)
    return Turn(
        id,
        parent,
        "assistant",
        any_text(dice, 30),
        dice.random() * 2e9,
        reasoning=any_text(dice),
        tools=tuple(any_call(dice) for _ in range(dice.choice((0, 0, 1, 3)))),
        instance_id=dice.choice(("", "qwen/qwen3", "qwen/qwen3:2")),
        endpoint=dice.choice(ENDPOINTS).path,
        server=dice.choice(("", "http://here:1", "http://there:1")),
        response_id=dice.choice((None, f"resp_{id}")),
        stats=dice.choice((None, ChatStats(), ChatStats(1, 2, 3, 41.3, 0.25, 0.0, True), ChatStats(output_tokens=0))),
        cut_off=dice.choice(("", "stopped by you")),
    )


def any_call(dice: random.Random) -> ToolCall:
    """A tool call in any state."""
    state = dice.choice(("called", "arguments", "success", "failure"))
    return ToolCall("search", state, any_text(dice), any_text(dice), dice.choice(("", "mcp/x")), any_text(dice))


def any_attachment(dice: random.Random) -> Attachment:
    """A text or an image, with its true size."""
    if dice.random() < 0.5:
        text = any_text(dice).replace("\ud800", "")
        return Attachment("text", any_text(dice), "text/plain", text, len(text.encode()))
    raw = dice.randbytes(dice.randrange(1, 40))
    media_type = dice.choice(("image/png", "image/jpeg", "image/webp"))
    return Attachment("image", "x.png", media_type, base64.b64encode(raw).decode(), len(raw))


def any_value(dice: random.Random, depth: int = 0) -> Value:
    """Anything that JSON has."""
    if depth < 3 and dice.random() < 0.3:
        return [any_value(dice, depth + 1) for _ in range(dice.randrange(3))]
    if depth < 3 and dice.random() < 0.3:
        return {any_text(dice): any_value(dice, depth + 1) for _ in range(dice.randrange(3))}
    return dice.choice((True, False, 0, -7, 2**70, 0.0, -1.5, 1e300, "", "x", "\ud800"))
