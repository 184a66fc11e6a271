"""What a model server streams to agent programs: four dialects, one answer.

The rule a reader must not break: the counts are the same in every dialect (1200 in, 200 of them
cached; 34 out, 5 of them thought), so that a test sees which field a client read.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import uuid4

HELLO = "Hello from the fake model. Everything is fine."
PATH = "hello.txt"
CONTENT = "written by the fake model\n"
IN, CACHED, OUT, THOUGHT = 1200, 200, 34, 5
WORDED = 20
"""Seconds to wait that stand in the words of a refusal; Gemini repeats them as RetryInfo."""

Body = Mapping[str, object]
Event = tuple[str, Mapping[str, object]]


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool: its arguments, or for codex's patch tool its text."""

    name: str
    arguments: Mapping[str, object]
    text: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the model says: text, or a call; `is_cut` at the output limit."""

    text: str = HELLO
    call: ToolCall | None = None
    is_cut: bool = False

    @property
    def pieces(self) -> list[str]:
        """The text in words."""
        return [f"{word} " for word in self.text.split(" ")] if self.text else []


def dialect_of(path: str) -> str:
    """The dialect of a request's path; empty if it is none."""
    if path.endswith("/responses"):
        return "responses"
    if path.endswith("/messages"):
        return "anthropic"
    if path.endswith("/chat/completions"):
        return "chat"
    return "gemini" if ":streamGenerateContent" in path else ""


def events(dialect: str, body: Body, answer: Answer) -> Iterator[Event]:
    """Name (may be empty) and data of each event."""
    match dialect:
        case "responses":
            return _responses(answer)
        case "anthropic":
            return _anthropic(body, answer)
        case "chat":
            return _chat(answer)
    return _gemini(answer)


def refusal(dialect: str, status: int, words: str) -> tuple[int, Mapping[str, object]]:
    """Status and body of an error, as the provider writes it."""
    if dialect == "anthropic":
        kinds = {401: "authentication_error", 429: "rate_limit_error"}
        error = {"type": kinds.get(status, "api_error"), "message": words}
        return status, {"type": "error", "error": error, "request_id": "req_1"}
    if dialect in {"responses", "chat"}:
        code = "insufficient_quota" if "quota" in words else None
        return status, {"error": {"message": words, "type": code or "x", "code": code}}
    if status == 401:
        # What the real service says of a wrong key.
        reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        words = "API key not valid. Please pass a valid API key."
        error = {"code": 400, "message": words, "status": "INVALID_ARGUMENT", "details": [reason]}
        return 400, {"error": error}
    name = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}.get(status, "UNAVAILABLE")
    error = {"code": status, "message": words, "status": name}
    if f"{WORDED}s" in words:
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{WORDED}s"}
        error["details"] = [delay]
    return status, {"error": error}


def write_call(dialect: str, body: Body, folder: str) -> ToolCall | None:
    """The call that writes the file, of the write tool that the request offers."""
    place = f"{folder}/{PATH}" if folder else PATH
    if dialect == "responses":
        added = "".join(f"+{line}\n" for line in CONTENT.splitlines())
        patch = f"*** Begin Patch\n*** Add File: {PATH}\n{added}*** End Patch\n"
        return ToolCall("apply_patch", {}, patch) if "apply_patch" in tools(body) else None
    name = next((one for one in ("Write", "write_file", "write") if one in tools(body)), None)
    if name is None:
        return None
    offered = json.dumps(tools(body)[name])
    field = next((one for one in ("file_path", "filePath") if f'"{one}"' in offered), "path")
    return ToolCall(name, {field: place, "content": CONTENT})


def tools(body: Body) -> dict[str, Body]:
    """The tools that a request offers, by name."""
    offered = body.get("tools")
    found: list[Body] = []
    for tool in offered if isinstance(offered, list) else []:
        found += [tool.get("function", tool), *tool.get("functionDeclarations", [])]
    return {str(tool.get("name")): tool for tool in found}


def has_result(body: Body) -> bool:
    """True if a turn of the request is the result of a tool; clients add turns behind it."""
    turns = json.dumps(body.get("input") or body.get("messages") or body.get("contents"))
    signs = ('_call_output"', '"tool_result"', '"functionResponse"', '"role": "tool"')
    return any(sign in turns for sign in signs)


def is_side_request(dialect: str, body: Body) -> bool:
    """True if a client of chat completions only asks for a title, which offers no tools."""
    return dialect == "chat" and not tools(body)


