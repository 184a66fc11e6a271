"""One parser for the chat completion streams of every OpenAI-compatible server.

The rule a reader must not break: only `content` is answer text. Reasoning counts as a sign of
life and as tokens, never as answer. Differences between servers are those read in their sources:
content null or a list of parts, `reasoning` or `reasoning_content`, usage in a last chunk without
choices or beside the finish reason, an error object inside a stream of status 200.
"""

from collections.abc import Mapping

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.answer_stream import AnswerStream, count

DONE = "[DONE]"

_FINISH = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED,
    "sensitive": FinishReason.FILTERED,
    "tool_calls": FinishReason.TOOL,
    "function_call": FinishReason.TOOL,
    "error": FinishReason.ERROR,
    "network_error": FinishReason.ERROR,
}


class ChatStream(AnswerStream):
    """A chat completion as it grows."""

    def feed(self, data: str) -> tuple[str, bool]:
        """Take one event, or the `[DONE]` that ends them. Raises as `AnswerStream.feed`."""
        if data.strip() == DONE:
            self.is_done = True
            return "", True
        return super().feed(data)

    def _take(self, event: Mapping[str, object]) -> tuple[str, bool]:
        if isinstance(model := event.get("model"), str) and model:
            self.model = model
        if isinstance(usage := event.get("usage"), dict):
            self.usage = normal_usage(usage)
        match event.get("choices"):
            case [dict() as choice, *_]:
                return self._choice(choice)
            case _:
                return "", False

    def _choice(self, choice: Mapping[str, object]) -> tuple[str, bool]:
        # A server that does not stream answers with `message` where others send `delta`.
        delta = choice.get("delta") or choice.get("message") or {}
        if not isinstance(delta, dict):
            raise self._wrong_shape()
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._reason = _FINISH.get(reason, FinishReason.UNKNOWN)
        thought = any(delta.get(name) for name in ("content", "reasoning", "reasoning_content"))
        return _plain(delta.get("content")), bool(thought or reason)


def normal_usage(usage: Mapping[str, object]) -> Usage:
    """The server's token counts in the domain's terms; what it does not say stays None."""
    details = usage.get("prompt_tokens_details")
    return Usage(
        input_tokens=count(usage, "prompt_tokens"),
        output_tokens=count(usage, "completion_tokens"),
        cached_tokens=count(details, "cached_tokens"),
        reasoning_tokens=count(usage.get("completion_tokens_details"), "reasoning_tokens"),
        # OpenRouter alone tells it.
        cache_write_tokens=count(details, "cache_write_tokens"),
    )


def _plain(content: object) -> str:
    """Answer text of a delta: a string, null, or (Mistral) a list of typed parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part for part in content if isinstance(part, dict) and part.get("type") == "text")
    return "".join(text for part in parts if isinstance(text := part.get("text"), str))
