"""One follower of the log, and the bounded queue between the engine and him.

The rule a reader must not break: a delta may be dropped, a record never. A follower too slow for
the records is told so (`Lagged`) and starts again from a snapshot; the engine never waits for him.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

from orchestra_tui.domain.ports import Delta, Lagged, Update


class Subscription:
    """An async iterator of updates. `limit` is the number of updates that may wait.

    `on_end` is called once, when nothing more will be put in.
    """

    def __init__(self, limit: int, on_end: Callable[["Subscription"], object]) -> None:
        self._limit = limit
        self._on_end = on_end
        self._queue: deque[Update] = deque()
        self._filled = asyncio.Event()
        self._is_open = True
        self._has_lagged = False

    def put(self, update: Update) -> None:
        """Hand over an update; never waits. Called by the log only."""
        if not self._is_open:
            return
        if len(self._queue) >= self._limit:
            if isinstance(update, Delta):
                return
            self._queue = deque(kept for kept in self._queue if not isinstance(kept, Delta))
        if len(self._queue) >= self._limit:
            self._queue.clear()
            self._has_lagged = True
            self.end()
            return
        self._queue.append(update)
        self._filled.set()

    def end(self) -> None:
        """Let the follower read what waits, and no more. May be called twice."""
        if self._is_open:
            self._is_open = False
            self._filled.set()
            self._on_end(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update:
        """The next update.

        Raises:
            Lagged: once, if the follower was too slow.
            StopAsyncIteration: the log was closed.
        """
        while not self._queue:
            if self._has_lagged:
                self._has_lagged = False
                raise Lagged("the updates came faster than they were read")
            if not self._is_open:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        return self._queue.popleft()

    async def aclose(self) -> None:
        """Stop following."""
        self._queue.clear()
        self.end()
