"""A run without disk, clock or model: the pure scheduler and fold, with scripted outcomes.

Outcomes depend on the activity's key alone, so a run that was cut and resumed must meet the
same ones again.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.fold import apply, fold
from orchestra_tui.domain.ids import RunId, SessionId, blob_hash
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryCause
from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import RunState, SessionState
from orchestra_tui.engine.orchestrator.ending import ending
from orchestra_tui.engine.orchestrator.scheduling import ready_activities

START = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunId("r1")
Script = Callable[[Activity], str]
"""Maps an activity to ok, fail, issues, or conflict."""


@dataclass
class SimulatedRun:
    """Performs ready activities one outcome at a time, in an order drawn from `order`."""

    plan: Plan
    settings: RunSettings
    script: Script
    order: random.Random
    records: list[ev.Record] = field(default_factory=list)
    state: SessionState = field(default_factory=lambda: SessionState(id=SessionId("s")))

    def append(self, *events: ev.Event) -> None:
        for event in events:
            seq = len(self.records) + 1
            at = START + timedelta(seconds=seq)
            record = ev.Record(seq=seq, at=at, session=self.state.id, project="p", event=event)
            self.records.append(record)
            self.state = apply(self.state, record)

    @property
    def run(self) -> RunState:
        run = self.state.run
        assert run is not None
        return run

    def begin(self) -> None:
        self.append(ev.RunStarted(run=RUN, task="task", settings=self.settings))

    def to_the_end(self, limit: int = 2000) -> RunState:
        """Work until the run is over; fails the test if it never is."""
        for _ in range(limit):
            if not self.one_move():
                return self.run
        raise AssertionError(f"the run does not end: {self.run.phase} {self.run.running}")

    def one_move(self) -> bool:
        """Start everything that may start, then end one of what runs. False when over."""
        while ready := ready_activities(self.run, self.run.settings.limits):
            self.append(ev.ActivityStarted(run=RUN, activity=ready[0]))
        if self.run.running:
            activity = self.order.choice(list(self.run.running.values()))
            self.append(*self._outcome(activity))
            return True
        if (event := ending(self.run)) is not None:
            self.append(event)
        if self.run.outcome is not None:
            return False
        self._answer_as_a_user()
        return True

    def resume(self, records: Sequence[ev.Record]) -> None:
        """Start again from a log cut anywhere, as after a crash."""
        self.records = list(records)
        self.state = fold(SessionState(id=SessionId("s")), records)
        if self.state.run is None:
            self.begin()
        for activity in list(self.run.running.values()):
            self.append(ev.ActivityAbandoned(run=RUN, activity=activity))

    def _answer_as_a_user(self) -> None:
        if self.run.plan is not None and not self.run.is_approved:
            self.append(ev.PlanApproved(run=RUN, plan=self.run.plan, settings=self.settings))
        elif self.run.is_reviewing:
            self.append(ev.CommitRequested(run=RUN, message="feat: x"))
        else:
            raise AssertionError(f"nobody can go on: {self.run.phase}")

    def _outcome(self, activity: Activity) -> tuple[ev.Event, ...]:
        verdict = self.script(activity)
        if activity.kind is ActivityKind.RECOVER and verdict != "conflict":
            return self._recovery_outcome(activity, verdict)
        if verdict == "fail":
            failed = ev.ActivityFailed(
                run=RUN, activity=activity, kind="refused", message="refused"
            )
            return (failed,)
        key, step = activity.key, activity.step
        match activity.kind:
            case ActivityKind.DRAFT_PLAN:
                return (ev.PlanProposed(run=RUN, activity=key, plan=self.plan),)
            case ActivityKind.TAKE_BASE:
                files = {s.path: None for s in self.plan.enabled_steps}
                return (ev.CheckpointTaken(run=RUN, label="before the run", files=files),)
            case ActivityKind.RUN_CHECKS:
                outcome = ev.CheckOutcome(name="tests", state=ev.CheckState.PASSED)
                return (ev.ChecksFinished(run=RUN, activity=key, outcomes=(outcome,)),)
            case ActivityKind.APPLY_REVIEW:
                return (ev.ReviewApplied(run=RUN, activity=key),)
            case ActivityKind.COMMIT:
                return (ev.Committed(run=RUN, activity=key, commit="c0ffee", message="feat: x"),)
            case _:
                assert step is not None
                return self._step_outcome(activity, verdict)

    def _step_outcome(self, activity: Activity, verdict: str) -> tuple[ev.Event, ...]:
        key, step = activity.key, activity.step
        assert step is not None
        path = self.plan.step(step).path
        if verdict == "conflict":
            return (
                ev.ConflictFound(
                    run=RUN, activity=key, step=step, path=path, expected=None, found=None
                ),
            )
        match activity.kind:
            case ActivityKind.AUDIT if verdict == "issues":
                issue = Issue(severity=Severity.ERROR, message="wrong")
                return (ev.IssuesFound(run=RUN, activity=key, step=step, issues=(issue,)),)
            case ActivityKind.AUDIT:
                return (ev.AuditPassed(run=RUN, activity=key, step=step),)
            case ActivityKind.REVERT:
                return (
                    ev.FileReverted(
                        run=RUN, activity=key, step=step, path=path, after=None, reason="given up"
                    ),
                )
            case _:
                return self._written(activity)

    def _written(self, activity: Activity, *before_end: ev.Event) -> tuple[ev.Event, ...]:
        key, step = activity.key, activity.step
        assert step is not None
        path = self.plan.step(step).path
        written = ev.FileWritten(
            run=RUN,
            activity=key,
            step=step,
            path=path,
            before=self.run.steps[step].files.get(path),
            after=blob_hash(key.encode()),
            why=ev.WriteReason.EXECUTE,
        )
        return (written, *before_end, ev.StepExecuted(run=RUN, activity=key, step=step))

    def _recovery_outcome(self, activity: Activity, verdict: str) -> tuple[ev.Event, ...]:
        step = activity.step
        assert step is not None
        assert activity.approach is not None
        outcome = {
            "fail": AttemptOutcome.FAILED,
            "impossible": AttemptOutcome.IMPOSSIBLE,
        }.get(verdict, AttemptOutcome.WRITTEN)
        attempted = ev.RecoveryAttempted(
            run=RUN,
            activity=activity.key,
            step=step,
            path=self.plan.step(step).path,
            approach=activity.approach,
            cause=RecoveryCause.REFUSED,
            outcome=outcome,
            message="" if outcome is AttemptOutcome.WRITTEN else activity.key,
        )
        if outcome is not AttemptOutcome.WRITTEN:
            return (attempted,)
        return self._written(activity, attempted)
