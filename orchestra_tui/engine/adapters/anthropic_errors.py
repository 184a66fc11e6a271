"""What Anthropic means by its error types.

The rule a reader must not break: money runs out in three shapes, and only one of them is a
`billing_error`: an empty account is HTTP 400 and told by its words, a spend limit is HTTP 429 and
told by its detail.
"""

from collections.abc import Mapping

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

_BY_TYPE: Mapping[str, type[AdapterError]] = {
    "authentication_error": AuthenticationFailed,
    "billing_error": QuotaExhausted,
    "permission_error": AuthenticationFailed,
    "not_found_error": ModelNotFound,
    "conflict_error": ServerFailed,
    "request_too_large": ContextTooLong,
    "rate_limit_error": RateLimited,
    "api_error": ServerFailed,
    "timeout_error": ServerFailed,
    "overloaded_error": Overloaded,
}
_SPEND_LIMIT = "enforced_spend_limit_reached"
_NO_MONEY = ("credit balance is too low", "specified api usage limits")
_TOO_LONG = ("prompt is too long", "exceed context limit")


def classify_anthropic(refusal: Refusal) -> Verdict | None:
    """The verdict from the error's type, its words and its details."""
    reasons = {str(detail.get("error_code")) for detail in refusal.details}
    if _SPEND_LIMIT in reasons or _SPEND_LIMIT in refusal.codes or refusal.says(*_NO_MONEY):
        return Verdict(QuotaExhausted)
    if refusal.says(*_TOO_LONG):
        return Verdict(ContextTooLong)
    found = next((_BY_TYPE[code] for code in refusal.codes if code in _BY_TYPE), None)
    return Verdict(found) if found else None
