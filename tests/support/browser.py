"""A headless Chromium, driven by its DevTools protocol: opens a page, reads its terminal, presses keys."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# xterm.js draws on a canvas; its terminal tells the text. It is caught where its maker names its inner half.
_CATCH = """
Object.defineProperty(Object.prototype, "_core", {configurable: true, set(core) {
  Object.defineProperty(this, "_core", {value: core, writable: true, configurable: true});
  window.caught ??= this;
}});
"""
_READ = """
(() => {
  const buffer = window.caught?.buffer?.active;
  const line = (_, y) => buffer.getLine(y)?.translateToString(true);
  return buffer ? Array.from({length: caught.rows}, line).join("\\n") : "";
})()
"""


class Browser:
    """One tab. `requests` are the addresses that it has asked."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers, self._session = socket, count(1), ""
        self.requests: list[str] = []

    async def start(self) -> None:
        target = (await self._ask("Target.createTarget", url="about:blank"))["targetId"]
        attached = await self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            await self._ask(f"{domain}.enable")
        await self._ask("Page.addScriptToEvaluateOnNewDocument", source=_CATCH)

    async def open(self, url: str) -> None:
        """Go there, as by the address bar."""
        await self._ask("Page.navigate", url=url)

    async def press(self, key: str) -> None:
        """A key that writes one character."""
        await self._ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self._ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def evaluate(self, expression: str) -> Any:
        answer = await self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def cookies(self) -> list[dict[str, Any]]:
        """All cookies, those that scripts cannot see included."""
        return list((await self._ask("Network.getCookies"))["cookies"])

    async def sees(self, text: str) -> str:
        """Wait until the terminal shows this; answers all that it shows."""
        shown = ""
        with suppress(TimeoutError):
            async with asyncio.timeout(90):
                while text not in (shown := await self.evaluate(_READ) or ""):  # noqa: ASYNC110 - nothing tells it
                    await asyncio.sleep(0.05)
        assert text in shown, shown
        return shown

    async def is_true(self, expression: str) -> None:
        """Wait until a script's expression holds."""
        async with asyncio.timeout(90):
            while not await self.evaluate(expression):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.05)

    async def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": number, "method": method, "params": parameters, **session})
        while (answer := await self._socket.receive_json(timeout=90)).get("id") != number:
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            elif answer.get("method") == "Network.webSocketCreated":
                self.requests.append(answer["params"]["url"])
        assert "error" not in answer, answer
        return dict(answer["result"])


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A fresh Chromium with a profile of its own."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--window-size=1400,900"),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            assert process.stderr
            async with asyncio.timeout(90):
                while not (line := await process.stderr.readline()).startswith(b"DevTools listening on "):
                    assert line, "Chromium ended"
            url = line.decode().split()[-1]
            async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
                browser = Browser(socket)
                await browser.start()
                yield browser
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
