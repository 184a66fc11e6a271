"""How long a provider asks to wait, in every form that providers use.

The rule a reader must not break: the answer is a finite number of seconds >= 0 or None, whatever
the header or the text held. Forms of headers and their order are those of the openai and anthropic
SDKs: `retry-after-ms`, seconds, HTTP date. Without a header, a body may hold a duration (Gemini's
RetryInfo) or a sentence.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_SECONDS = 86_400.0
"""A day. Nobody waits longer; a larger value is cut to it, so that sums stay sane."""


_UNIT = r"d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?|ms|milliseconds?"
_PART = rf"(\d{{1,12}}(?:\.\d{{1,12}})?)\s?({_UNIT})(?![a-z])"
_PARTS = re.compile(_PART, re.IGNORECASE)
_DURATION = re.compile(rf"(?:{_PART}\s?){{1,4}}", re.IGNORECASE)
_SENTENCE = re.compile(
    r"(?:try again|retry|retry again|wait)(?: after| in| for)?:? (?:about )?"
    rf"((?:{_PART}\s?){{1,4}})",
    re.IGNORECASE,
)
_SECONDS_OF: Mapping[str, float] = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
MAX_TEXT = 4096
"""Characters of an error text that are searched."""


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


def duration_seconds(text: str) -> float | None:
    """Seconds of a duration such as `34.07s`, `900ms` or `1h2m3s`; None for anything else."""
    text = text.strip()
    if len(text) > MAX_TEXT or not _DURATION.fullmatch(text):
        return None
    return _clamped(sum(_part(*part) for part in _PARTS.findall(text)))


def retry_after_in_text(text: str) -> float | None:
    """Seconds of a sentence such as "Please try again in 6m0s"; None if it holds none."""
    found = _SENTENCE.search(text[:MAX_TEXT])
    return duration_seconds(found[1]) if found else None


def _part(number: str, unit: str) -> float:
    unit = unit.lower()
    if unit.startswith(("ms", "milli")):
        return float(number) / 1000
    return float(number) * _SECONDS_OF[unit[0]]


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
