"""Figures of stored sessions: their logs folded, and counted together."""

import asyncio

from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.metrics import Metrics, metrics_of
from orchestra_tui.domain.ports import EventStore
from orchestra_tui.engine.store.replay import replay


async def stored_metrics(store: EventStore, sessions: list[SessionId]) -> Metrics:
    """The figures of these sessions. Nothing is locked or changed. Raises StorageError."""
    states = []
    for session in sessions:
        replayed = await asyncio.to_thread(replay, session, await store.read(session))
        states.append(replayed.state)
    return await asyncio.to_thread(metrics_of, states)


async def newest_sessions(store: EventStore, limit: int) -> list[SessionId]:
    """The ids of the newest sessions."""
    return [summary.id for summary in await store.summaries(limit)]
