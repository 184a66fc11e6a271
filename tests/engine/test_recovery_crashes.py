"""A recovery that is killed after any record comes to the same end, and pays for nothing twice."""

import random
from collections import Counter
from pathlib import Path

import pytest

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.ids import Role, StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.recovery import RecoveryApproach
from orchestra_tui.domain.settings import Mode, RunSettings
from orchestra_tui.domain.state import RunState
from orchestra_tui.engine.adapters.base import CompletionRequest
from tests.engine.crash_course import crash_at_every
from tests.engine.damage_samples import sample
from tests.engine.recovery_house import PASS, Agent, Said, Workshop, site, workshop
from tests.stubs.scripted_agents import answer, question, whole_file

SETTINGS = RunSettings(mode=Mode.SEQUENTIAL, run_checks=False, unattended=True)
FILES = {f"f{n}": sample(random.Random(n), n) for n in (7, 8, 10)}
PLAN = Plan(
    summary="figures",
    steps=tuple(
        PlanStep(id=StepId(key), path=one.path, change=ChangeKind.MODIFY, purpose="figures")
        for key, one in FILES.items()
    ),
)
BY_PATH = {one.path: one for one in FILES.values()}


def recovered(request: CompletionRequest) -> Said:
    """Cut and continued; fenced and unwrapped; broken twice, then mended."""
    if request.role is Role.AUDITOR:
        return Said(PASS)
    one = BY_PATH[request.path or ""]
    whole = whole_file(one.path, one.new)
    key = request.key.split("/")[1]
    is_first = "/execute/" in request.key
    if key == "f7" and request.messages[-2].author == "assistant":
        head, anchor = request.messages[-2].text, request.messages[-1].text
        return Said(anchor.rpartition("joined:\n")[2] + whole[len(head) :])
    if key == "f7":
        return Said(whole[: len(whole) // 2])
    if key == "f8" and is_first:
        return Said(whole_file(one.path, f"```\n{one.new}```\n"))
    if key == "f10" and (is_first or "/recover/2/" in request.key):
        return Said(whole_file(one.path, one.new.replace("}\n", "", 1)))
    return Said(whole)


def never(request: CompletionRequest) -> Said:
    """Nothing that can be used, whoever is asked."""
    if request.role is Role.AUDITOR:
        return Said(PASS)
    one = BY_PATH[request.path or ""]
    return Said(whole_file(one.path, one.new)[:150], FinishReason.FILTERED)


def outcome(run: RunState, shop: Workshop) -> object:
    steps = {
        key: (
            step.status,
            [
                (r.outcome, [(a.approach, a.outcome, a.asked) for a in r.attempts])
                for r in step.recoveries
            ],
        )
        for key, step in run.steps.items()
    }
    return steps, {path: shop.read(path) for path in BY_PATH}


def asked(shop: Workshop) -> Counter[str]:
    return Counter(request.key for adapter in shop.adapters for request in adapter.requests)


async def played(root: Path, agent: Agent, *, cut: int | None) -> tuple[object, int, Counter[str]]:
    """How it ends when it is killed after `cut` records; the records, and who was asked how often
    for calls that had been answered."""
    async with workshop(root, agent, agent) as shop:
        shop.write({path: one.old or "" for path, one in BY_PATH.items()})
        shop.store.left = cut
        try:
            async with site(shop) as here:
                await here.start(PLAN, SETTINGS)
                await here.work()
                end = outcome(here.run, shop)
                return end, len(await shop.records()), Counter()
        except StorageError:
            pass
        shop.store.left = None
        finished = {
            r.event.call for r in await shop.records() if isinstance(r.event, ev.CallFinished)
        }
        asked_before = Counter(r.key for a in shop.adapters for r in a.requests)
        async with site(shop) as here:
            if here.log.state.run is None or not here.run.is_approved:
                await here.start(PLAN, SETTINGS)
            await here.work()
            asked = Counter(r.key for a in shop.adapters for r in a.requests)
            twice = Counter(
                {k: asked[k] - asked_before[k] for k in finished if asked[k] > asked_before[k]}
            )
            return outcome(here.run, shop), 0, twice


@pytest.mark.timeout(300)
@pytest.mark.parametrize("agent", [recovered, never], ids=["recovered", "never"])
async def test_killed_after_any_record(agent: Agent, tmp_path: Path) -> None:
    expected, count, _ = await played(tmp_path / "smooth", agent, cut=None)
    assert count > 30
    for cut in range(3, count):
        end, _, twice = await played(tmp_path / f"cut{cut}", agent, cut=cut)
        assert end == expected, f"killed after {cut} records"
        assert not twice, f"killed after {cut} records, asked again: {twice}"


async def test_the_ways_that_are_meant_are_taken(tmp_path: Path) -> None:
    async with workshop(tmp_path / "p", recovered) as shop:
        shop.write({path: one.old or "" for path, one in BY_PATH.items()})
        async with site(shop) as here:
            await here.start(PLAN, SETTINGS)
            await here.work()
            last = {key: step.recoveries[-1].attempts[-1] for key, step in here.run.steps.items()}
            assert last[StepId("f7")].approach is RecoveryApproach.CONTINUE
            assert last[StepId("f8")].approach is RecoveryApproach.REPAIR
            # Its Consultant fails in the same way, so the approach is changed.
            assert last[StepId("f10")].approach is RecoveryApproach.PIECES


def damaged_once(body: bytes) -> str:
    """The core comes in a fence, the guide without its end; both can be recovered."""
    step, prompt = question(body)
    text = answer(body)
    if "under review" in prompt:
        return text
    if step == "s1" and "Auditor found" not in prompt:
        return text.replace("app/core.py\n", "app/core.py\n```\n", 1).replace(
            "=== END FILE", "```\n=== END FILE"
        )
    if step == "s3" and "=== DAMAGED" not in prompt:
        return text.replace("=== END REPLY\n", "")
    return text


@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", ["apply.intended", "apply.exchanged"])
async def test_killed_around_every_change_of_a_recovery(point: str, tmp_path: Path) -> None:
    """In real processes: the same end, and no finished call again."""
    assert await crash_at_every(point, "pipeline", tmp_path, damaged_once) >= 6
