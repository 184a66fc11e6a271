"""The clocks of one reply: first piece, silence between pieces, and the whole.

The rule a reader must not break: only *content* winds the clock. A server that drips comments or
empty events keeps any read timeout from ever firing (measured with httpx), so the reader calls
`progress` when text of the model came and at no other time.
"""

import asyncio
from types import TracebackType

from orchestra_tui.engine.adapters.base import (
    AdapterError,
    FirstByteTimeout,
    IdleTimeout,
    TotalTimeout,
)


class ReplyClock:
    """`async with` around one exchange; turns lateness into the error that names it.

    All times are seconds on the monotonic clock of the loop.
    """

    def __init__(self, *, first_byte: float, idle: float, total: float) -> None:
        self._first_byte = first_byte
        self._idle = idle
        self._total = total
        self._has_begun = False
        self._is_over = False
        self._scope = asyncio.timeout(None)
        self._end = 0.0

    async def __aenter__(self) -> "ReplyClock":
        await self._scope.__aenter__()
        self._end = asyncio.get_running_loop().time() + self._total
        self._wait(self._first_byte)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over = True
        try:
            await self._scope.__aexit__(kind, error, trace)
        except TimeoutError:
            if not self._scope.expired():
                raise
            raise self._lateness() from None

    def progress(self) -> None:
        """A piece of the answer came: the silence is counted from now.

        One that comes when the time is over changes nothing: a client that is being stopped goes
        on for a moment, and a reader may outlive the exchange.
        """
        if self._is_running:
            self._has_begun = True
            self._wait(self._idle)

    def expect_end(self, seconds: float) -> None:
        """The answer is whole: give the rest of the stream only so long."""
        if self._is_running:
            self._wait(min(seconds, self._idle))

    @property
    def _is_running(self) -> bool:
        return not self._is_over and not self._scope.expired()

    def _wait(self, seconds: float) -> None:
        self._scope.reschedule(min(asyncio.get_running_loop().time() + seconds, self._end))

    def _lateness(self) -> AdapterError:
        if asyncio.get_running_loop().time() >= self._end:
            return TotalTimeout(f"the answer was not complete after {self._total:g} s")
        if self._has_begun:
            return IdleTimeout(f"the answer stopped: nothing more came for {self._idle:g} s")
        return FirstByteTimeout(f"no answer began within {self._first_byte:g} s")
