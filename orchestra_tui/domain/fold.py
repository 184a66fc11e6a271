"""`apply` and `fold`: how a record changes the state. Pure, and the same on both sides of the seam.

Each family of events has its own function, an exhaustive `match` that ends in `assert_never`.
"""

from collections.abc import Iterable
from typing import assert_never

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.fold_calls import apply_call_event
from orchestra_tui.domain.fold_recovery import apply_recovery_event
from orchestra_tui.domain.fold_review import apply_review_event
from orchestra_tui.domain.fold_run import apply_run_event
from orchestra_tui.domain.fold_steps import apply_activity_event, apply_file_event
from orchestra_tui.domain.ids import RunId
from orchestra_tui.domain.state import RunState, SessionState


def apply(state: SessionState, record: ev.Record) -> SessionState:
    """The state after `record`. A record that was folded in before changes nothing."""
    if record.seq <= state.seq:
        return state
    common = {
        "seq": record.seq,
        "last_at": record.at,
        "started_at": state.started_at or record.at,
        "project": record.project,
    }
    event = record.event
    match event:
        case ev.SessionStarted():
            return state.model_copy(
                update=common
                | {
                    "title": event.title,
                    "root": event.root,
                    "provider": event.provider,
                    "scenario": event.scenario,
                }
            )
        case ev.RunStarted():
            run = RunState(
                id=event.run,
                task=event.task,
                settings=event.settings,
                head=event.head,
                branch=event.branch,
                started_at=record.at,
            )
            return state.model_copy(update=common | {"runs": (*state.runs, run)})
        case _:
            runs = _with_run(state, event.run, record)
            return state.model_copy(update=common | {"runs": runs})


def fold(state: SessionState, records: Iterable[ev.Record]) -> SessionState:
    """The state after all `records`, in their order."""
    for record in records:
        state = apply(state, record)
    return state


def _with_run(state: SessionState, run_id: RunId, record: ev.Record) -> tuple[RunState, ...]:
    return tuple(
        _apply_to_run(_with_work(run, state, record), record) if run.id == run_id else run
        for run in state.runs
    )


def _with_work(run: RunState, state: SessionState, record: ev.Record) -> RunState:
    """The run with the time since the record before counted, if work went on in it."""
    # What is abandoned was cut off at some time that nobody noted, a crash, say.
    is_cut_off = isinstance(record.event, ev.ActivityAbandoned)
    if not run.running or is_cut_off or state.last_at is None:
        return run
    seconds = max(0.0, (record.at - state.last_at).total_seconds())
    busy = {""} | {a.kind.role.value for a in run.running.values() if a.kind.role}
    worked = {scope: run.worked.get(scope, 0.0) + seconds for scope in busy}
    return run.model_copy(update={"worked": run.worked | worked})


def _apply_to_run(run: RunState, record: ev.Record) -> RunState:
    event = record.event
    if isinstance(event, ev.SessionStarted | ev.RunStarted):
        return run
    if isinstance(event, ev.RunEvent):
        return apply_run_event(run, event, record)
    if isinstance(event, ev.ActivityEvent):
        return apply_activity_event(run, event, record)
    if isinstance(event, ev.CallEvent):
        return apply_call_event(run, event, record)
    if isinstance(event, ev.FileEvent):
        return apply_file_event(run, event, record)
    if isinstance(event, ev.RecoveryEvent):
        return apply_recovery_event(run, event, record)
    if isinstance(event, ev.ReviewEvent):
        return apply_review_event(run, event, record)
    assert_never(event)
