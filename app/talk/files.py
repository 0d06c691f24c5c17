"""Everything of the chat that touches the disk: attachments, paths, exports, imports."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from lmdeck.config.paths import exports_dir
from lmdeck.conversations.attach import AttachFailed, complete_path, read_attachment, split_references
from lmdeck.conversations.export import ImportFailed, as_json, as_markdown, from_json, title_for
from lmdeck.model.conversation import Attachment, Conversation
from lmdeck.model.problem import Problem
from lmdeck.talk.thread import Thread

MOST_IMPORTED: Final = 256 * 2**20


class Files:
    """Every method ends with a notice where something could not be done."""

    def __init__(self, thread: Thread) -> None:
        self._thread, self._desk = thread, thread.desk

    async def attach(self, written: str, *, images: bool) -> None:
        """A file, by its path as it was written, goes with the next turn."""
        try:
            found = await asyncio.to_thread(_attached, written, images)
        except AttachFailed as error:
            self._desk.notices.problem("Not attached", Problem(str(error)))
        else:
            self._thread.attach((*self._thread.attachments, found))

    async def referenced(self, text: str, *, images: bool) -> tuple[Attachment, ...]:
        """The files that a prompt names with `@`; where no file of that name is, it is an ordinary word. Raises
        AttachFailed."""
        return await asyncio.to_thread(_referenced, text, images)

    async def offer_paths(self, prefix: str) -> None:
        """The paths that begin so, for the editor."""
        self._thread.pane.offer_paths(prefix, await asyncio.to_thread(complete_path, prefix))

    async def export(self, conversation: Conversation, written: str) -> None:
        """Write the conversation to a new file: all of it as JSON where the name ends so, else its path as Markdown."""
        form = as_json if written.lower().endswith(".json") else as_markdown
        await self._write({Path(written): form(conversation)})

    async def export_both(self, conversation: Conversation) -> None:
        """Write it in both forms where exports go."""
        folder = exports_dir()
        stem = f"lmdeck-chat-{time.strftime('%Y%m%d-%H%M%S')}"
        await self._write(
            {folder / f"{stem}.md": as_markdown(conversation), folder / f"{stem}.json": as_json(conversation)}
        )

    async def _write(self, texts: dict[Path, str]) -> None:
        try:
            await asyncio.to_thread(_written, texts)
        except OSError as error:
            self._desk.notices.problem("Export", Problem("not written", str(error)))
        else:
            self._desk.notices.tell("\n".join(map(str, texts)), title="Written", timeout=10)

    async def read(self, written: str) -> Conversation | None:
        """An exported conversation under an id of its own; None with a notice where it is none."""
        try:
            text = await asyncio.to_thread(_text_of, written)
            found = await asyncio.to_thread(from_json, text)
        except (OSError, UnicodeError, ImportFailed) as error:
            self._desk.notices.problem("Import", Problem("not read", str(error)))
            return None
        title = found.title or title_for(found.turns[0].text if found.turns else "")
        return replace(found, id=uuid4().hex, title=title)


def _attached(written: str, images: bool) -> Attachment:
    return read_attachment(Path(written).expanduser(), images=images)


def _referenced(text: str, images: bool) -> tuple[Attachment, ...]:
    paths = dict.fromkeys(Path(each.path).expanduser() for each in split_references(text))
    return tuple(read_attachment(path, images=images) for path in paths if path.is_file())


def _written(texts: dict[Path, str]) -> None:
    """New files that only the user may read; one that exists is never written over."""
    for path, text in ((path.expanduser(), text) for path, text in texts.items()):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


def _text_of(written: str) -> str:
    path = Path(written).expanduser()
    with path.open("rb") as file:
        raw = file.read(MOST_IMPORTED + 1)
    if len(raw) > MOST_IMPORTED:
        raise ImportFailed(f"{path.name} is larger than {MOST_IMPORTED >> 20} MiB")
    return raw.decode("utf-8")
