"""How recovery events change a step: attempts, and what the user decides about its file."""

from typing import assert_never

from orchestra_tui.domain import events as ev
from orchestra_tui.domain import recovery_rules as rules
from orchestra_tui.domain.fold_steps import end_of, freed_from_conflict, noted, put_step
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryOutcome
from orchestra_tui.domain.state import RunState, StepStatus
from orchestra_tui.domain.step_rules import begun_anew
from orchestra_tui.domain.step_state import TextGiven


def apply_recovery_event(run: RunState, event: ev.RecoveryEvent, record: ev.Record) -> RunState:
    """The run after an attempt ended, or the user decided about a file in recovery."""
    match event:
        case ev.RecoveryAttempted():
            return _attempted(run, event, record)
        case ev.RecoverySteered():
            return _steered(run, event)
        case ev.AttemptsRaised():
            return _raised(run, event, record)
        case ev.TextTaken():
            return _taken(run, event)
        case ev.StepSkipped():
            return _skipped(run, event, record)
    assert_never(event)


def _attempted(run: RunState, event: ev.RecoveryAttempted, record: ev.Record) -> RunState:
    if event.outcome is AttemptOutcome.WRITTEN:
        return _put_attempt(run, event, record)
    run, activity = end_of(run, event.activity)
    step = run.steps[event.step]
    damage = step.damage if event.outcome is AttemptOutcome.UNUSABLE else None
    attempt = rules.attempt_of(event, record.at, damage)
    step = rules.after_attempt(run, step, attempt, damage)
    if event.outcome is not AttemptOutcome.UNUSABLE:
        # A refused reply has its note already.
        step = noted(step, activity, record, result=event.outcome.value, message=event.message)
    return put_step(run, step)


def _put_attempt(run: RunState, event: ev.RecoveryAttempted, record: ev.Record) -> RunState:
    """The attempt is in the list; the StepExecuted that follows ends it."""
    step = run.steps[event.step]
    recovery = step.recovery
    if recovery is None:
        return run
    attempt = rules.attempt_of(event, record.at, None)
    # A log may be cut between the two events; the attempt then ends a second time.
    others = tuple(known for known in recovery.attempts if known.activity != event.activity)
    recovery = recovery.model_copy(update={"attempts": (*others, attempt)})
    recoveries = (*step.recoveries[:-1], recovery)
    return put_step(run, step.model_copy(update={"recoveries": recoveries}))


def _steered(run: RunState, event: ev.RecoverySteered) -> RunState:
    step = run.steps[event.step]
    recovery = step.recovery
    if recovery is None:
        return run
    update: dict[str, object] = {"note": event.note or recovery.note, "agents": event.agents}
    steered = rules.renewed(recovery, **update)
    if step.status is StepStatus.RECOVERING:
        # What is being tried goes on; the choice is for the attempt after it.
        steered = steered.model_copy(update={"next": recovery.next})
    else:
        step = begun_anew(step)
    recoveries = (*step.recoveries[:-1], steered)
    return put_step(run, step.model_copy(update={"recoveries": recoveries}))


def _raised(run: RunState, event: ev.AttemptsRaised, record: ev.Record) -> RunState:
    step = run.steps[event.step]
    if not step.recoveries:
        return run
    last = step.recoveries[-1]
    raised = rules.renewed(last, budget=max(last.budget, last.asked_count) + event.attempts)
    if step.status is StepStatus.RECOVERING:
        raised = raised.model_copy(update={"next": last.next})
    else:
        step = begun_anew(step)
    recoveries = (*step.recoveries[:-1], raised)
    step = step.model_copy(update={"recoveries": recoveries})
    if step.status is not StepStatus.RECOVERING:
        step = rules.going_on(run, step, raised, record.at)
    return put_step(run, step)


def _taken(run: RunState, event: ev.TextTaken) -> RunState:
    run, step = freed_from_conflict(run, begun_anew(run.steps[event.step]))
    given = TextGiven(text=event.text, is_anyway=event.is_anyway, reason=event.reason)
    update = {"status": StepStatus.TAKEN_OVER, "manual": given, "last_error": ""}
    return put_step(run, step.model_copy(update=update))


def _skipped(run: RunState, event: ev.StepSkipped, record: ev.Record) -> RunState:
    """A file in the middle of its recovery goes back to its last good text first, also one whose
    attempt was written just before it was given up."""
    step = begun_anew(run.steps[event.step])
    is_under_way = step.recovery is not None or step.status is StepStatus.WRITTEN
    step = rules.ended(step, RecoveryOutcome.SKIPPED, record.at)
    if is_under_way and step.is_written:
        step = rules.retreat(run, step).model_copy(update={"last_error": "given up by you"})
    else:
        step = step.model_copy(update={"status": StepStatus.SKIPPED})
    return put_step(run, step)
