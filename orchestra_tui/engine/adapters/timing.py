"""How many calls one provider gets at once, and how soon after each other: learnt as we go.

The rule a reader must not break: additive increase, multiplicative decrease (RFC 5681 calls it
that for networks). One answer more allows a little more, one refusal halves it, and calls that
began before the last halving do not halve it again.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_AT_ONCE = 32.0
MIN_AT_ONCE = 1.0
MAX_INTERVAL = 60.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_HEADERS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True)
class RateHint:
    """What a provider's headers say of its limit: requests left, and seconds until it is full."""

    remaining: int
    reset: float


def rate_hint(headers: Mapping[str, str], *, now: float) -> RateHint | None:
    """The hint in response headers; None if they hold none. `now` is seconds since 1970.

    OpenAI and its kin send `x-ratelimit-remaining-requests` and `-reset-requests` (`6m0s`, `20ms`);
    Anthropic `anthropic-ratelimit-requests-remaining` and `-reset` (an RFC 3339 time); others plain
    `x-ratelimit-remaining` with a reset in seconds or as a Unix time.
    """
    for left, until in _HEADERS:
        remaining = headers.get(left, "").strip()
        reset = _seconds(headers.get(until, ""), now)
        if remaining.isdecimal() and len(remaining) < 10 and reset is not None:
            return RateHint(int(remaining), reset)
    return None


class Pace:
    """What one provider is asked at once, never more than `limit`. Times are seconds of the
    caller's monotonic clock."""

    def __init__(self, limit: float = MAX_AT_ONCE) -> None:
        self.at_once = limit
        self._limit = limit
        self.in_flight = 0
        self._interval = 0.0
        self._next_start = 0.0
        self._halved_at = -math.inf

    @property
    def is_full(self) -> bool:
        """Another call must wait until one of ours has ended."""
        return self.in_flight >= int(self.at_once)

    def rest(self, now: float) -> float:
        """Seconds until the next call may begin, apart from the calls in flight."""
        return max(0.0, self._next_start - now)

    def began(self, now: float) -> None:
        """A call begins."""
        self.in_flight += 1
        self._next_start = max(self._next_start, now + self._interval)

    def ended(self) -> None:
        """A call is over, however."""
        self.in_flight -= 1

    def answered(self, hint: RateHint | None, now: float) -> None:
        """A call was answered: a little more is allowed, or what the provider says."""
        self.at_once = min(self.at_once + 1 / self.at_once, self._limit)
        self._interval = max(0.0, self._interval - 0.1)
        if hint is not None:
            self._take(hint, now)

    def refused(self, *, began: float, now: float) -> None:
        """The provider had too much: half of what was in flight is the new limit."""
        if began <= self._halved_at:
            return
        in_flight = max(min(self.at_once, float(self.in_flight)), 1.0)
        self.at_once = max(in_flight / 2, MIN_AT_ONCE)
        self._halved_at = now

    def _take(self, hint: RateHint, now: float) -> None:
        """Spread what is left over the time until the limit is full again, when it is little."""
        reset = min(hint.reset, MAX_INTERVAL)
        if hint.remaining == 0:
            self._next_start = max(self._next_start, now + reset)
        elif hint.remaining < self.at_once:
            self.at_once = max(float(hint.remaining), MIN_AT_ONCE)
            self._interval = reset / hint.remaining


def _seconds(text: str, now: float) -> float | None:
    text = text.strip().lower()
    if "t" in text:
        return _until(text, now)
    try:
        number = float(text)
    except ValueError:
        found = _DURATION.findall(text)
        if not found or "".join(a + b for a, b in found) != text:
            return None
        number = sum(float(value) * _UNITS[unit] for value, unit in found)
    if not math.isfinite(number) or number < 0:
        return None
    # No limit lasts for years: a number that large is a Unix time.
    return max(0.0, number - now) if number > 1e9 else number


def _until(text: str, now: float) -> float | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)
