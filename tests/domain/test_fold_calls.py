"""How calls that overlap change what is known of their adapter."""

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.fold import fold
from orchestra_tui.domain.ids import CallKey, Role, blob_hash, call_key
from orchestra_tui.domain.state import AdapterHealth, SessionState
from tests.engine.sample_log import ADAPTER, RUN, SESSION, begin, records_of

PLAN = Activity(kind=ActivityKind.DRAFT_PLAN, run=RUN)


def started(key: CallKey) -> ev.Event:
    return ev.CallStarted(
        run=RUN,
        call=key,
        activity=PLAN.key,
        role=Role.ARCHITECT,
        path=None,
        adapter=ADAPTER,
        request=blob_hash(b"?"),
    )


def answered(key: CallKey) -> ev.Event:
    return ev.CallFinished(
        run=RUN,
        call=key,
        activity=PLAN.key,
        usage=Usage(),
        finish=FinishReason.STOP,
        reply=blob_hash(b"!"),
        seconds=1.0,
    )


def limited(key: CallKey) -> ev.Event:
    return ev.CallFailed(
        run=RUN,
        call=key,
        activity=PLAN.key,
        kind="rate_limited",
        message="429",
        retry_in=None,
        cooling_for=60,
    )


def health_after(*events: ev.Event) -> AdapterHealth:
    state = fold(SessionState(id=SESSION), records_of([*begin(), *events]))
    assert state.run is not None
    return state.run.adapters[ADAPTER.name]


def test_an_answer_ends_a_rest_only_if_it_was_asked_for_after_the_refusal() -> None:
    one, two, three = (call_key(PLAN.key, number) for number in (1, 2, 3))
    overlapping = [started(one), started(two), limited(two), answered(one)]
    assert health_after(*overlapping).kind == "rate_limited"
    assert health_after(*overlapping, started(three), answered(three)) == AdapterHealth()
