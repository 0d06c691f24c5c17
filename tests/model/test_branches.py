"""Trees of turns: walked, grown, and never lost from sight."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from any_conversation import any_conversation

from lmdeck.model.branches import cut_back, find, grown, newest_leaf, path, shown, siblings, turned
from lmdeck.model.conversation import Conversation, ShownTurn, Turn


def tree(*links: tuple[str, str | None], leaf: str | None = None) -> Conversation:
    """Turns by their ids; `u…` is the user's, `a…` an answer."""
    turns = tuple(Turn(id, parent, "user" if id[0] == "u" else "assistant", id, 0.0) for id, parent in links)
    return Conversation("c", 0.0, 0.0, turns=turns, leaf=leaf)


TREE = tree(
    ("u1", None), ("a1", "u1"), ("u2", "a1"), ("a2", "u2"), ("a1b", "u1"), ("u2b", "a1"), ("a2b", "u2b"), ("u1b", None),
    leaf="a2",
)  # fmt: skip


def ids(conversation: Conversation) -> list[str]:
    return [turn.id for turn in path(conversation)]


def numbers(conversation: Conversation) -> list[tuple[str, int, int]]:
    return [(each.turn.id, each.number, each.count) for each in shown(conversation)]


def test_the_path_leads_from_the_beginning_to_the_leaf():
    assert ids(TREE) == ["u1", "a1", "u2", "a2"]
    assert [turn.id for turn in path(TREE, "a1b")] == ["u1", "a1b"]
    assert ids(replace(TREE, leaf=None)) == ids(replace(TREE, leaf="nobody")) == []


def test_turns_are_numbered_among_those_in_their_place():
    assert numbers(TREE) == [("u1", 1, 2), ("a1", 1, 2), ("u2", 1, 2), ("a2", 1, 1)]
    assert numbers(replace(TREE, leaf="a2b")) == [("u1", 1, 2), ("a1", 1, 2), ("u2b", 2, 2), ("a2b", 1, 1)]


def test_another_branch_is_shown_to_the_end_that_grew_last():
    assert ids(turned(TREE, "u2", 1)) == ["u1", "a1", "u2b", "a2b"]
    assert ids(turned(turned(TREE, "a1", 1), "a1b", -1)) == ["u1", "a1", "u2b", "a2b"]
    assert ids(turned(TREE, "u1", 1)) == ["u1b"]
    for turn, step in (("u1", -1), ("u1", 2), ("a2", 1), ("nobody", 1)):
        assert turned(TREE, turn, step) is TREE


def test_growing():
    more = Turn("u3", "a2", "user", "more", 5.0)
    longer = grown(TREE, more)
    assert (ids(longer), longer.changed) == (["u1", "a1", "u2", "a2", "u3"], 5.0)
    assert grown(longer, replace(more, text="changed", at=1.0)) == replace(
        longer, turns=(*TREE.turns, replace(more, text="changed", at=1.0))
    )
    beside = grown(TREE, Turn("a2c", "u2", "assistant", "again", 0.0))
    assert numbers(beside)[-1] == ("a2c", 2, 2)


def test_cutting_back_loses_nothing():
    assert ids(cut_back(TREE, "a1")) == ["u1", "a1"]
    assert ids(cut_back(TREE, None)) == []
    assert cut_back(TREE, "a1").turns == TREE.turns


def test_what_follows_a_turn_that_is_missing_begins_a_path():
    broken = tree(("u1", "gone"), ("a1", "u1"), ("u2", None), leaf="a1")
    assert numbers(broken) == [("u1", 1, 2), ("a1", 1, 1)]
    assert ids(turned(broken, "u1", 1)) == ["u2"]


def test_a_circle_ends():
    circle = tree(("u1", "a1"), ("a1", "u1"), ("u2", "u2"), leaf="a1")
    assert ids(circle) == ["u1", "a1"]
    assert newest_leaf(circle, "u1") == "a1"
    assert numbers(replace(circle, leaf="u2")) == [("u2", 1, 1)]


@pytest.mark.parametrize("seed", range(60))
def test_any_tree_is_walked_soundly(seed):
    conversation = any_conversation(seed)
    known = {turn.id for turn in conversation.turns}
    for turn in conversation.turns:
        walked = path(conversation, turn.id)
        assert walked[-1] == turn == find(conversation, turn.id)
        assert walked[0].parent not in known
        assert all(after.parent == before.id for before, after in pairwise(walked))
        places = siblings(conversation, turn.id)
        at = replace(conversation, leaf=turn.id)
        assert shown(at)[-1] == ShownTurn(turn, places.index(turn) + 1, len(places))
        assert all(siblings(conversation, each.id) == places for each in places)
        end = newest_leaf(conversation, turn.id)
        assert turn in path(conversation, end)
        assert not any(each.parent == end for each in conversation.turns)
        for number, other in enumerate(places):
            assert other in path(turned(at, turn.id, number - places.index(turn)))


@pytest.mark.parametrize("seed", range(60))
def test_every_turn_can_be_walked_to(seed):
    """Of a conversation that was grown as one is: asked, answered, edited, asked again, gone back."""
    dice = random.Random(seed)
    conversation = Conversation("c", 0.0, 0.0)
    for number in range(dice.randrange(1, 25)):
        asked = [turn for turn in conversation.turns if turn.role == "user"]
        if asked and dice.random() < 0.6:
            turn = Turn(f"a{number}", dice.choice(asked).id, "assistant", "", float(number))
        else:
            answers = [None, *(turn.id for turn in conversation.turns if turn.role == "assistant")]
            turn = Turn(f"u{number}", dice.choice(answers), "user", "", float(number))
        before = conversation
        conversation = grown(conversation, turn)
        assert path(conversation)[-1] == turn
        assert all(path(conversation, each.id) == path(before, each.id) for each in before.turns)
    seen, waiting = set[str](), [conversation]
    ends = set[str | None]()
    while waiting:
        at = waiting.pop()
        if at.leaf in ends:
            continue
        ends.add(at.leaf)
        for each in shown(at):
            seen.add(each.turn.id)
            waiting += [turned(at, each.turn.id, step) for step in (-1, 1)]
    assert seen == {turn.id for turn in conversation.turns}
