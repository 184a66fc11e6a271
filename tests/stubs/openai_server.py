"""A small HTTP server on loopback, and apps that speak OpenAI chat completions through it.

The rule a reader must not break: an app is the same value here and over the in-process transport
of the rehearsal, so that one test can show that both give the adapter the same outcome.

    async with StubServer(chat("Hello")) as server:
        adapter = OpenAICompatibleAdapter("stub", server.base_url, "m")
        ...
        assert len(server.requests) == 1
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from orchestra_tui.engine.adapters.rehearsal.transport import (
    App,
    AppRequest,
    ConnectionCut,
    Reply,
)

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
DONE = b"data: [DONE]\n\n"


class StubServer:
    """Serves `app` on a free port of 127.0.0.1, one request per connection.

    `requests` holds every request in order of arrival, `hung_up` counts clients that left before
    the end of the reply. The same object can be entered once.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[AppRequest] = []
        self.hung_up = 0
        self.client_left = asyncio.Event()

    @property
    def base_url(self) -> str:
        """The address to configure, up to `/v1`."""
        assert self._server is not None, "the server is not running"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    @property
    def bodies(self) -> list[dict[str, object]]:
        """The JSON bodies of the requests that had one."""
        return [json.loads(request.body) for request in self.requests if request.body]

    async def __aenter__(self) -> "StubServer":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            request = await _read_request(reader)
            self.requests.append(request)
            await self._serve(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self._note_hang_up()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(
        self, request: AppRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        reply = _SocketReply(writer)
        serving = asyncio.ensure_future(self._app(request, reply))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({serving, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                self._note_hang_up()
                return
            try:
                serving.result()
            except ConnectionCut:
                await writer.drain()
                writer.transport.abort()
            else:
                await reply.end()
        finally:
            serving.cancel()
            leaving.cancel()
            await asyncio.gather(serving, leaving, return_exceptions=True)

    def _note_hang_up(self) -> None:
        self.hung_up += 1
        self.client_left.set()


class _SocketReply:
    """A chunked HTTP/1.1 reply."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Stub", "connection: close", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        await self._writer.drain()

    async def send(self, data: bytes) -> None:
        if data:
            self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await self._writer.drain()

    async def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> AppRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return AppRequest(method=method, path=path, headers=headers, body=body)


def delta(text: str | None, *, finish: str | None = None, **more: object) -> bytes:
    """One event with a piece of answer; `more` goes into the delta."""
    content: dict[str, object] = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": {**content, **more}, "finish_reason": finish}
    return event({"choices": [choice]})


def event(data: object) -> bytes:
    """One server-sent event with JSON data."""
    return f"data: {json.dumps(data)}\n\n".encode()


def usage(asked: int, answered: int, **details: object) -> bytes:
    """The last event of a stream that was asked to include usage."""
    counts = {"prompt_tokens": asked, "completion_tokens": answered, **details}
    return event({"choices": [], "usage": counts})


def raw(*pieces: bytes, headers: Mapping[str, str] = EVENTS, status: int = 200) -> App:
    """An app that sends exactly these bytes."""

    async def app(_request: AppRequest, reply: Reply) -> None:
        await reply.start(status, headers)
        for piece in pieces:
            await reply.send(piece)

    return app


def chat(*pieces: str, finish: str = "stop") -> App:
    """An app that answers well, piece by piece, with usage."""
    texts = [delta(piece) for piece in pieces]
    return raw(*texts, delta(None, finish=finish), usage(7, len(pieces)), DONE)


def refusal(status: int, error: object, headers: Mapping[str, str] | None = None) -> App:
    """An app that answers with a status and an OpenAI-style error body."""
    return raw(
        json.dumps({"error": error}).encode(), headers={**JSON, **(headers or {})}, status=status
    )


def cut_after(*pieces: bytes) -> App:
    """An app whose connection breaks after these bytes."""

    async def app(_request: AppRequest, reply: Reply) -> None:
        await reply.start(200, EVENTS)
        for piece in pieces:
            await reply.send(piece)
        raise ConnectionCut

    return app


def stall_after(*pieces: bytes) -> App:
    """An app that goes silent after these bytes and keeps the line open."""

    async def app(_request: AppRequest, reply: Reply) -> None:
        await reply.start(200, EVENTS)
        for piece in pieces:
            await reply.send(piece)
        await asyncio.Event().wait()

    return app


def drip(piece: bytes, *, every: float, begin: Sequence[bytes] = ()) -> App:
    """An app that sends `piece` for ever, `every` so many seconds."""

    async def app(_request: AppRequest, reply: Reply) -> None:
        await reply.start(200, EVENTS)
        for first in begin:
            await reply.send(first)
        while True:
            await reply.send(piece)
            await asyncio.sleep(every)

    return app


def in_turn(*apps: App) -> App:
    """The first app for the first request, and so on; the last one for all that follow."""
    waiting = list(apps)

    async def app(request: AppRequest, reply: Reply) -> None:
        chosen = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        await chosen(request, reply)

    return app
