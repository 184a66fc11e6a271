"""Followers of the log: a snapshot first, every record after it, deltas while they keep up."""

import asyncio
from typing import TypeVar

import pytest

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.fold import apply
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import Delta, Lagged, Snapshot, Update
from orchestra_tui.engine.event_log import EventLog, Subscription
from orchestra_tui.engine.store.memory import MemoryEventStore
from tests.engine.sample_log import RUN, SESSION, START, begin, draft, whole_run

Kind = TypeVar("Kind", bound=Update)


async def _opened(*, limit: int = 1000) -> EventLog:
    log = EventLog(MemoryEventStore(), project="p", clock=lambda: START, queue_limit=limit)
    await log.open(SESSION)
    return log


async def _next(subscription: Subscription, kind: type[Kind]) -> Kind:
    update = await asyncio.wait_for(anext(subscription), timeout=5)
    assert isinstance(update, kind)
    return update


def _crash(number: int) -> ev.RunCrashed:
    return ev.RunCrashed(run=RUN, message=str(number))


async def test_a_follower_has_the_engines_state() -> None:
    """Whenever he begins: snapshot plus records gives the engine's own state."""
    log = await _opened()
    followers = []
    for event in whole_run():
        followers.append(log.subscribe())
        await log.append(event)
    await log.close()
    for follower in followers:
        state = None
        async for update in follower:
            match update:
                case Snapshot():
                    assert state is None
                    state = update.state
                case ev.Record():
                    assert state is not None
                    assert update.seq == state.seq + 1
                    state = apply(state, update)
        assert state == log.state


async def test_a_session_change_is_a_new_snapshot() -> None:
    """The records before it are still delivered."""
    log = await _opened()
    follower = log.subscribe()
    await log.append(begin()[0])
    await log.open(SessionId("s-2"))
    assert (await _next(follower, Snapshot)).state.id == SESSION
    assert (await _next(follower, ev.Record)).seq == 1
    assert (await _next(follower, Snapshot)).state.id == "s-2"


async def test_deltas_are_joined_and_counted() -> None:
    """A thousand pieces become few deltas without a gap between them."""
    log = await _opened()
    follower = log.subscribe()
    await _next(follower, Snapshot)
    for number in range(1000):
        log.publish_text("call-1", f"{number} ")
    text = ""
    expected = "".join(f"{number} " for number in range(1000))
    deltas = 0
    while text != expected:
        delta = await _next(follower, Delta)
        assert delta.offset == len(text)
        text += delta.text
        deltas += 1
    assert deltas <= 3


async def test_text_goes_out_before_the_record_that_ends_it() -> None:
    """A pane never gets a piece after it was told that the call is over; a retry starts at 0."""
    log = await _opened()
    await log.append(*begin())
    started, call_started, call_finished = draft()[:3]
    assert isinstance(call_started, ev.CallStarted)
    follower = log.subscribe()
    await _next(follower, Snapshot)
    await log.append(started, call_started)
    log.publish_text(call_started.call, "half an answ")
    await log.append(call_finished)
    log.publish_text(call_started.call, "again")
    await log.append(call_started)
    await _next(follower, ev.Record)
    await _next(follower, ev.Record)
    first = await _next(follower, Delta)
    assert (first.offset, first.text) == (0, "half an answ")
    assert (await _next(follower, ev.Record)).event == call_finished
    second = await _next(follower, Delta)
    assert (second.offset, second.text) == (0, "again")


async def test_deltas_are_dropped_before_records() -> None:
    """A full queue loses text, shown by a gap in the offsets, and keeps every record."""
    log = await _opened(limit=50)
    await log.append(*begin())
    follower = log.subscribe()
    for number in range(30):
        call = f"call-{number % 3}"
        log.publish_text(call, "text")
        finished = ev.CallFailed(run=RUN, call=call, activity="a", kind="k", message="m")
        await log.append(finished)
    await log.close()
    updates = [update async for update in follower]
    assert [u.seq for u in updates if isinstance(u, ev.Record)] == list(range(3, 33))
    assert len([u for u in updates if isinstance(u, Delta)]) < 30


async def test_a_slow_follower_is_told_and_begins_again() -> None:
    """Too many records end the subscription; the engine went on, and a new one is whole."""
    log = await _opened(limit=10)
    await log.append(*begin())
    slow, quick = log.subscribe(), log.subscribe()
    await _next(quick, Snapshot)
    for number in range(20):
        await log.append(_crash(number))
        await _next(quick, ev.Record)
    with pytest.raises(Lagged):
        await anext(slow)
    with pytest.raises(StopAsyncIteration):
        await anext(slow)
    again = log.subscribe()
    assert (await _next(again, Snapshot)).state == log.state
    await log.append(_crash(99))
    assert (await _next(again, ev.Record)).seq == 23
    assert (await _next(quick, ev.Record)).seq == 23


async def test_a_follower_that_left_costs_nothing() -> None:
    """Nothing is kept for who closed his subscription."""
    log = await _opened(limit=5)
    follower = log.subscribe()
    await follower.aclose()
    for number in range(20):
        await log.append(_crash(number))
    with pytest.raises(StopAsyncIteration):
        await anext(follower)


async def test_closing_ends_a_waiting_follower() -> None:
    """A worker that waits for the next update is let go."""
    log = await _opened()
    follower = log.subscribe()
    await _next(follower, Snapshot)
    waiting = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    await log.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, timeout=5)
