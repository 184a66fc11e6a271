"""The adapter for GLM (Z.ai, bigmodel.cn, and the coding plan of both).

The rule a reader must not break: its body is a chat completion with `thinking` beside it and
without `stream_options`; the counts come unasked with the last piece. Thinking is on unless it is
switched off, and glm-5.3 cannot switch it off. Facts: zai-sdk 0.2.3 and the providers' pages, read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestra_tui.domain.settings import AdapterSettings, StructuredOutput
from orchestra_tui.engine.adapters.answer_stream import AnswerStream
from orchestra_tui.engine.adapters.base import CompletionRequest
from orchestra_tui.engine.adapters.glm_errors import classify_glm
from orchestra_tui.engine.adapters.openai_compatible import ChatDialect
from orchestra_tui.engine.adapters.openai_stream import ChatStream
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.adapters.refusals import Classifier
from orchestra_tui.engine.adapters.streaming import Access, Outgoing, StreamingAdapter


@dataclass(frozen=True)
class GlmDialect:
    """Chat completions with `thinking`."""

    chat: ChatDialect
    thinking: bool | None = None
    classify: Classifier = classify_glm

    def headers(self, secret: str) -> Mapping[str, str]:
        """The key as a bearer, as it is; the signed form is not needed."""
        return self.chat.headers(secret)

    def outgoing(self, request: CompletionRequest) -> Outgoing:
        """The question as a chat completion, with or without thinking."""
        plain = self.chat.outgoing(request)
        if self.thinking is None:
            return plain
        thinking = {"type": "enabled" if self.thinking else "disabled"}
        body = {**plain.body, "thinking": thinking}
        return Outgoing(plain.path, body, asks_for_json=plain.asks_for_json)

    def stream(self, origin: Origin) -> AnswerStream:
        """A reader for one chat completion."""
        return ChatStream(origin, self.classify)


def build_glm(settings: AdapterSettings, access: Access) -> StreamingAdapter:
    """The adapter for one entry of the settings. Raises UsageError."""
    form = settings.structured_output
    if form is StructuredOutput.JSON_SCHEMA:
        # It knows no schemas: the nearest is JSON of any shape.
        form = StructuredOutput.JSON_OBJECT
    chat = ChatDialect(
        model=settings.model,
        max_output_tokens=settings.max_output_tokens,
        stream_usage=False,
        structured_output=form,
        effort=settings.effort,
    )
    return StreamingAdapter(access, GlmDialect(chat, settings.thinking))
