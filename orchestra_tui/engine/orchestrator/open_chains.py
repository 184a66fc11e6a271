"""The chains that are asked now, and those before them until their last call has ended.

The rule a reader must not break: an adapter is closed when no question holds its chains any more,
not before; and then at once, whether the project is closed or not.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from orchestra_tui.engine.orchestrator.chains import Chains

log = logging.getLogger(__name__)


class OpenChains:
    """Chains that may be replaced while calls are at work; one for the open project."""

    def __init__(self, chains: Chains) -> None:
        self.now = chains
        """What the next question is asked of."""
        self._asking: Counter[int] = Counter()
        self._replaced: dict[int, Chains] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def held(self) -> Iterator[Chains]:
        """The chains of now, open until the end of the block whatever replaces them."""
        chains = self.now
        key = id(chains)
        self._asking[key] += 1
        try:
            yield chains
        finally:
            self._asking[key] -= 1
            if not self._asking[key]:
                del self._asking[key]
                self._close_if_left(key)

    def replace(self, chains: Chains) -> None:
        """Ask these from now on."""
        before, self.now = self.now, chains
        self.drop(before)

    def drop(self, chains: Chains) -> None:
        """Close these when nobody holds them any more: they are not asked, or never were."""
        self._replaced[id(chains)] = chains
        self._close_if_left(id(chains))

    async def close(self) -> None:
        """Close everything, also what is still held. Returns when it is closed."""
        for chains in (self.now, *self._replaced.values()):
            self._close(chains)
        self._replaced.clear()
        while self._closing:
            await asyncio.wait(self._closing)

    def _close_if_left(self, key: int) -> None:
        if key in self._replaced and key not in self._asking:
            self._close(self._replaced.pop(key))

    def _close(self, chains: Chains) -> None:
        task = asyncio.create_task(_closed(chains), name="closing adapters")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(chains: Chains) -> None:
    closings = (adapter.close() for adapter in chains.adapters)
    for error in await asyncio.gather(*closings, return_exceptions=True):
        if isinstance(error, BaseException):
            log.error("an adapter could not be closed", exc_info=error)
