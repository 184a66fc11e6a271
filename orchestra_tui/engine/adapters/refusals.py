"""From what a provider says when it refuses to the error that names the cause.

The rule a reader must not break: a provider's own codes go before the status, because 429 stands
for rate and for money, and 400 for a bad key. Each provider has one classifier, a pure function
over `Refusal`; what it does not know is judged here, by names that everybody borrowed from OpenAI
and then by the status.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    ContextTooLong,
    InvalidResponse,
    ModelNotFound,
    OutputFiltered,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.adapters.retry_after import (
    MAX_SECONDS,
    retry_after_in_text,
    retry_after_seconds,
)
from orchestra_tui.engine.adapters.timing import rate_hint


@dataclass(frozen=True)
class Refusal:
    """What was said, from the shapes seen in the wild; `status` is None inside a stream."""

    status: int | None
    words: str = ""
    codes: tuple[str, ...] = ()
    details: tuple[Mapping[str, object], ...] = ()

    def says(self, *signs: str) -> bool:
        """True if one of these lower-case signs stands in the words."""
        lower = self.words.lower()
        return any(sign in lower for sign in signs)


@dataclass(frozen=True)
class Verdict:
    """What it means, and the seconds to wait if the body says so."""

    cause: type[AdapterError]
    retry_after: float | None = None


Classifier = Callable[[Refusal], Verdict | None]
"""One provider's knowledge; None where it has none."""

_BY_CODE: dict[str, type[AdapterError]] = {
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "billing_error": QuotaExhausted,
    "context_length_exceeded": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,
    "content_filter": OutputFiltered,
    "content_policy_violation": OutputFiltered,
    "model_not_found": ModelNotFound,
    "invalid_api_key": AuthenticationFailed,
    "authentication_error": AuthenticationFailed,
    "permission_error": AuthenticationFailed,
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "overloaded_error": Overloaded,
    "overloaded": Overloaded,
}
_BY_STATUS: dict[int, type[AdapterError]] = {
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: AuthenticationFailed,
    404: ModelNotFound,
    408: ServerFailed,
    409: ServerFailed,
    413: ContextTooLong,
    425: ServerFailed,
    429: RateLimited,
    503: Overloaded,
    529: Overloaded,
}
_TOO_LONG = ("context length", "context size", "context window", "prompt is too long")
_ADVICE: dict[type[AdapterError], str] = {
    RateLimited: "too many requests",
    Overloaded: "the provider is overloaded",
    ServerFailed: "the provider failed",
    QuotaExhausted: "the quota or balance is used up; top it up or choose another adapter",
    ModelNotFound: "no such model or address; check `model` and `base_url`",
    ContextTooLong: "the prompt is too long for this model",
    OutputFiltered: "the provider's filter refused this",
    RequestRefused: "the request was refused",
}
_WITH_SCHEMA = "; if it cannot be held to JSON, set `structured_output` to `off`"


def status_error(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    origin: Origin,
    now: datetime,
    classify: Classifier | None = None,
    asked_for_json: bool = False,
) -> AdapterError:
    """The error for an answer whose status is not 200; `body` may be cut short or be anything."""
    if 300 <= status < 400:
        where = "it redirects, which is not followed so that the key stays with this host"
        return InvalidResponse(
            origin.sentence(f"{where}; check `base_url`", headers.get("location", "")),
            is_retryable=False,
        )
    refusal = read_refusal(body, status)
    verdict = _verdict(refusal, classify)
    advice = _advice(verdict.cause, origin)
    if asked_for_json and verdict.cause is RequestRefused:
        advice += _WITH_SCHEMA
    return verdict.cause(
        origin.sentence(f"{status}, {advice}", refusal.words),
        retry_after=_first_said(
            retry_after_seconds(headers, now=now),
            verdict.retry_after,
            _until_full(headers, now) if verdict.cause is RateLimited else None,
        ),
        is_retryable=_own_word(headers, verdict.cause),
    )


def stream_error(
    error: object, *, origin: Origin, classify: Classifier | None = None
) -> AdapterError:
    """The error for an `error` member inside a stream that began with status 200."""
    refusal = read_refusal(json.dumps({"error": error}).encode(), None)
    verdict = _verdict(refusal, classify)
    advice = f"{_advice(verdict.cause, origin)} in mid-answer"
    return verdict.cause(origin.sentence(advice, refusal.words), retry_after=verdict.retry_after)


def read_refusal(body: bytes, status: int | None) -> Refusal:
    """The provider's message, codes and details; a body that is no JSON is all words."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        # Cut only after its secrets are taken out: half a key would not be found.
        return Refusal(status, body.decode("utf-8", "replace"))
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return Refusal(status, str(error))
    words = error.get("message") or error.get("detail") or ""
    codes = (str(error[name]) for name in ("code", "type", "status") if error.get(name) is not None)
    details = error.get("details")
    entries = details if isinstance(details, list) else [details]
    return Refusal(
        status, str(words), tuple(codes), tuple(one for one in entries if isinstance(one, dict))
    )


def _verdict(refusal: Refusal, classify: Classifier | None) -> Verdict:
    verdict = classify(refusal) if classify else None
    if verdict is None:
        verdict = Verdict(_common(refusal))
    if verdict.cause is QuotaExhausted:
        # "Try again in 30s" beside an empty account is about the rate, which is not what is wrong.
        return Verdict(QuotaExhausted)
    if verdict.retry_after is None and verdict.cause in {RateLimited, Overloaded}:
        return Verdict(verdict.cause, retry_after_in_text(refusal.words))
    return verdict


def _common(refusal: Refusal) -> type[AdapterError]:
    for code in refusal.codes:
        if code in _BY_CODE:
            return _BY_CODE[code]
    if refusal.status != 429 and refusal.says(*_TOO_LONG):
        return ContextTooLong
    # A code may be a status number: llama.cpp sends {"code": 400, ...}, Gemini {"code": 429, ...}.
    numbers = [int(code) for code in refusal.codes if code.isdecimal() and len(code) == 3]
    statuses = [refusal.status] if refusal.status is not None else numbers
    for status in statuses:
        if status in _BY_STATUS:
            return _BY_STATUS[status]
    return RequestRefused if refusal.status and refusal.status < 500 else ServerFailed


def _own_word(headers: Mapping[str, str], cause: type[AdapterError]) -> bool | None:
    """What `x-should-retry` says; asking again helps neither an empty account nor a bad key."""
    said = {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())
    return None if said and cause in {QuotaExhausted, AuthenticationFailed} else said


def _until_full(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a limit that is used up is full again, from the headers of rates."""
    hint = rate_hint(headers, now=now.timestamp())
    return min(hint.reset, MAX_SECONDS) if hint is not None and hint.remaining == 0 else None


def _first_said(*waits: float | None) -> float | None:
    return next((wait for wait in waits if wait is not None), None)


def _advice(error: type[AdapterError], origin: Origin) -> str:
    if error is not AuthenticationFailed:
        return _ADVICE[error]
    if origin.key_env is None:
        return "it wants a key; set `api_key_env` for this adapter"
    return f"the key in {origin.key_env} was refused; check it"
