"""Server-sent events read from a hostile wire: bounded bytes, bounded lines, strict UTF-8.

The rule a reader must not break: never hold more than `MAX_LINE` of one line and never inflate
more than `PIECE` at once. httpx's own decoding gave 583 MB for a 300 MB gzip bomb and turned
broken UTF-8 into other text without a word, so the raw bytes are read here.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx

from orchestra_tui.engine.adapters.base import InvalidResponse

MAX_LINE = 4 * 1024 * 1024
"""Bytes of one line; some servers send a whole answer in one event."""
MAX_BODY = 64 * 1024 * 1024
"""Decoded bytes of one response."""
PIECE = 64 * 1024

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
    """The `data` of each event, joined as the standard says; comments and other fields dropped.

    The last event counts even without the blank line after it: some servers leave that out.
    """
    data: list[str] = []
    size = 0
    async with aclosing(_lines(response)) as lines:
        async for line in lines:
            name, _, value = line.partition(":")
            if not line and data:
                yield "\n".join(data)
                data, size = [], 0
            elif name == "data":
                size += len(value)
                if size > MAX_LINE:
                    raise InvalidResponse(f"one event is larger than {MAX_LINE // 1024} KiB")
                data.append(value.removeprefix(" "))
    if data:
        yield "\n".join(data)


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    buffer = bytearray()
    is_first = True
    async with aclosing(body_bytes(response)) as pieces:
        async for piece in pieces:
            for line in _whole_lines(buffer, piece):
                yield _text(line, is_first=is_first)
                is_first = False
    if buffer:
        yield _text(buffer, is_first=is_first)


def _whole_lines(buffer: bytearray, piece: bytes) -> list[bytearray]:
    """Add `piece` to `buffer` and take every whole line out of it."""
    *lines, rest = (buffer + piece).split(b"\n") if b"\n" in piece else (buffer + piece,)
    buffer[:] = rest
    if len(buffer) > MAX_LINE or any(len(line) > MAX_LINE for line in lines):
        raise InvalidResponse(f"one line of the answer is longer than {MAX_LINE // 1024} KiB")
    return lines


def _text(line: bytearray, *, is_first: bool) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidResponse("the answer is not UTF-8 text") from None
    if is_first:
        text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    return text.removesuffix("\r")


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
