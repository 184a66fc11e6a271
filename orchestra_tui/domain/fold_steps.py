"""How activities and files change the state of steps.

The audit loop's and the recovery's decisions (fix again, give up, accept) are made in
`domain.step_rules`, from the state alone, so that a replay decides the same.
"""

from typing import assert_never

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.fold_run import abandon_calls, without_wait
from orchestra_tui.domain.ids import ActivityKey
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.recovery import RecoveryOutcome
from orchestra_tui.domain.recovery_rules import ended
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import (
    AttemptNote,
    RunState,
    StepState,
    StepStatus,
)
from orchestra_tui.domain.step_rules import (
    HALTING_KINDS,
    MAX_TIMELINE,
    accepted,
    after_failure,
    after_issues,
    begun_anew,
    cut_off,
    with_blocked,
)
from orchestra_tui.domain.step_state import TextGiven

_STARTED = {
    ActivityKind.EXECUTE: StepStatus.WRITING,
    ActivityKind.AUDIT: StepStatus.AUDITING,
    ActivityKind.FIX: StepStatus.FIXING,
    ActivityKind.RECOVER: StepStatus.RECOVERING,
    ActivityKind.MANUAL: StepStatus.WRITING,
    ActivityKind.REVERT: StepStatus.REVERTING,
}


def apply_activity_event(run: RunState, event: ev.ActivityEvent, record: ev.Record) -> RunState:
    """The run after a unit of work began, failed or was cut off."""
    activity = event.activity
    match event:
        case ev.ActivityStarted():
            run = run.model_copy(update={"running": run.running | {activity.key: activity}})
            if activity.step is None:
                return run
            step = run.steps[activity.step]
            return put_step(run, step.model_copy(update={"status": _STARTED[activity.kind]}))
        case ev.ActivityFailed():
            return _failed(end_activity(run, activity), event, record)
        case ev.ActivityAbandoned():
            running = {key: value for key, value in run.running.items() if key != activity.key}
            calls = abandon_calls(run.calls, activity.key)
            run = without_wait(run, activity.key)
            run = run.model_copy(update={"running": running, "calls": calls})
            if activity.step is None:
                return run
            return put_step(run, cut_off(run.steps[activity.step], activity))
    assert_never(event)


def _failed(run: RunState, event: ev.ActivityFailed, record: ev.Record) -> RunState:
    activity = event.activity
    update: dict[str, object] = {"last_error": event.message}
    if event.kind in HALTING_KINDS:
        update["halted"] = event.kind
    if activity.step is not None:
        note = attempt_note(activity, record, "failed", event.message, event.diagnostics)
        step = after_failure(run.steps[activity.step], activity, event, run, record.at)
        return put_step(run.model_copy(update=update), with_note(step, note))
    match activity.kind:
        case ActivityKind.DRAFT_PLAN:
            update |= {
                "plan_attempt": activity.attempt,
                "plan_failures": run.plan_failures + 1,
            }
            if event.kind == "refused":
                # What a provider said of its limits is no fault of a reply, and nobody else's.
                update["refusals"] = (*run.refusals, event.message)[-3:]
        case ActivityKind.APPLY_REVIEW | ActivityKind.COMMIT:
            update |= {"commit_request": None, "commit_intent": None, "held": event.message}
        case _:
            update |= {"run_failures": run.run_failures + 1}
    return run.model_copy(update=update)


def apply_file_event(run: RunState, event: ev.FileEvent, record: ev.Record) -> RunState:
    """The run after a file, its audit or the user's wish for a step changed."""
    match event:
        case ev.FileIntended():
            return run.model_copy(update={"intents": run.intents | {event.path: event}})
        case ev.FileWritten():
            return _written(run, event)
        case ev.StepExecuted():
            return _executed(run, event, record)
        case ev.FileReverted():
            return _reverted(run, event, record)
        case ev.RevertRefused():
            run, activity = end_of(_without_intent(run, event.path), event.activity)
            step = run.steps[event.step]
            update = {"status": StepStatus.FAILED, "last_error": event.message}
            step = noted(step, activity, record, result="failed", message=event.message)
            return put_step(run, step.model_copy(update=update))
        case ev.ConflictFound():
            return _conflict(run, event, record)
        case ev.AuditPassed():
            run, activity = end_of(run, event.activity)
            step = accepted(run.steps[event.step], record.at)
            step = step.model_copy(update={"issues": event.issues})
            return put_step(run, noted(step, activity, record, result="passed"))
        case ev.IssuesFound():
            run, activity = end_of(run, event.activity)
            step = after_issues(run, run.steps[event.step], event.issues, record.at)
            message = f"{len(event.issues)} issues"
            step = noted(step, activity, record, result="issues", message=message)
            return put_step(run, step)
        case ev.StepRetried():
            return _retried(run, event, record)
        case ev.RevertRequested():
            return _revert_wanted(run, event, record)
    assert_never(event)


