"""What an OpenAI-compatible server means by a status and an error body.

The rule a reader must not break: the server's words are foreign. They are cut, cleaned and freed
of secrets before they enter a message; some servers repeat the key they refuse. Codes are those
of OpenAI and of GLM, which answers 429 for rate and for money alike.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestra_tui.domain.text import clean_line, redact
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
from orchestra_tui.engine.adapters.retry_after import retry_after_seconds

MAX_WORDS = 300

_BY_CODE: dict[str, type[AdapterError]] = {
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "billing_error": QuotaExhausted,
    "enforced_spend_limit_reached": QuotaExhausted,
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
    "server_error": ServerFailed,
    **dict.fromkeys(("1113", "1304", "1308", "1309", "1310", "1311", "1313"), QuotaExhausted),
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), AuthenticationFailed),
    **dict.fromkeys(("1302", "1303"), RateLimited),
    **dict.fromkeys(("1305", "1312"), Overloaded),
    "1211": ModelNotFound,
    "1261": ContextTooLong,
    "1301": OutputFiltered,
    "1234": ServerFailed,
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


@dataclass(frozen=True)
class Origin:
    """Who answered, for messages: a label, the name of the key's variable, and the secrets."""

    label: str
    key_env: str | None = None
    secrets: tuple[str, ...] = ()

    def sentence(self, what: str, words: str = "") -> str:
        """`label: what` with the server's own words, made safe to show."""
        said = clean_line(redact(words, self.secrets)).strip()
        said = said if len(said) <= MAX_WORDS else f"{said[:MAX_WORDS]}…"
        return f"{self.label}: {what}" + (f" (it says: {said})" if said else "")


def status_error(
    status: int, headers: Mapping[str, str], body: bytes, *, origin: Origin, now: datetime
) -> AdapterError:
    """The error for an answer whose status is not 200; `body` may be cut short or be anything."""
    if 300 <= status < 400:
        where = "it redirects, which is not followed so that the key stays with this host"
        return InvalidResponse(
            origin.sentence(f"{where}; check `base_url`", headers.get("location", "")),
            is_retryable=False,
        )
    words, codes = _words(body)
    error = _class(codes, words) or _BY_STATUS.get(status)
    if error is None:
        error = ServerFailed if status >= 500 else RequestRefused
    should_retry = headers.get("x-should-retry", "").strip().lower()
    return error(
        origin.sentence(f"{status}, {_advice(error, origin)}", words),
        retry_after=retry_after_seconds(headers, now=now),
        is_retryable={"true": True, "false": False}.get(should_retry),
    )


def stream_error(error: object, *, origin: Origin) -> AdapterError:
    """The error for an `error` member inside a stream that began with status 200."""
    words, codes = _words(json.dumps({"error": error}).encode())
    # An OpenAI-style code may be a status number: llama.cpp sends {"code": 400, ...}.
    statuses = [int(code) for code in codes if code.isdecimal() and len(code) == 3]
    by_status = next((_BY_STATUS[status] for status in statuses if status in _BY_STATUS), None)
    found = _class(codes, words) or by_status or ServerFailed
    return found(origin.sentence(f"{_advice(found, origin)} in mid-answer", words))


def _advice(error: type[AdapterError], origin: Origin) -> str:
    if error is not AuthenticationFailed:
        return _ADVICE[error]
    if origin.key_env is None:
        return "it wants a key; set `api_key_env` for this adapter"
    return f"the key in {origin.key_env} was refused; check it"


def _class(codes: tuple[str, ...], words: str) -> type[AdapterError] | None:
    for code in codes:
        if code in _BY_CODE:
            return _BY_CODE[code]
    lower = words.lower()
    return ContextTooLong if any(sign in lower for sign in _TOO_LONG) else None


def _words(body: bytes) -> tuple[str, tuple[str, ...]]:
    """The server's message and its codes, from the shapes seen in the wild."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return body[: 4 * MAX_WORDS].decode("utf-8", "replace"), ()
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return str(error), ()
    words = error.get("message") or error.get("detail") or ""
    codes = tuple(str(error[name]) for name in ("code", "type") if error.get(name) is not None)
    return str(words), codes
