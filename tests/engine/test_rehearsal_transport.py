"""The in-process transport gives httpx what a socket would give it."""

import asyncio

import httpx
import pytest

from orchestra_tui.engine.adapters.rehearsal.transport import (
    App,
    AppRequest,
    ConnectionCut,
    InProcessTransport,
    Reply,
)
from tests.stubs.openai_server import EVENTS, StubServer, raw, stall_after


async def echo(request: AppRequest, reply: Reply) -> None:
    await reply.start(201, {"x-seen": request.headers.get("x-sent", "")})
    await reply.send(f"{request.method} {request.path} ".encode() + request.body)


async def hang_up(_request: AppRequest, _reply: Reply) -> None:
    raise ConnectionCut


async def outcome(app: App, *, over_socket: bool) -> tuple[object, ...]:
    """What a client sees: status and body, or the kind of error and the body up to it."""
    got = b""
    transport = None if over_socket else InProcessTransport(app)
    async with (
        StubServer(app) as server,
        httpx.AsyncClient(
            transport=transport, timeout=httpx.Timeout(5, read=0.3), trust_env=False
        ) as client,
    ):
        try:
            async with client.stream(
                "POST", f"{server.base_url}/x", content=b"body", headers={"x-sent": "1"}
            ) as response:
                async for piece in response.aiter_raw():
                    got += piece
                return response.status_code, response.headers.get("x-seen"), got
        except httpx.HTTPError as error:
            return type(error), got


async def cut_in_the_middle(_request: AppRequest, reply: Reply) -> None:
    await reply.start(200, EVENTS)
    await reply.send(b"half")
    raise ConnectionCut


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        pytest.param(echo, (201, "1", b"POST /v1/x body"), id="good"),
        pytest.param(raw(b"", status=500), (500, None, b""), id="status"),
        pytest.param(hang_up, (httpx.RemoteProtocolError, b""), id="hang up"),
        pytest.param(stall_after(b"half"), (httpx.ReadTimeout, b"half"), id="silence"),
    ],
)
async def test_the_outcome_is_that_of_a_socket(app: App, expected: tuple[object, ...]) -> None:
    assert await outcome(app, over_socket=False) == expected
    assert await outcome(app, over_socket=True) == expected


async def test_a_cut_is_a_network_error_on_both() -> None:
    inside = await outcome(cut_in_the_middle, over_socket=False)
    outside = await outcome(cut_in_the_middle, over_socket=True)
    for kind, got in (inside, outside):
        assert isinstance(kind, type)
        assert issubclass(kind, httpx.RemoteProtocolError | httpx.ReadError)
        assert got == b"half"


async def test_pieces_arrive_one_by_one() -> None:
    trace: list[str] = []

    async def app(_request: AppRequest, reply: Reply) -> None:
        await reply.start(200, EVENTS)
        for number in range(3):
            trace.append(f"sent {number}")
            await reply.send(b"%d" % number)
        trace.append("done")

    async with (
        httpx.AsyncClient(transport=InProcessTransport(app)) as client,
        client.stream("GET", "http://stub.invalid/") as response,
    ):
        async for piece in response.aiter_raw():
            trace.append(f"got {piece.decode()}")
    assert trace.index("got 0") < trace.index("sent 2")
    assert trace.index("got 1") < trace.index("done")


@pytest.mark.parametrize("app", [stall_after(b"half"), cut_in_the_middle])
async def test_closing_early_leaves_no_task(app: App) -> None:
    before = asyncio.all_tasks()
    async with (
        httpx.AsyncClient(transport=InProcessTransport(app)) as client,
        client.stream("GET", "http://stub.invalid/") as response,
    ):
        async for _ in response.aiter_raw():
            break
    assert asyncio.all_tasks() == before
