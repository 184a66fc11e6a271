"""The event log: the single writer through which every fact of a session passes.

An event is stored, then folded into the state, then published, in this order and for one event
after the other. The rule a reader must not break: nothing else appends to the store, and nobody
sees an event that is not yet on the disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.fold import fold
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import Delta, EventStore, Snapshot
from orchestra_tui.domain.state import SessionState
from orchestra_tui.engine.event_log.streams import StreamCoalescer
from orchestra_tui.engine.event_log.subscription import Subscription
from orchestra_tui.engine.store.replay import replay
from orchestra_tui.engine.store.summary import summary_of
from orchestra_tui.engine.workspace.crashpoints import reach

QUEUE_LIMIT = 4096
NO_SESSION = SessionState(id=SessionId(""))
"""The state while no session is open."""


@dataclass(frozen=True)
class _Entry:
    """Events that are stored all or none, and who waits for it."""

    events: tuple[ev.Event, ...]
    done: asyncio.Future[SessionState]


def utc_now() -> datetime:
    """The time that records carry."""
    return datetime.now(UTC)


class EventLog:
    """The log of the session that is open, its state, and those who follow it.

    The store is opened and closed by whoever made the log.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        project: str,
        clock: Callable[[], datetime] = utc_now,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self._store = store
        self._project = project
        self._clock = clock
        self._queue_limit = queue_limit
        self._state = NO_SESSION
        self._last_seq = 0
        self._replay_warnings: tuple[str, ...] = ()
        self._waiting: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None
        self._subscriptions: set[Subscription] = set()
        self._streams = StreamCoalescer(self._publish_delta)

    @property
    def state(self) -> SessionState:
        """The fold of everything stored so far in the open session."""
        return self._state

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read of the stored log, in sentences for a person."""
        return (*self._store.warnings, *self._replay_warnings)

    async def open(self, session: SessionId) -> SessionState:
        """Make `session` the open one; fold what is stored of it. A new id starts an empty log.

        Every subscriber gets the new state as a Snapshot.

        Raises:
            StorageError: the log cannot be read.
        """
        await self._written()
        records = await self._store.read(session)
        last_seq = await self._store.last_seq(session)
        replayed = await asyncio.to_thread(replay, session, records)
        self._replay_warnings = replayed.warnings
        self._enter(replayed.state, last_seq)
        return replayed.state

    async def leave(self) -> None:
        """Close the open session; the state is empty until the next `open`."""
        await self._written()
        self._enter(NO_SESSION, 0)

    async def append(self, *events: ev.Event) -> SessionState:
        """Store the events, all or none; return the state with them folded in.

        A cancelled caller does not take back what he gave. Events that arrive while the disk is
        busy share the next commit.

        Raises:
            StorageError: nothing was stored, or no session is open.
        """
        if not self._state.id:
            raise StorageError("no session is open")
        if not events:
            return self._state
        entry = _Entry(events, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="event log")
        return await asyncio.shield(entry.done)

    def publish_text(self, stream: str, text: str) -> None:
        """Pass on a piece of a running call or check. It is not stored and may be lost.

        `stream` is the call's key, or the activity's key for the output of checks. Pieces are
        joined, so that at most about 60 a second of one stream go out.
        """
        self._streams.feed(stream, text)

    def subscribe(self) -> Subscription:
        """The state as a Snapshot, then every record and delta from here on."""
        subscription = Subscription(self._queue_limit, self._subscriptions.discard)
        self._subscriptions.add(subscription)
        subscription.put(Snapshot(state=self._state))
        return subscription

    async def close(self) -> None:
        """Wait until everything given is stored, then end every subscription."""
        await self._written()
        self._streams.close()
        for subscription in tuple(self._subscriptions):
            subscription.end()

    async def _written(self) -> None:
        while self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])

    def _enter(self, state: SessionState, last_seq: int) -> None:
        self._streams.clear()
        self._state = state
        self._last_seq = max(last_seq, state.seq)
        for subscription in tuple(self._subscriptions):
            subscription.put(Snapshot(state=state))

    async def _write(self) -> None:
        """Store what waits until nothing does: whatever is there together is one commit."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._commit(batch)
            except StorageError as error:
                _fail(batch, error)
            except BaseException as error:
                # A defect, or the end of the loop. Nobody may wait for ever because of it.
                _fail([*batch, *self._waiting], error)
                self._waiting = []
                raise

    async def _commit(self, batch: Sequence[_Entry]) -> None:
        events = [event for entry in batch for event in entry.events]
        records = self._numbered(events)
        # Folded before it is stored: an event that the state cannot take never gets into the log.
        state = fold(self._state, records)
        reach("log.append")
        await self._store.append(records, summary_of(state))
        reach("log.appended")
        self._state = state
        self._last_seq = records[-1].seq
        for record in records:
            self._publish(record)
        for entry in batch:
            if not entry.done.done():
                entry.done.set_result(state)

    def _numbered(self, events: Sequence[ev.Event]) -> list[ev.Record]:
        at = self._clock()
        return [
            ev.Record(seq=seq, at=at, session=self._state.id, project=self._project, event=event)
            for seq, event in enumerate(events, self._last_seq + 1)
        ]

    def _publish(self, record: ev.Record) -> None:
        self._end_stream_of(record.event)
        for subscription in tuple(self._subscriptions):
            subscription.put(record)

    def _publish_delta(self, delta: Delta) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.put(delta)

    def _end_stream_of(self, event: ev.Event) -> None:
        """Text goes out before the record that ends its stream; the next starts at 0 again."""
        match event:
            case ev.CallStarted() | ev.CallFinished() | ev.CallFailed():
                self._streams.end(event.call)
            case ev.ChecksFinished():
                self._streams.end(event.activity)
            case ev.ActivityStarted() | ev.ActivityFailed() | ev.ActivityAbandoned():
                self._streams.end(event.activity.key)
            case _:
                return


def _fail(entries: Sequence[_Entry], error: BaseException) -> None:
    for entry in entries:
        if not entry.done.done():
            entry.done.set_exception(error)
