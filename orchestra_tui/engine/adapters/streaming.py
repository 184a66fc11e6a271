"""One call over HTTP, the same for every provider: ask, stream, time, and say what went wrong.

The rule a reader must not break: the key is in the provider's header and in nothing else; not in
an error, a log line or a `repr`. What differs between providers is a `Dialect`.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import httpx
from pydantic import SecretStr

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind, Usage
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.secret_forms import forms_of
from orchestra_tui.engine.adapters.answer_stream import AnswerStream
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    Completion,
    CompletionRequest,
    ConnectionFailed,
    EmptyResponse,
    IdleTimeout,
    InvalidResponse,
    OnDelta,
    OutputFiltered,
    ServerFailed,
    StreamCut,
    TotalTimeout,
)
from orchestra_tui.engine.adapters.clocks import ReplyClock
from orchestra_tui.engine.adapters.http import HttpEndpoint
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.adapters.refusals import Classifier, status_error
from orchestra_tui.engine.adapters.sse import MAX_LINE, data_events, head_of_body
from orchestra_tui.engine.adapters.timing import RateHint, rate_hint
from orchestra_tui.engine.adapters.whole_text import whole_text, with_marks

MAX_ERROR_BODY = 64 * 1024
GRACE = 5.0
"""Seconds for usage and the end mark after the finish reason came."""

RequestHeaders = Callable[[CompletionRequest], Mapping[str, str]]


@dataclass(frozen=True)
class Outgoing:
    """A request as the provider wants it; `path` goes below the base URL."""

    path: str
    body: Mapping[str, object]
    query: Mapping[str, str] = field(default_factory=dict)
    asks_for_json: bool = False


class Dialect(Protocol):
    """What one provider's API is like."""

    @property
    def classify(self) -> Classifier:
        """What the provider's refusals mean."""
        ...

    def headers(self, secret: str) -> Mapping[str, str]:
        """The headers of every request; `secret` is empty if there is no key."""
        ...

    def outgoing(self, request: CompletionRequest) -> Outgoing:
        """The question in the provider's words."""
        ...

    def stream(self, origin: Origin) -> AnswerStream:
        """A reader for one answer."""
        ...


@dataclass(frozen=True)
class Access:
    """Where and as whom: the adapter's name, the base URL and model, and the key.

    `key_env` is the name of the key's variable, for messages. `transport` replaces the network.
    """

    name: str
    base_url: str
    model: str
    api_key: SecretStr | None = None
    key_env: str | None = None
    transport: httpx.AsyncBaseTransport | None = None


