"""The adapter for Gemini's own REST API: `models/MODEL:streamGenerateContent?alt=sse`.

The rule a reader must not break: `alt=sse` stays in the address; without it the answer is one JSON
array that cannot be read before its end. Facts: google-genai 3.4.0 and gemini-cli, read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from orchestra_tui.domain.settings import AdapterSettings, StructuredOutput
from orchestra_tui.engine.adapters.answer_stream import AnswerStream
from orchestra_tui.engine.adapters.base import CompletionRequest
from orchestra_tui.engine.adapters.gemini_errors import classify_gemini
from orchestra_tui.engine.adapters.gemini_stream import GeminiStream
from orchestra_tui.engine.adapters.json_schemas import GEMINI_WORDS, limited_to
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.adapters.refusals import Classifier
from orchestra_tui.engine.adapters.streaming import Access, Outgoing, StreamingAdapter


@dataclass(frozen=True)
class GeminiDialect:
    """generateContent, streamed."""

    model: str
    max_output_tokens: int | None = None
    structured_output: StructuredOutput = StructuredOutput.OFF
    thinking: bool | None = None
    thinking_budget: int | None = None
    effort: str | None = None
    classify: Classifier = classify_gemini

    def headers(self, secret: str) -> Mapping[str, str]:
        """The key in its header; never in the address, which ends up in logs."""
        return {"x-goog-api-key": secret} if secret else {}

    def outgoing(self, request: CompletionRequest) -> Outgoing:
        """The question: system texts apart, the answers of the model as `model`."""
        body: dict[str, object] = {
            "contents": [
                {
                    "role": "model" if message.author == "assistant" else "user",
                    "parts": _parts(text),
                }
                for message in request.messages
                if message.author != "system" and (text := message.text)
            ]
        }
        if rules := [m.text for m in request.messages if m.author == "system"]:
            body["systemInstruction"] = {"parts": [part for text in rules for part in _parts(text)]}
        asks_for_json = (
            request.json_schema is not None and self.structured_output is not StructuredOutput.OFF
        )
        if configuration := self._configuration(request, asks_for_json=asks_for_json):
            body["generationConfig"] = configuration
        name = self.model if "/" in self.model else f"models/{self.model}"
        path = f"{quote(name, safe='/')}:streamGenerateContent"
        return Outgoing(path, body, {"alt": "sse"}, asks_for_json=asks_for_json)

    def stream(self, origin: Origin) -> AnswerStream:
        """A reader for one answer."""
        return GeminiStream(origin, self.classify)

    def _configuration(
        self, request: CompletionRequest, *, asks_for_json: bool
    ) -> dict[str, object]:
        found: dict[str, object] = {}
        budget = self.thinking_budget
        if limit := request.max_output_tokens or self.max_output_tokens:
            # Thinking counts against the limit here; it is given room of its own.
            found["maxOutputTokens"] = limit + max(budget or 0, 0)
        if asks_for_json and request.json_schema is not None:
            found["responseMimeType"] = "application/json"
            if self.structured_output is StructuredOutput.JSON_SCHEMA:
                found["responseJsonSchema"] = limited_to(GEMINI_WORDS, request.json_schema)
        found["thinkingConfig"] = self._thinking()
        return found

    def _thinking(self) -> dict[str, object]:
        """Summaries of thoughts are asked for: without them a long thought looks like silence."""
        if self.thinking is False:
            return {"thinkingBudget": 0}
        found: dict[str, object] = {"includeThoughts": True}
        if self.thinking_budget is not None:
            found["thinkingBudget"] = self.thinking_budget
        if self.effort:
            found["thinkingLevel"] = self.effort
        return found


def build_gemini(settings: AdapterSettings, access: Access) -> StreamingAdapter:
    """The adapter for one entry of the settings. Raises UsageError."""
    dialect = GeminiDialect(
        model=settings.model,
        max_output_tokens=settings.max_output_tokens,
        structured_output=settings.structured_output,
        thinking=settings.thinking,
        thinking_budget=settings.thinking_budget,
        effort=settings.effort,
    )
    return StreamingAdapter(access, dialect)


def _parts(text: str) -> list[dict[str, str]]:
    return [{"text": text}]
