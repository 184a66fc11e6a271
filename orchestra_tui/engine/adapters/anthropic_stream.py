"""Anthropic's Messages stream: named events, each of which repeats its name as `type`.

The rule a reader must not break: `message_start` counts the input and one token of output, and
`message_delta` is cumulative; later counts replace earlier ones and are never added up.
"""

from collections.abc import Mapping

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.answer_stream import AnswerStream, count, total

_FINISH = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL,
    "refusal": FinishReason.FILTERED,
}
_THINKING = frozenset({"thinking_delta", "signature_delta"})


class MessageStream(AnswerStream):
    """A message as it grows."""

    _counts: Mapping[str, object] = {}

    def _take(self, event: Mapping[str, object]) -> tuple[str, bool]:
        match event.get("type"):
            case "message_start":
                self._start(event.get("message"))
            case "content_block_start":
                return self._block(event.get("content_block"))
            case "content_block_delta":
                return self._block(event.get("delta"))
            case "message_delta":
                return self._end(event)
            case "message_stop":
                self.is_done = True
                return "", True
        return "", False

    def _start(self, message: object) -> None:
        if not isinstance(message, dict):
            raise self._wrong_shape()
        if isinstance(model := message.get("model"), str) and model:
            self.model = model
        self._count(message.get("usage"))

    def _block(self, piece: object) -> tuple[str, bool]:
        """The text of a block's beginning (where some gateways put it all) or of a delta."""
        if not isinstance(piece, dict):
            raise self._wrong_shape()
        kind = piece.get("type")
        text = piece.get("text")
        if kind in {"text", "text_delta"} and isinstance(text, str):
            return text, False
        return "", kind in _THINKING

    def _end(self, event: Mapping[str, object]) -> tuple[str, bool]:
        self._count(event.get("usage"))
        delta = event.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        if isinstance(reason, str) and reason:
            self._reason = _FINISH.get(reason, FinishReason.UNKNOWN)
        return "", bool(reason)

    def _count(self, usage: object) -> None:
        if isinstance(usage, dict):
            said = {name: value for name, value in usage.items() if value is not None}
            self._counts = {**self._counts, **said}
            self.usage = anthropic_usage(self._counts)


def anthropic_usage(usage: Mapping[str, object]) -> Usage:
    """Anthropic's counts in the domain's terms: its input excludes what the cache held or took.
    [anthropic 2.12.0]
    """
    cached = count(usage, "cache_read_input_tokens")
    written = count(usage, "cache_creation_input_tokens")
    return Usage(
        input_tokens=total(count(usage, "input_tokens"), written, cached),
        output_tokens=count(usage, "output_tokens"),
        cached_tokens=cached,
        reasoning_tokens=count(usage.get("output_tokens_details"), "thinking_tokens"),
        cache_write_tokens=written,
    )
