"""GLM: its codes, of which 429 tells nothing, and `thinking` beside a chat completion."""

from dataclasses import replace
from typing import Any

import pytest

from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    ContextTooLong,
    ModelNotFound,
    OutputFiltered,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from orchestra_tui.engine.adapters.glm_errors import GLM_CODES
from tests.engine.adapter_wires import question
from tests.engine.test_adapter_presets_scenarios import adapter_for, failure
from tests.stubs.dialects import GLM, OPENAI, WireDialect
from tests.stubs.openai_server import delta, event, raw

BY_CODE = [
    *((401, code, AuthenticationFailed) for code in ("1000", "1001", "1002", "1003", "1004")),
    *(
        (429, code, QuotaExhausted)
        for code in ("1113", "1304", "1308", "1309", "1310", "1311", "1313")
    ),
    (429, "1302", RateLimited),
    (429, "1303", RateLimited),
    (429, "1305", Overloaded),
    (429, "1312", Overloaded),
    (400, "1210", RequestRefused),
    (400, "1211", ModelNotFound),
    (400, "1212", RequestRefused),
    (400, "1213", RequestRefused),
    (400, "1214", RequestRefused),
    (400, "1215", RequestRefused),
    (403, "1220", AuthenticationFailed),
    (400, "1261", ContextTooLong),
    (400, "1301", OutputFiltered),
    (500, "1234", ServerFailed),
    (500, "500", ServerFailed),
    (429, "9999", RateLimited),
]


@pytest.mark.parametrize("dialect", [GLM, OPENAI], ids=["glm", "openai_compatible"])
@pytest.mark.parametrize(("status", "code", "kind"), BY_CODE)
async def test_codes_go_before_the_status(
    dialect: WireDialect, status: int, code: str, kind: type[AdapterError]
) -> None:
    caught = await failure(dialect, GLM.refusal(status, code=code))
    assert type(caught) is kind
    assert caught.is_retryable is kind.retryable


def test_every_code_is_in_the_table() -> None:
    assert {code for _, code, _ in BY_CODE} >= set(GLM_CODES)


async def test_a_used_up_window_shows_when_it_comes_back() -> None:
    words = "Usage limit reached for 5 hour. Your limit will reset at 2026-11-23 18:00:00"
    caught = await failure(GLM, GLM.refusal(429, code="1308", message=words))
    assert (type(caught), caught.retry_after) == (QuotaExhausted, None)
    assert "2026-11-23 18:00:00" in str(caught)


@pytest.mark.parametrize(
    ("code", "kind"), [("1302", RateLimited), ("1113", QuotaExhausted), ("1301", OutputFiltered)]
)
async def test_an_error_in_mid_answer_goes_by_its_code(code: str, kind: type[AdapterError]) -> None:
    caught = await failure(GLM, raw(delta("half"), event(GLM.error(429, code=code))))
    assert (type(caught), caught.partial) == (kind, "half")


async def test_an_answer_that_the_network_ended_may_be_asked_again() -> None:
    caught = await failure(GLM, raw(delta("half", finish="network_error")))
    assert (type(caught), caught.is_retryable) == (ServerFailed, True)


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, {"response_format": {"type": "json_object"}}),
        ({"structured_output": "json_schema"}, {"response_format": {"type": "json_object"}}),
        ({"structured_output": "off"}, {}),
        (
            {"thinking": True, "structured_output": "off"},
            {"thinking": {"type": "enabled"}},
        ),
        (
            {"thinking": False, "effort": "low", "structured_output": "off"},
            {"thinking": {"type": "disabled"}, "reasoning_effort": "low"},
        ),
        ({"max_output_tokens": 9, "structured_output": "off"}, {"max_tokens": 9}),
    ],
)
async def test_the_request_is_what_glm_expects(
    fields: dict[str, Any], meant: dict[str, Any]
) -> None:
    request = replace(question(), json_schema={"type": "object"})
    async with adapter_for(GLM, GLM.answer("{}"), model="glm-4.7", **fields) as (adapter, stub):
        await adapter.execute(request, lambda _: None)
        sent, body = stub.requests[0], stub.bodies[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"].startswith("Bearer k-very")
    common = {
        "model": "glm-4.7",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hello"},
        ],
        "stream": True,
    }
    assert body == common | meant


@pytest.mark.parametrize(
    ("preset", "base_url"),
    [
        (None, "https://api.z.ai/api/paas/v4"),
        ("zai", "https://api.z.ai/api/paas/v4"),
        ("zai-coding", "https://api.z.ai/api/coding/paas/v4"),
        ("bigmodel", "https://open.bigmodel.cn/api/paas/v4"),
        ("bigmodel-coding", "https://open.bigmodel.cn/api/coding/paas/v4"),
    ],
)
def test_addresses(preset: str | None, base_url: str) -> None:
    settings = AdapterSettings.model_validate(
        {"name": "g", "kind": "glm", "preset": preset, "model": "glm-4.7"}
    )
    assert settings.base_url == base_url
