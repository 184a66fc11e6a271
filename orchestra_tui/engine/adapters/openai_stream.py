"""One parser for the chat completion streams of every OpenAI-compatible server.

The rule a reader must not break: only `content` is answer text. Reasoning counts as a sign of
life and as tokens, never as answer. Differences between servers are those read in their sources:
content null or a list of parts, `reasoning` or `reasoning_content`, usage in a last chunk without
choices or beside the finish reason, an error object inside a stream of status 200.
"""

import json
from collections.abc import Mapping

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.base import InvalidResponse, StreamCut
from orchestra_tui.engine.adapters.openai_errors import Origin, stream_error

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


class ChatStream:
    """The answer as it grows. Feed it the `data` of each event, then ask for `finish`."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pieces: list[str] = []
        self._reason: FinishReason | None = None
        self.usage = Usage()
        self.model: str | None = None
        self.is_done = False
        """True after the `[DONE]` event."""

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._pieces)

    @property
    def has_reason(self) -> bool:
        """True once the server said why it ended: nothing but usage can follow."""
        return self._reason is not None

    def feed(self, data: str) -> tuple[str, bool]:
        """Take one event: (new answer text, whether the model gave a sign of life).

        Raises InvalidResponse for garbage and the fitting AdapterError for an error object.
        """
        if data.strip() == DONE:
            self.is_done = True
            return "", True
        event = self._event(data)
        if error := event.get("error"):
            raise stream_error(error, origin=self._origin)
        if isinstance(model := event.get("model"), str) and model:
            self.model = model
        if isinstance(usage := event.get("usage"), dict):
            self.usage = normal_usage(usage)
        match event.get("choices"):
            case [dict() as choice, *_]:
                return self._choice(choice)
            case _:
                return "", False

    def finish(self) -> FinishReason:
        """Why the answer ended. Raises StreamCut if the stream ended before it said so."""
        if self._reason is not None:
            return self._reason
        if self.is_done:
            return FinishReason.UNKNOWN
        raise StreamCut(self._origin.sentence("the stream ended before the answer did"))

    def _event(self, data: str) -> Mapping[str, object]:
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise InvalidResponse(self._origin.sentence("the stream is not JSON", data[:200]))
        return event

    def _choice(self, choice: Mapping[str, object]) -> tuple[str, bool]:
        # A server that does not stream answers with `message` where others send `delta`.
        delta = choice.get("delta") or choice.get("message") or {}
        if not isinstance(delta, dict):
            raise InvalidResponse(self._origin.sentence("a piece of the stream has a wrong shape"))
        text = _plain(delta.get("content"))
        if text:
            self._pieces.append(text)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._reason = _FINISH.get(reason, FinishReason.UNKNOWN)
        thought = any(delta.get(name) for name in ("content", "reasoning", "reasoning_content"))
        return text, bool(text or thought or reason)


def normal_usage(usage: Mapping[str, object]) -> Usage:
    """The server's token counts in the domain's terms; what it does not say stays None."""
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=_count(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(source: object, name: str) -> int | None:
    value = source.get(name) if isinstance(source, Mapping) else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None


def _plain(content: object) -> str:
    """Answer text of a delta: a string, null, or (Mistral) a list of typed parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part for part in content if isinstance(part, dict) and part.get("type") == "text")
    return "".join(text for part in parts if isinstance(text := part.get("text"), str))
