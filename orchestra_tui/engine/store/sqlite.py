"""`SqliteEventStore`: the event log in one SQLite file, on one connection.

The rule a reader must not break: an append returns when its rows are on the disk (WAL,
synchronous=FULL), and no row is ever changed or deleted. Close it in a `finally`: its thread is
no daemon and keeps the process alive.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import aiosqlite
from pydantic import ValidationError

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.events import SCHEMA_VERSION, Record
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.engine.store import schema
from orchestra_tui.engine.store.opening import open_for_reading, open_for_writing
from orchestra_tui.engine.store.reading import read_rows
from orchestra_tui.engine.store.replay import replay
from orchestra_tui.engine.store.schema import StoredEvent
from orchestra_tui.engine.store.summary import summary_of
from orchestra_tui.engine.store.waterline import Waterline


class SqliteEventStore:
    """The event log of one project. Made by `open`, never by the constructor."""

    def __init__(
        self,
        connection: aiosqlite.Connection,
        *,
        waterline: Waterline | None,
        warnings: Iterable[str],
    ) -> None:
        self._connection = connection
        self._waterline = waterline
        self._warnings = list(warnings)
        self._writing = asyncio.Lock()
        self._last_hash: dict[SessionId, bytes] = {}

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the log at `path` for the one writer; it is made if it is not there.

        A damaged file is moved aside, never deleted, and a new log begins; `warnings` says so.

        Raises:
            StorageError: the file cannot be opened, or a newer release wrote it.
        """
        opened = await open_for_writing(path)
        return cls(opened.connection, waterline=opened.waterline, warnings=opened.warnings)

    @classmethod
    async def open_readonly(cls, path: Path) -> Self:
        """Open an existing log to look at it, also while another process writes it.

        Raises:
            StorageError: there is no readable log at `path`.
        """
        return cls(await open_for_reading(path), waterline=None, warnings=())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found damaged, missing or unknown so far, in sentences for a person."""
        return tuple(self._warnings)

    async def append(
        self, records: Sequence[Record], summary: SessionSummary | None = None
    ) -> None:
        """Store all records or none, with the session's projection, and wait for the disk.

        A cancelled caller does not cut the transaction off.

        Raises:
            StorageError: a seq is taken, or the disk is full; nothing was stored.
        """
        await asyncio.shield(self._write(tuple(records), summary))

    async def save_summary(self, summary: SessionSummary) -> None:
        """Store the projection of a session that lists are made from. Raises StorageError."""
        await asyncio.shield(self._write((), summary))

    async def read(self, session: SessionId, after: int = 0) -> tuple[Record, ...]:
        """The readable records of a session with a seq above `after`, in order.

        Rows that cannot be read, or were changed from outside, are skipped; `warnings` says so.
        """
        rows = await self._fetch(schema.READ_EVENTS, (session,))
        found = await asyncio.to_thread(read_rows, [StoredEvent(*row) for row in rows])
        for warning in found.warnings:
            self._warn(warning)
        return tuple(record for record in found.records if record.seq > after)

    async def last_seq(self, session: SessionId) -> int:
        """The highest seq ever stored for a session, readable or not; 0 if there is none."""
        rows = await self._fetch(schema.LAST_EVENT, (session,))
        return rows[0][0] if rows else 0

    async def summaries(
        self, limit: int, before: SessionSummary | None = None
    ) -> tuple[SessionSummary, ...]:
        """The stored sessions, newest first; `before` is the last one of the page before."""
        if before is None:
            rows = await self._fetch(schema.NEWEST_SESSIONS, (limit,))
        else:
            at = before.last_at.isoformat()
            rows = await self._fetch(schema.NEXT_SESSIONS, (at, before.id, limit))
        found = [await self._summary(SessionId(key), data) for key, data in rows]
        return tuple(summary for summary in found if summary is not None)

    async def close(self) -> None:
        """Write everything into the one file and let go of it. May be called twice."""
        async with self._writing:
            if self._waterline is not None:
                await asyncio.to_thread(self._waterline.close)
                self._waterline = None
                await _try(self._connection, "PRAGMA wal_checkpoint(TRUNCATE)")
            await self._connection.close()

    async def _write(self, records: Sequence[Record], summary: SessionSummary | None) -> None:
        async with self._writing:
            if self._waterline is None:
                raise StorageError("the log is open for reading only")
            try:
                await self._transact(records, summary)
            except sqlite3.IntegrityError as error:
                raise StorageError(f"the log has such a record already: {error}") from error
            except (sqlite3.Error, ValueError) as error:
                raise StorageError(f"the log cannot be written: {error}") from error
            if self._waterline.rise(len(records)):
                await asyncio.to_thread(self._waterline.note)

    async def _transact(self, records: Sequence[Record], summary: SessionSummary | None) -> None:
        hashes = dict(self._last_hash)
        for session in {record.session for record in records} - hashes.keys():
            hashes[session] = await self._hash_of_last(session)
        rows = [_chain(record, hashes) for record in records]
        try:
            # The connection begins the transaction itself; each await is a trip to its thread.
            await self._connection.executemany(schema.INSERT_EVENT, rows)
            if summary is not None:
                line = (summary.id, summary.last_at.isoformat(), summary.model_dump_json())
                await self._connection.execute(schema.SAVE_SESSION, line)
            await self._connection.commit()
        except sqlite3.Error:
            # SQLite ends some failed transactions itself (a full disk); then there is no second.
            await _try(self._connection, "ROLLBACK")
            raise
        self._last_hash = hashes

    async def _hash_of_last(self, session: SessionId) -> bytes:
        rows = await self._fetch(schema.LAST_EVENT, (session,))
        return rows[0][1] if rows else b""

    async def _summary(self, session: SessionId, data: str) -> SessionSummary | None:
        """The stored line, or the one the log gives when the line cannot be read."""
        try:
            return SessionSummary.model_validate_json(data)
        except ValidationError:
            return summary_of(replay(session, await self.read(session)).state)

    async def _fetch(self, sql: str, values: Sequence[str | int]) -> list[sqlite3.Row]:
        try:
            return list(await self._connection.execute_fetchall(sql, values))
        except (sqlite3.Error, ValueError) as error:
            raise StorageError(f"the log cannot be read: {error}") from error

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)


def _chain(record: Record, hashes: dict[SessionId, bytes]) -> schema.Row:
    """The row of a record, chained to the last of its session, which it then is."""
    stored = StoredEvent(
        session=record.session,
        seq=record.seq,
        at=record.at.isoformat(),
        project=record.project,
        type=record.event.type,
        schema_version=SCHEMA_VERSION,
        data=record.event.model_dump_json(),
    )
    row = stored.row(hashes[record.session])
    hashes[record.session] = row[-1]
    return row


async def _try(connection: aiosqlite.Connection, sql: str) -> None:
    """Run a statement whose failure changes nothing that was promised."""
    try:
        await connection.execute(sql)
    except (sqlite3.Error, ValueError):
        return
