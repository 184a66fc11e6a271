"""Gemini: what is sent, how its many refusals are told apart, and what only its stream does."""

import json
from typing import Any

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    CompletionRequest,
    ContextTooLong,
    Message,
    OutputFiltered,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from orchestra_tui.engine.adapters.gemini import GeminiDialect
from orchestra_tui.engine.adapters.gemini_stream import GeminiStream
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.agents.schemas import PLAN_SCHEMA
from tests.engine.adapter_wires import question
from tests.engine.test_adapter_presets_scenarios import adapter_for, answer, failure
from tests.stubs.dialects import GEMINI, gemini_chunk
from tests.stubs.openai_server import raw

RPC = "type.googleapis.com/google.rpc."


def quota(quota_id: str, delay: str | None = None) -> list[dict[str, Any]]:
    violations = [{"quotaId": quota_id, "quotaMetric": "requests", "quotaValue": "10"}]
    details: list[dict[str, Any]] = [{"@type": f"{RPC}QuotaFailure", "violations": violations}]
    return [*details, {"@type": f"{RPC}RetryInfo", "retryDelay": delay}] if delay else details


MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
KEY_INVALID = [{"@type": f"{RPC}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "g"}]


@pytest.mark.parametrize(
    ("status", "fields", "kind", "retry_after"),
    [
        (429, {"details": quota(MINUTE, "34.074824224s")}, RateLimited, 34.074824224),
        (429, {"details": quota(MINUTE, "900ms")}, RateLimited, 0.9),
        (429, {"details": quota(MINUTE, "60s")}, RateLimited, 60.0),
        (429, {"details": quota(MINUTE, "999999999999s")}, RateLimited, 86_400.0),
        (429, {"details": quota(MINUTE, "-3s")}, RateLimited, None),
        (429, {"details": quota(MINUTE, "soon")}, RateLimited, None),
        (429, {"message": "Please retry in 12.3s."}, RateLimited, 12.3),
        (429, {"details": quota(DAY, "34s")}, QuotaExhausted, None),
        (429, {"details": quota("TokensDailyLimit")}, QuotaExhausted, None),
        (429, {"message": "Quota exceeded, limit: 0, model: x"}, QuotaExhausted, None),
        (429, {"details": "none"}, RateLimited, None),
        (400, {"details": KEY_INVALID}, AuthenticationFailed, None),
        (400, {"message": "API key not valid. Please pass one."}, AuthenticationFailed, None),
        (400, {"message": "API key expired. Renew it."}, AuthenticationFailed, None),
        (400, {"status": "FAILED_PRECONDITION"}, RequestRefused, None),
        (
            400,
            {"message": "The input token count (9) exceeds the maximum number of tokens"},
            ContextTooLong,
            None,
        ),
        (503, {"details": quota(MINUTE, "5s")[1:]}, Overloaded, 5.0),
        (504, {"status": "DEADLINE_EXCEEDED"}, ServerFailed, None),
    ],
)
async def test_refusals(
    status: int, fields: dict[str, Any], kind: type[AdapterError], retry_after: float | None
) -> None:
    caught = await failure(GEMINI, GEMINI.refusal(status, **fields))
    assert (type(caught), caught.retry_after) == (kind, retry_after)


async def test_an_error_in_the_stream_is_read_with_its_details() -> None:
    broken = json.dumps(GEMINI.error(429, details=quota(MINUTE, "8s"))).encode()
    caught = await failure(GEMINI, raw(GEMINI.said("a"), b"data: " + broken + b"\n\n"))
    assert (type(caught), caught.retry_after, caught.partial) == (RateLimited, 8.0, "a")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("STOP", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("SAFETY", FinishReason.FILTERED),
        ("RECITATION", FinishReason.FILTERED),
        ("PROHIBITED_CONTENT", FinishReason.FILTERED),
        ("IMAGE_SAFETY", FinishReason.FILTERED),
        ("MALFORMED_FUNCTION_CALL", FinishReason.ERROR),
        ("OTHER", FinishReason.UNKNOWN),
        ("SOMETHING_NEW", FinishReason.UNKNOWN),
    ],
)
def test_why_it_ended(said: str, meant: FinishReason) -> None:
    stream = GeminiStream(Origin("g"))
    stream.feed(gemini_chunk({"text": "a"}, finish=said).decode()[6:])
    assert stream.finish() is meant


def test_a_reason_that_is_not_specified_is_none() -> None:
    stream = GeminiStream(Origin("g"))
    stream.feed('{"candidates": [{"finishReason": "FINISH_REASON_UNSPECIFIED"}]}')
    assert not stream.has_reason


@pytest.mark.parametrize("content", ['"x"', '{"parts": 1}'])
def test_wrong_shapes(content: str) -> None:
    with pytest.raises(AdapterError, match="wrong shape"):
        GeminiStream(Origin("g")).feed(f'{{"candidates": [{{"content": {content}}}]}}')


def test_counts_that_are_missing_stay_unknown() -> None:
    stream = GeminiStream(Origin("g"))
    stream.feed('{"usageMetadata": {"promptTokenCount": 7, "toolUsePromptTokenCount": 2}}')
    assert stream.usage == Usage(input_tokens=9)
    stream.feed('{"usageMetadata": {"promptTokenCount": true, "thoughtsTokenCount": 500}}')
    assert stream.usage == Usage(output_tokens=500, reasoning_tokens=500)


async def test_a_blocked_prompt_says_why() -> None:
    caught = await failure(GEMINI, raw(GEMINI.blocked))
    assert isinstance(caught, OutputFiltered)
    assert "PROHIBITED_CONTENT" in str(caught)


async def test_the_model_that_answered_is_named() -> None:
    completion, _ = await answer(GEMINI, GEMINI.answer("a"))
    assert completion.model == "g-1"


async def test_the_request_is_what_gemini_expects() -> None:
    request = CompletionRequest(
        key=CallKey("k"),
        role=Role.ARCHITECT,
        path=None,
        task="t",
        messages=(
            Message("system", "be brief"),
            Message("user", "hello"),
            Message("assistant", "well"),
            Message("user", "go on"),
        ),
        json_schema=PLAN_SCHEMA,
        max_output_tokens=100,
    )
    app = GEMINI.answer("{}")
    async with adapter_for(GEMINI, app, model="gemini-x?y", thinking_budget=50) as (adapter, stub):
        await adapter.execute(request, lambda _: None)
        sent = stub.requests[0]
        body = stub.bodies[0]
    assert sent.path == "/v1/models/gemini-x%3Fy:streamGenerateContent?alt=sse"
    assert sent.headers["x-goog-api-key"].startswith("k-very")
    assert body["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "hello"}]},
        {"role": "model", "parts": [{"text": "well"}]},
        {"role": "user", "parts": [{"text": "go on"}]},
    ]
    configuration: Any = body["generationConfig"]
    schema = configuration.pop("responseJsonSchema")
    assert configuration == {
        "maxOutputTokens": 150,
        "responseMimeType": "application/json",
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 50},
    }
    assert schema["required"] == PLAN_SCHEMA["required"]
    step = schema["properties"]["steps"]["items"]["properties"]
    # Words that Gemini does not know are gone, names that look like words are not.
    assert "pattern" not in step["id"]
    assert step["change"]["enum"] == ["create", "modify", "delete", "rename"]
    assert "enum" not in schema["properties"]["end"]


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, {"includeThoughts": True}),
        ({"thinking": False}, {"thinkingBudget": 0}),
        ({"effort": "low"}, {"includeThoughts": True, "thinkingLevel": "low"}),
        ({"thinking_budget": -1}, {"includeThoughts": True, "thinkingBudget": -1}),
    ],
)
def test_thinking(fields: dict[str, Any], meant: dict[str, Any]) -> None:
    body: Any = GeminiDialect("m", **fields).outgoing(question()).body
    assert body["generationConfig"]["thinkingConfig"] == meant
    assert "responseMimeType" not in body["generationConfig"]
