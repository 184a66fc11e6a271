"""What a provider may do to an adapter, and what a call came to.

The rule a reader must not break: `key` is the name of the case everywhere: in the address of the
client server, in the names of recordings and in `seconds.json`.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.engine.adapters.base import AdapterError, Completion

DAY = 86_400.0


@dataclass(frozen=True)
class Case:
    """One row. `kind` is what it is called when nothing is lost on the way (`Outcome.kind`; empty
    where it has several right names), `wait` the seconds that the provider asked for."""

    key: str
    title: str
    kind: str
    wait: float | None = None


CASES = (
    Case("plain", "an answer", "answer"),
    Case("edit-refused", "an edit it may not make", ""),
    Case("429", "429, `Retry-After: 1`", "rate_limited", 1.0),
    Case("429-date", "429, `Retry-After:` a date, 3 s ahead", "rate_limited", 3.0),
    Case("429-ms", "429, `retry-after-ms: 1500`", "rate_limited", 1.5),
    Case("429-text", "429, 20 s in RetryInfo or in words", "rate_limited", 20.0),
    Case("429-bare", "429, no time", "rate_limited"),
    Case("429-long", "429, an hour", "rate_limited", 3600.0),
    Case("429-absurd", "429, three years", "rate_limited", DAY),
    Case("429-quota", "429 for money", "quota_exhausted"),
    Case("500", "500", "server_failed"),
    Case("401", "401", "authentication_failed"),
    Case("down", "server down", "connection_failed"),
    Case("cut", "cut stream", "stream_cut"),
    Case("malformed", "garbage in the stream", "invalid_response"),
    Case("empty", "an answer without text", "empty_response"),
    Case("length", "an answer cut at its length", "cut answer"),
    Case("hang", "silence before the headers", "first_byte_timeout"),
    Case("hang-stream", "silence in mid-stream", "idle_timeout"),
    Case("cancel", "cancelled by the user", "cancelled"),
)
BY_KEY = {case.key: case for case in CASES}


@dataclass(frozen=True)
class Outcome:
    """A completion, or an error, or neither: the call was cancelled."""

    completion: Completion | None = None
    error: AdapterError | None = None

    @property
    def kind(self) -> str:
        """The kind of the error, or of the answer."""
        if self.error is not None:
            return self.error.kind
        if self.completion is None:
            return "cancelled"
        return "cut answer" if self.completion.finish is FinishReason.LENGTH else "answer"


async def outcome_of(call: Awaitable[Completion]) -> Outcome:
    """What the call comes to; a cancel of the call itself is an outcome too."""
    try:
        return Outcome(await call)
    except AdapterError as error:
        return Outcome(error=error)
    except asyncio.CancelledError:
        return Outcome()
