"""Answers of models kept for the next time the same is asked, in one small SQLite file per user.

The rule a reader must not break: nothing here may fail a call. A file that is damaged, locked or
full is a miss; a damaged one is thrown away, since all of it can be asked for again.

It holds code of the user's projects: the file is his alone (0600) in a folder of his (0700).
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from orchestra_tui.domain.ports import KeptResult

T = TypeVar("T")
log = logging.getLogger(__name__)
BUSY_SECONDS = 1.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS result_v1 (
    key TEXT PRIMARY KEY,
    kept_at REAL NOT NULL,
    used_at REAL NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
) WITHOUT ROWID, STRICT
"""


class SqliteResultCache:
    """A `ResultCache` in the file at `path`, which is made when the first answer is kept.

    `max_age` in seconds, `max_bytes` of all answers together; `clock` is seconds since 1970. Each
    call opens the file anew, so that many processes can use it and nothing needs to be closed.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_age: float,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._max_age = max_age
        self._max_bytes = max_bytes
        self._clock = clock

    async def get(self, key: str) -> KeptResult | None:
        """The answer kept under `key`; None if there is none, or it is too old."""
        return await asyncio.to_thread(self._safely, self._get, key, None)

    async def put(self, key: str, result: KeptResult) -> None:
        """Keep an answer; the least used ones go when all would be too large."""
        data = result.model_dump_json().encode("utf-8", "replace")
        if len(data) <= self._max_bytes:
            await asyncio.to_thread(self._safely, self._put, key, data)

    async def forget(self, key: str) -> None:
        """Drop an answer."""
        await asyncio.to_thread(self._safely, self._forget, key, None)

    def _safely(
        self, work: Callable[[str, bytes | None], T], key: str, data: bytes | None
    ) -> T | None:
        if data is None and not self._path.exists():
            return None
        try:
            return work(key, data)
        except sqlite3.OperationalError as error:
            log.warning("the cache of answers cannot be used: %s", error)
        except (sqlite3.DatabaseError, ValidationError) as error:
            log.warning("the cache of answers is damaged and is thrown away: %s", error)
            self._discard()
        except OSError as error:
            log.warning("the cache of answers cannot be used: %s", error.strerror)
        return None

    def _get(self, key: str, _data: bytes | None) -> KeptResult | None:
        now = self._clock()
        with self._open() as database:
            row = database.execute(
                "SELECT data FROM result_v1 WHERE key = ? AND kept_at BETWEEN ? AND ?",
                (key, now - self._max_age, now),
            ).fetchone()
            if row is None:
                return None
            database.execute("UPDATE result_v1 SET used_at = ? WHERE key = ?", (now, key))
        return KeptResult.model_validate_json(row[0])

    def _put(self, key: str, data: bytes | None) -> None:
        now = self._clock()
        with self._open() as database:
            database.execute(
                "INSERT OR REPLACE INTO result_v1 VALUES (?, ?, ?, ?, ?)",
                (key, now, now, len(data or b""), data),
            )
            database.execute(
                "DELETE FROM result_v1 WHERE kept_at NOT BETWEEN ? AND ?",
                (now - self._max_age, now),
            )
            database.execute(
                "DELETE FROM result_v1 WHERE key IN (SELECT key FROM ("
                "SELECT key, SUM(size) OVER (ORDER BY used_at DESC, key) AS total FROM result_v1"
                ") WHERE total > ?)",
                (self._max_bytes,),
            )

    def _forget(self, key: str, _data: bytes | None) -> None:
        with self._open() as database:
            database.execute("DELETE FROM result_v1 WHERE key = ?", (key,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database inside one transaction."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made by us first, as SQLite would make it readable for everybody.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as database, database:
            database.execute(_SCHEMA)
            yield database

    def _discard(self) -> None:
        for name in (self._path, self._path.with_name(f"{self._path.name}-journal")):
            with contextlib.suppress(OSError):
                name.unlink(missing_ok=True)