def _revert_wanted(run: RunState, event: ev.RevertRequested, record: ev.Record) -> RunState:
    for step_id in event.steps:
        step = begun_anew(run.steps[step_id])
        step = ended(step, RecoveryOutcome.SKIPPED, record.at)
        update = {"status": StepStatus.NEEDS_REVERT, "last_error": "reverted by you"}
        step = step.model_copy(update=update | {"goes_back_to_good": False})
        run = put_step(run, step)
    return run


def _written(run: RunState, event: ev.FileWritten) -> RunState:
    step = run.steps[event.step]
    update: dict[str, object] = {
        "files": step.files | {event.path: event.after},
        "writers": step.writers | {event.path: event.activity},
    }
    if event.after is None and event.mode is not None:
        update["modes"] = step.modes | {event.path: event.mode}
    if event.why is not ev.WriteReason.REVIEW:
        update["results"] = step.results | {event.path: event.after}
    else:
        update["good"] = step.good | {event.path: event.after}
        # Each file for itself: a review that is cut off must know what it has done.
        applied = run.applied_rejections | {event.path: run.rejected.get(event.path, ())}
        run = run.model_copy(update={"applied_rejections": applied})
    run = put_step(_without_intent(run, event.path), step.model_copy(update=update))
    checks = run.checks.model_copy(update={"is_stale": run.checks.runs > 0})
    folders = tuple(dict.fromkeys((*run.folders, *event.folders)))
    return run.model_copy(update={"checks": checks, "folders": folders})


def _executed(run: RunState, event: ev.StepExecuted, record: ev.Record) -> RunState:
    run, activity = end_of(run, event.activity)
    step = run.steps[event.step]
    is_delete = run.plan is not None and run.plan.step(event.step).change is ChangeKind.DELETE
    fixes = step.fixes + (activity is not None and activity.kind is ActivityKind.FIX)
    update = {
        "status": StepStatus.WRITTEN,
        "failures": 0,
        "refusals": (),
        "fixes": fixes,
        "last_error": "",
        "diagnostics": (),
        "damage": None,
    }
    step = step.model_copy(update=update)
    if step.manual is not None:
        step = accepted(_closed_by_text(step, step.manual, record), record.at)
    elif is_delete:
        step = accepted(step, record.at)
    elif (recovery := step.recovery) is not None and recovery.cause.is_damage:
        step = ended(step, RecoveryOutcome.RECOVERED, record.at)
    return put_step(run, noted(step, activity, record, result="written"))


def _closed_by_text(step: StepState, given: TextGiven, record: ev.Record) -> StepState:
    """The user's own text ends the recovery, and is not judged by an agent."""
    outcome = RecoveryOutcome.ACCEPTED_ANYWAY if given.is_anyway else RecoveryOutcome.TAKEN_OVER
    step = ended(step, outcome, record.at, given.reason)
    return step.model_copy(update={"manual": None, "issues": ()})


def _reverted(run: RunState, event: ev.FileReverted, record: ev.Record) -> RunState:
    run, activity = end_of(_without_intent(run, event.path), event.activity)
    step = run.steps[event.step]
    update: dict[str, object] = {
        "status": StepStatus.ACCEPTED if event.is_good else StepStatus.REVERTED,
        "files": step.files | {event.path: event.after},
        "results": step.results | {event.path: event.after},
        "last_error": step.last_error or event.reason,
        "goes_back_to_good": False,
    }
    if not event.is_good:
        update["good"] = {}
    step = step.model_copy(update=update)
    step = noted(step, activity, record, result="reverted", message=event.reason)
    checks = run.checks.model_copy(update={"is_stale": run.checks.runs > 0})
    return put_step(run.model_copy(update={"checks": checks}), step)


