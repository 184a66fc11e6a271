"""The adapter for Anthropic's Messages API.

The rule a reader must not break: `max_tokens` is required, and thinking counts against it, so a
budget for thinking comes on top of the answer's limit. Facts: anthropic 2.12.0, read; structured
output is `output_config.format`, which needs no beta header.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestra_tui.domain.settings import AdapterSettings, StructuredOutput
from orchestra_tui.engine.adapters.answer_stream import AnswerStream
from orchestra_tui.engine.adapters.anthropic_errors import classify_anthropic
from orchestra_tui.engine.adapters.anthropic_stream import MessageStream
from orchestra_tui.engine.adapters.base import CompletionRequest
from orchestra_tui.engine.adapters.json_schemas import ANTHROPIC_WORDS, limited_to
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.adapters.refusals import Classifier
from orchestra_tui.engine.adapters.streaming import Access, Outgoing, StreamingAdapter

VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 32_000
"""Every current model allows as much; older ones refuse it and want `max_output_tokens` set."""


@dataclass(frozen=True)
class MessagesDialect:
    """Messages, streamed."""

    model: str
    max_output_tokens: int | None = None
    structured_output: StructuredOutput = StructuredOutput.OFF
    thinking: bool | None = None
    thinking_budget: int | None = None
    effort: str | None = None
    classify: Classifier = classify_anthropic

    def headers(self, secret: str) -> Mapping[str, str]:
        """The key and the API's version."""
        key = {"x-api-key": secret} if secret else {}
        return {"anthropic-version": VERSION, **key}

    def outgoing(self, request: CompletionRequest) -> Outgoing:
        """The question: system texts apart, the others in turn."""
        limit = request.max_output_tokens or self.max_output_tokens or DEFAULT_MAX_TOKENS
        body: dict[str, object] = {
            "model": self.model,
            "max_tokens": limit + max(self.thinking_budget or 0, 0),
            "messages": [
                {"role": message.author, "content": message.text}
                for message in request.messages
                if message.author != "system"
            ],
            "stream": True,
        }
        if rules := [m.text for m in request.messages if m.author == "system"]:
            body["system"] = "\n\n".join(rules)
        if thinking := self._thinking():
            body["thinking"] = thinking
        form = self._form(request)
        effort = {"effort": self.effort} if self.effort else {}
        if output := {**form, **effort}:
            body["output_config"] = output
        return Outgoing("messages", body, asks_for_json=bool(form))

    def stream(self, origin: Origin) -> AnswerStream:
        """A reader for one message."""
        return MessageStream(origin, self.classify)

    def _thinking(self) -> dict[str, object] | None:
        if self.thinking is False:
            return {"type": "disabled"}
        if self.thinking_budget and self.thinking_budget > 0:
            return {"type": "enabled", "budget_tokens": self.thinking_budget}
        return {"type": "adaptive"} if self.thinking else None

    def _form(self, request: CompletionRequest) -> dict[str, object]:
        is_off = self.structured_output is not StructuredOutput.JSON_SCHEMA
        if request.json_schema is None or is_off:
            return {}
        schema = limited_to(ANTHROPIC_WORDS, request.json_schema)
        return {"format": {"type": "json_schema", "schema": schema}}


def build_anthropic(settings: AdapterSettings, access: Access) -> StreamingAdapter:
    """The adapter for one entry of the settings. Raises UsageError."""
    dialect = MessagesDialect(
        model=settings.model,
        max_output_tokens=settings.max_output_tokens,
        structured_output=settings.structured_output,
        thinking=settings.thinking,
        thinking_budget=settings.thinking_budget,
        effort=settings.effort,
    )
    return StreamingAdapter(access, dialect)