class StreamingAdapter:
    """An HTTP API that streams events.

    `request_headers` adds headers per request (the rehearsal). `idle_cap` limits the idle timeout
    that a request may ask for, in seconds. Raises UsageError for a base URL or key that cannot be
    used.
    """

    def __init__(
        self,
        access: Access,
        dialect: Dialect,
        *,
        request_headers: RequestHeaders | None = None,
        kind: ProviderKind = ProviderKind.REAL,
        provider: str | None = None,
        idle_cap: float | None = None,
    ) -> None:
        secret = _checked_key(access)
        headers = dialect.headers(secret)
        self._dialect = dialect
        self._endpoint = HttpEndpoint(access.base_url, headers=headers, transport=access.transport)
        self._request_headers = request_headers
        self._idle_cap = idle_cap
        self._origin = Origin(access.name, access.key_env, forms_of([secret]))
        self._info = AdapterInfo(
            name=access.name,
            model=access.model,
            provider=provider or self._endpoint.host,
            kind=kind,
        )

    def info(self) -> AdapterInfo:
        """The configured name, the model asked for, and the host behind it."""
        return self._info

    async def is_available(self) -> bool:
        """True if the host answers and takes the key; a server without a model list counts."""
        status = (await self._endpoint.look("models")).status
        return status is not None and status < 500 and status not in {400, 401, 403}

    async def close(self) -> None:
        """Close every connection."""
        await self._endpoint.close()

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        """Ask once and stream the answer. Raises AdapterError, with the text that had come."""
        stream = self._dialect.stream(self._origin)
        try:
            hint = await self._exchange(request, stream, on_delta)
            return replace(self._completion(stream), hint=hint)
        except AdapterError as error:
            error.partial = with_marks(stream.text)
            if stream.has_reason:
                # Only then was it told to the end; what broke off used nobody knows how much.
                error.usage = stream.usage
            raise

    def _completion(self, stream: AnswerStream) -> Completion:
        """The answer, if it is one. Raises AdapterError."""
        finish = stream.finish()
        if finish is FinishReason.FILTERED:
            raise OutputFiltered(self._origin.sentence("the provider's filter stopped the answer"))
        if finish is FinishReason.ERROR:
            raise ServerFailed(self._origin.sentence("the provider ended the answer in an error"))
        text = self._whole_text(stream.text)
        if not text:
            what = "the answer holds no text"
            if finish is FinishReason.LENGTH:
                what += ": every token went into thinking; raise `max_output_tokens`"
            raise EmptyResponse(self._origin.sentence(what))
        return Completion(text, finish, stream.usage, stream.model or self._info.model)

    def _whole_text(self, text: str) -> str:
        """The text with characters joined that a server split in two. Raises InvalidResponse."""
        whole = whole_text(text)
        if whole is None:
            what = "the answer holds half a character, which no file can"
            raise InvalidResponse(self._origin.sentence(what))
        return whole

    async def _exchange(
        self, request: CompletionRequest, stream: AnswerStream, on_delta: OnDelta
    ) -> RateHint | None:
        """Read the answer into `stream`; what the headers say of the rate limit."""
        hint: RateHint | None = None
        idle = min(request.idle_timeout, self._idle_cap or request.idle_timeout)
        clock = ReplyClock(
            first_byte=request.first_byte_timeout, idle=idle, total=request.total_timeout
        )
        headers = self._request_headers(request) if self._request_headers else {}
        asked = self._dialect.outgoing(request)
        try:
            async with (
                clock,
                self._endpoint.post(asked.path, asked.body, headers, query=asked.query) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise _unused(await self._refusal(response, asked))
                hint = rate_hint(response.headers, now=datetime.now(UTC).timestamp())
                await self._read(response, stream, clock, on_delta)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _unused(self._broken(error, stream)) from error
        except httpx.HTTPError as error:
            if not stream.has_reason:
                raise self._broken(error, stream) from error
        except (IdleTimeout, TotalTimeout):
            # A server that said why it ended and then keeps the line open has answered.
            if not stream.has_reason:
                raise
        return hint

    async def _read(
        self,
        response: httpx.Response,
        stream: AnswerStream,
        clock: ReplyClock,
        on_delta: OnDelta,
    ) -> None:
        is_empty = True
        async with aclosing(_events(response)) as events:
            async for data in events:
                is_empty = False
                text, is_alive = stream.feed(data)
                if is_alive:
                    clock.progress()
                if text:
                    on_delta(text)
                if stream.is_done:
                    return
                if stream.has_reason:
                    clock.expect_end(GRACE)
        if is_empty:
            raise InvalidResponse(self._origin.sentence("no stream of events; check `base_url`"))

    async def _refusal(self, response: httpx.Response, asked: Outgoing) -> AdapterError:
        body = await head_of_body(response, limit=MAX_ERROR_BODY)
        return status_error(
            response.status_code,
            response.headers,
            body,
            origin=self._origin,
            now=datetime.now(UTC),
            classify=self._dialect.classify,
            asked_for_json=asked.asks_for_json,
        )

    def _broken(self, error: httpx.HTTPError, stream: AnswerStream) -> AdapterError:
        if stream.text:
            return StreamCut(self._origin.sentence("the connection broke in mid-answer"))
        what = f"{self._endpoint.host} could not be reached; is it running, is the network up?"
        return ConnectionFailed(self._origin.sentence(what, str(error)))


def _unused(error: AdapterError) -> AdapterError:
    """No model was asked: it cost nothing."""
    error.usage = Usage(input_tokens=0, output_tokens=0)
    return error


def _checked_key(access: Access) -> str:
    secret = access.api_key.get_secret_value().strip() if access.api_key else ""
    if secret.isascii() and secret.isprintable():
        return secret
    raise UsageError(
        f"the key in {access.key_env or 'the settings'} holds characters that no key has; "
        "set it again"
    )


async def _events(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The events of a stream; a server that does not stream sends its one answer as JSON."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        yield (await head_of_body(response, limit=MAX_LINE)).decode("utf-8", "replace")
        return
    async with aclosing(data_events(response)) as events:
        async for data in events:
            yield data
