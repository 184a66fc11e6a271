"""Anthropic Messages: what is sent, how its refusals are told apart, how its counts are read."""

from dataclasses import replace
from typing import Any

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.anthropic import MessagesDialect
from orchestra_tui.engine.adapters.anthropic_stream import MessageStream
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    ContextTooLong,
    Message,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
)
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.agents.schemas import AUDIT_SCHEMA
from tests.engine.adapter_wires import question
from tests.engine.test_adapter_presets_scenarios import adapter_for, answer, failure
from tests.stubs.dialects import ANTHROPIC, named, piece
from tests.stubs.openai_server import event, raw


@pytest.mark.parametrize(
    ("status", "fields", "kind"),
    [
        (402, {"type": "billing_error"}, QuotaExhausted),
        (
            400,
            {"message": "Your credit balance is too low to access the Anthropic API."},
            QuotaExhausted,
        ),
        (400, {"message": "You have reached your specified API usage limits."}, QuotaExhausted),
        (429, {"details": {"error_code": "enforced_spend_limit_reached"}}, QuotaExhausted),
        (429, {"details": {"error_code": "other"}}, RateLimited),
        (429, {"details": None}, RateLimited),
        (400, {"message": "prompt is too long: 9 tokens > 8 maximum"}, ContextTooLong),
        (400, {"message": "input length and `max_tokens` exceed context limit"}, ContextTooLong),
        (413, {"type": "request_too_large"}, ContextTooLong),
        (409, {"type": "conflict_error"}, ServerFailed),
        (504, {"type": "timeout_error"}, ServerFailed),
    ],
)
async def test_refusals(status: int, fields: dict[str, Any], kind: type[AdapterError]) -> None:
    caught = await failure(ANTHROPIC, ANTHROPIC.refusal(status, **fields))
    assert type(caught) is kind
    assert caught.is_retryable is kind.retryable


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL),
        ("refusal", FinishReason.FILTERED),
        ("pause_turn", FinishReason.UNKNOWN),
    ],
)
def test_why_it_ended(said: str, meant: FinishReason) -> None:
    stream = MessageStream(Origin("a"))
    stream.feed(f'{{"type": "message_delta", "delta": {{"stop_reason": "{said}"}}}}')
    assert stream.finish() is meant


async def test_later_counts_replace_earlier_ones() -> None:
    """A cumulative count that is added up would be paid for twice on the screen."""
    start = {"usage": {"input_tokens": 5, "cache_read_input_tokens": None, "output_tokens": 1}}
    app = raw(
        named("message_start", message=start),
        piece(type="text_delta", text="a"),
        named("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 3}),
        named(
            "message_delta",
            delta={"stop_reason": "end_turn"},
            usage={"output_tokens": 9, "input_tokens": 6},
        ),
        named("message_stop"),
    )
    completion, _ = await answer(ANTHROPIC, app)
    assert completion.usage == Usage(input_tokens=6, output_tokens=9)


async def test_what_the_cache_took_is_input_and_told_apart() -> None:
    counts = {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 3000,
        "output_tokens": 7,
    }
    app = raw(
        named("message_start", message={"usage": counts}),
        piece(type="text_delta", text="a"),
        named("message_delta", delta={"stop_reason": "end_turn"}),
        named("message_stop"),
    )
    completion, _ = await answer(ANTHROPIC, app)
    assert completion.usage == Usage(
        input_tokens=3210, output_tokens=7, cached_tokens=200, cache_write_tokens=3000
    )


async def test_pieces_that_are_no_text_are_no_answer() -> None:
    app = raw(
        ANTHROPIC.begin,
        piece(type="signature_delta", signature="x"),
        piece(type="input_json_delta", partial_json="{"),
        piece(type="citations_delta", citation={}),
        piece(type="something_new", text="no"),
        piece(type="text_delta", text="yes"),
        named("something_else"),
        ANTHROPIC.end("stop"),
    )
    completion, pieces = await answer(ANTHROPIC, app)
    assert (completion.text, pieces, completion.model) == ("yes", ["yes"], "c-1")


@pytest.mark.parametrize(
    "fields", [{"type": "message_start"}, {"type": "content_block_delta", "delta": "text"}]
)
async def test_wrong_shapes(fields: dict[str, Any]) -> None:
    assert "wrong shape" in str(await failure(ANTHROPIC, raw(event(fields))))


async def test_the_request_is_what_anthropic_expects() -> None:
    messages = (
        Message("system", "be brief"),
        Message("system", "be kind"),
        Message("user", "hello"),
        Message("assistant", "well"),
        Message("user", "go on"),
    )
    request = replace(question(), messages=messages, json_schema=AUDIT_SCHEMA)
    app = ANTHROPIC.answer("{}")
    async with adapter_for(ANTHROPIC, app, max_output_tokens=100) as (adapter, stub):
        await adapter.execute(request, lambda _: None)
        sent, body = stub.requests[0], stub.bodies[0]
    assert (sent.method, sent.path) == ("POST", "/v1/messages")
    assert sent.headers["x-api-key"].startswith("k-very")
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in sent.headers
    output: Any = body.pop("output_config")
    assert body == {
        "model": "m",
        "max_tokens": 100,
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "well"},
            {"role": "user", "content": "go on"},
        ],
        "stream": True,
        "system": "be brief\n\nbe kind",
    }
    assert output["format"]["type"] == "json_schema"
    assert output["format"]["schema"]["required"] == ["verdict", "issues", "end"]
    assert output["format"]["schema"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, {"max_tokens": 32_000}),
        ({"thinking": False}, {"max_tokens": 32_000, "thinking": {"type": "disabled"}}),
        ({"thinking": True}, {"max_tokens": 32_000, "thinking": {"type": "adaptive"}}),
        (
            {"thinking_budget": 2000},
            {"max_tokens": 34_000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        ),
        ({"effort": "low"}, {"max_tokens": 32_000, "output_config": {"effort": "low"}}),
    ],
)
def test_limits_and_thinking(fields: dict[str, Any], meant: dict[str, Any]) -> None:
    body = MessagesDialect("m", **fields).outgoing(question()).body
    names = ("max_tokens", "thinking", "output_config")
    assert {name: body[name] for name in names if name in body} == meant
