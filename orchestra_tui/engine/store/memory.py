"""`MemoryEventStore`: the event store of tests and of runs that shall leave nothing behind."""

from collections.abc import Sequence

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.events import Record
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import SessionSummary


class MemoryEventStore:
    """Keeps records for the life of the process, under the same rules as the file."""

    def __init__(self) -> None:
        self._records: dict[SessionId, list[Record]] = {}
        self._summaries: dict[SessionId, SessionSummary] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Always empty: memory is not damaged."""
        return ()

    async def append(
        self, records: Sequence[Record], summary: SessionSummary | None = None
    ) -> None:
        """Store all records or none. Raises StorageError if a seq is taken or out of order."""
        last = {session: stored[-1].seq for session, stored in self._records.items() if stored}
        for record in records:
            if record.seq <= last.get(record.session, 0):
                raise StorageError(f"record {record.seq} of {record.session} is stored already")
            last[record.session] = record.seq
        for record in records:
            self._records.setdefault(record.session, []).append(record)
        if summary is not None:
            self._summaries[summary.id] = summary

    async def read(self, session: SessionId, after: int = 0) -> tuple[Record, ...]:
        """The records of a session with a seq above `after`, in order."""
        return tuple(r for r in self._records.get(session, ()) if r.seq > after)

    async def last_seq(self, session: SessionId) -> int:
        """The highest seq of a session; 0 if it has none."""
        stored = self._records.get(session)
        return stored[-1].seq if stored else 0

    async def save_summary(self, summary: SessionSummary) -> None:
        """Store the projection of a session that lists are made from."""
        self._summaries[summary.id] = summary

    async def summaries(
        self, limit: int, before: SessionSummary | None = None
    ) -> tuple[SessionSummary, ...]:
        """The stored sessions, newest first; `before` is the last one of the page before."""
        newest = sorted(self._summaries.values(), key=_age, reverse=True)
        if before is not None:
            newest = [summary for summary in newest if _age(summary) < _age(before)]
        return tuple(newest[:limit])

    async def close(self) -> None:
        """Nothing to flush."""


def _age(summary: SessionSummary) -> tuple[float, str]:
    return (summary.last_at.timestamp(), summary.id)
