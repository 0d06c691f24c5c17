"""The tables of conversations in `history.db`: kept turn by turn, found by their words, dropped."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from lmdeck.backend.decode import count, fields, parse, text
from lmdeck.conversations import coding
from lmdeck.model.conversation import Attachment, Conversation, ConversationSummary, Turn
from lmdeck.store.rows import Cell, Row, cell
from lmdeck.store.sql import figure, told, transaction
from lmdeck.store.turn_words import TurnWords
from lmdeck.store.words import terms

KEPT_CONVERSATIONS = 2000
"""So many that are not pinned."""
MAX_ROWS = 10_000
MAX_TEXT = 2**22
"""Characters of a turn's text, and of its reasoning."""
MAX_TOOLS = 2**23
"""Characters of all tool calls of a turn."""
MAX_FILES = 2**26
"""Characters of a turn's files: further ones are not kept."""

_SHORT = 1000
_INDEX = 3  # a text lies in the table, in the index, and the index's words beside it
_KEEP = (
    "INSERT INTO conversations VALUES (:id, :created, :changed, :pinned, :title, :model, :leaf, :settings) "
    "ON CONFLICT DO UPDATE SET created = excluded.created, changed = max(changed, excluded.changed), "
    "pinned = excluded.pinned, title = excluded.title, model = excluded.model, leaf = excluded.leaf, "
    "settings = excluded.settings"
)
_BEGIN = "INSERT OR IGNORE INTO conversations VALUES (?, ?, ?, 0, '', '', NULL, '{}')"
_GROW = "UPDATE conversations SET leaf = ?, changed = max(changed, ?) WHERE id = ?"
_NUMBER = "SELECT number FROM turns WHERE conversation = ? AND id = ?"
_ADD = "INSERT INTO turns (conversation, id, size, text, record) VALUES (?, ?, ?, ?, ?)"
_REPLACE = "UPDATE turns SET size = ?, text = ?, record = ? WHERE number = ?"
_LIST = (
    "SELECT *, (SELECT count(*) FROM turns WHERE conversation = conversations.id) AS turns FROM conversations {where} "
    "ORDER BY pinned DESC, changed DESC, id LIMIT ?"
)
_FILES = (
    "SELECT turn, turn_files.record, content FROM turn_files JOIN turns ON turns.number = turn_files.turn "
    "WHERE conversation = ? ORDER BY turn, position"
)
_UNPINNED = (
    "SELECT id, (SELECT sum(size) FROM turns WHERE conversation = conversations.id) AS size FROM conversations "
    "WHERE NOT pinned ORDER BY changed DESC, id LIMIT -1 OFFSET ?"
)
_SIZE = "SELECT coalesce(sum(size), 0) FROM turns"
_COLUMNS = ("id", "created", "changed", "pinned", "title", "model", "leaf")


