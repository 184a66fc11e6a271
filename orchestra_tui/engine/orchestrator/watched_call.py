"""One call under watch: a reply that runs away is stopped, one that looks damaged is marked early.

The rule a reader must not break: watching never changes an answer. A stopped call ends in a
completion whose finish says so; a doubt is a remark, and the gate alone decides.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.prompt_blocks import read_file_block
from orchestra_tui.engine.adapters.base import (
    Adapter,
    AdapterError,
    Completion,
    CompletionRequest,
    OnDelta,
)
from orchestra_tui.engine.agents.partial import PartialReply
from orchestra_tui.engine.agents.runaway import RunawayWatch, size_limit
from orchestra_tui.engine.validation.growing import Doubt

log = logging.getLogger(__name__)
PAUSE = 0.7
"""Seconds between two looks at a growing reply."""

MIN_GROWTH = 400
"""Characters a reply must have grown by, and a tenth of it, before it is looked at again."""

OnDoubt = Callable[[Doubt], Awaitable[None]]


@dataclass
class Watch:
    """Sees one reply come in; `old` is the file that it is about, as it was before."""

    role: Role
    path: str | None
    old: str | None
    on_doubt: OnDoubt
    _pieces: list[str] = field(default_factory=list)
    _length: int = 0
    _looked_at: int = 0
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._runaway = RunawayWatch(size_limit(self.role, self.old), self.old or "")

    async def execute(
        self, adapter: Adapter, request: CompletionRequest, on_delta: OnDelta
    ) -> Completion:
        """Ask once, as the adapter does; a reply that ran away ends with `RUNAWAY` and unknown
        usage. Raises AdapterError."""
        asking = asyncio.ensure_future(
            adapter.execute(request, lambda piece: self._take(piece, on_delta, asking.cancel))
        )
        # The rest of a cut reply begins in the middle: by itself it cannot be looked at.
        is_rest = any(message.author == "assistant" for message in request.messages)
        look = asyncio.sleep(0) if is_rest else self._look()
        looking = asyncio.create_task(look, name=f"look at {request.key}")
        try:
            return await asking
        except (asyncio.CancelledError, AdapterError):
            task = asyncio.current_task()
            is_cancelled = task is not None and task.cancelling() > 0
            if not self._runaway.reason or is_cancelled:
                raise
            text = "".join(self._pieces)
            return Completion(text, FinishReason.RUNAWAY, Usage(), adapter.info().model)
        finally:
            looking.cancel()
            # Nothing is suppressed: what could come out of here is a cancel of our own.
            await asyncio.wait({looking})
            if not looking.cancelled() and (error := looking.exception()) is not None:
                log.error("the look at %s failed", request.key, exc_info=error)

    def _take(self, piece: str, on_delta: OnDelta, stop: Callable[[], object]) -> None:
        on_delta(piece)
        self._pieces.append(piece)
        self._length += len(piece)
        if self._runaway.reason:
            return
        if self._runaway.feed(piece):
            stop()
        elif self._length - self._looked_at >= max(MIN_GROWTH, self._looked_at // 10):
            self._grown.set()

    async def _look(self) -> None:
        """Tell the first doubt, then leave the reply alone."""
        await self._grown.wait()
        partial = await asyncio.to_thread(PartialReply, self.role, self.path, self.old)
        while True:
            await self._grown.wait()
            self._grown.clear()
            self._looked_at = self._length
            doubt = await asyncio.to_thread(partial.look, "".join(self._pieces))
            if doubt is not None:
                await self.on_doubt(doubt)
                return
            await asyncio.sleep(PAUSE)


def file_before(request: CompletionRequest) -> str | None:
    """The text of the request's file as the prompt shows it; None for a new file. Blocks."""
    if request.path is None:
        return None
    texts = (read_file_block(message.text, request.path) for message in request.messages)
    return next((text for text in texts if text is not None), None)
