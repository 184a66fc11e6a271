"""How long a call is waited for: a table, the bounds, and what is measured of a real call."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.engine.adapters.patience import (
    LEAST,
    MOST,
    Size,
    Speed,
    Timeouts,
    adapted,
    complexity_of,
)
from tests.engine.damage_samples import sample
from tests.engine.recovery_house import PASS, Said, site, workshop
from tests.stubs.scripted_agents import whole_file

BASE = Timeouts(first_byte=60.0, idle=30.0, total=600.0)


def measured(*, first: float, rate: float, count: int = 8) -> Speed:
    speed = Speed()
    for _ in range(count):
        speed.took(first=first, seconds=first + 1000 / rate, characters=1000)
    return speed


@pytest.mark.parametrize(
    ("size", "speed", "first_byte", "total"),
    [
        # Nothing is known: what was configured, or more for what is large.
        (Size(), None, 60.0, 600.0),
        (Size(prompt=40_000), None, 120.0, 600.0),
        (Size(answer=40_000), None, 60.0, 2060.0),
        (Size(answer=400_000), None, 60.0, 2400.0),
        (Size(complexity=2.0), None, 120.0, 600.0),
        # A fast adapter and a small file: half of what was configured, and no less.
        (Size(), measured(first=0.5, rate=400), 30.0, 300.0),
        # A fast adapter and a large file.
        (Size(answer=200_000), measured(first=0.5, rate=400), 30.0, 1530.0),
        # A slow adapter that thinks for a minute before it begins.
        (Size(), measured(first=60.0, rate=20), 228.0, 828.0),
        # One answer alone makes no wait shorter.
        (Size(), measured(first=0.5, rate=400, count=1), 60.0, 600.0),
    ],
)
def test_waits(size: Size, speed: Speed | None, first_byte: float, total: float) -> None:
    found = adapted(BASE, size, speed)
    assert found.first_byte == pytest.approx(first_byte, rel=0.02)
    assert found.total == pytest.approx(total, rel=0.02)
    assert found.why


@given(
    prompt=st.integers(0, 10**7),
    answer=st.integers(0, 10**7),
    complexity=st.floats(1, 2),
    takes=st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4), st.integers(0, 10**6))),
    base=st.builds(Timeouts, st.floats(0.1, 1e3), st.floats(0.1, 1e3), st.floats(0.1, 1e4)),
)
def test_nothing_leaves_the_bounds(
    prompt: int,
    answer: int,
    complexity: float,
    takes: list[tuple[float, float, int]],
    base: Timeouts,
) -> None:
    speed = Speed()
    for first, more, characters in takes:
        speed.took(first=first, seconds=first + more, characters=characters)
    found = adapted(base, Size(prompt, answer, complexity), speed)
    pairs = (
        (found.first_byte, base.first_byte),
        (found.idle, base.idle),
        (found.total, base.total),
    )
    for seconds, configured in pairs:
        assert configured * LEAST - 0.1 <= seconds <= configured * MOST + 0.1


def test_an_adapter_that_varies_gets_more_room() -> None:
    steady, varying = Speed(), Speed()
    for at in range(10):
        steady.took(first=20.0, seconds=30.0, characters=1000)
        varying.took(first=5.0 if at % 2 else 35.0, seconds=45.0, characters=1000)
    size = Size()
    assert adapted(BASE, size, varying).first_byte > adapted(BASE, size, steady).first_byte


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 1.0, 1.0),
        ("a line\nanother\n", 1.0, 1.0),
        ("def f():\n    if x:\n        return 1\n", 1.1, 1.2),
        ("\n".join("\t" * (at % 12) + "if (x) {" for at in range(300)), 2.0, 2.0),
    ],
)
def test_complexity(text: str, least: float, most: float) -> None:
    assert least <= complexity_of(text) <= most


async def test_a_call_is_told_its_waits_and_teaches_its_adapter(tmp_path: Path) -> None:
    one = sample(random.Random(1), 7)
    step = PlanStep(id=StepId("s1"), path=one.path, change=ChangeKind.MODIFY, purpose="figures")
    replies = {"executor": whole_file(one.path, one.new), "auditor": PASS}
    async with workshop(tmp_path / "p", lambda request: Said(replies[request.role])) as shop:
        shop.write({one.path: one.old or ""})
        async with site(shop) as here:
            settings = RunSettings(run_checks=False)
            await here.start(Plan(summary="figures", steps=(step,)), settings)
            await here.work()
            request = shop.adapters[0].requests[0]
            call = next(iter(here.run.calls.values()))
            assert call.patience is not None
            assert call.patience.total == request.total_timeout
            assert "characters" in call.patience.why
            lane = here.tools.caller.lanes.lane(shop.adapters[0].info())
            assert lane.speed.count == 2