class Conversations:
    """Conversations in an open database. Everything blocks, and raises StoreError."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path
        with told(path):
            self._words = TurnWords(db)

    def found(self, query: str, limit: int) -> tuple[ConversationSummary, ...]:
        """Those with every word of `query` in the title or in what was said; pinned ones first, then newest first."""
        wanted = terms(query)
        conditions = [self._words.condition(term) for term in wanted]
        where = f"WHERE {' AND '.join(condition for condition, _ in conditions)}" if wanted else ""
        given = [value for _, values in conditions for value in values]
        with told(self._path):
            self._words.prepare()
            listed = self._rows(_LIST.format(where=where), *given, max(0, min(limit, MAX_ROWS)))
            places = self._words.places(wanted) if wanted and listed else {}
            return tuple(self._summary(row, places.get(str(row["id"])), wanted) for row in listed)

    def whole(self, id: str) -> Conversation | None:
        """One conversation with all its turns and files."""
        key = cell(id, _SHORT)
        with told(self._path):
            heads = self._rows("SELECT * FROM conversations WHERE id = ?", key)
            rows = self._rows("SELECT number, text, record FROM turns WHERE conversation = ? ORDER BY number", key)
            files = self._attachments(key)
        if not heads:
            return None
        head = {name: heads[0][name] for name in _COLUMNS}
        turns = (
            coding.turn_of(_decoded(row["record"]) | {"text": row["text"]}, tuple(files.get(row["number"], ())))
            for row in rows
        )
        said = _decoded(heads[0]["settings"]) | head | {"pinned": head["pinned"] == 1}
        return coding.conversation_of(said, tuple(turn for turn in turns if turn is not None))

    def keep(self, conversation: Conversation) -> None:
        """Keep everything but the turns."""
        with told(self._path), transaction(self._db):
            self._keep(conversation)

    def keep_turn(self, conversation: str, turn: Turn) -> None:
        """Keep a turn, in place of the one of its id; a new one is the end of the path."""
        with told(self._path), transaction(self._db):
            self._keep_turn(conversation, turn)

    def add(self, conversation: Conversation) -> None:
        """Keep a conversation with all its turns, or nothing of it."""
        with told(self._path), transaction(self._db):
            for turn in conversation.turns:
                self._keep_turn(conversation.id, turn)
            self._keep(conversation)

    def drop(self, id: str) -> None:
        """Forget a conversation, if there is one, with its draft and its prompts."""
        key = cell(id, _SHORT)
        with told(self._path), transaction(self._db):
            for (number,) in self._db.execute("SELECT number FROM turns WHERE conversation = ?", (key,)).fetchall():
                self._db.execute("DELETE FROM turn_files WHERE turn = ?", (number,))
                self._words.changed(number)
            said = "SELECT text FROM turns WHERE conversation = ?"
            self._db.execute(f"DELETE FROM prompts WHERE text IN ({said})", (key,))
            self._db.execute("DELETE FROM drafts WHERE key = ?", (key,))
            self._db.execute("DELETE FROM turns WHERE conversation = ?", (key,))
            self._db.execute("DELETE FROM conversations WHERE id = ?", (key,))
            self._words.catch_up()

    def size(self) -> int:
        """Bytes that all of them take, about: their texts lie in the index once more."""
        with told(self._path):
            return figure(self._db, _SIZE)

    def prune(self, megabytes: float) -> Iterator[None]:
        """Drop the oldest beyond `KEPT_CONVERSATIONS`, then beyond `megabytes` (10⁶ bytes), never a pinned one; between
        the pieces of this work others may write."""
        with told(self._path):
            for row in self._rows(_UNPINNED, KEPT_CONVERSATIONS):
                self.drop(str(row["id"]))
                yield
            surplus = self.size() - megabytes * 1_000_000
            for row in reversed(self._rows(_UNPINNED, 0)):
                if surplus <= 0:
                    break
                surplus -= count(row["size"]) or 0
                self.drop(str(row["id"]))
                yield
            self._words.prepare()
            yield from self._words.merge()

    def _keep(self, conversation: Conversation) -> None:
        said = coding.conversation_record(conversation)
        said["system_prompt"] = conversation.system_prompt[:MAX_TEXT]
        settings = {name: value for name, value in said.items() if name not in _COLUMNS}
        values = {
            "id": cell(conversation.id, _SHORT),
            "created": coding.moment(conversation.created),
            "changed": coding.moment(conversation.changed),
            "pinned": int(conversation.pinned),
            "title": cell(conversation.title, _SHORT),
            "model": cell(conversation.model, _SHORT),
            "leaf": cell(conversation.leaf, _SHORT),
            "settings": coding.dumped(settings),
        }
        self._db.execute(_KEEP, values)

    def _keep_turn(self, conversation: str, turn: Turn) -> None:
        """The row, its files, and what others know of it. Changed every few seconds while an answer grows."""
        key, at = cell(conversation, _SHORT), coding.moment(turn.at)
        id, words, files = cell(turn.id, _SHORT), cell(turn.text, MAX_TEXT), tuple(_files(turn))
        record = coding.dumped(coding.turn_record(replace(_bounded(turn), text="")))
        size = _INDEX * len(turn.text) + len(record) + sum(len(each.content) for each in files)
        self._db.execute(_BEGIN, (key, at, at))
        known = self._db.execute(_NUMBER, (key, id)).fetchone()
        if known is None:
            self._words.catch_up()  # what came before it is whole
            number = self._db.execute(_ADD, (key, id, size, words, record)).lastrowid or 0
            self._db.execute(_GROW, (id, at, key))
        else:
            number = int(known[0])
            self._db.execute(_REPLACE, (size, words, record, number))
            self._db.execute("DELETE FROM turn_files WHERE turn = ?", (number,))
        for position, each in enumerate(files):
            said = coding.dumped(coding.attachment_record(replace(each, content="")))
            self._db.execute("INSERT INTO turn_files VALUES (?, ?, ?, ?)", (number, position, said, each.content))
        self._words.changed(number)

    def _summary(self, row: Row, place: int | None, wanted: Sequence[str]) -> ConversationSummary:
        return ConversationSummary(
            id=str(row["id"]),
            title=text(row["title"]) or "",
            changed=coding.moment(row["changed"]),
            model=text(row["model"]) or "",
            turns=count(row["turns"]) or 0,
            pinned=row["pinned"] == 1,
            snippet="" if place is None else self._words.snippet(place, wanted),
        )

    def _attachments(self, conversation: Cell) -> dict[object, list[Attachment]]:
        """The files of a conversation, by their turn's number."""
        found: dict[object, list[Attachment]] = {}
        for row in self._rows(_FILES, conversation):
            attachment = coding.attachment_of(_decoded(row["record"]) | {"content": row["content"]})
            if attachment is not None:
                found.setdefault(row["turn"], []).append(attachment)
        return found

    def _rows(self, query: str, *values: Cell) -> list[Row]:
        with closing(self._db.execute(query, values)) as cursor:
            return [dict(row) for row in cursor]


def _decoded(raw: object) -> dict[str, object]:
    """The JSON object in a cell; an empty one where there is none."""
    try:
        return fields(parse(raw)) if isinstance(raw, str) else {}
    except ValueError:
        return {}


def _files(turn: Turn) -> Iterator[Attachment]:
    """The files that are kept, whole: a piece of an image is none."""
    room = MAX_FILES
    for each in turn.attachments:
        if (room := room - len(each.content)) < 0:
            break
        yield replace(each, content=each.content.encode("utf-8", "replace").decode())


def _bounded(turn: Turn) -> Turn:
    """With reasoning and tool calls of a size that can be kept."""
    most = MAX_TOOLS // (2 * max(1, len(turn.tools)))
    tools = (replace(call, arguments=call.arguments[:most], output=call.output[:most]) for call in turn.tools)
    return replace(turn, reasoning=turn.reasoning[:MAX_TEXT], tools=tuple(tools))
