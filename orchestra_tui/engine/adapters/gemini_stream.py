"""Gemini's `streamGenerateContent?alt=sse`: chunks without names and without an end mark.

The rule a reader must not break: a part with `thought: true` is not answer text, and a prompt that
is blocked gives no candidate at all but a `promptFeedback`.
"""

from collections.abc import Mapping

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.answer_stream import AnswerStream, count, total
from orchestra_tui.engine.adapters.base import OutputFiltered

_FINISH = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
        FinishReason.FILTERED,
    ),
    **dict.fromkeys(
        (
            "MALFORMED_FUNCTION_CALL",
            "UNEXPECTED_TOOL_CALL",
            "TOO_MANY_TOOL_CALLS",
            "MISSING_THOUGHT_SIGNATURE",
        ),
        FinishReason.ERROR,
    ),
}
_UNSPECIFIED = {"BLOCK_REASON_UNSPECIFIED", "FINISH_REASON_UNSPECIFIED"}


class GeminiStream(AnswerStream):
    """The first candidate as it grows."""

    def _take(self, event: Mapping[str, object]) -> tuple[str, bool]:
        if isinstance(model := event.get("modelVersion"), str) and model:
            self.model = model
        if isinstance(usage := event.get("usageMetadata"), dict):
            self.usage = gemini_usage(usage)
        self._refuse_blocked(event.get("promptFeedback"))
        match event.get("candidates"):
            case [dict() as candidate, *_]:
                return self._candidate(candidate)
            case _:
                return "", False

    def _refuse_blocked(self, feedback: object) -> None:
        reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if reason and reason not in _UNSPECIFIED:
            what = "the provider's filter refused the prompt"
            raise OutputFiltered(self._origin.sentence(what, str(reason)))

    def _candidate(self, candidate: Mapping[str, object]) -> tuple[str, bool]:
        content = candidate.get("content") or {}
        parts = content.get("parts") or [] if isinstance(content, dict) else None
        if not isinstance(parts, list):
            raise self._wrong_shape()
        reason = candidate.get("finishReason")
        if isinstance(reason, str) and reason and reason not in _UNSPECIFIED:
            is_picture = "IMAGE" in reason
            other = FinishReason.FILTERED if is_picture else FinishReason.UNKNOWN
            self._reason = _FINISH.get(reason, other)
        texts = [
            (text, part.get("thought") is True)
            for part in parts
            if isinstance(part, dict) and isinstance(text := part.get("text"), str) and text
        ]
        answer = "".join(text for text, is_thought in texts if not is_thought)
        return answer, bool(texts or reason)


def gemini_usage(usage: Mapping[str, object]) -> Usage:
    """Gemini's counts in the domain's terms: the prompt includes what was cached, the candidates
    exclude the thoughts. [google-genai 3.4.0]
    """
    thoughts = count(usage, "thoughtsTokenCount")
    return Usage(
        input_tokens=total(
            count(usage, "promptTokenCount"), count(usage, "toolUsePromptTokenCount")
        ),
        output_tokens=total(count(usage, "candidatesTokenCount"), thoughts),
        cached_tokens=count(usage, "cachedContentTokenCount"),
        reasoning_tokens=thoughts,
    )
