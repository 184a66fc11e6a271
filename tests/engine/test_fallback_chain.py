"""What a chain does after each kind of failure: who is asked next, after which wait, and why."""

import asyncio

import pytest

from orchestra_tui.domain.calls import FinishReason, ProviderKind
from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.base import AdapterError, Completion
from orchestra_tui.engine.adapters.breaker import Lanes
from orchestra_tui.engine.adapters.decisions import RULES, Move
from orchestra_tui.engine.adapters.fallback import (
    ChainExhausted,
    Earlier,
    FallbackAdapter,
    Link,
)
from orchestra_tui.engine.adapters.fallback_course import ChainLimits
from tests.engine.chain_doubles import (
    Notes,
    Says,
    ScriptedAdapter,
    chain_of,
    failure,
    limited,
    now,
    run_timeless,
)

GOES_ON = sorted(kind for kind, rule in RULES.items() if rule.move is Move.NEXT)
AGAIN = sorted(kind for kind, rule in RULES.items() if rule.move is Move.SAME)
STOPS = sorted(kind for kind, rule in RULES.items() if rule.move is Move.STOP)


def all_classes() -> set[type[AdapterError]]:
    found, waiting = set(), [AdapterError]
    while waiting:
        cls = waiting.pop()
        found.add(cls)
        waiting += cls.__subclasses__()
    return found


def test_every_class_of_the_error_tree_has_its_row() -> None:
    own = {cls.kind for cls in all_classes()} - {ChainExhausted.kind}
    assert own <= set(RULES)


@pytest.mark.parametrize("kind", GOES_ON)
def test_the_next_adapter_is_asked_at_once(kind: str) -> None:
    async def work() -> None:
        first, second = ScriptedAdapter("a", failure(kind)), ScriptedAdapter("b", Says("whole"))
        notes = Notes()
        answer = await chain_of(first, second).answer(notes)
        assert answer.text == "whole"
        assert notes.lines == [
            ("call", "a"),
            ("failed", kind, 0.0),
            ("hop", "a", "b", kind),
            ("call", "b"),
        ]
        assert second.began == [first.began[0] + 1.0], "nobody waited"
        assert len(second.requests[0].messages) == 1, "nothing of the first one's words goes along"

    run_timeless(work())


@pytest.mark.parametrize("kind", AGAIN)
def test_a_hiccup_is_tried_once_more_and_then_left(kind: str) -> None:
    async def work() -> None:
        first, second = ScriptedAdapter("a", failure(kind)), ScriptedAdapter("b")
        notes = Notes()
        await chain_of(first, second).answer(notes)
        assert notes.calls == ["a", "a", "b"]
        assert first.began[1] - first.began[0] == pytest.approx(1.5)

    run_timeless(work())


@pytest.mark.parametrize("kind", STOPS)
def test_what_nobody_understands_stops_the_chain(kind: str) -> None:
    async def work() -> None:
        first, second = ScriptedAdapter("a", failure(kind)), ScriptedAdapter("b")
        with pytest.raises(AdapterError) as raised:
            await chain_of(first, second).answer(Notes())
        assert raised.value.kind == kind
        assert second.requests == []

    run_timeless(work())


def test_a_long_wait_is_no_reason_to_try_a_hiccup_again() -> None:
    async def work() -> None:
        first = ScriptedAdapter("a", failure("server_failed", retry_after=3600))
        notes = Notes()
        await chain_of(first, ScriptedAdapter("b")).answer(notes)
        assert notes.calls == ["a", "b"]

    run_timeless(work())


def test_waiting_is_chosen_when_it_is_the_sooner_answer() -> None:
    async def work() -> None:
        first = ScriptedAdapter("a", limited(12), Says("after the wait"))
        second = ScriptedAdapter("b", limited(15, "b"))
        notes = Notes()
        began = now()
        assert (await chain_of(first, second).answer(notes)).text == "after the wait"
        assert notes.calls == ["a", "b", "a"]
        assert ("wait", "a", 11.0) in notes.lines
        assert now() - began == pytest.approx(14.0), "1 + 1 of calls, 11 of waiting, 1 of the call"

    run_timeless(work())


def test_beyond_the_patience_the_chain_ends_and_says_what_each_said() -> None:
    async def work() -> None:
        first = ScriptedAdapter("a", limited(45))
        second = ScriptedAdapter("b", failure("connection_failed", "b: refused", 90))
        began = now()
        with pytest.raises(ChainExhausted) as raised:
            await chain_of(first, second).answer(Notes())
        text = str(raised.value)
        assert "a: 429" in text
        assert "b: refused" in text
        assert "a can be asked again in 44 s" in text
        assert raised.value.retry_after == pytest.approx(44.0)
        assert now() - began == pytest.approx(2.0)

    run_timeless(work())


def test_a_chain_of_one_also_says_when_it_can_be_asked_again() -> None:
    async def work() -> None:
        only = ScriptedAdapter("a", limited(7201))
        with pytest.raises(base.RateLimited, match=r"^a: 429; a can be asked again in 2 h$"):
            await chain_of(only).answer(Notes())

    run_timeless(work())


def test_a_refused_key_names_no_time_at_which_it_would_be_taken() -> None:
    async def work() -> None:
        first = ScriptedAdapter("a", failure("authentication_failed"))
        second = ScriptedAdapter("b", failure("authentication_failed", "b: no"))
        with pytest.raises(base.AuthenticationFailed) as raised:
            await chain_of(first, second).answer(Notes())
        assert "again in" not in str(raised.value)

    run_timeless(work())


