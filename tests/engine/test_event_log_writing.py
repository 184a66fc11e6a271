"""The log stores, folds and publishes in this order, whoever calls and however fast."""

import asyncio
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.fold import fold
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import EventStore, SessionSummary
from orchestra_tui.domain.state import Phase, SessionState
from orchestra_tui.engine.event_log import NO_SESSION, EventLog
from orchestra_tui.engine.store.memory import MemoryEventStore
from orchestra_tui.engine.store.replay import replay
from orchestra_tui.engine.store.schema import StoredEvent
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from orchestra_tui.engine.store.summary import summary_of
from orchestra_tui.engine.store.upcast import Unreadable, read_event
from tests.engine.golden_log import LOGS, meaning, read_golden
from tests.engine.sample_log import RUN, SESSION, START, begin, records_of, whole_run


class SlowStore(MemoryEventStore):
    """Commits when it is let, and remembers how many records each commit held."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.commits: list[int] = []
        self.is_full = False

    async def append(
        self, records: Sequence[ev.Record], summary: SessionSummary | None = None
    ) -> None:
        """Wait for the gate, then store, unless the disk is full."""
        await self.gate.wait()
        if self.is_full:
            raise StorageError("the disk is full")
        self.commits.append(len(records))
        await super().append(records, summary)


async def _opened(store: EventStore) -> EventLog:
    log = EventLog(store, project="p", clock=lambda: START)
    await log.open(SESSION)
    return log


def _crash(text: object) -> ev.RunCrashed:
    return ev.RunCrashed(run=RUN, message=str(text))


async def test_state_is_the_fold_of_what_is_stored() -> None:
    """After each append, and again after opening the log anew."""
    store = MemoryEventStore()
    log = await _opened(store)
    for event in whole_run():
        state = await log.append(event)
        stored = await store.read(SESSION)
        assert state == log.state == fold(SessionState(id=SESSION), stored)
    again = EventLog(store, project="p")
    assert await again.open(SESSION) == log.state
    (summary,) = await store.summaries(5)
    assert summary == summary_of(log.state)
    assert (summary.title, summary.phase, summary.files_done) == ("write slugify", Phase.DONE, 1)
    assert summary.tokens == 360


async def test_events_of_one_append_stay_together() -> None:
    """Many callers at once: the numbers have no hole, each caller's events are neighbours."""
    store = MemoryEventStore()
    log = await _opened(store)
    await log.append(*begin())

    async def caller(name: int) -> None:
        for turn in range(10):
            await log.append(_crash(f"{name} {turn} a"), _crash(f"{name} {turn} b"))

    await asyncio.gather(*(caller(name) for name in range(20)))
    records = await store.read(SESSION)
    assert [record.seq for record in records] == list(range(1, 403))
    texts = [record.event.message for record in records[2:] if record.event.type == "RunCrashed"]
    assert len(texts) == 400
    assert all(a[:-1] == b[:-1] for a, b in zip(texts[::2], texts[1::2], strict=True))
    assert log.state.seq == 402


async def test_what_waits_shares_a_commit() -> None:
    """Natural batching: no fixed window, no commit per event under load."""
    store = SlowStore()
    store.gate.set()
    log = await _opened(store)
    await log.append(*begin())
    store.gate.clear()
    callers = [asyncio.create_task(log.append(_crash(n))) for n in range(50)]
    await asyncio.sleep(0)
    late = asyncio.create_task(log.append(_crash("late")))
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(*callers, late)
    assert sum(store.commits) == 53
    assert len(store.commits) <= 3


