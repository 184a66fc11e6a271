"""What may start when, over random plans, outcomes and orders of completion."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.recovery import RecoveryApproach, RecoveryCause
from orchestra_tui.domain.settings import Mode, RunSettings
from orchestra_tui.domain.state import StepStatus
from tests.engine.simulated_run import Script, SimulatedRun

MODES = [Mode.SEQUENTIAL, Mode.PARALLEL, Mode.PIPELINE]


def make_plan(edges: list[list[int]]) -> Plan:
    """Step i waits for the steps named in edges[i] that come before it."""
    steps = [
        PlanStep(
            id=StepId(f"s{i}"),
            path=f"f{i}.py",
            change=ChangeKind.CREATE,
            depends_on=tuple(StepId(f"s{d}") for d in sorted({d for d in deps if d < i})),
        )
        for i, deps in enumerate(edges)
    ]
    return Plan(summary="x", steps=tuple(steps))


def scripted(seed: int, badness: float) -> Script:
    """Outcomes that depend on the activity's key and the seed alone."""

    def verdict(activity: Activity) -> str:
        draw = random.Random(f"{seed}:{activity.key}").random()
        if activity.kind is ActivityKind.TAKE_BASE or draw > badness:
            return "ok"
        if activity.kind is ActivityKind.AUDIT:
            return "issues"
        if activity.kind is ActivityKind.EXECUTE and draw < badness / 8:
            return "conflict"
        if activity.kind is ActivityKind.RECOVER:
            return "impossible" if draw < badness / 3 else "fail"
        is_step = activity.kind in {ActivityKind.EXECUTE, ActivityKind.FIX}
        return "fail" if is_step else "ok"

    return verdict


plans = st.lists(st.lists(st.integers(0, 6), max_size=3), min_size=1, max_size=7).map(make_plan)


@given(
    plan=plans,
    mode=st.sampled_from(MODES),
    concurrency=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    badness=st.sampled_from([0.0, 0.2, 0.5, 0.9]),
)
@settings(max_examples=150, deadline=None)
def test_any_run_ends_in_order_and_within_its_limits(
    plan: Plan, mode: Mode, concurrency: int, seed: int, badness: float
) -> None:
    run_settings = RunSettings(mode=mode, max_concurrency=concurrency, unattended=True)
    run = SimulatedRun(plan, run_settings, scripted(seed, badness), random.Random(seed))
    run.begin()
    final = run.to_the_end()

    assert all(step.status.is_settled for step in final.ordered_steps)
    limit = 1 if mode is Mode.SEQUENTIAL else concurrency
    started: Counter[str] = Counter()
    state = SimulatedRun(plan, run_settings, run.script, random.Random(0))
    for record in run.records:
        event = record.event
        if isinstance(event, ev.ActivityStarted):
            before = state.run
            started[event.activity.key] += 1
            assert len(before.running) < limit
            if event.activity.kind is ActivityKind.EXECUTE and event.activity.step:
                waits_for = plan.step(event.activity.step).depends_on
                assert all(before.steps[d].status is StepStatus.ACCEPTED for d in waits_for)
            if event.activity.kind is ActivityKind.AUDIT and mode is Mode.PARALLEL:
                kinds = {activity.kind for activity in before.running.values()}
                assert ActivityKind.EXECUTE not in kinds
        state.append(event)
    assert max(started.values()) == 1, "nothing is started twice"


@given(
    plan=plans,
    mode=st.sampled_from(MODES),
    seed=st.integers(0, 10_000),
    badness=st.sampled_from([0.0, 0.3, 0.6]),
)
@settings(max_examples=25, deadline=None)
def test_a_run_cut_after_any_event_reaches_the_same_outcome(
    plan: Plan, mode: Mode, seed: int, badness: float
) -> None:
    run_settings = RunSettings(mode=mode, max_concurrency=3, unattended=True)

    def fresh() -> SimulatedRun:
        return SimulatedRun(plan, run_settings, scripted(seed, badness), random.Random(seed))

    whole = fresh()
    whole.begin()
    final = whole.to_the_end()
    for cut in range(len(whole.records)):
        resumed = fresh()
        resumed.resume(whole.records[:cut])
        again = resumed.to_the_end()
        assert again.outcome == final.outcome
        assert again.counts == final.counts
        assert {k: s.status for k, s in again.steps.items()} == {
            k: s.status for k, s in final.steps.items()
        }
        assert {k: s.files for k, s in again.steps.items()} == {
            k: s.files for k, s in final.steps.items()
        }


def chain_of(kind: ActivityKind, records: list[ev.Record]) -> list[int]:
    return [
        r.seq
        for r in records
        if isinstance(r.event, ev.ActivityStarted) and r.event.activity.kind is kind
    ]


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_leaves_its_own_trace(mode: Mode) -> None:
    plan = make_plan([[], [], []])
    settings_ = RunSettings(mode=mode, max_concurrency=2)
    run = SimulatedRun(plan, settings_, lambda _: "ok", random.Random(1))
    run.begin()
    run.to_the_end()
    executes = chain_of(ActivityKind.EXECUTE, run.records)
    audits = chain_of(ActivityKind.AUDIT, run.records)
    match mode:
        case Mode.SEQUENTIAL:
            assert executes[0] < audits[0] < executes[1] < audits[1] < executes[2] < audits[2]
        case Mode.PARALLEL:
            assert max(executes) < min(audits), "the wave is written before it is audited"
        case _:
            assert min(audits) < max(executes), "an audit overlaps the writing"


def test_the_audit_loop_stops_when_the_issues_do_not_shrink() -> None:
    plan = make_plan([[]])

    def always_issues(activity: Activity) -> str:
        return "issues" if activity.kind is ActivityKind.AUDIT else "ok"

    run = SimulatedRun(plan, RunSettings(max_iterations=9), always_issues, random.Random(1))
    run.begin()
    final = run.to_the_end()
    assert final.steps[StepId("s0")].status is StepStatus.REVERTED
    assert len(chain_of(ActivityKind.FIX, run.records)) == 1
    recovery = final.steps[StepId("s0")].recoveries[-1]
    assert recovery.cause is RecoveryCause.AUDIT
    approaches = [attempt.approach for attempt in recovery.attempts]
    assert approaches == [RecoveryApproach.OTHER_ADAPTER, RecoveryApproach.PIECES]
    assert len(chain_of(ActivityKind.AUDIT, run.records)) == 2 + len(approaches)


def test_a_failure_blocks_only_dependents() -> None:
    plan = make_plan([[], [0], [], [1]])

    def first_fails(activity: Activity) -> str:
        return "fail" if activity.step == "s0" else "ok"

    run = SimulatedRun(plan, RunSettings(), first_fails, random.Random(1))
    run.begin()
    final = run.to_the_end()
    statuses = {key: step.status for key, step in final.steps.items()}
    assert statuses == {
        "s0": StepStatus.FAILED,
        "s1": StepStatus.BLOCKED,
        "s2": StepStatus.ACCEPTED,
        "s3": StepStatus.BLOCKED,
    }
    assert final.outcome is ev.Outcome.PARTIAL
