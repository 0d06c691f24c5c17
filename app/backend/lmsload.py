"""What `lms load` and `lms load --estimate-only` say, which is words for people: read tolerantly."""

import re

from lmdeck.backend.lmsoutput import plain
from lmdeck.model.outlook import LmsFigure

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)"
_FIGURE = rf"estimated\s+{{}}\s+memory\s*:\s*{_NUMBER}\s*([kmgt]i?b|b)\b"
_GPU, _TOTAL = (re.compile(_FIGURE.replace("{}", what), re.IGNORECASE) for what in ("gpu", "total"))
_LOW = re.compile(r"confidence\s*:\s*low\b", re.IGNORECASE)
_VERDICT = re.compile(r"this\s+model\s+(may\s+be\s+loaded|will\s+fail\s+to\s+load)", re.IGNORECASE)
_IDENTIFIER = re.compile(r'use\s+the\s+identifier\s+"([^"\n]+)"', re.IGNORECASE)
_TOOK = re.compile(r"loaded\s+successfully\b.*?\bin\s+(?:(\d+)m\s*)?(\d+(?:\.\d+)?)s", re.IGNORECASE)
_NOT_THE_LOAD = re.compile(
    r"connect|econn|websocket|not running|unknown (option|command|argument)|unrecognized|usage:|authenticat"
    r"|unauthorized|api token|token provided|invalid (option|argument|value)|permission denied",
    re.IGNORECASE,
)


def figure(said: str) -> LmsFigure | None:
    """The estimate in what `--estimate-only` printed; None if there is none in it."""
    said = plain(said)
    verdict = _VERDICT.search(said)
    found = LmsFigure(
        _bytes(_GPU.search(said)),
        _bytes(_TOTAL.search(said)),
        _LOW.search(said) is not None,
        None if verdict is None else verdict[1].lower().startswith("may"),
    )
    return None if (found.gpu_bytes, found.total_bytes, found.will_load) == (None, None, None) else found


def identifier(said: str) -> str | None:
    """The instance that a successful load names."""
    found = _IDENTIFIER.findall(plain(said))
    return str(found[-1]) if found else None


def load_seconds(said: str) -> float | None:
    """How long it says it took."""
    found = _TOOK.search(plain(said))
    return None if found is None else 60 * int(found[1] or 0) + float(found[2])


def is_about_lms(words: str) -> bool:
    """Whether a complaint is about the command or its connection, and not about the load."""
    return _NOT_THE_LOAD.search(words) is not None


def _bytes(found: re.Match[str] | None) -> int | None:
    """`11.47 GiB`, `1,024.5 MiB`, `11,47 GB`."""
    if found is None:
        return None
    digits, unit = found[1], found[2].upper()
    amount = float(digits.replace(",", "") if re.search(r",\d{3}", digits) else digits.replace(",", "."))
    scale: int = (1024 if unit.endswith("IB") else 1000) ** "BKMGT".index(unit[0])
    return round(amount * scale)
