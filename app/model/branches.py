"""Walking and growing a conversation's tree. Pure; a turn whose parent is unknown begins a path of its own."""

from collections.abc import Container, Sequence
from dataclasses import replace

from lmdeck.model.conversation import Conversation, Role, ShownTurn, Turn


def path(conversation: Conversation, leaf: str | None = None) -> tuple[Turn, ...]:
    """The turns from the beginning to `leaf` (the conversation's own where None)."""
    by_id = {turn.id: turn for turn in conversation.turns}
    found: list[Turn] = []
    place = leaf if leaf is not None else conversation.leaf
    while place is not None and (turn := by_id.pop(place, None)) is not None:
        found.append(turn)
        place = turn.parent
    return tuple(reversed(found))


def siblings(conversation: Conversation, turn_id: str) -> tuple[Turn, ...]:
    """The turns that stand in this one's place, itself included, oldest first; empty for an unknown turn."""
    if (turn := find(conversation, turn_id)) is None:
        return ()
    known = {each.id for each in conversation.turns}
    return tuple(each for each in conversation.turns if _place(each, known) == _place(turn, known))


def shown(conversation: Conversation) -> tuple[ShownTurn, ...]:
    """The path on the screen, each turn with its number among those in its place."""
    known = {each.id for each in conversation.turns}
    beside: dict[tuple[str | None, Role], list[str]] = {}
    for turn in conversation.turns:
        beside.setdefault(_place(turn, known), []).append(turn.id)
    told = ((turn, beside[_place(turn, known)]) for turn in path(conversation))
    return tuple(ShownTurn(turn, ids.index(turn.id) + 1, len(ids)) for turn, ids in told)


def find(conversation: Conversation, turn_id: str) -> Turn | None:
    """A turn by its id."""
    return next((turn for turn in conversation.turns if turn.id == turn_id), None)


def grown(conversation: Conversation, turn: Turn) -> Conversation:
    """With a new turn, which is the path's end; in place of the one of the same id if there is one."""
    kept: Sequence[Turn] = conversation.turns
    if find(conversation, turn.id) is not None:
        kept = tuple(turn if each.id == turn.id else each for each in kept)
    else:
        kept = (*kept, turn)
    return replace(conversation, turns=tuple(kept), leaf=turn.id, changed=max(conversation.changed, turn.at))


def turned(conversation: Conversation, turn_id: str, step: int) -> Conversation:
    """On another branch: `step` places further among the turns in this one's place, and from there to the end that
    grew last. The same conversation where there is none."""
    places = siblings(conversation, turn_id)
    index = next((number for number, each in enumerate(places) if each.id == turn_id), None)
    if index is None or not 0 <= index + step < len(places):
        return conversation
    return replace(conversation, leaf=newest_leaf(conversation, places[index + step].id))


def newest_leaf(conversation: Conversation, turn_id: str) -> str:
    """The end that grew last of all that follow from this turn."""
    below = {turn_id}
    leaf = turn_id
    for turn in conversation.turns:
        if turn.parent in below:
            below.add(turn.id)
            leaf = turn.id
    return leaf


def cut_back(conversation: Conversation, turn_id: str | None) -> Conversation:
    """The path ends at this turn; what followed it stays in the tree."""
    return replace(conversation, leaf=turn_id)


def _place(turn: Turn, known: Container[str | None]) -> tuple[str | None, Role]:
    """What turns that stand in one place share; all whose parent is unknown stand at the beginning."""
    return turn.parent if turn.parent in known else None, turn.role
