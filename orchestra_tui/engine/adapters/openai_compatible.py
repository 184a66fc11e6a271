"""The adapter for every server that speaks OpenAI chat completions.

The rule a reader must not break: servers refuse fields they do not know, so every field beyond
model, messages and stream has a switch; `domain/presets.py` sets them per service.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.settings import AdapterSettings, StructuredOutput, TokenLimitField
from orchestra_tui.engine.adapters.answer_stream import AnswerStream
from orchestra_tui.engine.adapters.base import CompletionRequest
from orchestra_tui.engine.adapters.openai_errors import classify_openai
from orchestra_tui.engine.adapters.openai_stream import ChatStream
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.adapters.refusals import Classifier
from orchestra_tui.engine.adapters.streaming import (
    Access,
    Outgoing,
    RequestHeaders,
    StreamingAdapter,
)


@dataclass(frozen=True)
class ChatDialect:
    """Chat completions: OpenAI, Mistral, vLLM, llama.cpp, Ollama, LM Studio, ..."""

    model: str
    max_output_tokens: int | None = None
    token_limit_field: TokenLimitField = TokenLimitField.MAX_TOKENS
    stream_usage: bool = True
    structured_output: StructuredOutput = StructuredOutput.OFF
    effort: str | None = None
    classify: Classifier = classify_openai

    def headers(self, secret: str) -> Mapping[str, str]:
        """The key as a bearer."""
        return {"Authorization": f"Bearer {secret}"} if secret else {}

    def outgoing(self, request: CompletionRequest) -> Outgoing:
        """The question as a streamed chat completion."""
        body: dict[str, object] = {
            "model": self.model,
            "messages": [
                {"role": message.author, "content": message.text} for message in request.messages
            ],
            "stream": True,
        }
        if self.stream_usage:
            body["stream_options"] = {"include_usage": True}
        if limit := request.max_output_tokens or self.max_output_tokens:
            body[self.token_limit_field] = limit
        if self.effort:
            body["reasoning_effort"] = self.effort
        form = self._form(request)
        if form:
            body["response_format"] = form
        return Outgoing("chat/completions", body, asks_for_json=form is not None)

    def stream(self, origin: Origin) -> AnswerStream:
        """A reader for one chat completion."""
        return ChatStream(origin, self.classify)

    def _form(self, request: CompletionRequest) -> dict[str, object] | None:
        if request.json_schema is None:
            return None
        match self.structured_output:
            case StructuredOutput.OFF:
                return None
            case StructuredOutput.JSON_OBJECT:
                return {"type": "json_object"}
            case StructuredOutput.JSON_SCHEMA:
                held = {"name": "reply", "strict": True, "schema": dict(request.json_schema)}
                return {"type": "json_schema", "json_schema": held}


class OpenAICompatibleAdapter(StreamingAdapter):
    """Chat completions over SSE, from plain values; for what they mean see `Access`,
    `ChatDialect` and `StreamingAdapter`. Raises UsageError for a base URL or key that cannot be
    used.
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
        super().__init__(
            Access(name, base_url, model, api_key, key_env, transport),
            ChatDialect(model, max_output_tokens),
            request_headers=request_headers,
            kind=kind,
            provider=provider,
            idle_cap=idle_cap,
        )


def build_openai_compatible(settings: AdapterSettings, access: Access) -> StreamingAdapter:
    """The adapter for one entry of the settings. Raises UsageError."""
    dialect = ChatDialect(
        model=settings.model,
        max_output_tokens=settings.max_output_tokens,
        token_limit_field=settings.token_limit_field,
        stream_usage=settings.stream_usage,
        structured_output=settings.structured_output,
        effort=settings.effort,
    )
    return StreamingAdapter(access, dialect)
