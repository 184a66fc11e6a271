"""An httpx transport that runs a server inside this process and really streams.

The rule a reader must not break: what httpx sees must be what a socket would give it, faults
included (`httpx.ASGITransport` hands over the whole body at the end, so it shows nothing). Closing
the response cancels the server's task: nothing is left behind.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx


class ConnectionCut(Exception):
    """Raised by an app to break the connection where the reply stands."""


@dataclass(frozen=True)
class AppRequest:
    """What the app is asked; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(Protocol):
    """The app's side of one reply: `start` once, then `send` as often as wanted."""

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status line and headers."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a piece of the body; it arrives at once."""
        ...


App = Callable[[AppRequest, Reply], Awaitable[None]]


class InProcessTransport(httpx.AsyncBaseTransport):
    """Answers every request by running `app` as a task of its own."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Start the app and return as soon as it sent its headers."""
        asked = AppRequest(
            method=request.method,
            path=request.url.path,
            headers=dict(request.headers),
            body=await request.aread(),
        )
        wire = _Wire(self._app, asked, _read_timeout(request))
        try:
            status, headers = await wire.begin()
        except BaseException:
            await wire.aclose()
            raise
        return httpx.Response(status, headers=headers, stream=wire)


@dataclass(frozen=True)
class _Start:
    status: int
    headers: dict[str, str]


class _Wire(httpx.AsyncByteStream):
    """One exchange: the app's task writes into a queue, httpx reads from it."""

    def __init__(self, app: App, request: AppRequest, timeout: float | None) -> None:
        self._queue: asyncio.Queue[_Start | bytes | None] = asyncio.Queue()
        self._timeout = timeout
        self._task = asyncio.ensure_future(app(request, self))
        self._task.add_done_callback(lambda _: self._queue.put_nowait(None))

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        self._queue.put_nowait(_Start(status, dict(headers)))
        await asyncio.sleep(0)

    async def send(self, data: bytes) -> None:
        self._queue.put_nowait(data)
        # The reader runs before the next piece is made: this is the streaming.
        await asyncio.sleep(0)

    async def begin(self) -> tuple[int, dict[str, str]]:
        match await self._next():
            case _Start(status, headers):
                return status, headers
            case _:
                raise httpx.RemoteProtocolError("the server hung up without a response")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(piece := await self._next(), bytes):
            yield piece

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            # Looked at, so that the loop does not report what no reader was left to see.
            self._task.exception()

    async def _next(self) -> _Start | bytes | None:
        try:
            async with asyncio.timeout(self._timeout):
                piece = await self._queue.get()
        except TimeoutError:
            raise httpx.ReadTimeout("the server went silent") from None
        if piece is None:
            self._raise_outcome()
        return piece

    def _raise_outcome(self) -> None:
        """Turn the way the app ended into what a socket would show."""
        match self._task.exception():
            case None:
                return
            case ConnectionCut():
                raise httpx.RemoteProtocolError("peer closed connection in mid-response")
            case mistake:
                raise mistake


def _read_timeout(request: httpx.Request) -> float | None:
    timeouts = request.extensions.get("timeout", {})
    value = timeouts.get("read") if isinstance(timeouts, dict) else None
    return float(value) if value is not None else None
