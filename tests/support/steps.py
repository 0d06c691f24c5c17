"""Steps that several flows begin with."""

from deck import Driver


def loaded_ids(deck: Driver) -> list[str]:
    """The instances in memory, as the Loaded pane has them."""
    return [row.id for row in deck.app.dashboard.loaded.rows or () if not row.pending]


async def choose(deck: Driver, key: str) -> None:
    """Move the cursor of Available to a model."""
    pane = deck.app.dashboard.available
    await deck.until(lambda: pane.current is not None, "a current model")
    await deck.press("g")
    for _ in range(10):
        if pane.current is not None and pane.current.model.key == key:
            return
        await deck.press("j")
    raise AssertionError(f"{key} is not in the list")


async def load_model(deck: Driver, key: str) -> None:
    """Load a model with the server's defaults, and wait until it is there."""
    await deck.see(key)
    await deck.press("2")
    await choose(deck, key)
    await deck.press("l")
    await deck.see("Context length")
    await deck.press("enter")
    await deck.until(lambda: key in loaded_ids(deck), "the loaded model")
