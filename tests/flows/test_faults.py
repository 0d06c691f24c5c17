"""What goes wrong in the world, and what the deck says then. After each, it recovers by itself."""

import asyncio
import sys
from pathlib import Path

import pytest
from deck import running_deck, set_faults, settings_for

from lmdeck.backend.errors import NotFound
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.settings import Settings
from lmdeck.config.token import Token
from lmdeck.demo.launch import DemoEndpoint, DemoServer
from lmdeck.model.log import Unreadable

MODEL = "qwen/qwen3-coder-30b"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("http_500", "500: internal_error"),
        ("unauthorized", "401: token not accepted"),
        ("html", "bad reply"),
        ("half_json", "bad reply"),
        ("hang", "down: no answer within"),
    ],
)
async def test_a_sick_server_is_told_and_its_recovery_seen(
    scripted_server: DemoEndpoint, fault: str, words: str
) -> None:
    await set_faults(scripted_server, fault)
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(f"✗ {words}", timeout=20)
        await deck.press("2", "3", "4", "5", "tab", "z", "z")  # the screen stays alive
        await set_faults(scripted_server)
        await deck.press("r")
        await deck.see(MODEL)
        await deck.miss(f"✗ {words}")


async def test_a_server_that_goes_down_leaves_the_list_and_comes_back() -> None:
    server = DemoServer("scripted")
    endpoint = await server.start()
    try:
        async with running_deck(settings_for(endpoint)) as deck:
            await deck.see(MODEL)
            await _lms(endpoint, "server", "stop")
            await deck.see("✗ down: connection refused", timeout=15)
            assert MODEL in deck.text()
            await deck.see("stale")
            await _lms(endpoint, "server", "start")
            await deck.miss("✗ down", timeout=15)
            await deck.miss("stale")
    finally:
        await server.close()


async def _lms(endpoint: DemoEndpoint, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        endpoint.lms, *arguments, env={"LM_API_TOKEN": endpoint.token, "PATH": ""}, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


@pytest.fixture
async def nobody() -> str:
    """The address of a port that was just free: nobody listens there."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


async def test_a_server_that_is_down_at_the_start(nobody: str) -> None:
    async with running_deck(Settings(url=nobody, lms="/nowhere/lms")) as deck:
        await deck.see("✗ down: connection refused")
        screen = await deck.see("lms server start")
        assert "keeps trying" in screen


async def test_another_program_on_the_port() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<html>hello</html>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with running_deck(Settings(url=url, lms="/nowhere/lms")) as deck:
            await deck.see("not LM Studio")


async def test_a_wrong_token(scripted_server: DemoEndpoint) -> None:
    wrong = Settings(url=scripted_server.url, token=Token("sk-lm-WRONG000:AAAAAAAAAAAAAAAAAAAA"), lms="/nowhere/lms")
    async with running_deck(wrong) as deck:
        screen = await deck.see("401: token not accepted")
        assert "LM_API_TOKEN" in screen
        assert "token ✗" in screen
        assert "WRONG000" not in screen


async def test_without_lms_the_deck_works_and_says_what_is_missing(scripted_server: DemoEndpoint) -> None:
    settings = Settings(url=scripted_server.url, token=Token(scripted_server.token), lms="/nowhere/lms")
    async with running_deck(settings) as deck:
        await deck.see(MODEL)
        await deck.see("lms")
        await deck.press("4")
        screen = await deck.see("is no program")
        assert "--lms" in screen or "lms" in screen
        await deck.press("2", "l")
        await deck.see("Context length")
        await deck.press("enter")
        await deck.see("Loaded 1")


async def test_an_lms_that_crashes_is_started_again(scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    broken = tmp_path / "lms"
    broken.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('Error: the service is not running')\n")
    broken.chmod(0o700)
    settings = Settings(url=scripted_server.url, token=Token(scripted_server.token), lms=str(broken))
    async with running_deck(settings) as deck:
        await deck.see(MODEL)
        await deck.see("the service is not running.*again in")


async def test_log_streams_that_end_come_back(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        await set_faults(scripted_server, "lms_crash*3")
        await deck.see(r"log stream \(server\) ended", timeout=15)
        await set_faults(scripted_server)
        backend = LMStudio(scripted_server.url, Token(scripted_server.token))
        for _ in range(100):  # something to log, until the stream is there again
            with pytest.raises(NotFound):
                await backend.unload("nothing")
            if "log stream (server) is back" in deck.text():
                break
            await deck.pilot.pause(0.1)
        await backend.close()
        await deck.see(r"log stream \(server\) is back")


async def test_lines_that_are_no_events_are_shown_as_they_are(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, "malformed_log_lines")
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        await deck.press("2", "l")
        await deck.see("Context length")
        await deck.press("enter")
        await deck.see("Loaded 1")
        await deck.until(
            lambda: any(isinstance(entry, Unreadable) for entry in deck.app.dashboard.log_pane.shown()),
            "a malformed line",
        )


@pytest.mark.parametrize(
    ("fault", "words"),
    [("sse_cut", "cut off: the connection broke"), ("mid_stream_error", "cut off: "), ("http_500:/api/v1/chat", "500")],
)
async def test_an_answer_that_breaks_off(scripted_server: DemoEndpoint, fault: str, words: str) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        await deck.press("2", "l")
        await deck.see("Context length")
        await deck.press("enter")
        await deck.see("Loaded 1")
        await set_faults(scripted_server, fault)
        await deck.press("5")
        await deck.type("20 words")
        await deck.press("enter")
        await deck.see(words)
        await deck.until(lambda: not deck.app.dashboard.chat.answering, "end of the answer")
        await set_faults(scripted_server)
        await deck.press("ctrl+n", "ctrl+a", "ctrl+k")
        await deck.type("still here")
        await deck.press("enter")
        await deck.see("You said: still here")
