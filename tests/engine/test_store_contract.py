"""What every event store promises, tried on each implementation."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import EventStore, SessionSummary
from orchestra_tui.domain.state import Phase
from orchestra_tui.engine.store.memory import MemoryEventStore
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from tests.engine.sample_log import SESSION, START, plain_records, records_of, whole_run

OTHER = SessionId("s-2")


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryEventStore()
        return
    opened = await SqliteEventStore.open(tmp_path / "orchestra.db")
    yield opened
    await opened.close()


def _summary(number: int) -> SessionSummary:
    at = START + timedelta(seconds=number // 2)
    return SessionSummary(
        id=SessionId(f"s-{number:03}"),
        project="p",
        root="/projects/demo",
        title=f"task {number}",
        started_at=at,
        last_at=at,
        phase=Phase.DONE,
    )


async def test_records_come_back_as_they_were(store: EventStore) -> None:
    """Every kind of event of a run, equal in every field."""
    records = records_of(whole_run())
    await store.append(records)
    assert list(await store.read(SESSION)) == records
    assert list(await store.read(SESSION, after=5)) == records[5:]
    assert await store.last_seq(SESSION) == len(records)


async def test_an_unknown_session_is_empty(store: EventStore) -> None:
    """Reading what was never written is no error."""
    assert list(await store.read(OTHER)) == []
    assert await store.last_seq(OTHER) == 0


async def test_sessions_do_not_mix(store: EventStore) -> None:
    """Two sessions count for themselves."""
    mine, others = plain_records(3), plain_records(2, session=OTHER)
    await store.append([*mine, *others])
    await store.append(plain_records(1, first=4))
    assert len(await store.read(SESSION)) == 4
    assert list(await store.read(OTHER)) == others


async def test_a_taken_number_stores_nothing(store: EventStore) -> None:
    """All or none: the good record beside the bad one is not stored either."""
    await store.append(plain_records(2))
    good, bad = plain_records(1, first=3)[0], plain_records(1, first=2)[0]
    with pytest.raises(StorageError):
        await store.append([good, bad])
    assert await store.last_seq(SESSION) == 2
    await store.append([good])
    assert await store.last_seq(SESSION) == 3


async def test_text_of_every_kind_survives(store: EventStore) -> None:
    """Escapes, bidi, emoji and NUL are bytes to the store, never cleaned here."""
    odd = "\x1b]52;c;evil\x07 \u202e\u200d caf\u00e9 \U0001f4a9 \x00 end"
    record = plain_records(1)[0]
    event = record.event.model_copy(update={"message": odd})
    await store.append([record.model_copy(update={"event": event})])
    (read,) = await store.read(SESSION)
    assert read.event == event


async def test_pages_hold_each_session_once(store: EventStore) -> None:
    """Keyset pages, newest first, also when several sessions share a moment."""
    for number in range(25):
        await store.save_summary(_summary(number))
    seen: list[SessionSummary] = []
    before = None
    while page := await store.summaries(7, before):
        seen += page
        before = page[-1]
    assert [summary.id for summary in seen] == [f"s-{n:03}" for n in reversed(range(25))]


async def test_the_projection_is_stored_with_the_records(store: EventStore) -> None:
    """The list is never behind the log."""
    summary = _summary(1)
    await store.append(plain_records(1, session=summary.id), summary)
    assert list(await store.summaries(10)) == [summary]
    newer = summary.model_copy(update={"files_done": 3})
    await store.append(plain_records(1, session=summary.id, first=2), newer)
    assert list(await store.summaries(10)) == [newer]


@pytest.mark.parametrize("make", [MemoryEventStore])
async def test_memory_warns_of_nothing(make: Callable[[], EventStore]) -> None:
    """Its warnings are there, and empty."""
    assert list(make().warnings) == []
