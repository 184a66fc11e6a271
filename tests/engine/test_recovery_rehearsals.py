"""The rehearsals that go wrong, through the whole engine: what is recovered, and what is not."""

from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.recovery import RecoveryApproach, RecoveryCause, RecoveryOutcome
from orchestra_tui.domain.settings import RunSettings, Scenario, Settings
from orchestra_tui.domain.state import Phase, RunState, StepStatus
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine
from tests.e2e.program import make_repository

LEAF = "examples/slugify_demo.py"


async def rehearsed(root: Path, scenario: Scenario) -> RunState:
    """The run of a rehearsal when its diff is to be looked at."""
    make_repository(root, {"README.md": "# Here\n"})
    environment = {"ORCHESTRA_REHEARSAL_RATE": "max"}
    engine = await Engine.open(EngineOptions(root, Settings(), environment, scenario=scenario))
    try:
        updates = aiter(engine.subscribe())
        settings = RunSettings(run_checks=False)
        await engine.submit(cmd.StartRun(task="write slugify with tests", settings=settings))
        while (run := engine.state.run) is None or not run.is_reviewing:
            if run is not None and run.phase is Phase.AWAITING_APPROVAL and run.plan is not None:
                await engine.submit(cmd.ApprovePlan(plan=run.plan))
            await anext(updates)
        return run
    finally:
        await engine.close()


@pytest.mark.timeout(60)
async def test_storm_is_weathered(tmp_path: Path) -> None:
    run = await rehearsed(tmp_path / "p", Scenario.STORM)
    assert {step.status for step in run.ordered_steps} == {StepStatus.ACCEPTED}
    (recovery,) = [recovery for step in run.ordered_steps for recovery in step.recoveries]
    assert recovery.cause is RecoveryCause.CUT
    assert recovery.outcome is RecoveryOutcome.RECOVERED
    assert [attempt.approach for attempt in recovery.attempts] == [RecoveryApproach.CONSULT]


@pytest.mark.timeout(60)
async def test_hopeless_goes_through_all_approaches_and_back(tmp_path: Path) -> None:
    root = tmp_path / "p"
    run = await rehearsed(root, Scenario.HOPELESS)
    plan = run.plan
    assert plan is not None
    statuses = {plan.step(step.id).path: step.status for step in run.ordered_steps}
    assert statuses.pop(LEAF) is StepStatus.REVERTED
    assert set(statuses.values()) == {StepStatus.ACCEPTED}
    assert not (root / LEAF).exists()
    (recovery,) = [recovery for step in run.ordered_steps for recovery in step.recoveries]
    assert recovery.outcome is RecoveryOutcome.REVERTED
    assert [attempt.approach for attempt in recovery.attempts] == [
        RecoveryApproach.CONTINUE,
        RecoveryApproach.CONSULT,
        RecoveryApproach.OTHER_ADAPTER,
        RecoveryApproach.PIECES,
    ]
    assert run.needs_user == "recovery waits for you"
