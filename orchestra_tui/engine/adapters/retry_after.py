"""How long a provider asks to wait, in every form that providers use.

The rule a reader must not break: the answer is a finite number of seconds >= 0 or None, whatever
the header held. Forms and their order are those of the openai and anthropic SDKs: `retry-after-ms`,
seconds, HTTP date.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_SECONDS = 86_400.0
"""A day. Nobody waits longer; a larger value is cut to it, so that sums stay sane."""


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds to wait, from response headers; None if they do not say (or say nonsense).

    A date is counted from the response's own `Date` when it has one, so that a wrong local clock
    does no harm, else from `now`. A date in the past and a negative number mean 0.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _clamped(milliseconds / 1000)
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        return _clamped(seconds)
    until = _date(value)
    if until is None:
        return None
    return _clamped((until - (_date(headers.get("date")) or now)).total_seconds())


def _number(value: str | None) -> float | None:
    try:
        number = float((value or "").strip())
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime((value or "").strip())
    except (ValueError, IndexError, OverflowError):
        return None
    # "-0000" gives a naive time, which HTTP means as UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clamped(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_SECONDS)
