"""Damaged replies through the whole engine: what is on disk is never damaged.

The oracle knows nothing of the engine: every text that was ever written is the intended one, or
the same but for white space (a closer that was put back on a line of its own).
"""

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.ids import Role, StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import RunState, StepStatus
from orchestra_tui.engine.adapters.base import CompletionRequest
from tests.engine.damage import ALL_DAMAGE
from tests.engine.damage_samples import Sample, sample
from tests.engine.recovery_house import PASS, Agent, Said, site, workshop
from tests.stubs.scripted_agents import whole_file

BATCH = 40


def unspaced(text: str) -> str:
    return "".join(text.split())


def is_intact(sample: Sample, text: str | None) -> bool:
    return text == sample.old or (text is not None and unspaced(text) == unspaced(sample.new))


def plan_of(samples: Mapping[str, Sample]) -> Plan:
    steps = tuple(
        PlanStep(
            id=StepId(f"s{number}"),
            path=path,
            change=ChangeKind.CREATE if one.old is None else ChangeKind.MODIFY,
            purpose="other figures",
        )
        for number, (path, one) in enumerate(samples.items())
    )
    return Plan(summary="figures", steps=steps)


def careless(samples: Mapping[str, Sample], seed: int, *, badness: float) -> Agent:
    """Damages the first reply about a file always, and later ones now and then."""

    def agent(request: CompletionRequest) -> Said:
        if request.role is Role.AUDITOR:
            return Said(PASS)
        path = request.path or ""
        new = samples[path].new
        rng = random.Random(f"{seed}:{request.key}")
        if "/execute/1/" in request.key or rng.random() < badness:
            return rng.choice(ALL_DAMAGE)(rng, path, new)
        whole = whole_file(path, new)
        if request.messages[-2].author == "assistant":
            head, anchor = request.messages[-2].text, request.messages[-1].text
            return Said(anchor.rpartition("joined:\n")[2] + whole[len(head) :])
        return Said(whole)

    return agent


@pytest.mark.parametrize("batch", range(25))
async def test_a_thousand_damages_leave_no_damaged_byte(batch: int, tmp_path: Path) -> None:
    """25 runs of 40 files; the second adapter is as careless as the first."""
    drawn = [sample(random.Random(f"{batch}:{n}"), n) for n in range(BATCH)]
    samples = {one.path: one for one in drawn}
    agents = [careless(samples, seed, badness=0.5) for seed in (batch, batch + 1000)]
    async with workshop(tmp_path / "project", *agents) as shop:
        shop.write({path: one.old for path, one in samples.items() if one.old is not None})
        async with site(shop) as here:
            settings = RunSettings(max_concurrency=8, run_checks=False, unattended=True)
            await here.start(plan_of(samples), settings)
            await here.work()
            for record in await shop.records():
                event = record.event
                if isinstance(event, ev.FileWritten) and event.after is not None:
                    written = shop.blobs.get(event.after).decode()
                    assert is_intact(samples[event.path], written), (event.activity, written)
            for step in here.run.ordered_steps:
                path = plan_of(samples).step(step.id).path
                assert is_intact(samples[path], shop.read(path)), path
                accepted = step.status is StepStatus.ACCEPTED
                assert accepted or shop.read(path) == samples[path].old
            assert _damaged_calls(here.run) >= BATCH


def _damaged_calls(run: RunState) -> int:
    return sum(bool(call.refused) for call in run.calls.values())
