"""What was typed, in `history.db`: drafts, sent prompts, and the chat's presets."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from lmdeck.backend.decode import parse, text
from lmdeck.conversations import coding
from lmdeck.model.conversation import ChatPreset
from lmdeck.store.rows import Row, cell
from lmdeck.store.sql import told, transaction

KEPT_DRAFTS = 200
KEPT_PROMPTS = 1000
MAX_DRAFT = 2**22
MAX_PROMPT = 2**16
MAX_PRESETS = 1000

_SHORT = 1000
_OLD_DRAFTS = "DELETE FROM drafts WHERE key IN (SELECT key FROM drafts ORDER BY at DESC LIMIT -1 OFFSET ?)"
_OLD_PROMPTS = "DELETE FROM prompts WHERE number <= (SELECT number FROM prompts ORDER BY number DESC LIMIT 1 OFFSET ?)"


class Writings:
    """Drafts, prompts and presets in an open database. Everything blocks, and raises StoreError."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

    def drafts(self) -> dict[str, str]:
        """What was typed and not sent, by key."""
        return {str(row["key"]): text(row["text"]) or "" for row in self._rows("SELECT key, text FROM drafts")}

    def keep_draft(self, key: str, draft: str) -> None:
        """Keep a draft; an empty one is forgotten."""
        with told(self._path), transaction(self._db):
            if not draft:
                self._db.execute("DELETE FROM drafts WHERE key = ?", (cell(key, _SHORT),))
                return
            values = (cell(key, _SHORT), time.time(), cell(draft, MAX_DRAFT))
            self._db.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?)", values)
            self._db.execute(_OLD_DRAFTS, (KEPT_DRAFTS,))

    def prompts(self, limit: int) -> tuple[str, ...]:
        """The last prompts, oldest first."""
        found = self._rows("SELECT text FROM prompts ORDER BY number DESC LIMIT ?", max(0, min(limit, KEPT_PROMPTS)))
        return tuple(text(row["text"]) or "" for row in reversed(found))

    def keep_prompt(self, prompt: str) -> None:
        """Keep a prompt as the newest."""
        if not prompt.strip() or len(prompt) > MAX_PROMPT:
            return
        with told(self._path), transaction(self._db):
            self._db.execute("DELETE FROM prompts WHERE text = ?", (cell(prompt, MAX_PROMPT),))
            self._db.execute("INSERT INTO prompts (text) VALUES (?)", (cell(prompt, MAX_PROMPT),))
            self._db.execute(_OLD_PROMPTS, (KEPT_PROMPTS,))

    def presets(self) -> tuple[ChatPreset, ...]:
        """All presets, by kind and name."""
        rows = self._rows(f"SELECT * FROM chat_presets ORDER BY kind, name LIMIT {MAX_PRESETS}")
        return tuple(preset for row in rows if (preset := _preset(row)) is not None)

    def keep_preset(self, preset: ChatPreset) -> None:
        """Keep a preset, in place of one of the same kind and name."""
        values = (
            preset.kind,
            cell(preset.name, _SHORT),
            coding.dumped(dict(preset.parameters)),
            cell(preset.system_prompt, MAX_DRAFT),
        )
        with told(self._path):
            self._db.execute("INSERT OR REPLACE INTO chat_presets VALUES (?, ?, ?, ?)", values)

    def drop_preset(self, kind: str, name: str) -> None:
        """Forget a preset, if there is one."""
        with told(self._path):
            self._db.execute(
                "DELETE FROM chat_presets WHERE kind = ? AND name = ?", (cell(kind, _SHORT), cell(name, _SHORT))
            )

    def _rows(self, query: str, *values: int) -> list[Row]:
        with told(self._path), closing(self._db.execute(query, values)) as cursor:
            return [dict(row) for row in cursor]


def _preset(row: Row) -> ChatPreset | None:
    """The preset in a row; None for one of no known kind."""
    try:
        parameters = coding.parameters_of(parse(text(row["parameters"]) or ""))
    except ValueError:
        parameters = {}
    name = text(row["name"]) or ""
    match row["kind"]:
        case "parameters":
            return ChatPreset("parameters", name, parameters=parameters)
        case "system prompt":
            return ChatPreset("system prompt", name, system_prompt=text(row["system_prompt"]) or "")
    return None
