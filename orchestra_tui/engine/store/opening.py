"""Opening the database: checked before it is believed, moved aside when it is broken.

The rule a reader must not break: nothing that could hold a user's history is ever deleted.
"""

import asyncio
import sqlite3
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.engine.store import schema
from orchestra_tui.engine.store.waterline import Waterline

_COMPANIONS = ("", "-wal", "-shm", "-journal")


class _DamagedError(Exception):
    """The file is no log of ours, or is broken; the message says how."""


@dataclass(frozen=True)
class OpenedLog:
    """An open database, its waterline, and what a person must be told."""

    connection: aiosqlite.Connection
    waterline: Waterline
    warnings: tuple[str, ...]


async def open_for_writing(path: Path) -> OpenedLog:
    """Open or make the database at `path`; a damaged one is moved aside and a new one begun.

    Raises:
        StorageError: the file cannot be opened, or a newer release wrote it.
    """
    warnings: list[str] = []
    try:
        connection = await _open_checked(path)
    except _DamagedError as error:
        aside = await asyncio.to_thread(_move_aside, path)
        warnings.append(
            f"the log {path} was damaged ({error}); it is kept as {aside.name}, "
            "and a new log was begun: earlier sessions are not in the list"
        )
        try:
            connection = await _open_checked(path)
        except _DamagedError as again:
            raise StorageError(f"the log {path} cannot be made: {again}") from again
    try:
        waterline = await asyncio.to_thread(Waterline.open, path.with_name(f"{path.name}-count"))
    except OSError as error:
        await connection.close()
        raise StorageError(f"{path.parent} cannot be written: {error.strerror}") from error
    count = await _count(connection)
    if not warnings and count < waterline.count:
        warnings.append(
            f"the log {path} held {waterline.count} records and now holds {count}: "
            "an older copy was put back, or its -wal file was removed"
        )
    waterline.count = count
    await asyncio.to_thread(waterline.note)
    return OpenedLog(connection, waterline, tuple(warnings))


async def open_for_reading(path: Path) -> aiosqlite.Connection:
    """Open the database at `path` without changing it.

    Raises:
        StorageError: there is no readable log.
    """
    uri = await asyncio.to_thread(_readonly_uri, path)
    try:
        connection = await aiosqlite.connect(uri, uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise StorageError(f"the log {path} cannot be opened: {error}") from error
    try:
        connection.text_factory = _lenient
        await connection.execute("PRAGMA trusted_schema = OFF")
        await connection.execute("PRAGMA busy_timeout = 5000")
        _check_ours(await _number(connection, "application_id"), path)
    except BaseException as error:
        # The connection's thread would outlive any way out of here, also a cancelled one.
        await connection.close()
        if isinstance(error, (sqlite3.Error, _DamagedError)):
            raise StorageError(f"the log {path} cannot be read: {error}") from error
        raise
    return connection


async def _open_checked(path: Path) -> aiosqlite.Connection:
    size = await asyncio.to_thread(_size, path)
    try:
        connection = await aiosqlite.connect(path, isolation_level="IMMEDIATE")
    except sqlite3.Error as error:
        raise StorageError(f"the log {path} cannot be opened: {error}") from error
    try:
        await _prepare(connection, path, size)
    except BaseException as error:
        await connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise StorageError(f"the log {path} cannot be opened: {error}") from error
        if isinstance(error, sqlite3.DatabaseError):
            raise _DamagedError(str(error)) from error
        raise
    return connection


async def _prepare(connection: aiosqlite.Connection, path: Path, size: int) -> None:
    connection.text_factory = _lenient
    for pragma in schema.CAREFUL:
        await connection.execute(pragma)
    is_new = not size or await _is_blank(connection)
    if not is_new:
        await _check(connection, path)
    for pragma in schema.DURABLE:
        await connection.execute(pragma)
    await connection.execute("BEGIN IMMEDIATE")
    for table in schema.TABLES:
        await connection.execute(table)
    await connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    await connection.execute(f"PRAGMA user_version = {schema.FORMAT}")
    await connection.execute("COMMIT")
    if is_new:
        # Into the main file at once: without its -wal it would not be known as ours.
        await connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _check(connection: aiosqlite.Connection, path: Path) -> None:
    _check_ours(await _number(connection, "application_id"), path)
    version = await _number(connection, "user_version")
    if version > schema.FORMAT:
        raise StorageError(f"a newer release wrote {path}; update this one to open it")
    verdict = list(await connection.execute_fetchall("PRAGMA quick_check(1)"))
    if verdict[0][0] != "ok":
        raise _DamagedError(str(verdict[0][0]))
    if await _holds_code(connection):
        raise _DamagedError("somebody added triggers or views to it")


async def _is_blank(connection: aiosqlite.Connection) -> bool:
    """True for a file that its maker was killed over before there was a table in it."""
    rows = list(await connection.execute_fetchall("SELECT count(*) FROM sqlite_schema"))
    return not rows[0][0] and not await _number(connection, "application_id")


def _check_ours(application: int, path: Path) -> None:
    if application != schema.APPLICATION_ID:
        raise _DamagedError(f"{path.name} is no log of this program")


async def _holds_code(connection: aiosqlite.Connection) -> bool:
    """True if the file brings statements of its own; ours never does."""
    sql = "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    rows = list(await connection.execute_fetchall(sql))
    return bool(rows[0][0])


async def _number(connection: aiosqlite.Connection, pragma: str) -> int:
    rows = list(await connection.execute_fetchall(f"PRAGMA {pragma}"))
    return int(rows[0][0])


async def _count(connection: aiosqlite.Connection) -> int:
    rows = list(await connection.execute_fetchall("SELECT count(*) FROM event"))
    return int(rows[0][0])


def _move_aside(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for companion in _COMPANIONS:
        source = path.with_name(path.name + companion)
        if source.exists():
            source.rename(aside.with_name(aside.name + companion))
    return aside


def _readonly_uri(path: Path) -> str:
    if not _size(path):
        raise StorageError(f"there is no log at {path}")
    return f"{path.absolute().as_uri()}?mode=ro"


def _size(path: Path) -> int:
    """The bytes of the database; 0 if there is none yet. A link or a folder is refused."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise StorageError(f"{path} is not a file; move it away and start again")
    return found.st_size


def _lenient(raw: bytes) -> str:
    """Damaged text must reach the chain of hashes, which names the row, not end the reading."""
    return raw.decode("utf-8", "replace")
