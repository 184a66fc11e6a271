"""What a client means by the words and numbers with which it fails.

The rule a reader must not break: a client's words are foreign. They are cut, cleaned and freed of
secrets before they enter a message. The phrases are those of real clients (codex 0.169, claude
2.1, gemini 0.61, opencode 1.18, vibe 3.0), as they were recorded.
"""

import re
from dataclasses import dataclass

from orchestra_tui.domain.text import clean_line, redact
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    ConnectionFailed,
    ContextTooLong,
    EmptyResponse,
    FirstByteTimeout,
    IdleTimeout,
    InvalidResponse,
    ModelNotFound,
    OutputFiltered,
    Overloaded,
    ProcessFailed,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFailed,
    StreamCut,
)
from orchestra_tui.engine.adapters.retry_after import MAX_SECONDS, retry_after_in_text

MAX_WORDS = 300

_PHRASES: tuple[tuple[str, type[AdapterError]], ...] = (
    (
        r"insufficient_quota|quota exceeded|exceeded your current quota|billing|credit balance"
        r"|usage limit|spend_limit|out of credits",
        QuotaExhausted,
    ),
    (
        r"api.key.not.valid|api_key_invalid|invalid api key|authentication|unauthorized"
        r"|not logged in|please run /login|please log ?in|must specify the .*api_key"
        r"|set an auth method|no api key|missing api key|invalid x-api-key|permission_denied",
        AuthenticationFailed,
    ),
    (
        r"context.(?:length|window|size)|prompt is too long|input.*too long"
        r"|exceeds the maximum number of tokens",
        ContextTooLong,
    ),
    (
        r"model.{0,60}(?:not found|does not exist|not supported)|unknown model|modelnotfound"
        r"|no such model",
        ModelNotFound,
    ),
    (r"content.?filter|safety|blocked by|prohibited_content|recitation", OutputFiltered),
    (r"idle timeout", IdleTimeout),
    (r"rate.?limit|too many requests|resource_exhausted|please wait and try again", RateLimited),
    (r"high demand|overloaded|at capacity|unavailable", Overloaded),
    (
        r"stream (?:disconnected|closed|ended)|\bterminated\b|connection (?:reset|(?:was )?closed)"
        r"|socket connection was closed|closed (?:mid|before)|econnreset|premature|interrupted"
        r"|before (?:the )?response|peer closed",
        StreamCut,
    ),
    (
        r"connection (?:failed|refused|error)|unable to connect|cannot connect|fetch failed"
        r"|error sending request|econnrefused|enotfound|eai_again|getaddrinfo|connecterror"
        r"|connection attempts failed|network error|could not connect",
        ConnectionFailed,
    ),
    (r"request timed out", FirstByteTimeout),
    (r"empty response|no visible output", EmptyResponse),
    (r"json|unterminated|malformed|parse", InvalidResponse),
    (r"server error|internal error|server_error", ServerFailed),
)
_PATTERNS = tuple((re.compile(phrase, re.IGNORECASE), error) for phrase, error in _PHRASES)
_BY_STATUS: dict[int, type[AdapterError]] = {
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: AuthenticationFailed,
    404: ModelNotFound,
    408: ServerFailed,
    409: ServerFailed,
    413: ContextTooLong,
    429: RateLimited,
    503: Overloaded,
    529: Overloaded,
}
# Each form was recorded: "last status: 429 Too Many Requests", "API Error: 400 ...",
# '"code":500', "Server error '500 Internal Server Error'", "Request rejected (429)".
_STATUS = re.compile(
    r"(?:status:? |error:? '?|rejected \(|\"code\": ?|HTTP )(?P<status>[45]\d\d)\b", re.IGNORECASE
)
_DAILY = re.compile(r"per ?day|daily|limit: 0\b", re.IGNORECASE)
_SOON = 300.0
_SURE = {QuotaExhausted, AuthenticationFailed, ContextTooLong, ModelNotFound, OutputFiltered}

_ADVICE: dict[type[AdapterError], str] = {
    RateLimited: "too many requests",
    QuotaExhausted: "the quota or balance is used up; top it up or choose another adapter",
    Overloaded: "the provider is overloaded",
    ServerFailed: "the provider failed",
    ConnectionFailed: "it could not reach its provider; is the network up?",
    StreamCut: "its connection broke before the answer was complete",
    FirstByteTimeout: "its provider did not begin to answer",
    IdleTimeout: "its provider stopped in mid-answer",
    EmptyResponse: "it has no answer",
    InvalidResponse: "its answer cannot be used",
    AuthenticationFailed: "it is not logged in, or its key was refused; log in with it once",
    ModelNotFound: "no such model; check `model`",
    ContextTooLong: "the prompt is too long for this model",
    OutputFiltered: "the provider's filter refused this",
    RequestRefused: "the request was refused",
    ProcessFailed: "it ended without an answer",
}


@dataclass(frozen=True)
class Failure:
    """Why a client failed, in its own words, with the HTTP status and the wait if it said them."""

    words: str
    status: int | None = None
    retry_after: float | None = None
    hint: str = ""
    """More that tells the cause, such as an error body; not shown."""
    known: type[AdapterError] | None = None
    """The class, where it is told by a number and needs no reading of words."""

    @property
    def cause(self) -> type[AdapterError]:
        """The class of the error."""
        if self.known is not None:
            return self.known
        said = f"{self.words}\n{self.hint}"
        phrase = next((error for form, error in _PATTERNS if form.search(said)), None)
        if phrase is QuotaExhausted and self._is_soon_over(said):
            return RateLimited
        if phrase in _SURE and phrase is not None:
            return phrase
        status = self.status or _status_in(said)
        if status is not None:
            return _BY_STATUS.get(status, ServerFailed if status >= 500 else RequestRefused)
        return phrase or ProcessFailed

    @property
    def is_for_the_chain(self) -> bool:
        """True if another try of the client itself is no help, or would wait in silence."""
        return self.cause in _SURE | {RateLimited}

    @property
    def wait(self) -> float | None:
        """Seconds to wait before another try, if the client said so."""
        if self.retry_after is not None:
            return min(max(self.retry_after, 0.0), MAX_SECONDS)
        return retry_after_in_text(self.words)

    def _is_soon_over(self, said: str) -> bool:
        """Gemini speaks of the quota also when it is that of a minute."""
        return (self.wait or MAX_SECONDS) <= _SOON and not _DAILY.search(said)

    def error(self, label: str, secrets: tuple[str, ...], partial: str = "") -> AdapterError:
        """The error to raise; `label` names the adapter."""
        said = clean_line(redact(self.words, secrets)).strip()
        said = said if len(said) <= MAX_WORDS else f"{said[:MAX_WORDS]}…"
        tail = f" (it says: {said})" if said else ""
        what = _ADVICE.get(self.cause, "it failed")
        return self.cause(f"{label}: {what}{tail}", retry_after=self.wait, partial=partial)


def _status_in(words: str) -> int | None:
    said = _STATUS.search(words)
    return int(said["status"]) if said else None
