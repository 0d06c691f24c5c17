"""Whether an endpoint is there, by what answers in its place."""

import httpx
import pytest

from lmdeck.backend.errors import BadReply, Unauthorized
from lmdeck.backend.lmstudio import LMStudio

UNEXPECTED = {"error": "Unexpected endpoint or method. (GET /x)"}
JOB = {"error": {"type": "job_not_found", "message": "Download job x not found"}}
WRONG = {"error": {"type": "invalid_request", "message": "'model' must be a string"}}


async def asked(status: int, body: object, wrong: dict[str, object] | None = None) -> tuple[bool, httpx.Request]:
    requests = list[httpx.Request]()

    def serve(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, json=body)

    server = LMStudio("http://127.0.0.1:1", transport=httpx.MockTransport(serve))
    try:
        return await server.offers("/x", wrong), requests[0]
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"models": []}, True),
        (200, UNEXPECTED, False),
        (404, UNEXPECTED, False),
        (404, {"detail": "Not Found"}, False),
        (404, JOB, True),
        (400, WRONG, True),
        (422, WRONG, True),
        (500, WRONG, True),
        (405, {"detail": "Method Not Allowed"}, False),
    ],
)
async def test_its_own_refusal_shows_that_an_endpoint_is_there(status: int, body: object, expected: bool) -> None:
    assert (await asked(status, body))[0] is expected


async def test_a_body_is_posted_and_without_one_it_is_a_get() -> None:
    _, request = await asked(400, WRONG, {"model": 0})
    assert (request.method, request.content) == ("POST", b'{"model": 0}')
    assert (await asked(200, {}))[1].method == "GET"


async def test_what_does_not_tell_is_an_error() -> None:
    with pytest.raises(Unauthorized):
        await asked(401, {"error": {"message": "no"}})
    with pytest.raises(BadReply):
        await asked(302, {})
