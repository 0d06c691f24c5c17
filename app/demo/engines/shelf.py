"""A models folder as LM Studio has one: the file stays where it is and is found there as `publisher/name/file.gguf`."""

from __future__ import annotations

import os
from pathlib import Path

from lmdeck.estimate.gguf import shards


def shelve(file: Path, folder: Path, path: str) -> tuple[Path, str]:
    """Make `file` (of a split model: all of them) reachable as `folder / path`. Answers the models folder and the path
    in it: where the system allows no links at all, the file's own folder and its name."""
    place = (folder / path).parent
    place.mkdir(parents=True, exist_ok=True)
    try:
        for part in shards(file):
            _link(part.resolve(), place / part.name)
    except OSError:
        return file.parent.resolve(), file.name
    return folder, path


def _link(file: Path, link: Path) -> None:
    """A symbolic link, or (Windows without the right to make one) a hard link. Raises OSError."""
    try:
        link.symlink_to(file)
    except OSError:
        os.link(file, link)
