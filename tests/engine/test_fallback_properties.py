"""Whatever adapters do: waiting is bounded, the order is kept, and one call at a time tries one
that cooled down."""

import asyncio
import contextlib
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.engine.adapters.base import AdapterError
from orchestra_tui.engine.adapters.breaker import HALF_OPEN, Lanes
from orchestra_tui.engine.adapters.decisions import RULES
from orchestra_tui.engine.adapters.fallback import error_class
from orchestra_tui.engine.adapters.fallback_course import ChainLimits
from tests.engine.chain_doubles import (
    Notes,
    Says,
    ScriptedAdapter,
    chain_of,
    now,
    run_timeless,
)

KINDS = st.sampled_from(sorted(RULES))
RETRY_AFTER = st.sampled_from([None, 0.0, 0.3, 2.0, 7.0, 19.0, 60.0, 3600.0, 1e12])
SECONDS = st.sampled_from([0.0, 0.1, 1.0, 4.0])


@st.composite
def says(draw: st.DrawFn) -> Says:
    """An answer, a cut answer or a failure."""
    seconds = draw(SECONDS)
    if draw(st.booleans()):
        finish = draw(st.sampled_from([FinishReason.STOP, FinishReason.LENGTH]))
        return Says("an answer with words " * 3, finish=finish, seconds=seconds)
    kind = draw(KINDS)
    error = error_class(kind)(f"x: {kind}", retry_after=draw(RETRY_AFTER))
    return Says(error=error, seconds=seconds)


scripts = st.lists(st.lists(says(), min_size=1, max_size=5), min_size=1, max_size=3)


@settings(max_examples=150)
@given(scripts, st.integers(1, 5), st.sampled_from([0.0, 5.0, 20.0]))
def test_a_question_ends_in_bounded_time_with_bounded_calls(
    chains: list[list[Says]], agents: int, patience: float
) -> None:
    limits = ChainLimits(max_retries=2, patience=patience, alone=patience, turn=100.0)

    async def ask(adapters: list[ScriptedAdapter], lanes: Lanes) -> Notes:
        notes = Notes()
        chain = chain_of(*adapters, lanes=lanes, limits=limits)
        with contextlib.suppress(AdapterError):
            await chain.answer(notes)
        notes.end_wait()
        assert notes.waited <= patience + 1e-6
        return notes

    async def work() -> None:
        adapters = [ScriptedAdapter(f"a{i}", *script) for i, script in enumerate(chains)]
        lanes = Lanes()
        began = now()
        all_notes = await asyncio.gather(*(ask(adapters, lanes) for _ in range(agents)))
        assert now() - began < 2000
        for notes in all_notes:
            tries = [notes.calls.count(adapter.info().name) for adapter in adapters]
            # A retry bound for failures, and as many continuations of an answer that is cut.
            assert max(tries) <= 3 * (1 + 3)
            for line, following in pairwise(notes.lines):
                if line[0] == "hop":
                    assert following[0] in {"hop", "call"}, "a hop is told with its call"

    run_timeless(work())


@settings(max_examples=100)
@given(st.integers(2, 8), st.sampled_from([1.0, 10.0]), st.sampled_from([0.5, 3.0]))
def test_one_at_a_time_tries_what_cooled_down(agents: int, rest: float, seconds: float) -> None:
    async def work() -> None:
        lanes = Lanes()
        limited = Says(error=error_class("rate_limited")("a: 429", retry_after=rest), seconds=0.1)
        adapter = ScriptedAdapter("a", *[limited] * 3, Says(seconds=seconds))
        limits = ChainLimits(max_retries=9, alone=1000)
        await chain_of(adapter, lanes=lanes, limits=limits).answer(Notes())
        tried_again = ScriptedAdapter("a", limited, limited, Says(seconds=seconds))
        first = chain_of(tried_again, lanes=lanes, limits=limits).answer(Notes())
        await asyncio.wait({asyncio.ensure_future(first)}, timeout=0.2)
        tried_again.most_in_flight = 0
        others = [chain_of(tried_again, lanes=lanes, limits=limits) for _ in range(agents)]
        work = [asyncio.ensure_future(other.answer(Notes())) for other in others]
        await asyncio.sleep(rest + 0.15)
        assert tried_again.most_in_flight <= HALF_OPEN
        await asyncio.gather(*work)

    run_timeless(work())


@given(st.lists(st.booleans(), min_size=2, max_size=5))
def test_the_first_in_order_that_may_be_asked_is_asked(are_up: list[bool]) -> None:
    async def work() -> None:
        lanes = Lanes()
        down = error_class("rate_limited")("x: 429", retry_after=500)
        adapters = [
            ScriptedAdapter(f"a{i}", Says() if is_up else Says(error=down))
            for i, is_up in enumerate(are_up)
        ]
        for _ in range(3):
            notes = Notes()
            try:
                await chain_of(*adapters, lanes=lanes).answer(notes)
            except AdapterError:
                assert not any(are_up)
                continue
            assert notes.calls[-1] == f"a{are_up.index(True)}"
            assert notes.calls == sorted(map(str, notes.calls))
        asked = [len(adapter.requests) for adapter in adapters]
        assert all(count <= 1 for count, is_up in zip(asked, are_up, strict=True) if not is_up)

    run_timeless(work())
