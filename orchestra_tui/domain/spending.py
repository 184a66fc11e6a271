"""What a session has used, and whether its next call still fits. Pure arithmetic over the state.

The rule a reader must not break: a call counts from before it is made. While it runs, and when
what it used was never told, it counts with what was set aside for it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orchestra_tui.domain.budget import (
    Budget,
    BudgetKind,
    BudgetStop,
    Limits,
    OnUnknownPrice,
    Reserve,
)
from orchestra_tui.domain.calls import ProviderKind, Usage
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.money import Money, usd_text
from orchestra_tui.domain.state import CallState, CallStatus, RunState, SessionState


@dataclass(frozen=True)
class Used:
    """What counts against a limit: known and set aside together."""

    usd: Decimal = Decimal(0)
    tokens: int = 0
    seconds: float = 0.0


def calls_of(session: SessionState) -> Iterable[CallState]:
    """Every call of the session, those too that were cut off and asked again."""
    for run in session.runs:
        yield from run.lost
        yield from run.calls.values()


def is_charged(call: CallState) -> bool:
    """It may cost something: a rehearsal and a kept answer never do."""
    return not call.is_cached and call.adapter.kind is not ProviderKind.REHEARSAL


def is_unknown(call: CallState) -> bool:
    """It has ended, and nobody can tell what it cost."""
    return is_charged(call) and call.cost is None and call.status is not CallStatus.RUNNING


def money_of_calls(calls: Iterable[CallState]) -> Money:
    """What these calls cost so far."""
    usd, unknown = Decimal(0), 0
    for call in calls:
        if is_unknown(call):
            unknown += 1
        elif is_charged(call) and call.cost is not None:
            usd += call.cost.usd
    return Money(usd=usd, unknown=unknown)


def money_of(session: SessionState) -> Money:
    """What the session cost so far."""
    return money_of_calls(calls_of(session))


def money_of_run(run: RunState) -> Money:
    """What one run cost so far."""
    return money_of_calls((*run.lost, *run.calls.values()))


def cache_hits(session: SessionState) -> int:
    """Calls that were answered from earlier runs."""
    return sum(call.is_cached for call in calls_of(session))


def tokens_in(usage: Usage) -> int | None:
    """Tokens in and out together; None unless both are known."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens


def used(
    session: SessionState,
    role: Role | None,
    in_flight: Mapping[CallKey, tuple[Role, Reserve]],
    now: datetime,
) -> Used:
    """What counts against the limits of a role, or with None of the session.

    `in_flight` are the calls of this process that have not ended: they count with their reserve
    alone, whatever the state says of them already.
    """
    usd, tokens = Decimal(0), 0
    for call in calls_of(session):
        if role in {None, call.role} and call.key not in in_flight:
            usd += _usd(call)
            tokens += _tokens(call)
    for of, reserve in in_flight.values():
        if role in {None, of}:
            usd += reserve.usd or 0
            tokens += reserve.tokens
    return Used(usd, tokens, worked(session, role, now))


def worked(session: SessionState, role: Role | None, now: datetime) -> float:
    """Seconds in which the session, or one role of it, was at work."""
    seconds = 0.0
    for run in session.runs:
        seconds += run.worked.get(role.value if role else "", 0.0)
        is_busy = any(role is None or a.kind.role is role for a in run.running.values())
        if is_busy and session.last_at is not None:
            seconds += max(0.0, (now - session.last_at).total_seconds())
    return seconds


def stop_before(
    session: SessionState,
    run: RunState,
    role: Role,
    reserve: Reserve,
    *,
    in_flight: Mapping[CallKey, tuple[Role, Reserve]],
    now: datetime,
) -> BudgetStop | None:
    """Why a call of `role` that may use `reserve` must not be made now; None if it may."""
    budget = run.settings.budget
    for scope in (None, role):
        limits = budget.of(scope)
        if limits.is_set:
            spent = used(session, scope, in_flight, now)
            stop = _stop(limits, budget, scope, spent, reserve)
            if stop is not None:
                return stop
    return None


def used_up(session: SessionState, budget: Budget, now: datetime) -> str:
    """The first limit of `budget` that nothing is left of, in words; empty if there is none."""
    for scope in (None, *Role):
        limits = budget.of(scope)
        if not limits.is_set:
            continue
        spent, whose = used(session, scope, {}, now), scope.value if scope else "session"
        if limits.usd is not None and spent.usd >= limits.usd:
            return f"the {whose} has used {usd_text(spent.usd)} already"
        if limits.tokens is not None and spent.tokens >= limits.tokens:
            return f"the {whose} has used {spent.tokens} tokens already"
        if limits.minutes is not None and spent.seconds >= limits.minutes * 60:
            return f"the {whose} has worked for {spent.seconds / 60:.1f} minutes already"
    return ""


def largest(calls: Iterable[CallState]) -> Usage:
    """The most that one of these calls used, in and out; None where nothing is known."""
    found = [call.usage for call in calls if not call.is_cached]
    return Usage(
        input_tokens=_most(usage.input_tokens for usage in found),
        output_tokens=_most(usage.output_tokens for usage in found),
    )


def _stop(
    limits: Limits, budget: Budget, scope: Role | None, spent: Used, reserve: Reserve
) -> BudgetStop | None:
    whose = f"the {scope.value}" if scope else "the session"
    if limits.usd is not None:
        if reserve.usd is None and budget.on_unknown_price is OnUnknownPrice.ASK:
            said = (
                f"the price of the next call is not known, so {usd_text(limits.usd)} "
                f"for {whose} cannot be held"
            )
            return BudgetStop(kind=BudgetKind.UNKNOWN_PRICE, role=scope, message=said)
        needs = reserve.usd or Decimal(0)
        # A call that is free fits whatever is left.
        if needs and spent.usd + needs > limits.usd:
            said = (
                f"{usd_text(spent.usd)} of {usd_text(limits.usd)} for {whose} is used or set "
                f"aside, and the next call may cost {usd_text(needs)}"
            )
            return BudgetStop(kind=BudgetKind.MONEY, role=scope, message=said)
    if limits.tokens is not None and spent.tokens + reserve.tokens > limits.tokens:
        said = (
            f"{spent.tokens} of {limits.tokens} tokens for {whose} are used or set aside, "
            f"and the next call may take {reserve.tokens}"
        )
        return BudgetStop(kind=BudgetKind.TOKENS, role=scope, message=said)
    if limits.minutes is not None and spent.seconds >= limits.minutes * 60:
        said = f"{spent.seconds / 60:.1f} of {limits.minutes:g} minutes for {whose} are over"
        return BudgetStop(kind=BudgetKind.TIME, role=scope, message=said)
    return None


def _usd(call: CallState) -> Decimal:
    if is_unknown(call) or (is_charged(call) and call.status is CallStatus.RUNNING):
        return call.reserve.usd or Decimal(0)
    return call.cost.usd if call.cost is not None and is_charged(call) else Decimal(0)


def _tokens(call: CallState) -> int:
    if call.is_cached:
        return 0
    known = tokens_in(call.usage)
    return call.reserve.tokens if known is None else known


def _most(counts: Iterable[int | None]) -> int | None:
    known: Collection[int] = [count for count in counts if count is not None]
    return max(known, default=None)
