"""What Gemini means by its status words and details.

The rule a reader must not break: the words of a 429 are the same for a minute's limit and for a
day's, so the `quotaId` decides; and a bad key is HTTP 400, told by its reason only.
"""

from collections.abc import Iterator, Mapping

from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    ContextTooLong,
    ModelNotFound,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
)
from orchestra_tui.engine.adapters.refusals import Refusal, Verdict
from orchestra_tui.engine.adapters.retry_after import duration_seconds

_BY_STATUS_WORD: Mapping[str, type[AdapterError]] = {
    "UNAUTHENTICATED": AuthenticationFailed,
    "PERMISSION_DENIED": AuthenticationFailed,
    "NOT_FOUND": ModelNotFound,
    "UNAVAILABLE": Overloaded,
    "INTERNAL": ServerFailed,
    "DEADLINE_EXCEEDED": ServerFailed,
    "ABORTED": ServerFailed,
}
_KEY_REASONS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED"})
_KEY_WORDS = ("api key not valid", "api key expired", "api key not found")
_TOO_LONG = ("input token count", "exceeds the maximum number of tokens")
_OF_A_DAY = ("perday", "daily")


def classify_gemini(refusal: Refusal) -> Verdict | None:
    """The verdict from google.rpc status words, ErrorInfo, QuotaFailure and RetryInfo."""
    reasons = {str(detail.get("reason")) for detail in refusal.details}
    if reasons & _KEY_REASONS or refusal.says(*_KEY_WORDS):
        return Verdict(AuthenticationFailed)
    if "RESOURCE_EXHAUSTED" in refusal.codes:
        return _exhausted(refusal)
    if refusal.says(*_TOO_LONG):
        return Verdict(ContextTooLong)
    wait = _retry_info(refusal)
    for code in refusal.codes:
        if code in _BY_STATUS_WORD:
            return Verdict(_BY_STATUS_WORD[code], wait)
    return None


def _exhausted(refusal: Refusal) -> Verdict:
    quotas = [quota.lower() for quota in _quota_ids(refusal)]
    is_of_a_day = any(sign in quota for quota in quotas for sign in _OF_A_DAY)
    # A limit of 0: the model is not in the plan at all.
    if is_of_a_day or refusal.says("limit: 0"):
        return Verdict(QuotaExhausted)
    return Verdict(RateLimited, _retry_info(refusal))


def _quota_ids(refusal: Refusal) -> Iterator[str]:
    for detail in refusal.details:
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else []:
            if isinstance(violation, dict):
                yield str(violation.get("quotaId") or "")


def _retry_info(refusal: Refusal) -> float | None:
    waits = (duration_seconds(str(detail.get("retryDelay", ""))) for detail in refusal.details)
    return next((wait for wait in waits if wait is not None), None)
