"""How checks, hunk decisions, checkpoints and the commit change the state of a run."""

from typing import assert_never

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import FixReason
from orchestra_tui.domain.fold_steps import end_activity, put_step
from orchestra_tui.domain.ids import ActivityKey, StepId
from orchestra_tui.domain.recovery import AttemptOutcome, Damage, RecoveryCause, RecoveryOutcome
from orchestra_tui.domain.recovery_rules import ended, enter, found_wanting, text_on_disk
from orchestra_tui.domain.state import (
    RED_CHECKS,
    Checkpoint,
    CommitRequest,
    RunState,
    StepState,
    StepStatus,
)

BEFORE_RUN = "before the run"
"""The label of the checkpoint that holds the run's files as the plan found them."""
MAX_CHECK_FIX_ROUNDS = 1


def apply_review_event(run: RunState, event: ev.ReviewEvent, record: ev.Record) -> RunState:
    """The run after its checks, its review or its commit moved on."""
    match event:
        case ev.ChecksFinished():
            return _checked(_end(run, event.activity), event, record)
        case ev.HunksDecided():
            rejected = run.rejected | {event.path: event.rejected}
            return run.model_copy(update={"rejected": rejected, "held": ""})
        case ev.CommitRequested():
            request = CommitRequest(message=event.message)
            return run.model_copy(update={"commit_request": request, "held": ""})
        case ev.ReviewApplied():
            run = _end(run, event.activity)
            return run.model_copy(update={"applied_rejections": run.rejected})
        case ev.CommitHeld():
            return run.model_copy(
                update={"commit_request": None, "commit_intent": None, "held": event.reason}
            )
        case ev.CommitIntended():
            return run.model_copy(update={"commit_intent": event.intent})
        case ev.Committed():
            run = _end(run, event.activity)
            return run.model_copy(update={"commit": event.commit, "commit_intent": None})
        case ev.CheckpointTaken():
            return _checkpoint(run, event, record)
    assert_never(event)


def _checked(run: RunState, event: ev.ChecksFinished, record: ev.Record) -> RunState:
    checks = run.checks.model_copy(
        update={"outcomes": event.outcomes, "runs": run.checks.runs + 1, "is_stale": False}
    )
    is_red = any(outcome.state in RED_CHECKS for outcome in event.outcomes)
    may_fix = checks.fix_rounds < MAX_CHECK_FIX_ROUNDS and run.commit_request is None
    suspects = [s for s in event.suspects if run.steps[s].status is StepStatus.ACCEPTED]
    run = run.model_copy(update={"checks": checks, "run_failures": 0})
    run = _recoveries_judged(run, frozenset(suspects if is_red else ()), record)
    if not (is_red and suspects):
        return run
    if not may_fix:
        # Output that names nobody is no reason to have every file written again.
        is_certain = event.are_named or len(suspects) == 1
        is_over = run.commit_request is not None or not is_certain
        return run if is_over else _into_recovery(run, suspects, record)
    checks = checks.model_copy(update={"fix_rounds": checks.fix_rounds + 1})
    run = run.model_copy(update={"checks": checks})
    for step_id in suspects:
        update = {
            "status": StepStatus.NEEDS_FIX,
            "fix_reason": FixReason.CHECKS,
            "failures": 0,
            "issue_counts": (),
        }
        run = put_step(run, run.steps[step_id].model_copy(update=update))
    return run


def _recoveries_judged(run: RunState, blamed: frozenset[StepId], record: ev.Record) -> RunState:
    """The run after the checks have judged the files that were recovered for them."""
    for step in run.ordered_steps:
        recovery = step.recovery
        is_judged = recovery is not None and recovery.cause is RecoveryCause.CHECKS
        if not is_judged or step.status is not StepStatus.ACCEPTED:
            continue
        if step.id in blamed:
            damage = _check_damage(run, step)
            outcome = AttemptOutcome.CHECKS_FAIL
            step = found_wanting(run, step, outcome, damage, record.at)
        else:
            step = ended(step, RecoveryOutcome.RECOVERED, record.at)
        run = put_step(run, step)
    return run


def _into_recovery(run: RunState, suspects: list[StepId], record: ev.Record) -> RunState:
    """The round of fixes was not enough: each suspect is recovered for it, once in a run."""
    for step_id in suspects:
        step = run.steps[step_id]
        causes = {recovery.cause for recovery in step.recoveries}
        if step.status is StepStatus.ACCEPTED and RecoveryCause.CHECKS not in causes:
            run = put_step(run, enter(run, step, _check_damage(run, step), record.at))
    return run


def _check_damage(run: RunState, step: StepState) -> Damage:
    red = [outcome for outcome in run.checks.outcomes if outcome.state in RED_CHECKS]
    said = "; ".join(_said(outcome) for outcome in red)
    return Damage(cause=RecoveryCause.CHECKS, message=said, text=text_on_disk(run, step))


def _said(outcome: ev.CheckOutcome) -> str:
    count = f"{outcome.failed} failed" if outcome.failed else outcome.state.value.replace("_", " ")
    return f"{outcome.name}: {count}"


def _checkpoint(run: RunState, event: ev.CheckpointTaken, record: ev.Record) -> RunState:
    point = Checkpoint(seq=record.seq, at=record.at, label=event.label, files=event.files)
    update: dict[str, object] = {"checkpoints": (*run.checkpoints, point)}
    if event.label == BEFORE_RUN and run.base is None:
        running = {k: a for k, a in run.running.items() if a.step or a.kind.value != "base"}
        update |= {"base": event.files, "running": running}
    return run.model_copy(update=update)


def _end(run: RunState, key: ActivityKey) -> RunState:
    activity = run.running.get(key)
    return end_activity(run, activity) if activity else run
