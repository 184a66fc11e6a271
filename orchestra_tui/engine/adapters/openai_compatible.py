"""The adapter for every server that speaks OpenAI chat completions.

The rule a reader must not break: the key is in the Authorization header and in nothing else; not
in an error, a log line or a `repr`.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime

import httpx
from pydantic import SecretStr

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    Completion,
    CompletionRequest,
    ConnectionFailed,
    IdleTimeout,
    InvalidResponse,
    OnDelta,
    StreamCut,
    TotalTimeout,
)
from orchestra_tui.engine.adapters.clocks import ReplyClock
from orchestra_tui.engine.adapters.http import HttpEndpoint
from orchestra_tui.engine.adapters.openai_errors import Origin, status_error
from orchestra_tui.engine.adapters.openai_stream import ChatStream
from orchestra_tui.engine.adapters.sse import MAX_LINE, data_events, head_of_body

MAX_ERROR_BODY = 64 * 1024
GRACE = 5.0
"""Seconds for usage and `[DONE]` after the finish reason came."""

RequestHeaders = Callable[[CompletionRequest], Mapping[str, str]]


class OpenAICompatibleAdapter:
    """Chat completions over SSE: OpenAI, GLM, Mistral, vLLM, llama.cpp, Ollama, LM Studio, ...

    `key_env` is the name of the key's variable, for messages. `transport` replaces the network
    and `request_headers` adds headers per request; only the rehearsal uses both. `idle_cap`
    limits the idle timeout that a request may ask for, in seconds. Raises UsageError for a base
    URL or key that cannot be used.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        model: str,
        api_key: SecretStr | None = None,
        *,
        key_env: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        request_headers: RequestHeaders | None = None,
        kind: ProviderKind = ProviderKind.REAL,
        provider: str | None = None,
        max_output_tokens: int | None = None,
        idle_cap: float | None = None,
    ) -> None:
        secret = api_key.get_secret_value().strip() if api_key else ""
        self._endpoint = HttpEndpoint(
            base_url, headers=_authorization(secret, key_env), transport=transport
        )
        self._model = model
        self._request_headers = request_headers
        self._max_output_tokens = max_output_tokens
        self._idle_cap = idle_cap
        self._origin = Origin(name, key_env, (secret,) if secret else ())
        self._info = AdapterInfo(
            name=name, model=model, provider=provider or self._endpoint.host, kind=kind
        )

    def info(self) -> AdapterInfo:
        """The configured name, the model asked for, and the host behind it."""
        return self._info

    async def is_available(self) -> bool:
        """True if the host answers and takes the key; a server without a model list counts."""
        status = (await self._endpoint.look("models")).status
        return status is not None and status < 500 and status not in {401, 403}

    async def close(self) -> None:
        """Close every connection."""
        await self._endpoint.close()

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        """Ask once and stream the answer. Raises AdapterError, with the text that had come."""
        chat = ChatStream(self._origin)
        try:
            await self._exchange(request, chat, on_delta)
            finish = chat.finish()
        except AdapterError as error:
            error.partial = chat.text
            raise
        text = self._whole_text(chat.text)
        if finish is FinishReason.STOP and not text:
            raise InvalidResponse(self._origin.sentence("the answer holds no text"))
        return Completion(text, finish, chat.usage, chat.model or self._model)

    def _whole_text(self, text: str) -> str:
        """The text with characters joined that a server split in two. Raises InvalidResponse."""
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            what = "the answer holds half a character, which no file can"
            raise InvalidResponse(self._origin.sentence(what), partial=text) from None

    async def _exchange(
        self, request: CompletionRequest, chat: ChatStream, on_delta: OnDelta
    ) -> None:
        idle = min(request.idle_timeout, self._idle_cap or request.idle_timeout)
        clock = ReplyClock(
            first_byte=request.first_byte_timeout, idle=idle, total=request.total_timeout
        )
        headers = self._request_headers(request) if self._request_headers else {}
        try:
            async with (
                clock,
                self._endpoint.post("chat/completions", self._body(request), headers) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise await self._refusal(response)
                await self._read(response, chat, clock, on_delta)
        except httpx.HTTPError as error:
            if not chat.has_reason:
                raise self._broken(error, chat) from error
        except (IdleTimeout, TotalTimeout):
            # A server that said why it ended and then keeps the line open has answered.
            if not chat.has_reason:
                raise

    async def _read(
        self, response: httpx.Response, chat: ChatStream, clock: ReplyClock, on_delta: OnDelta
    ) -> None:
        is_empty = True
        async with aclosing(_events(response)) as events:
            async for data in events:
                is_empty = False
                text, is_alive = chat.feed(data)
                if is_alive:
                    clock.progress()
                if text:
                    on_delta(text)
                if chat.is_done:
                    return
                if chat.has_reason:
                    clock.expect_end(GRACE)
        if is_empty:
            raise InvalidResponse(self._origin.sentence("no stream of events; check `base_url`"))

    async def _refusal(self, response: httpx.Response) -> AdapterError:
        body = await head_of_body(response, limit=MAX_ERROR_BODY)
        return status_error(
            response.status_code,
            response.headers,
            body,
            origin=self._origin,
            now=datetime.now(UTC),
        )

    def _broken(self, error: httpx.HTTPError, chat: ChatStream) -> AdapterError:
        if chat.text:
            return StreamCut(self._origin.sentence("the connection broke in mid-answer"))
        what = f"{self._endpoint.host} could not be reached; is it running, is the network up?"
        return ConnectionFailed(self._origin.sentence(what, str(error)))

    def _body(self, request: CompletionRequest) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self._model,
            "messages": [
                {"role": message.author, "content": message.text} for message in request.messages
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if limit := request.max_output_tokens or self._max_output_tokens:
            body["max_tokens"] = limit
        return body


def _authorization(secret: str, key_env: str | None) -> dict[str, str]:
    if not secret:
        return {}
    if not (secret.isascii() and secret.isprintable()):
        raise UsageError(
            f"the key in {key_env or 'the settings'} holds characters that no key has; set it again"
        )
    return {"Authorization": f"Bearer {secret}"}


async def _events(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The events of a stream; a server that does not stream sends its one answer as JSON."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        yield (await head_of_body(response, limit=MAX_LINE)).decode("utf-8", "replace")
        return
    async with aclosing(data_events(response)) as events:
        async for data in events:
            yield data
