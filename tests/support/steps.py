"""Steps that several flows begin with."""

import httpx
from deck import Driver

from lmdeck.demo.launch import DemoEndpoint


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


async def hear_the_log(deck: Driver, server: DemoEndpoint) -> None:
    """Wait until the server's log is followed: from then on nothing goes unseen."""
    headers = {"authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        for _ in range(100):
            await client.post("/api/v1/models/unload", json={"instance_id": "nothing"})
            await deck.pilot.pause(0.05)
            if any("models/unload" in entry.text for entry in deck.app.dashboard.log_pane.shown()):
                return
    raise AssertionError(f"no server log:\n{deck.text()}")
