"""A damaged log is noticed, kept and worked around; it never costs more than what is damaged."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.events import Record
from orchestra_tui.engine.store.replay import replay
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from orchestra_tui.engine.store.summary import summary_of
from tests.engine.sample_log import SESSION, plain_records, records_of, whole_run


@pytest.fixture
async def log(tmp_path: Path) -> Path:
    """A closed log with 200 records of some size."""
    path = tmp_path / "orchestra.db"
    store = await SqliteEventStore.open(path)
    await store.append(plain_records(200, size=300))
    await store.close()
    return path


async def _read(path: Path) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    store = await SqliteEventStore.open(path)
    try:
        return await store.read(SESSION), store.warnings
    finally:
        await store.close()


def _change(path: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql, values)
    connection.commit()
    connection.close()


async def test_a_sound_log_says_nothing(log: Path) -> None:
    """The checks below would mean little if they cried at everything."""
    records, warnings = await _read(log)
    assert len(records) == 200
    assert warnings == ()
    assert sorted(p.name for p in log.parent.iterdir()) == ["orchestra.db", "orchestra.db-count"]


async def test_a_flipped_byte_is_noticed(log: Path) -> None:
    """SQLite's own checks pass over it; the chain of hashes names the row and keeps the others."""
    raw = log.read_bytes()
    at = raw.index(b'"message":"77 ') + len(b'"message":"77 ') + 5
    log.write_bytes(raw[:at] + b"y" + raw[at + 1 :])
    records, warnings = await _read(log)
    assert [r.seq for r in records] == [n for n in range(1, 201) if n != 77]
    assert len(warnings) == 1
    assert "record 77" in warnings[0]
    assert "not the ones that were written" in warnings[0]


async def test_bytes_that_are_no_text_are_noticed(log: Path) -> None:
    """Invalid UTF-8 costs its row only."""
    raw = log.read_bytes()
    at = raw.index(b'"message":"5 ') + len(b'"message":"5 ')
    log.write_bytes(raw[:at] + b"\xff\xfe" + raw[at + 2 :])
    records, warnings = await _read(log)
    assert len(records) == 199
    assert "record 5 " in warnings[0]


async def test_a_changed_hash_costs_one_row(log: Path) -> None:
    """The row after it still fits to what the hash should have been."""
    _change(log, "UPDATE event SET hash = x'00' WHERE seq = 9")
    records, warnings = await _read(log)
    assert [r.seq for r in records if r.seq < 12] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert len(warnings) == 1


async def test_a_removed_row_is_noticed(log: Path) -> None:
    """A hole in the numbers is said; what is behind it is still read."""
    _change(log, "DELETE FROM event WHERE seq IN (50, 51)")
    records, warnings = await _read(log)
    assert len(records) == 198
    assert any("2 record(s) before 52 are gone" in warning for warning in warnings)
    assert any("held 200 records and now holds 198" in warning for warning in warnings)


async def test_rows_of_a_newer_release_are_skipped(log: Path) -> None:
    """An event that this release does not know is no reason to refuse the session."""
    store = await SqliteEventStore.open(log)
    await store.close()
    _change(
        log,
        "INSERT INTO event (session, seq, at, project, type, schema_version, data, hash)"
        " VALUES (?, 202, '2026-01-01T00:00:00+00:00', 'p', 'Teleported', 99, ?, x'01')",
        SESSION,
        '{"type": "Teleported"}',
    )
    store = await SqliteEventStore.open(log)
    records = await store.read(SESSION)
    assert len(records) == 200
    assert any("a newer release wrote it" in warning for warning in store.warnings)
    assert await store.last_seq(SESSION) == 202
    await store.append(plain_records(1, first=203))
    assert len(await store.read(SESSION)) == 201
    await store.close()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _header(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 20 + path.read_bytes()[420:])


def _half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _zeroed(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[8192:16384] = bytes(8192)
    path.write_bytes(raw)


def _foreign(path: Path) -> None:
    path.unlink()
    _change(path, "CREATE TABLE somebody (elses TEXT)")


def _trigger(path: Path) -> None:
    _change(path, "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event; END")


@pytest.mark.parametrize("harm", [_header, _half, _zeroed, _foreign, _trigger])
async def test_a_broken_file_is_moved_aside(log: Path, harm: Callable[[Path], None]) -> None:
    """The old file is kept, a new log begins, and a person is told both."""
    harm(log)
    before = log.read_bytes()
    store = await SqliteEventStore.open(log)
    assert await store.read(SESSION) == ()
    assert "was damaged" in store.warnings[0]
    await store.append(plain_records(3))
    await store.close()
    (kept,) = log.parent.glob("orchestra.db.damaged-*")
    assert kept.read_bytes() == before
    records, warnings = await _read(log)
    assert len(records) == 3
    assert warnings == ()


async def test_an_emptied_file_is_noticed(log: Path) -> None:
    """An empty file is a valid empty database; only the number beside it knows better."""
    _empty(log)
    records, warnings = await _read(log)
    assert records == ()
    assert "held 200 records and now holds 0" in warnings[0]


async def test_a_removed_write_ahead_log_is_noticed(tmp_path: Path) -> None:
    """Committed rows lie in the -wal until it is folded in; SQLite does not miss it."""
    path, copy = tmp_path / "orchestra.db", tmp_path / "copy"
    store = await SqliteEventStore.open(path)
    await store.append(plain_records(50))
    copy.mkdir()
    for name in ("orchestra.db", "orchestra.db-count"):
        shutil.copy(tmp_path / name, copy)
    await store.close()
    records, warnings = await _read(copy / "orchestra.db")
    assert records == ()
    assert "held 50 records" in warnings[0]


async def test_a_newer_format_is_refused_and_untouched(log: Path) -> None:
    """Writing into tables of the future could break them."""
    _change(log, "PRAGMA user_version = 99")
    before = log.read_bytes()
    with pytest.raises(StorageError, match="newer release"):
        await SqliteEventStore.open(log)
    assert log.read_bytes() == before


@pytest.mark.parametrize("kind", ["folder", "link"])
async def test_only_a_plain_file_is_opened(tmp_path: Path, kind: str) -> None:
    """A repository could bring `.orchestra/orchestra.db` as a link to something of the user's."""
    path, target = tmp_path / "orchestra.db", tmp_path / "target"
    if kind == "folder":
        path.mkdir()
    else:
        target.write_bytes(b"precious")
        path.symlink_to(target)
    with pytest.raises(StorageError, match="not a file"):
        await SqliteEventStore.open(path)
    assert not target.exists() or target.read_bytes() == b"precious"


async def test_a_damaged_line_of_the_list_is_made_again(tmp_path: Path) -> None:
    """The list is a projection: what it loses, the log gives back."""
    path = tmp_path / "orchestra.db"
    records = records_of(whole_run())
    summary = summary_of(replay(SESSION, records).state)
    assert summary is not None
    store = await SqliteEventStore.open(path)
    await store.append(records, summary)
    await store.close()
    _change(path, "UPDATE session SET data = '{broken'")
    store = await SqliteEventStore.open(path)
    assert list(await store.summaries(5)) == [summary]
    await store.close()
