"""Figures of model calls: how many, how well, how fast, and what they used. A pure fold of states.

The rule a reader must not break: a rehearsal counts in no rate of success, and what nobody told
is counted as unknown, beside the sums and never in them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil
from statistics import median

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.calls import ProviderKind, Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.money import Money
from orchestra_tui.domain.recovery_metrics import RecoveryCounts, recovery_counts
from orchestra_tui.domain.spending import calls_of, money_of_calls, tokens_in
from orchestra_tui.domain.state import CallState, CallStatus, SessionState


class CallMetrics(BaseModel):
    """Figures of one group of calls: an adapter with its model, a role, or all of them."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str = ""
    """The adapter or the role; empty for all."""
    model: str = ""
    is_rehearsal: bool = False
    """A script answered, at least once."""
    calls: int = 0
    """Questions put to a model, and those that a kept answer saved."""
    finished: int = 0
    """Whole answers of a model, also those that could not be used."""
    refused: int = 0
    """Whole answers that could not be used."""
    cached: int = 0
    """Answers of an earlier run."""
    cut_off: int = 0
    """Calls that a stop or a crash ended."""
    failed: dict[str, int] = {}
    """Calls that broke off, by the kind of their error."""
    hops: dict[str, int] = {}
    """Times that a call went past it to another adapter, by cause; of a role: past any."""
    usage: Usage = Usage()
    """Tokens, as far as they were told."""
    unknown_usage: int = 0
    """Calls that have ended and whose tokens nobody told."""
    money: Money = Money()
    saved: Usage = Usage()
    """Tokens that kept answers had cost."""
    saved_usd: Decimal = Decimal(0)
    """What those tokens would have cost, where the price is known."""
    waited: float = 0.0
    """Seconds of waiting before calls."""
    median_seconds: float | None = None
    p95_seconds: float | None = None
    success: float | None = None
    """The part of a real model's ended calls that gave a usable answer, from 0 to 1."""

    @property
    def failures(self) -> int:
        """Calls that broke off."""
        return sum(self.failed.values())


class Metrics(BaseModel):
    """Figures of one or more sessions."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    sessions: int = 0
    runs: int = 0
    total: CallMetrics = CallMetrics()
    adapters: tuple[CallMetrics, ...] = ()
    """By adapter and model, the dearest first."""
    roles: tuple[CallMetrics, ...] = ()
    recovery: RecoveryCounts = RecoveryCounts()
    """Of real runs."""
    rehearsed_recovery: RecoveryCounts = RecoveryCounts()


def metrics_of(sessions: Iterable[SessionState]) -> Metrics:
    """The figures of these sessions together."""
    states = list(sessions)
    calls = [call for state in states for call in calls_of(state)]
    return Metrics(
        sessions=len(states),
        runs=sum(len(state.runs) for state in states),
        total=_figures(calls, hops=_causes(calls)),
        adapters=_by_adapter(calls),
        roles=_by_role(calls),
        recovery=_recoveries(states, is_rehearsal=False),
        rehearsed_recovery=_recoveries(states, is_rehearsal=True),
    )


def _recoveries(states: Iterable[SessionState], *, is_rehearsal: bool) -> RecoveryCounts:
    chosen = [state for state in states if state.is_rehearsal is is_rehearsal]
    return recovery_counts(run for state in chosen for run in state.runs)


def _by_adapter(calls: Sequence[CallState]) -> tuple[CallMetrics, ...]:
    groups: dict[tuple[str, str], list[CallState]] = {}
    for call in calls:
        groups.setdefault((call.adapter.name, call.adapter.model), []).append(call)
    left: dict[str, Counter[str]] = {}
    for call in calls:
        for hop in call.hops:
            left.setdefault(hop.left, Counter())[hop.kind] += 1
    rows = [
        # A hop names the adapter alone; its causes stand with the first model it had.
        _figures(group, name=name, model=model, hops=left.pop(name, Counter()))
        for (name, model), group in groups.items()
    ]
    rows += [CallMetrics(name=name, hops=dict(causes)) for name, causes in left.items()]
    return tuple(sorted(rows, key=lambda row: (-row.money.usd, -row.calls, row.name, row.model)))


def _by_role(calls: Sequence[CallState]) -> tuple[CallMetrics, ...]:
    found = []
    for role in Role:
        own = [call for call in calls if call.role is role]
        if own:
            found.append(_figures(own, name=role.value, hops=_causes(own)))
    return tuple(found)


def _causes(calls: Iterable[CallState]) -> Counter[str]:
    return Counter(hop.kind for call in calls for hop in call.hops)


def _figures(
    calls: Sequence[CallState], *, hops: Counter[str], name: str = "", model: str = ""
) -> CallMetrics:
    cached = [call for call in calls if call.is_cached]
    asked = [call for call in calls if not call.is_cached]
    finished = [call for call in asked if call.status is CallStatus.FINISHED]
    failed = [call for call in asked if call.status is CallStatus.FAILED]
    seconds = sorted(call.seconds for call in finished if call.seconds is not None)
    ended = [call for call in asked if call.status is not CallStatus.RUNNING]
    return CallMetrics(
        name=name,
        model=model,
        is_rehearsal=any(call.adapter.kind is ProviderKind.REHEARSAL for call in calls),
        calls=len(calls),
        finished=len(finished),
        refused=sum(bool(call.refused) for call in finished),
        cached=len(cached),
        cut_off=sum(call.status is CallStatus.ABANDONED for call in asked),
        failed=dict(Counter(call.error_kind for call in failed)),
        hops=dict(hops),
        usage=sum((call.usage for call in asked), Usage()),
        unknown_usage=sum(tokens_in(call.usage) is None for call in ended),
        money=money_of_calls(calls),
        saved=sum((call.saved for call in cached), Usage()),
        saved_usd=sum(
            (call.saved_cost.usd for call in cached if call.saved_cost is not None), Decimal(0)
        ),
        waited=round(sum(call.waited for call in calls), 3),
        median_seconds=round(median(seconds), 3) if seconds else None,
        p95_seconds=seconds[ceil(len(seconds) * 0.95) - 1] if seconds else None,
        success=_success([*finished, *failed]),
    )


def _success(ended: Iterable[CallState]) -> float | None:
    """Usable answers among the calls that a real model ended; None if there was none."""
    real = [call for call in ended if call.adapter.kind is ProviderKind.REAL]
    if not real:
        return None
    good = sum(call.status is CallStatus.FINISHED and not call.refused for call in real)
    return round(good / len(real), 4)
