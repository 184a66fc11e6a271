"""The port between the engine and whatever answers, and the errors that may come out of it.

The rule a reader must not break: an adapter asks once. It never retries, never falls back and
never writes a file; the orchestrator does the first two, journals each try, and keeps to
`retry_after`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, Usage
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.money import Cost
from orchestra_tui.engine.adapters.timing import RateHint

OnDelta = Callable[[str], None]
"""Takes a piece of answer text; called on the event loop, must return at once."""


@dataclass(frozen=True)
class Message:
    """One turn of the prompt."""

    author: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True)
class CompletionRequest:
    """One question to a model. Timeouts are in seconds; each piece of answer resets `idle`."""

    key: CallKey
    role: Role
    path: str | None
    task: str
    messages: tuple[Message, ...]
    json_schema: Mapping[str, object] | None = None
    max_output_tokens: int | None = None
    first_byte_timeout: float = 60.0
    idle_timeout: float = 30.0
    total_timeout: float = 600.0


@dataclass(frozen=True)
class Completion:
    """The answer as far as it came. Only `FinishReason.STOP` can be a whole one."""

    text: str
    finish: FinishReason
    usage: Usage
    model: str
    hint: RateHint | None = None
    """What the provider said of its rate limit."""
    cost: Cost | None = None
    """What the provider or its client itself says it cost; None if it does not say."""


class Adapter(Protocol):
    """One way to reach one model."""

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        """Ask once and stream the answer. Raises AdapterError."""
        ...

    async def is_available(self) -> bool:
        """True if the provider answers and would take a call now; costs nothing."""
        ...

    def info(self) -> AdapterInfo:
        """Who answers; needs no network."""
        ...

    async def close(self) -> None:
        """Give connections back; the adapter is not used afterwards."""
        ...


class AdapterError(Exception):
    """A call broke off. One class per cause, so that each can be met in its own way.

    AdapterError
    ├── may pass (is_retryable)
    │   ├── RateLimited           429: too many requests, `retry_after` says how long
    │   ├── Overloaded            503, 529: the provider has no capacity now
    │   ├── ServerFailed          another 5xx, 408, 409, 425, or an error inside the stream
    │   ├── ConnectionFailed      refused, reset, no such host, TLS
    │   ├── FirstByteTimeout      nothing came
    │   ├── IdleTimeout           it stopped coming
    │   ├── TotalTimeout          it did not come to an end
    │   ├── StreamCut             the connection ended before the answer did
    │   ├── InvalidResponse       what came is not the protocol
    │   ├── EmptyResponse         the protocol is kept, but there is no answer in it
    │   └── ProcessFailed         a client program ended without an answer
    └── will not pass by itself
        ├── QuotaExhausted        the money or the allowance is used up
        ├── AuthenticationFailed  the key is missing, wrong or not allowed to do this
        ├── ModelNotFound         no such model, or no such address
        ├── ContextTooLong        the prompt does not fit the model
        ├── OutputTruncated       the answer is longer than one call may be, or its rest is lost
        ├── OutputFiltered        the provider refuses to answer this
        ├── RequestRefused        the provider does not accept the request (other 4xx)
        ├── ChainExhausted        no adapter of the chain may be asked now (raised by the chain)
        └── Cancelled             the other side was told to stop, by us or by somebody else

    `str(error)` is a sentence for a person that says what to do; it never holds a key.
    `retry_after` is in seconds, None if the provider did not say. `partial` is the answer text
    that had come before the call broke off. `usage` and `cost` are what it used all the same; None
    is unknown.
    """

    kind: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        is_retryable: bool | None = None,
        partial: str = "",
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_retryable = self.retryable if is_retryable is None else is_retryable
        self.partial = partial
        self.usage: Usage | None = None
        self.cost: Cost | None = None


class RateLimited(AdapterError):
    """Too many requests for now."""

    kind = "rate_limited"
    retryable = True


class Overloaded(AdapterError):
    """The provider has no capacity now."""

    kind = "overloaded"
    retryable = True


class ServerFailed(AdapterError):
    """The provider broke."""

    kind = "server_failed"
    retryable = True


class ConnectionFailed(AdapterError):
    """The provider could not be reached, or the connection broke before an answer."""

    kind = "connection_failed"
    retryable = True


class FirstByteTimeout(AdapterError):
    """Nothing of an answer came in time."""

    kind = "first_byte_timeout"
    retryable = True


class IdleTimeout(AdapterError):
    """The answer stopped in the middle; comments and empty events do not count as answer."""

    kind = "idle_timeout"
    retryable = True


class TotalTimeout(AdapterError):
    """The answer took longer than one call may take."""

    kind = "total_timeout"
    retryable = True


class StreamCut(AdapterError):
    """The connection ended before the answer did."""

    kind = "stream_cut"
    retryable = True


class InvalidResponse(AdapterError):
    """What came is not the protocol: garbage, bad UTF-8, too large."""

    kind = "invalid_response"
    retryable = True


class EmptyResponse(AdapterError):
    """A proper answer without a word of text, e.g. when every token went into thinking."""

    kind = "empty_response"
    retryable = True


class ProcessFailed(AdapterError):
    """A client program could not be started, crashed, or ended without its final event."""

    kind = "process_failed"
    retryable = True


class QuotaExhausted(AdapterError):
    """The money or the allowance is used up; waiting a minute does not help."""

    kind = "quota_exhausted"


class AuthenticationFailed(AdapterError):
    """The key is missing, wrong or not allowed to do this."""

    kind = "authentication_failed"


class ModelNotFound(AdapterError):
    """There is no such model, or nothing at this address."""

    kind = "model_not_found"


class ContextTooLong(AdapterError):
    """The prompt does not fit the model."""

    kind = "context_too_long"


class OutputTruncated(AdapterError):
    """The answer was cut at the output limit and could not be completed."""

    kind = "output_truncated"


class OutputFiltered(AdapterError):
    """The provider refuses to answer this."""

    kind = "output_filtered"


class RequestRefused(AdapterError):
    """The provider does not accept the request as it is."""

    kind = "request_refused"


class Cancelled(AdapterError):
    """The call was ended from outside, and the other side said so."""

    kind = "cancelled"