def _responses(answer: Answer) -> Iterator[Event]:
    def event(kind: str, **fields: object) -> Event:
        return kind, {"type": kind, "sequence_number": 0, **fields}

    made: dict[str, object] = {"id": "resp_1", "object": "response", "model": "m", "output": []}
    yield event("response.created", response=made | {"status": "in_progress"})
    item = _responses_item(answer)
    empty = dict(item) | ({"content": []} if "content" in item else {"input": ""})
    yield event("response.output_item.added", output_index=0, item=empty)
    for piece in answer.pieces if answer.call is None else []:
        yield event(
            "response.output_text.delta",
            output_index=0,
            content_index=0,
            item_id=item["id"],
            delta=piece,
        )
    yield event("response.output_item.done", output_index=0, item=item)
    usage = {
        "input_tokens": IN,
        "input_tokens_details": {"cached_tokens": CACHED},
        "output_tokens": OUT,
        "output_tokens_details": {"reasoning_tokens": THOUGHT},
        "total_tokens": IN + OUT,
    }
    end = "incomplete" if answer.is_cut else "completed"
    made |= {"status": end, "usage": usage, "output": [item]}
    if answer.is_cut:
        made["incomplete_details"] = {"reason": "max_output_tokens"}
    yield event(f"response.{end}", response=made)


def _responses_item(answer: Answer) -> Mapping[str, object]:
    if answer.call is None:
        said = {"type": "output_text", "text": answer.text, "annotations": []}
        content = [said] if answer.text else []
        return {"type": "message", "id": "msg_1", "role": "assistant", "content": content}
    call = {"id": "ctc_1", "call_id": f"call_{uuid4().hex}", "name": answer.call.name}
    if answer.call.text is not None:
        return {"type": "custom_tool_call", "status": "completed", **call} | {
            "input": answer.call.text
        }
    arguments = json.dumps(answer.call.arguments)
    return {"type": "function_call", "status": "completed", **call, "arguments": arguments}


def _anthropic(body: Body, answer: Answer) -> Iterator[Event]:
    def event(kind: str, **fields: object) -> Event:
        return kind, {"type": kind, **fields}

    usage = {"input_tokens": IN - CACHED, "cache_read_input_tokens": CACHED, "output_tokens": 1}
    message = {"id": f"msg_{uuid4().hex}", "type": "message", "role": "assistant", "content": []}
    message |= {"model": body.get("model"), "stop_reason": None, "usage": usage}
    yield event("message_start", message=message)
    if answer.call is not None:
        block: dict[str, object] = {"type": "tool_use", "id": f"toolu_{uuid4().hex}"}
        block |= {"name": answer.call.name, "input": {}}
        written = json.dumps(answer.call.arguments)
        deltas = [{"type": "input_json_delta", "partial_json": written}]
    else:
        block = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in answer.pieces]
    if deltas:
        yield event("content_block_start", index=0, content_block=block)
        for delta in deltas:
            yield event("content_block_delta", index=0, delta=delta)
        yield event("content_block_stop", index=0)
    reason = "tool_use" if answer.call else "max_tokens" if answer.is_cut else "end_turn"
    end = {"stop_reason": reason, "stop_sequence": None}
    yield event("message_delta", delta=end, usage={"output_tokens": OUT})
    yield event("message_stop")


def _gemini(answer: Answer) -> Iterator[Event]:
    usage = {"promptTokenCount": IN, "cachedContentTokenCount": CACHED}
    usage |= {"candidatesTokenCount": OUT - THOUGHT, "thoughtsTokenCount": THOUGHT}
    usage |= {"totalTokenCount": IN + OUT}
    parts: list[dict[str, object]] = [{"text": piece} for piece in answer.pieces]
    if answer.call is not None:
        parts = [{"functionCall": {"name": answer.call.name, "args": answer.call.arguments}}]
    for part in parts:
        yield "", {"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}]}
    reason = "MAX_TOKENS" if answer.is_cut else "STOP"
    last = {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": reason}
    yield "", {"candidates": [{**last, "index": 0}], "usageMetadata": usage}


def _chat(answer: Answer) -> Iterator[Event]:
    def chunk(delta: Mapping[str, object], finish: str | None = None, **more: object) -> Event:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return "", {"id": "c1", "object": "chat.completion.chunk", "choices": [choice], **more}

    yield chunk({"role": "assistant", "content": ""})
    if answer.call is not None:
        written = json.dumps(answer.call.arguments)
        function = {"name": answer.call.name, "arguments": written}
        call = {"index": 0, "id": f"call_{uuid4().hex}", "type": "function", "function": function}
        yield chunk({"tool_calls": [call]})
    for piece in answer.pieces if answer.call is None else []:
        yield chunk({"content": piece})
    usage = {"prompt_tokens": IN, "completion_tokens": OUT, "total_tokens": IN + OUT}
    usage |= {"prompt_tokens_details": {"cached_tokens": CACHED}}
    usage |= {"completion_tokens_details": {"reasoning_tokens": THOUGHT}}
    reason = "tool_calls" if answer.call else "length" if answer.is_cut else "stop"
    yield chunk({}, reason, usage=usage)
