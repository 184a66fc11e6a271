"""How an agent is spoken with, without the package that speaks: it is loaded with the first turn.

The rule a reader must not break: this module stays light. `conversation`, `wire` and `requests`
import `acp`, which takes half a second and need not be installed.
"""

import asyncio
from collections.abc import Awaitable, Callable

from orchestra_tui.engine.adapters.acp.terms import Terms
from orchestra_tui.engine.adapters.process.talk import Turn


class AcpTalk:
    """Both sides ask and answer; `process.talk.Talk` for the adapter around it."""

    is_two_way = True

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    async def lead(self, turn: Turn) -> None:
        """One turn. Raises AdapterError."""
        hold = await asyncio.to_thread(_conversation)
        await hold(turn, self._terms)


def _conversation() -> Callable[[Turn, Terms], Awaitable[None]]:
    from orchestra_tui.engine.adapters.acp.conversation import hold

    return hold
