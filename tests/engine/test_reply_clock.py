"""Which clock of a reply runs out, and what comes when it is too late."""

import asyncio

import pytest

from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.clocks import ReplyClock
from tests.engine.chain_doubles import now, run_timeless


@pytest.mark.parametrize(
    ("pieces", "error", "seconds"),
    [(0, base.FirstByteTimeout, 5), (1, base.IdleTimeout, 3 + 2), (100, base.TotalTimeout, 20)],
)
def test_each_silence_has_its_error(
    pieces: int, error: type[base.AdapterError], seconds: float
) -> None:
    async def work() -> None:
        clock = ReplyClock(first_byte=5, idle=2, total=20)

        async def answer() -> None:
            for _ in range(pieces):
                await asyncio.sleep(1.5 if pieces > 1 else 3)
                clock.progress()
            await asyncio.Event().wait()

        began = now()
        with pytest.raises(error):
            async with clock:
                await answer()
        assert now() - began == pytest.approx(seconds)

    run_timeless(work())


def test_a_piece_that_comes_too_late_changes_nothing() -> None:
    """While the call is being cleared away, and from a task that outlives it."""

    async def work() -> None:
        clock = ReplyClock(first_byte=5, idle=2, total=20)

        async def answer() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                clock.progress()
                clock.expect_end(1)

        with pytest.raises(base.FirstByteTimeout):
            async with clock:
                await answer()
        clock.progress()
        async with ReplyClock(first_byte=5, idle=2, total=20) as whole:
            whole.progress()
        whole.progress()

    run_timeless(work())
