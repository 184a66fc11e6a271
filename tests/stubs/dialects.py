"""What each provider sends: pieces of answers, ends, and errors, for the apps of `openai_server`.

The rule a reader must not break: the counts differ from each other and are the same in every
dialect (1200 in, 200 of them cached; 34 out, 5 of them thought), so that a test sees which field
was read and how it was counted.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestra_tui.engine.adapters.rehearsal.transport import App
from tests.stubs.openai_server import DONE, JSON, delta, event, raw

CHAT_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 34,
    "prompt_tokens_details": {"cached_tokens": 200},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


@dataclass(frozen=True)
class WireDialect:
    """One provider's bytes. `end` takes `stop`, `length` or `filtered`; `error` a status and
    more fields of the error object."""

    kind: str
    begin: bytes
    said: Callable[[str], bytes]
    thought: Callable[[str], bytes]
    end: Callable[[str], bytes]
    error: Callable[..., dict[str, object]]
    blocked: bytes

    def answer(self, *pieces: str, finish: str = "stop") -> App:
        """An app that answers with these pieces and counts."""
        return raw(self.begin, *(self.said(piece) for piece in pieces), self.end(finish))

    def refusal(
        self, code: int, headers: Mapping[str, str] | None = None, /, **fields: object
    ) -> App:
        """An app that refuses with this provider's error body."""
        body = json.dumps(self.error(code, **fields)).encode()
        return raw(body, headers={**JSON, **(headers or {})}, status=code)


def _chat_end(reasons: Mapping[str, str]) -> Callable[[str], bytes]:
    def end(finish: str) -> bytes:
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": reasons[finish]}
        return event({"choices": [choice], "usage": CHAT_USAGE}) + DONE

    return end


def _openai_error(status: int, /, **fields: object) -> dict[str, object]:
    types = {429: "rate_limit_error", 400: "invalid_request_error", 401: "invalid_request_error"}
    body = {"message": f"fake error {status}", "type": types.get(status, "server_error")}
    return {"error": {**body, **fields}}


def _glm_error(status: int, /, **fields: object) -> dict[str, object]:
    codes = {400: "1210", 401: "1000", 403: "1220", 404: "1211", 429: "1302", 503: "1305"}
    body = {"code": codes.get(status, "500"), "message": f"fake error {status}"}
    return {"error": {**body, **fields}, "request_id": "r"}


def gemini_chunk(*parts: Mapping[str, object], finish: str | None = None) -> bytes:
    """One chunk of Gemini's; the usage of a last one stands beside its reason."""
    candidate: dict[str, object] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    usage: dict[str, object] = {"promptTokenCount": 1200, "totalTokenCount": 1200}
    if finish:
        candidate["finishReason"] = finish
        usage = {
            "promptTokenCount": 1200,
            "candidatesTokenCount": 29,
            "thoughtsTokenCount": 5,
            "cachedContentTokenCount": 200,
            "totalTokenCount": 1234,
        }
    return event({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "g-1"})


def _gemini_end(finish: str) -> bytes:
    reasons = {"stop": "STOP", "length": "MAX_TOKENS", "filtered": "SAFETY"}
    return gemini_chunk({"text": ""}, finish=reasons[finish])


def _gemini_error(status: int, /, **fields: object) -> dict[str, object]:
    words = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
    }
    body = {"code": status, "message": f"fake error {status}"}
    return {"error": {**body, "status": words.get(status, "UNAVAILABLE"), **fields}}


def named(name: str, **fields: object) -> bytes:
    """One of Anthropic's events: its name stands before the data and in it."""
    return f"event: {name}\n".encode() + event({"type": name, **fields})


def piece(**fields: object) -> bytes:
    """A content_block_delta."""
    return named("content_block_delta", index=0, delta=fields)


def _anthropic_end(finish: str) -> bytes:
    reasons = {"stop": "end_turn", "length": "max_tokens", "filtered": "refusal"}
    said = {"stop_reason": reasons[finish], "stop_sequence": None}
    counts = {"output_tokens": 34, "output_tokens_details": {"thinking_tokens": 5}}
    end = named("message_delta", delta=said, usage=counts)
    return named("content_block_stop", index=0) + end + named("message_stop")


def _anthropic_error(status: int, /, **fields: object) -> dict[str, object]:
    types = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
        500: "api_error",
    }
    body = {"type": types.get(status, "overloaded_error"), "message": f"fake error {status}"}
    return {"type": "error", "error": {**body, **fields}, "request_id": "r"}


_FIRST_COUNTS = {
    "input_tokens": 900,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 200,
    "output_tokens": 1,
}

OPENAI = WireDialect(
    kind="openai_compatible",
    begin=delta("", role="assistant"),
    said=delta,
    thought=lambda text: delta(None, reasoning=text),
    end=_chat_end({"stop": "stop", "length": "length", "filtered": "content_filter"}),
    error=_openai_error,
    blocked=_chat_end({"filtered": "content_filter"})("filtered"),
)
GLM = WireDialect(
    kind="glm",
    begin=delta("", role="assistant"),
    said=delta,
    thought=lambda text: delta(None, reasoning_content=text),
    end=_chat_end({"stop": "stop", "length": "length", "filtered": "sensitive"}),
    error=_glm_error,
    blocked=_chat_end({"filtered": "sensitive"})("filtered"),
)
GEMINI = WireDialect(
    kind="gemini",
    begin=b"",
    said=lambda text: gemini_chunk({"text": text}),
    thought=lambda text: gemini_chunk({"text": text, "thought": True}),
    end=_gemini_end,
    error=_gemini_error,
    blocked=event({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
)
ANTHROPIC = WireDialect(
    kind="anthropic",
    begin=named("message_start", message={"model": "c-1", "usage": _FIRST_COUNTS})
    + named("ping")
    + named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    said=lambda text: piece(type="text_delta", text=text),
    thought=lambda text: piece(type="thinking_delta", thinking=text),
    end=_anthropic_end,
    error=_anthropic_error,
    blocked=_anthropic_end("filtered"),
)
ALL = (OPENAI, GLM, GEMINI, ANTHROPIC)
