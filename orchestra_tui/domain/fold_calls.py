"""How model calls change the state: the calls, what is waited for, and how the adapters stand."""

from datetime import timedelta
from typing import assert_never

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.fold_run import without_wait
from orchestra_tui.domain.fold_steps import attempt_note, put_step, with_note
from orchestra_tui.domain.ids import CallKey
from orchestra_tui.domain.recovery import Damage
from orchestra_tui.domain.state import AdapterHealth, CallState, CallStatus, Hop, RunState, Wait


def apply_call_event(run: RunState, event: ev.CallEvent, record: ev.Record) -> RunState:
    """The run after something happened to a model call."""
    match event:
        case ev.CallStarted():
            return _started(run, event, record)
        case ev.CallFinished():
            run = _put_call(
                run,
                event.call,
                status=CallStatus.FINISHED,
                usage=event.usage,
                finish=event.finish,
                reply=event.reply,
                seconds=event.seconds,
                cost=event.cost,
            )
            return _answered(run, event.call)
        case ev.CallFailed():
            return _failed(run, event, record)
        case ev.HopTaken():
            return _hopped(run, event, record)
        case ev.CallDelayed():
            until = record.at + timedelta(seconds=event.seconds)
            known = run.waits.get(event.activity)
            since = known.since if known else record.at
            wait = Wait(adapter=event.adapter, reason=event.reason, until=until, since=since)
            return run.model_copy(update={"waits": run.waits | {event.activity: wait}})
        case ev.CacheHit():
            return _put_call(
                run,
                event.call,
                is_cached=True,
                saved=event.saved,
                saved_cost=event.saved_cost,
            )
        case ev.BudgetReached():
            scope = event.stop.role.value if event.stop.role else ""
            stops = run.budget_stops | {scope: event.stop}
            return without_wait(run, event.activity).model_copy(update={"budget_stops": stops})
        case ev.ReplyDoubted():
            where = f" at line {event.line}" if event.line is not None else ""
            return _put_call(run, event.call, doubt=f"looks damaged{where}: {event.message}")
        case ev.ReplyRefused():
            return _refused(run, event, record)
    assert_never(event)


def _started(run: RunState, event: ev.CallStarted, record: ev.Record) -> RunState:
    call = CallState(
        key=event.call,
        activity=event.activity,
        role=event.role,
        path=event.path,
        adapter=event.adapter,
        started_at=record.at,
        request=event.request,
        context=event.context,
        patience=event.patience,
        reserve=event.reserve,
        waited=_waited(run, event, record),
    )
    # A call that was cut off starts again under its key: it must stand last among the calls.
    calls = {key: known for key, known in run.calls.items() if key != event.call}
    cut_off = run.calls.get(event.call)
    lost = run.lost
    if cut_off is not None:
        # What it used is not known, and must not be forgotten.
        lost = (*lost, cut_off.model_copy(update={"status": CallStatus.ABANDONED}))
    run = without_wait(run, event.activity)
    return run.model_copy(update={"calls": calls | {event.call: call}, "lost": lost})


def _waited(run: RunState, event: ev.CallStarted, record: ev.Record) -> float:
    wait = run.waits.get(event.activity)
    if wait is None or wait.since is None:
        return 0.0
    return max(0.0, (record.at - wait.since).total_seconds())


def _answered(run: RunState, key: CallKey) -> RunState:
    """Its adapter works: what was said of it before is over. What was said after the call had begun
    is not: a limit that others met meanwhile holds."""
    call = run.calls.get(key)
    if call is None or call.is_cached:
        return run
    health = run.adapters.get(call.adapter.name)
    if health is not None and health.since is not None and call.started_at < health.since:
        return run
    return run.model_copy(update={"adapters": run.adapters | {call.adapter.name: AdapterHealth()}})


def _failed(run: RunState, event: ev.CallFailed, record: ev.Record) -> RunState:
    run = _put_call(
        run,
        event.call,
        status=CallStatus.FAILED,
        error=event.message,
        error_kind=event.kind,
        retry_in=event.retry_in,
        usage=event.usage,
        cost=event.cost,
    )
    call = run.calls.get(event.call)
    if call is None:
        return run
    health = _health(event.kind, event.message, event.cooling_for, record)
    return run.model_copy(update={"adapters": run.adapters | {call.adapter.name: health}})


def _hopped(run: RunState, event: ev.HopTaken, record: ev.Record) -> RunState:
    call = run.calls.get(event.call)
    if call is not None:
        hop = Hop(left=event.left, kind=event.kind, cause=event.cause)
        run = _put_call(run, event.call, hops=(*call.hops, hop))
    if event.cooling_for is None:
        return run
    health = _health(event.kind, event.cause, event.cooling_for, record)
    return run.model_copy(update={"adapters": run.adapters | {event.left: health}})


def _health(kind: str, cause: str, cooling: float | None, record: ev.Record) -> AdapterHealth:
    until = record.at + timedelta(seconds=cooling) if cooling else None
    return AdapterHealth(kind=kind, cause=cause, cooling_until=until, since=record.at)


def _refused(run: RunState, event: ev.ReplyRefused, record: ev.Record) -> RunState:
    run = _put_call(run, event.call, refused=event.reason)
    activity = run.running.get(event.activity)
    if activity is None or activity.step is None:
        return run
    note = attempt_note(activity, record, "refused", event.reason, event.diagnostics)
    note = note.model_copy(update={"text": event.text})
    step = with_note(run.steps[activity.step], note)
    if activity.kind is not ActivityKind.AUDIT:
        step = step.model_copy(update={"damage": _damage(run, event)})
    return put_step(run, step)


def _damage(run: RunState, event: ev.ReplyRefused) -> Damage:
    call = run.calls.get(event.call)
    return Damage(
        cause=event.cause,
        message=event.reason,
        diagnostics=event.diagnostics,
        text=event.text,
        is_reply=event.is_reply,
        can_continue=event.can_continue and event.text is not None,
        call=event.call,
        adapter=call.adapter.name if call is not None else "",
    )


def _put_call(run: RunState, key: CallKey, **update: object) -> RunState:
    call = run.calls.get(key)
    if call is None:
        return run
    return run.model_copy(update={"calls": run.calls | {key: call.model_copy(update=update)}})
