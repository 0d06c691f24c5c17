"""What in a sound configuration file works, but hardly as meant."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from lmdeck.config.configfile import ConfigFile
from lmdeck.config.schema import PROFILES, SECRETS, SERVERS
from lmdeck.model.server import exposure


def remarks(file: ConfigFile, environ: Mapping[str, str]) -> Iterator[str]:
    """A sentence each, with the line. Looks at the disk."""
    names = (None, *file.tables(SERVERS), *file.tables(PROFILES))
    found = (words for name in names for words in _of_server(file, name, environ))
    yield from dict.fromkeys(found)  # a profile tells again what it has from the top


def _of_server(file: ConfigFile, name: str | None, environ: Mapping[str, str]) -> Iterator[str]:
    chosen = file.chosen(name)
    values = {key: file.value(place) for key, place in chosen.items()}
    has_token = any(key in values for key in SECRETS) or (name is None and bool(environ.get("LM_API_TOKEN")))
    if "url" in values and (problem := exposure(str(values["url"]), has_token)):
        yield f"{file.where(chosen['url'])}: {problem.sentence}. {problem.next_step}"
    if "token" in values:
        yield f"{file.where(chosen['token'])}: the token stands in the file: token_command or token_keyring is better."
    for key in ("ca_file", "lms"):
        written = os.path.expanduser(str(values.get(key, "")))
        if written and not Path(written).exists() and not shutil.which(written):
            yield f"{file.where(chosen[key])}: {key} {written} is not there."
