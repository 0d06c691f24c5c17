"""What llama.cpp did differently over its builds, as far as memory goes.

Eight builds were measured (`TESTED`). A change lies between two of them; where its pull request's date is known, the
build number is read off the line between the neighbours' dates, else it is their middle. A build inside such a gap is
therefore answered with a note, and with the compute range of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TESTED = (4798, 5671, 6123, 6900, 7710, 8929, 9873, 11549)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one build. `*_rows` are the number of `n_embd`-wide f32 rows a place of the graph holds for each
    token of the batch; they were read off the logs."""

    sliding: bool = False
    """Sliding-window layers have a smaller cache of their own (PR 13194, May 2025)."""
    streams: bool = False
    """`kv_unified` exists: without it, one stream for all sequences (PR 14363, July 2025)."""
    cell_padding: int = 256
    """Cells of a stream are rounded up to this."""
    pads_context: bool = False
    """n_ctx and n_ctx_seq are rounded up to 256 themselves (PR 17046, November 2025)."""
    mla_value: bool = True
    """An MLA cache keeps the values, too (until PR 19067, January 2026)."""
    hybrid_repeats: bool = True
    """A hybrid's cache, not unified, has all of n_ctx for each sequence (until PR 19559, February 2026)."""
    all_outputs: bool = True
    """Logits are reserved for the whole batch, not for one token of each sequence (until PR 23861, June 2026)."""
    mask_bytes: int = 4
    """Bytes of one element of the attention mask with flash attention."""
    value_index: bool = False
    """Without flash attention: an index for the transposed values."""
    feed_forward_rows: int = 1
    attention_rows: int = 3
    output_rows: int = 0


_OLD = Rules()
_SLIDING = replace(_OLD, sliding=True)
_STREAMS = replace(_SLIDING, streams=True, value_index=True)
_UNPADDED = replace(_STREAMS, cell_padding=1)
_PADDED = replace(_STREAMS, pads_context=True)
_LATENT = replace(_PADDED, mla_value=False)
_HYBRID = replace(_LATENT, hybrid_repeats=False)
_ROWS = replace(_HYBRID, attention_rows=4, output_rows=1)
_FEW_OUTPUTS = replace(_ROWS, all_outputs=False, mask_bytes=2, feed_forward_rows=4, output_rows=4)
_NEWEST = replace(_FEW_OUTPUTS, feed_forward_rows=5, attention_rows=5, output_rows=5)

_HISTORY = (
    (0, _OLD), (5430, _SLIDING), (5910, _STREAMS), (6510, _UNPADDED), (7010, _PADDED), (7815, _LATENT),
    (8010, _HYBRID), (8320, _ROWS), (9400, _FEW_OUTPUTS), (10711, _NEWEST),
)  # fmt: skip


def rules(build: int | None) -> Rules:
    """The rules of a build; the newest where it is not known."""
    if build is None:
        return _NEWEST
    return next(found for first, found in reversed(_HISTORY) if build >= first or first == 0)


def neighbours(build: int | None) -> tuple[Rules, ...]:
    """Every set of rules that the build may follow: one for a tested build, both sides for one in a gap with a change,
    all since January 2026 where the build is not known."""
    if build is None:
        return tuple(dict.fromkeys(rules(each) for each in TESTED if each >= 7710))
    below = max((each for each in TESTED if each <= build), default=TESTED[0])
    above = min((each for each in TESTED if each >= build), default=TESTED[-1])
    return tuple(dict.fromkeys((rules(build), rules(below), rules(above))))
