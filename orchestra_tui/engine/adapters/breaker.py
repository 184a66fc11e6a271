"""The health of every adapter, shared by all agents of all sessions of the process.

The rule a reader must not break: `Permit` is the only way to a call, and is left whatever happens;
a probe that was never given back would keep its adapter closed for ever. No I/O and no clock here:
times are seconds of the caller's monotonic clock.
"""

import asyncio
from dataclasses import dataclass, field

from orchestra_tui.domain.calls import AdapterInfo
from orchestra_tui.engine.adapters.base import AdapterError
from orchestra_tui.engine.adapters.decisions import Rule, backoff
from orchestra_tui.engine.adapters.patience import Speed
from orchestra_tui.engine.adapters.timing import MAX_AT_ONCE, Pace, RateHint

HALF_OPEN = 1
"""Calls that may try an adapter at once after it cooled down, until one is answered."""
MAX_SAID = 86_400.0
"""A day: the longest time that a provider is believed to need."""
_TOO_MUCH = frozenset({"rate_limited", "overloaded"})


@dataclass(frozen=True)
class Readiness:
    """Whether an adapter may be asked now. `kind` is empty if it may, `busy` if only our own calls
    stand in the way; else the kind of the error that it cools down from, for `seconds`."""

    seconds: float = 0.0
    kind: str = ""
    cause: str = ""
    may_probe: bool = False
    """We chose the time, the provider did not say, and nobody tries it: it may be asked before."""

    @property
    def is_busy(self) -> bool:
        """It waits for one of our own calls, not for a time."""
        return self.kind == "busy"


READY = Readiness()


class Lane:
    """One adapter: its circuit breaker, and the pace of its provider."""

    def __init__(self, pace: Pace, lanes: "Lanes") -> None:
        self._pace = pace
        self._lanes = lanes
        self._failures = 0
        self._opened_at = float("-inf")
        self._until = 0.0
        self._is_open = False
        self._is_guess = False
        self._kind = ""
        self._cause = ""
        self._probes = 0
        self.speed = Speed()
        """How fast its answers came."""

    def readiness(self, now: float) -> Readiness:
        """May it be asked now, and if not, for how long and why."""
        if self._is_open and now < self._until:
            may_probe = self._is_guess and not self._probes and not self._pace.is_full
            return Readiness(self._until - now, self._kind, self._cause, may_probe)
        if self._is_open and self._probes >= HALF_OPEN:
            return Readiness(kind="busy", cause="another call tries whether it answers again")
        if rest := self._pace.rest(now):
            return Readiness(rest, "rate_limited", "its rate limit is used up for the moment")
        if self._pace.is_full:
            at_once = int(self._pace.at_once)
            return Readiness(kind="busy", cause=f"it takes {at_once} at once, all in use")
        return READY

    def enter(self, now: float) -> "Permit":
        """Begin a call; the caller has seen that it may."""
        is_probe = self._is_open
        self._probes += is_probe
        self._pace.began(now)
        return Permit(self, began=now, is_probe=is_probe)

    def answering(self, *, began: float) -> None:
        """An answer has begun: all may ask again, before it is whole.

        That of a call which began before the adapter was refused tells nothing new.
        """
        if self._is_open and began >= self._opened_at:
            self._is_open, self._kind, self._cause = False, "", ""
            self._lanes.changed()

    def answered(self, hint: RateHint | None, *, began: float, now: float) -> None:
        """A call was answered to its end."""
        self.answering(began=began)
        if began >= self._opened_at:
            self._failures = 0
        self._pace.answered(hint, now)

    def failed(self, error: AdapterError, rule: Rule, *, began: float, now: float) -> float | None:
        """A call broke off; the seconds that the adapter cools down from now, None if not at all.

        Calls that began before it last opened tell nothing new: several agents that are refused at
        once are one failure.
        """
        if error.kind in _TOO_MUCH:
            self._pace.refused(began=began, now=now)
        if rule.opens_after is None:
            return None
        said = min(max(error.retry_after, 0.0), MAX_SAID) if error.retry_after is not None else None
        if began >= self._opened_at:
            self._failures += 1
        if self._failures < rule.opens_after and not said:
            return None
        rest = max(said or 0.0, backoff(rule, max(1, self._failures - rule.opens_after + 1)))
        until = now + rest
        if not self._is_open or until >= self._until:
            self._until, self._is_guess = until, said is None
            self._kind, self._cause = error.kind, str(error)
        self._is_open, self._opened_at = True, now
        return self._until - now

    def renewed(self) -> None:
        """Keys or settings have changed: a time that we chose ourselves is over, one call tries."""
        if self._is_guess:
            self._until = 0.0

    def left(self, *, is_probe: bool) -> None:
        """A call is over."""
        self._probes -= is_probe
        self._pace.ended()
        self._lanes.changed()


@dataclass
class Permit:
    """The right to one call; `leave` gives it back."""

    lane: Lane
    began: float
    is_probe: bool
    _is_over: bool = field(default=False, init=False)

    def answering(self) -> None:
        """The first piece of its answer came."""
        self.lane.answering(began=self.began)

    def answered(self, hint: RateHint | None, now: float) -> None:
        """Its answer is whole; `hint` is what that said of the rate limit."""
        self.lane.answered(hint, began=self.began, now=now)

    def leave(self) -> None:
        """The call is over, however it ended."""
        if not self._is_over:
            self._is_over = True
            self.lane.left(is_probe=self.is_probe)


class Lanes:
    """Every adapter's lane. One object per process; a rehearsal gets one of its own."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str, str], Lane] = {}
        self._paces: dict[str, Pace] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def lane(self, info: AdapterInfo, at_once: int | None = None) -> Lane:
        """The lane of an adapter; those of one provider share their pace.

        `at_once` is how many calls the provider can take, where that is known.
        """
        key = (info.name, info.provider, info.model)
        if key not in self._lanes:
            pace = self._paces.setdefault(info.provider, Pace(at_once or MAX_AT_ONCE))
            self._lanes[key] = Lane(pace, self)
        return self._lanes[key]

    def renewed(self) -> None:
        """Keys or settings have changed, or a test went well: who rests by our choice is tried."""
        for lane in self._lanes.values():
            lane.renewed()
        self.changed()

    def changed(self) -> None:
        """Something became free: everybody who waits looks again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def change(self) -> None:
        """Return when something became free."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
