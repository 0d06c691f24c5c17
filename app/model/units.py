"""Numbers as people read them. Every function takes None for "not known" and answers `–`."""

UNKNOWN = "–"


def gib(size: int | None) -> str:
    """Bytes in GiB with one decimal, without the unit: `17.4`."""
    return UNKNOWN if size is None else f"{size / 2**30:.1f}"


def gigabytes(amount: int | None) -> str:
    """The size of a model in GB (10⁹ bytes), as files are sold and LM Studio shows it, without the unit: `17.4`."""
    if amount is None:
        return UNKNOWN
    return "<0.1" if 0 < amount < 5e7 else f"{amount / 1e9:.1f}"


def size(amount: int | None) -> str:
    """Bytes with a binary unit: `512 B`, `84.1 MiB`, `17.4 GiB`."""
    if amount is None:
        return UNKNOWN
    value = float(amount)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def rate(tokens_per_second: float | None) -> str:
    """`41.3 tok/s`"""
    return UNKNOWN if tokens_per_second is None else f"{tokens_per_second:.1f} tok/s"


def ttft(seconds: float | None) -> str:
    """`TTFT 0.31 s`"""
    return f"TTFT {UNKNOWN}" if seconds is None else f"TTFT {seconds:.2f} s"


def countdown(seconds: float | None) -> str:
    """Time left: `42:10`, `1:02:03`; never below zero."""
    if seconds is None:
        return UNKNOWN
    minutes, secs = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def elapsed(seconds: float) -> str:
    """Time spent: `3.2 s` below a minute, then `1:05`."""
    return f"{seconds:.1f} s" if seconds < 60 else countdown(seconds)


def percent(value: float | None) -> str:
    """`87 %`"""
    return UNKNOWN if value is None else f"{value:.0f} %"
