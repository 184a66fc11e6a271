"""Where one question stands in its chain, and what comes next. Pure: times are parameters.

The rule a reader must not break: `choose` alone decides. What it allows is bounded by tries per
adapter and by seconds of waiting, whatever the adapters say.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestra_tui.domain.durations import seconds_text
from orchestra_tui.domain.step_rules import CONFIGURATION_KINDS
from orchestra_tui.engine.adapters.base import AdapterError
from orchestra_tui.engine.adapters.breaker import Readiness
from orchestra_tui.engine.adapters.decisions import (
    LONGEST_SAME,
    SAME_TRIES,
    Move,
    Rule,
    backoff,
    exhausted_kind,
)


@dataclass(frozen=True)
class ChainLimits:
    """What one question may cost in tries per adapter and in seconds of waiting.

    `alone` is for a chain of one adapter, `patience` for longer ones; `turn` bounds the waiting
    for calls of our own to end.
    """

    max_retries: int = 4
    patience: float = 20.0
    alone: float = 120.0
    turn: float = 600.0


@dataclass(frozen=True)
class Go:
    """Ask this adapter now."""

    name: str


@dataclass(frozen=True)
class Stay:
    """Wait for this adapter, `seconds` at most; `is_turn` when it waits for calls of our own."""

    name: str
    seconds: float
    reason: str
    is_turn: bool = False


@dataclass(frozen=True)
class Exhausted:
    """No adapter may be asked any more, or none soon enough."""


Choice = Go | Stay | Exhausted


@dataclass(frozen=True)
class Passed:
    """Why an adapter was left or passed over."""

    left: str
    kind: str
    cause: str
    cooling_for: float | None = None


@dataclass
class Course:
    """The state of one question. `names` is the chain, first choice first."""

    names: tuple[str, ...]
    limits: ChainLimits
    tries: Counter[str] = field(default_factory=Counter)
    said: dict[str, AdapterError] = field(default_factory=dict)
    """What each adapter said last to this question."""
    waited: float = 0.0
    waited_for_turn: float = 0.0
    last: str = ""
    """Who was asked last."""
    _spent: set[str] = field(default_factory=set)
    _rests: dict[str, float] = field(default_factory=dict)
    _same: str = ""
    _is_draft: bool = False
    _repeats: Counter[str] = field(default_factory=Counter)
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    def failed(self, name: str, error: AdapterError, rule: Rule, now: float) -> None:
        """A try broke off."""
        self.last = name
        self.tries[name] += 1
        self.said[name] = error
        self._same, self._is_draft = "", False
        rest = max(error.retry_after or 0.0, backoff(rule, self.tries[name]))
        self._rests[name] = now + rest
        if not rule.comes_back or self.tries[name] > self.limits.max_retries:
            self._spent.add(name)
        elif rule.move is Move.SAME and rest <= LONGEST_SAME and self._repeats[name] < SAME_TRIES:
            self._repeats[name] += 1
            self._same = name

    def keep_to(self, name: str) -> None:
        """The answer is continued by the adapter that began it."""
        self.last = self._same = name
        self._is_draft = True

    def count_wait(self, stay: Stay, seconds: float) -> None:
        """A wait is over."""
        if stay.is_turn:
            self.waited_for_turn += seconds
        else:
            self.waited += seconds

    def choose(self, now: float, readiness: Mapping[str, Readiness]) -> Choice:
        """What comes next; the first in order that may be asked now, else the soonest."""
        left = (self.limits.alone if len(self.names) == 1 else self.limits.patience) - self.waited
        if self._same and (same := self._to_same(now, readiness[self._same], left)):
            return same
        open_names = [name for name in self.names if name not in self._spent]
        for name in open_names:
            if self._rest(name, now) <= 0 and not readiness[name].kind:
                return Go(name)
        resting = [self._stay(name, now, readiness[name]) for name in open_names]
        soonest = min((s for s in resting if not s.is_turn), key=_seconds, default=None)
        if soonest is not None and soonest.seconds <= left:
            return soonest
        turn = next((s for s in resting if s.is_turn and s.seconds > 0), None)
        if turn is not None:
            return turn
        for name in open_names:
            if not self.tries[name] and readiness[name].may_probe:
                return Go(name)
        return Exhausted()

    def passed_for(self, name: str, readiness: Mapping[str, Readiness]) -> tuple[Passed, ...]:
        """Why `name` is asked although others come before it or were asked last, each told once."""
        ahead = list(self.names[: self.names.index(name)])
        if self.last and self.last != name and self.last not in ahead:
            ahead.append(self.last)
        found = []
        for other in ahead:
            passed = self._passed(other, readiness[other])
            mark = (other, passed.kind, passed.cause)
            if other == self.last or mark not in self._told:
                self._told.add(mark)
                found.append(passed)
        return tuple(found)

    def exhausted(self, readiness: Mapping[str, Readiness]) -> tuple[str, str, float | None]:
        """The kind, the sentence and the seconds until one may be asked again, for the end."""
        passed = [self._passed(name, readiness[name]) for name in self.names]
        passed = [each for each in passed if each.kind]
        # A refused key is refused later too, however long its adapter rests.
        waits = {
            name: ready.seconds
            for name, ready in readiness.items()
            if ready.seconds > 0 and ready.kind not in CONFIGURATION_KINDS
        }
        parts = [_labelled(each.left, each.cause) for each in passed]
        soonest = min(waits, key=lambda name: waits[name]) if waits else ""
        when = f"; {soonest} can be asked again in " + seconds_text(waits[soonest]) if waits else ""
        what = "every adapter of the chain failed: " if len(parts) > 1 else ""
        kind = exhausted_kind([each.kind for each in passed])
        return kind, f"{what}{'; '.join(parts)}{when}", waits.get(soonest)

    def _to_same(self, now: float, readiness: Readiness, left: float) -> Choice | None:
        stay = self._stay(self._same, now, readiness)
        if not stay.is_turn and stay.seconds <= 0:
            return Go(self._same)
        if stay.is_turn:
            return stay if self._is_draft and stay.seconds > 0 else None
        bound = left if self._is_draft else min(left, LONGEST_SAME)
        return stay if stay.seconds <= bound else None

    def _stay(self, name: str, now: float, readiness: Readiness) -> Stay:
        rest = self._rest(name, now)
        if readiness.is_busy and rest <= 0:
            turn = max(0.0, self.limits.turn - self.waited_for_turn)
            return Stay(name, turn, readiness.cause, is_turn=True)
        cause = readiness.cause if readiness.seconds >= rest else str(self.said[name])
        return Stay(name, max(rest, readiness.seconds), cause)

    def _rest(self, name: str, now: float) -> float:
        return max(0.0, self._rests.get(name, 0.0) - now)

    def _passed(self, name: str, readiness: Readiness) -> Passed:
        error = self.said.get(name)
        cooling = readiness.seconds or None
        if error is not None and readiness.kind in {"", "busy", error.kind}:
            return Passed(name, error.kind, str(error), cooling)
        return Passed(name, readiness.kind, readiness.cause, cooling)


def _seconds(stay: Stay) -> float:
    return stay.seconds


def _labelled(name: str, cause: str) -> str:
    return cause if cause.startswith(f"{name}:") else f"{name}: {cause}"
