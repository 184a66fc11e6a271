"""The text of running calls and checks, kept outside the widgets that show it.

The rule a reader must not break: memory is bounded, per stream and in the number of streams. A
pane that opens late finds its past here; the recorded reply replaces it when the call has ended.
"""

from collections import deque
from dataclasses import dataclass, field

from orchestra_tui.domain.ports import Delta

MAX_CHARACTERS = 200_000
MAX_STREAMS = 256


@dataclass(frozen=True)
class Piece:
    """What a pane has not shown yet. Give `end` back to `since` the next time.

    With `is_restart` the pane drops what it shows first: the stream began again, or the pane
    is so far behind that its place has left the buffer.
    """

    text: str
    end: int
    is_restart: bool = False


@dataclass
class _Stream:
    """`start` and `end` are places in everything ever fed, restarts included; `offset` is the
    sender's own count, which a restart sets back to 0."""

    chunks: deque[str] = field(default_factory=deque)
    start: int = 0
    end: int = 0
    offset: int = 0

    def add(self, text: str, max_characters: int) -> None:
        self.chunks.append(text)
        self.end += len(text)
        while (excess := self.end - self.start - max_characters) > 0:
            oldest = self.chunks.popleft()
            if excess < len(oldest):
                self.chunks.appendleft(oldest[excess:])
            self.start += min(excess, len(oldest))

    def restart(self) -> None:
        self.chunks.clear()
        # One place is left out, so that a reader of the old text is behind the start.
        self.start = self.end = self.end + 1
        self.offset = 0


class StreamBuffers:
    """One bounded buffer per stream key, fed by `Delta`, read by panes at their own pace."""

    def __init__(
        self, *, max_characters: int = MAX_CHARACTERS, max_streams: int = MAX_STREAMS
    ) -> None:
        self._max_characters = max_characters
        self._max_streams = max_streams
        self._streams: dict[str, _Stream] = {}

    def feed(self, delta: Delta) -> None:
        """Take a piece. Repeated text is dropped, a gap is marked, offset 0 starts anew."""
        stream = self._streams.get(delta.stream)
        if stream is None:
            stream = self._streams[delta.stream] = _Stream()
            self._forget_oldest()
        elif delta.offset == 0 and stream.offset:
            stream.restart()
        text = delta.text
        if delta.offset > stream.offset:
            missing = delta.offset - stream.offset
            stream.add(f"\n[{missing} characters not shown]\n", self._max_characters)
        elif delta.offset < stream.offset:
            text = text[stream.offset - delta.offset :]
        stream.offset = max(stream.offset, delta.offset + len(delta.text))
        if text:
            stream.add(text, self._max_characters)

    def since(self, key: str, place: int) -> Piece:
        """What came after `place` (0 at first, then the `end` of the last piece)."""
        stream = self._streams.get(key)
        if stream is None:
            return Piece(text="", end=0, is_restart=place > 0)
        if place < stream.start or place > stream.end:
            return Piece(text="".join(stream.chunks), end=stream.end, is_restart=place > 0)
        return Piece(text=_last(stream.chunks, stream.end - place), end=stream.end)

    def tail(self, key: str, max_characters: int = MAX_CHARACTERS) -> str:
        """The newest text of a stream, at most `max_characters`; empty if nothing came yet."""
        stream = self._streams.get(key)
        return _last(stream.chunks, max_characters) if stream else ""

    def drop(self, key: str) -> None:
        """Forget a stream, when its recorded reply has taken its place."""
        self._streams.pop(key, None)

    def clear(self) -> None:
        """Forget every stream, when another session is shown."""
        self._streams.clear()

    def _forget_oldest(self) -> None:
        while len(self._streams) > self._max_streams:
            del self._streams[next(iter(self._streams))]


def _last(chunks: deque[str], count: int) -> str:
    """The last `count` characters; a reader that keeps up touches the newest chunks only."""
    taken: list[str] = []
    for chunk in reversed(chunks):
        if count <= 0:
            break
        taken.append(chunk[-count:])
        count -= len(chunk)
    return "".join(reversed(taken))
