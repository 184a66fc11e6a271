"""Server-sent events read from a hostile wire: bounded bytes, bounded events, strict UTF-8.

The rule a reader must not break: never hold more than `MAX_LINE` of one event and never inflate
more than `PIECE` at once. httpx's own decoding gave 583 MB for a 300 MB gzip bomb and turned
broken UTF-8 into other text without a word, so the raw bytes are checked here before httpx-sse
makes events of them.
"""

import asyncio
import codecs
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import httpx
from httpx_sse import EventSource

from orchestra_tui.engine.adapters.base import InvalidResponse

MAX_LINE = 4 * 1024 * 1024
"""Bytes of one event; some servers send a whole answer in one."""
MAX_BODY = 64 * 1024 * 1024
"""Decoded bytes of one response."""
PIECE = 64 * 1024

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_PLAIN_EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def body_bytes(
    response: httpx.Response, *, limit: int = MAX_BODY
) -> AsyncGenerator[bytes, None]:
    """The decoded body in pieces. Raises InvalidResponse beyond `limit` or if undecodable."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    is_plain = encoding in {"", "identity"}
    pieces = _raw(response) if is_plain else _inflated(response, encoding)
    size = 0
    async with aclosing(pieces):
        async for piece in pieces:
            size += len(piece)
            if size > limit:
                raise InvalidResponse(f"the answer is larger than {limit // 1024} KiB")
            yield piece


async def head_of_body(response: httpx.Response, *, limit: int) -> bytes:
    """The first `limit` decoded bytes of the body; whatever follows is not read."""
    head = bytearray()
    async with aclosing(body_bytes(response)) as pieces:
        async for piece in pieces:
            head += piece
            if len(head) >= limit:
                break
    return bytes(head[:limit])


async def data_events(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The `data` of each event; comments, other fields and events without data are dropped.

    The last event counts even without the blank line after it: some servers leave that out.
    Raises InvalidResponse.
    """
    checked = httpx.Response(200, headers=_PLAIN_EVENTS, stream=_Checked(response))
    async with aclosing(EventSource(checked).aiter_sse()) as events:
        async for event in events:
            if event.data:
                yield event.data


class _Checked(httpx.AsyncByteStream):
    """The body of a response as strict UTF-8 in events of bounded size, ended by a blank line.

    So the library behind it, which replaces bad bytes and holds any length, meets neither.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        size, tail = 0, b""
        async with aclosing(body_bytes(self._response)) as pieces:
            async for piece in pieces:
                size, tail = _size_of_event(size, tail, piece)
                yield _strict(decoder, piece)
        yield _strict(decoder, b"", final=True) + b"\n\n"


def _size_of_event(size: int, tail: bytes, piece: bytes) -> tuple[int, bytes]:
    """How large the event is that `piece` leaves open, and what the next blank line may begin with.

    Raises InvalidResponse beyond `MAX_LINE`.
    """
    seen = tail + piece
    ends = [match.end() for match in _BLANK_LINE.finditer(seen)]
    size = len(seen) - ends[-1] if ends else size + len(piece)
    if size > MAX_LINE:
        raise InvalidResponse(f"one event is larger than {MAX_LINE // 1024} KiB")
    return size, seen[-3:]


def _strict(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bytes:
    try:
        return decoder.decode(piece, final).encode()
    except UnicodeDecodeError:
        raise InvalidResponse("the answer is not UTF-8 text") from None


async def _inflated(response: httpx.Response, encoding: str) -> AsyncGenerator[bytes, None]:
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise InvalidResponse(f"the answer is packed as {encoding!r}, which was not asked for")
    packed = zlib.decompressobj(_GZIP_OR_ZLIB)
    async with aclosing(_raw(response)) as pieces:
        async for piece in pieces:
            left = piece
            while left and not packed.eof:
                try:
                    yield packed.decompress(left, PIECE)
                except zlib.error:
                    raise InvalidResponse("the packed answer is damaged") from None
                left = packed.unconsumed_tail
                # One piece off the wire may hold a thousand of these; others want to run too.
                await asyncio.sleep(0)


async def _raw(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    # httpx says AsyncIterator, so it could not be closed early; closing the response does that.
    async for piece in response.aiter_raw():
        yield piece
