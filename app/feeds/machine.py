"""GPU and host readings at a steady pace, taken in one thread of their own."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor

from lmdeck.feeds.sources import Machine
from lmdeck.state.events import Event, MachineSeen

INTERVAL_S = 1.0


async def machine_feed(open_machine: Callable[[], Machine], interval_s: float = INTERVAL_S) -> AsyncGenerator[Event]:
    """A `MachineSeen` every `interval_s`. Drivers may hang, so the loop only ever waits for the thread's answer;
    `open_machine` and the driver's closing run in that thread too."""
    loop = asyncio.get_running_loop()
    executor = ThreadPoolExecutor(1, thread_name_prefix="telemetry")
    machine: Machine | None = None
    try:
        machine = await loop.run_in_executor(executor, open_machine)
        while True:
            begun = loop.time()
            if (seen := await loop.run_in_executor(executor, _sample, machine)) is not None:
                yield seen
            await asyncio.sleep(max(0.2, interval_s - (loop.time() - begun)))
    finally:
        if machine is not None:
            executor.submit(machine.close)
        executor.shutdown(wait=False)


def _sample(machine: Machine) -> MachineSeen | None:
    """One reading, or None when the system would not tell this time: sampling goes on."""
    import psutil

    try:
        return _read(machine)
    except (psutil.Error, OSError):
        return None


def _read(machine: Machine) -> MachineSeen:
    gpus = machine.gpu.sample() if machine.gpu else None
    return MachineSeen(gpus, machine.host.sample(), time.monotonic())