def _conflict(run: RunState, event: ev.ConflictFound, record: ev.Record) -> RunState:
    at_work = run.running.get(event.activity)
    if at_work is not None and at_work.kind is ActivityKind.APPLY_REVIEW:
        # The step stays what it is: only its rejected hunks cannot be taken out.
        return _without_intent(run, event.path)
    run, activity = end_of(_without_intent(run, event.path), event.activity)
    message = f"{event.path} was changed by somebody else since the plan was made"
    unattended = run.settings.unattended
    update = {
        "status": StepStatus.FAILED if unattended else StepStatus.CONFLICT,
        "conflict": event.found,
        "conflict_path": event.path,
        "last_error": message,
    }
    # What the user wrote meanwhile goes before every text of ours: nothing is left to recover.
    step = ended(run.steps[event.step], RecoveryOutcome.SKIPPED, record.at)
    step = step.model_copy(update=update | {"manual": None})
    step = noted(step, activity, record, result="conflict", message=message)
    return put_step(run, step)


def freed_from_conflict(run: RunState, step: StepState) -> tuple[RunState, StepState]:
    """The run and the step with what stands on disk taken for what is expected there."""
    if path := step.conflict_path:
        if not _stands_in_the_way(run, step):
            # The user's version is the new base: a revert must bring *it* back.
            run = run.model_copy(update={"base": (run.base or {}) | {path: step.conflict}})
        files = {p: blob for p, blob in step.files.items() if p != path}
        step = step.model_copy(update={"files": files})
    return run, step.model_copy(update={"conflict": None, "conflict_path": ""})


def _retried(run: RunState, event: ev.StepRetried, record: ev.Record) -> RunState:
    run, step = freed_from_conflict(run, begun_anew(run.steps[event.step]))
    step = ended(step, RecoveryOutcome.RETRIED, record.at)
    update = {
        "status": StepStatus.WAITING,
        "failures": 0,
        "fixes": 0,
        "issue_counts": (),
        "issues": (),
        "refusals": (),
        "fix_reason": None,
        "note": event.note,
        "agents": event.agents,
        "last_error": "",
        "damage": None,
        "good": {},
    }
    return put_step(run, step.model_copy(update=update))


def _stands_in_the_way(run: RunState, step: StepState) -> bool:
    """The user has a file of his own where one is to be moved: it never becomes the base."""
    plan_step = run.plan.step(step.id) if run.plan else None
    if plan_step is None or plan_step.change is not ChangeKind.RENAME:
        return False
    old = plan_step.from_path or ""
    is_moved = old in step.files and step.files[old] is None
    return step.conflict_path == plan_step.path and not is_moved


def put_step(run: RunState, step: StepState) -> RunState:
    """The run with this step replaced and its dependents blocked or freed."""
    return with_blocked(run.model_copy(update={"steps": run.steps | {step.id: step}}))


def end_activity(run: RunState, activity: Activity) -> RunState:
    """The run with `activity` no longer running and its attempt counted."""
    running = {key: value for key, value in run.running.items() if key != activity.key}
    calls = abandon_calls(run.calls, activity.key)
    run = without_wait(run, activity.key)
    run = run.model_copy(update={"running": running, "calls": calls})
    if activity.step is None:
        return run.model_copy(update={"ended": run.ended | {activity.kind: activity.attempt}})
    step = run.steps[activity.step]
    attempts = step.attempts | {activity.kind: activity.attempt}
    steps = run.steps | {step.id: step.model_copy(update={"attempts": attempts})}
    return run.model_copy(update={"steps": steps})


def end_of(run: RunState, key: ActivityKey) -> tuple[RunState, Activity | None]:
    activity = run.running.get(key)
    return (end_activity(run, activity), activity) if activity else (run, None)


def _without_intent(run: RunState, path: str) -> RunState:
    intents = {known: intent for known, intent in run.intents.items() if known != path}
    return run.model_copy(update={"intents": intents})


def attempt_note(
    activity: Activity,
    record: ev.Record,
    result: str,
    message: str = "",
    diagnostics: tuple[Diagnostic, ...] = (),
) -> AttemptNote:
    """What happened in one try at a step, for its timeline."""
    return AttemptNote(
        activity=activity.key,
        kind=activity.kind,
        at=record.at,
        result=result,
        message=message,
        diagnostics=diagnostics,
    )


def with_note(step: StepState, note: AttemptNote) -> StepState:
    """The step with one more entry in its timeline."""
    return step.model_copy(update={"timeline": (*step.timeline, note)[-MAX_TIMELINE:]})


def noted(
    step: StepState,
    activity: Activity | None,
    record: ev.Record,
    *,
    result: str,
    message: str = "",
) -> StepState:
    """The step with a note of how this activity ended; unchanged if it is not known."""
    return with_note(step, attempt_note(activity, record, result, message)) if activity else step
