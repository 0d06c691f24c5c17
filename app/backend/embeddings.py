"""The answer of `POST /v1/embeddings`."""

from lmdeck.backend.decode import count, fields, items, number, records
from lmdeck.backend.errors import BadReply

EMBEDDINGS = "/v1/embeddings"


def vectors(body: object, wanted: int) -> tuple[tuple[float, ...], ...]:
    """One vector for each input, in their order; raises BadReply for fewer, or for what is no vector."""
    by_place: dict[int, tuple[float, ...]] = {}
    for place, entry in enumerate(records(fields(body).get("data"))):
        index = count(entry.get("index"))
        by_place[place if index is None else index] = _vector(entry.get("embedding"))
    if sorted(by_place) != list(range(wanted)):
        raise BadReply(f"{len(by_place)} vectors came for {wanted} texts")
    return tuple(by_place[place] for place in range(wanted))


def _vector(given: object) -> tuple[float, ...]:
    found = [value for each in items(given) or () if (value := number(each)) is not None]
    if not found or len(found) != len(items(given) or ()):
        raise BadReply("an embedding is no list of numbers")
    return tuple(found)