def test_a_wait_that_another_agent_makes_longer_is_told_anew() -> None:
    async def work() -> None:
        lanes = Lanes()
        only = ScriptedAdapter("a", limited(10), Says("late"))
        notes = Notes()
        waiting = asyncio.create_task(chain_of(only, lanes=lanes).answer(notes))
        await asyncio.sleep(2)
        lane = lanes.lane(only.info())
        error = base.RateLimited("a: 429", retry_after=50)
        lane.failed(error, RULES[error.kind], began=now(), now=now())
        lanes.changed()
        assert (await waiting).text == "late"
        waits = [line for line in notes.lines if line[0] == "wait"]
        assert waits == [("wait", "a", 10.0), ("wait", "a", 50.0)]

    run_timeless(work())


def test_patience_can_be_set() -> None:
    async def work() -> None:
        first = ScriptedAdapter("a", limited(45), Says("late"))
        second = ScriptedAdapter("b", limited(90, "b"))
        limits = ChainLimits(patience=60)
        assert (await chain_of(first, second, limits=limits).answer(Notes())).text == "late"

    run_timeless(work())


def test_alone_an_adapter_is_waited_for_longer() -> None:
    async def work() -> None:
        only = ScriptedAdapter("a", limited(100), Says("late"))
        notes = Notes()
        assert (await chain_of(only).answer(notes)).text == "late"
        assert ("wait", "a", 100.0) in notes.lines
        again = ScriptedAdapter("z", limited(121, "z"))
        with pytest.raises(base.RateLimited, match="z: 429"):
            await chain_of(again).answer(Notes())

    run_timeless(work())


def test_alone_it_is_tried_no_more_often_than_configured() -> None:
    async def work() -> None:
        only = ScriptedAdapter("a", failure("server_failed"))
        with pytest.raises(base.ServerFailed):
            await chain_of(only, limits=ChainLimits(max_retries=2)).answer(Notes())
        assert len(only.requests) == 3

    run_timeless(work())


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("authentication_failed", "model_not_found", "authentication_failed"),
        ("authentication_failed", "context_too_long", "context_too_long"),
        ("authentication_failed", "quota_exhausted", "chain_exhausted"),
        ("output_filtered", "connection_failed", "chain_exhausted"),
    ],
)
def test_the_end_is_of_the_kind_that_says_what_helps(first: str, second: str, kind: str) -> None:
    async def work() -> None:
        limits = ChainLimits(max_retries=0)
        chain = chain_of(
            ScriptedAdapter("a", failure(first)),
            ScriptedAdapter("b", failure(second, "b: no")),
            limits=limits,
        )
        with pytest.raises(AdapterError) as raised:
            await chain.answer(Notes())
        assert raised.value.kind == kind

    run_timeless(work())


def test_cancelling_is_immediate_in_a_wait_and_in_a_call() -> None:
    async def work() -> None:
        lanes = Lanes()
        only = ScriptedAdapter("a", limited(100), Says(seconds=500))
        task = asyncio.create_task(chain_of(only, lanes=lanes).answer(Notes()))
        await asyncio.sleep(50)
        task.cancel()
        began = now()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(100)
        task = asyncio.create_task(chain_of(only, lanes=lanes).answer(Notes()))
        await asyncio.sleep(10)
        assert only.in_flight == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert now() - began == pytest.approx(110.0)
        assert only.in_flight == 0
        assert not lanes.lane(only.info()).readiness(now()).is_busy, "the probe was given back"

    run_timeless(work())


def test_a_cancel_in_the_moment_in_which_a_wait_ends_is_not_lost() -> None:
    async def work() -> None:
        lanes = Lanes()
        task: asyncio.Task[Completion]

        async def sleep(seconds: float) -> None:
            try:
                await asyncio.sleep(seconds)
            finally:
                # Something else ended the wait, and this sleep is being cleared away.
                task.cancel()

        only = ScriptedAdapter("a", limited(50))
        chain = FallbackAdapter([Link(only)], lanes, ChainLimits(), clock=now, sleep=sleep)
        task = asyncio.create_task(chain.answer(Notes()))
        await asyncio.sleep(10)
        lanes.changed()
        await asyncio.wait({task}, timeout=5)
        assert task.cancelled()

    run_timeless(work())


def test_a_crash_does_not_make_a_finished_call_again() -> None:
    async def work() -> None:
        first, second = ScriptedAdapter("a"), ScriptedAdapter("b")
        done = Completion("from the journal", FinishReason.STOP, base.Usage(), "b-1")
        known = [Earlier("a", kind="rate_limited", message="a: 429"), Earlier("b", done)]
        notes = Notes(known)
        assert (await chain_of(first, second).answer(notes)).text == "from the journal"
        assert notes.calls == []

    run_timeless(work())


def test_after_a_crash_what_failed_for_good_is_not_tried_again() -> None:
    async def work() -> None:
        first, second = ScriptedAdapter("a"), ScriptedAdapter("b")
        notes = Notes([Earlier("a", kind="context_too_long", message="a: too long")])
        await chain_of(first, second).answer(notes)
        assert notes.lines == [("hop", "a", "b", "context_too_long"), ("call", "b")]

    run_timeless(work())


def test_a_rehearsal_is_never_a_link_of_a_real_chain() -> None:
    async def work() -> None:
        real = ScriptedAdapter("a")
        scripted = ScriptedAdapter("rehearsal", kind=ProviderKind.REHEARSAL)
        for pair in ((real, scripted), (scripted, real)):
            with pytest.raises(NotConfigured, match="rehearsal"):
                chain_of(*pair)
        with pytest.raises(NotConfigured, match="no adapter"):
            chain_of()

    run_timeless(work())
