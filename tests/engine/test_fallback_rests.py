"""When an adapter rests for everybody, and what ends its rest: the breaker that agents share."""

import asyncio

import pytest

from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.breaker import Lanes
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


def test_while_the_first_cools_down_others_pass_it_and_then_take_it_back() -> None:
    async def work() -> None:
        lanes = Lanes()
        first = ScriptedAdapter("a", limited(30), Says("back"))
        second = ScriptedAdapter("b", Says("in between"))
        await chain_of(first, second, lanes=lanes).answer(Notes())
        during = Notes()
        await chain_of(first, second, lanes=lanes).answer(during)
        assert during.lines == [("hop", "a", "b", "rate_limited"), ("call", "b")]
        await asyncio.sleep(30)
        after = Notes()
        assert (await chain_of(first, second, lanes=lanes).answer(after)).text == "back"
        assert after.lines == [("call", "a")]

    run_timeless(work())


def test_a_key_that_was_changed_is_tried_at_once() -> None:
    async def work() -> None:
        lanes = Lanes()
        first = ScriptedAdapter("a", failure("authentication_failed"), Says("with a new key"))
        second = ScriptedAdapter("b")
        await chain_of(first, second, lanes=lanes).answer(Notes())
        lanes.renewed()
        notes = Notes()
        answer = await chain_of(first, second, lanes=lanes).answer(notes)
        assert (answer.text, notes.lines) == ("with a new key", [("call", "a")])

    run_timeless(work())


def test_what_a_provider_said_holds_whatever_is_changed_here() -> None:
    async def work() -> None:
        lanes = Lanes()
        first = ScriptedAdapter("a", limited(60), Says("too early"))
        second = ScriptedAdapter("b")
        await chain_of(first, second, lanes=lanes).answer(Notes())
        lanes.renewed()
        assert (await chain_of(first, second, lanes=lanes).answer(Notes())).text == "fine"

    run_timeless(work())


def test_a_guessed_rest_never_ends_a_chain_that_asked_nobody() -> None:
    """The user topped his balance up and goes on: he is not told to come back in half an hour."""

    async def work() -> None:
        lanes = Lanes()
        only = ScriptedAdapter("a", failure("quota_exhausted"), Says("paid"))
        with pytest.raises(base.QuotaExhausted):
            await chain_of(only, lanes=lanes).answer(Notes())
        assert (await chain_of(only, lanes=lanes).answer(Notes())).text == "paid"
        told = ScriptedAdapter("b", failure("quota_exhausted", "b: no", 3600))
        for _ in range(2):
            with pytest.raises(base.QuotaExhausted):
                await chain_of(told, lanes=lanes).answer(Notes())
        assert len(told.requests) == 1, "the provider said when: it is not asked before"

    run_timeless(work())


def test_after_the_rest_one_call_tries_and_the_others_wait_for_it() -> None:
    async def work() -> None:
        lanes = Lanes()
        down = failure("connection_failed", retry_after=10)
        only = ScriptedAdapter("a", down, Says("back", seconds=5.0))
        with pytest.raises(base.ConnectionFailed):
            await chain_of(only, lanes=lanes, limits=ChainLimits(alone=0)).answer(Notes())
        await asyncio.sleep(10)
        began = now()
        notes = [Notes() for _ in range(4)]
        await asyncio.gather(*(chain_of(only, lanes=lanes).answer(each) for each in notes))
        starts = sorted(at - began for at in only.began[1:])
        assert starts == pytest.approx([0.0, 5.0, 5.0, 5.0])
        waits = [line for each in notes for line in each.lines if line[0] == "wait"]
        assert len(waits) == 3, "every wait is told"

    run_timeless(work())


def test_agents_that_fail_together_are_one_failure() -> None:
    async def work() -> None:
        lanes = Lanes()
        down = ScriptedAdapter("a", failure("connection_failed"))
        second = ScriptedAdapter("b")
        chains = [chain_of(down, second, lanes=lanes).answer(Notes()) for _ in range(8)]
        await asyncio.gather(*chains)
        rest = lanes.lane(down.info()).readiness(now()).seconds
        assert rest <= 0.5, "eight refusals at once do not close it for a minute"

    run_timeless(work())


def test_an_answer_that_had_begun_before_a_refusal_does_not_end_the_rest() -> None:
    """Another agent was told to wait a minute: that one was already being answered says nothing."""

    async def work() -> None:
        lanes = Lanes()
        early = Says("in time", seconds=5.0)
        shared = ScriptedAdapter("a", early, limited(60), Says("later"))
        second = ScriptedAdapter("b")
        slow = asyncio.create_task(chain_of(shared, lanes=lanes).answer(Notes()))
        await asyncio.sleep(1)
        refused = Notes()
        await chain_of(shared, second, lanes=lanes).answer(refused)
        assert (await slow).text == "in time"
        after = Notes()
        await chain_of(shared, second, lanes=lanes).answer(after)
        assert (refused.calls, after.calls) == (["a", "b"], ["b"])
        await asyncio.sleep(60)
        again = Notes()
        await chain_of(shared, second, lanes=lanes).answer(again)
        assert again.calls == ["a"]

    run_timeless(work())
