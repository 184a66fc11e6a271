"""The pieces of running calls and checks, joined to at most about 60 a second of one stream.

The rule a reader must not break: `offset` counts every character that was fed, also those that
nobody got, so that a follower sees a gap.
"""

import asyncio
from collections.abc import Callable

from orchestra_tui.domain.ports import Delta

INTERVAL = 1 / 60
"""Seconds between two deltas of one stream: a screen shows no more."""


class StreamCoalescer:
    """Joins what is fed and gives it to `publish`, in the order of the streams' first pieces."""

    def __init__(self, publish: Callable[[Delta], None]) -> None:
        self._publish = publish
        self._pieces: dict[str, list[str]] = {}
        self._offsets: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, stream: str, text: str) -> None:
        """Add a piece; it goes out with the next beat."""
        if not text:
            return
        self._pieces.setdefault(stream, []).append(text)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._beat)

    def end(self, stream: str) -> None:
        """Send what is left of the stream; if it is fed again, it starts at 0."""
        self._send(stream)
        self._offsets.pop(stream, None)

    def clear(self) -> None:
        """Forget every stream and what waits in it."""
        self._pieces.clear()
        self._offsets.clear()

    def close(self) -> None:
        """Forget everything and stop the beat."""
        self.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        self._timer = None
        for stream in tuple(self._pieces):
            self._send(stream)

    def _send(self, stream: str) -> None:
        text = "".join(self._pieces.pop(stream, ()))
        if not text:
            return
        offset = self._offsets.get(stream, 0)
        self._offsets[stream] = offset + len(text)
        self._publish(Delta(stream=stream, offset=offset, text=text))