async def test_nobody_sees_what_is_not_stored() -> None:
    """Neither the state nor a follower knows of an event that waits for the disk."""
    store = SlowStore()
    log = await _opened(store)
    follower = log.subscribe()
    await anext(follower)
    caller = asyncio.create_task(log.append(*begin()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert log.state.seq == 0
    update = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    assert not update.done()
    store.gate.set()
    await caller
    assert isinstance(await update, ev.Record)


async def test_a_full_disk_is_told_and_forgotten() -> None:
    """Every caller of the failed commit is told; the next number is not skipped."""
    store = SlowStore()
    store.gate.set()
    log = await _opened(store)
    await log.append(*begin())
    before = log.state
    store.is_full = True
    results = await asyncio.gather(
        log.append(_crash(1)), log.append(_crash(2)), return_exceptions=True
    )
    assert [str(result) for result in results] == ["the disk is full"] * 2
    assert log.state == before
    store.is_full = False
    assert (await log.append(_crash(3))).seq == 3


async def test_a_cancelled_caller_does_not_stop_the_log() -> None:
    """His event is stored, folded and published all the same; the others go on."""
    store = SlowStore()
    log = await _opened(store)
    follower = log.subscribe()
    caller = asyncio.create_task(log.append(*begin()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    store.gate.set()
    await log.append(_crash("next"))
    assert log.state.seq == 3
    await log.close()
    assert len([update async for update in follower]) == 4


async def test_an_event_that_does_not_fit_is_not_stored() -> None:
    """It would make the session unreadable for ever; the caller learns of the defect at once."""
    store = MemoryEventStore()
    log = await _opened(store)
    await log.append(*begin())
    with pytest.raises(LookupError):
        await log.append(ev.StepSkipped(run=RUN, step="s9"))
    assert await store.last_seq(SESSION) == 2
    assert (await log.append(_crash("goes on"))).seq == 3


async def test_without_a_session_nothing_is_taken() -> None:
    """An event without a session would belong to nobody."""
    log = EventLog(MemoryEventStore(), project="p")
    assert log.state == NO_SESSION
    with pytest.raises(StorageError, match="no session"):
        await log.append(*begin())


async def test_another_session_can_be_opened() -> None:
    """Each has its own numbers; what was given to the first is stored there."""
    store = SlowStore()
    log = await _opened(store)
    pending = asyncio.create_task(log.append(*begin()))
    await asyncio.sleep(0)
    opening = asyncio.create_task(log.open(SessionId("s-2")))
    await asyncio.sleep(0)
    store.gate.set()
    assert (await pending).seq == 2
    assert (await opening).seq == 0
    assert (await log.append(begin()[0])).seq == 1
    assert len(await store.read(SESSION)) == 2
    await log.leave()
    assert log.state == NO_SESSION


async def test_unreadable_rows_at_the_end_keep_their_numbers(tmp_path: Path) -> None:
    """A row of a newer release is not written over."""
    store = await SqliteEventStore.open(tmp_path / "orchestra.db")
    newer = ev.RunCrashed.model_construct(type="Teleported", run=RUN, message="")
    records = records_of(begin())
    last = records[1].model_copy(update={"seq": 3, "event": newer})
    await store.append([*records, last])
    log = await _opened(store)
    assert log.state.seq == 2
    assert "Teleported" in log.warnings[0]
    assert (await log.append(_crash("on"))).seq == 4
    await store.close()


@given(lost=st.sets(st.integers(1, len(whole_run())), max_size=8))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_log_with_holes_is_read_as_far_as_it_goes(lost: set[int]) -> None:
    """Whatever rows are gone, the session opens; what is skipped besides them is named."""
    records = [record for record in records_of(whole_run()) if record.seq not in lost]
    replayed = replay(SESSION, records)
    skipped = {int(warning.split("record ")[1].split()[0]) for warning in replayed.warnings}
    assert skipped <= {record.seq for record in records}
    folded = [record.seq for record in records if record.seq not in skipped]
    assert replayed.state.seq == max(folded, default=0)


def test_a_whole_log_skips_nothing() -> None:
    """The tolerance above is for damage only."""
    assert replay(SESSION, records_of(whole_run())).warnings == ()


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_golden_logs_mean_what_they_meant(path: Path) -> None:
    """Sessions of every released schema can be opened, and are what they were."""
    expected = json.loads(path.with_suffix(".meaning.json").read_text(encoding="utf-8"))
    assert meaning(read_golden(path)) == expected


def test_there_is_a_golden_log_of_every_schema() -> None:
    """A raised schema version comes with the log of the one before."""
    versions = {int(path.stem.split("-")[0].removeprefix("v")) for path in LOGS.glob("*.jsonl")}
    assert versions == set(range(1, ev.SCHEMA_VERSION + 1))


def test_random_garbage_is_unreadable_and_no_crash() -> None:
    """Rows are judged, never trusted."""
    source = random.Random(7)
    for _ in range(300):
        data = source.choice(
            ["", "null", "[]", "{", '"x"', "{}", '{"type": "RunPaused"}', '{"type": 1}', "9" * 50]
        )
        row = StoredEvent("s", 1, source.choice(["", "now", "2026-01-01"]), "p", "t", 1, data)
        assert isinstance(read_event(row), Unreadable)
