"""Presets: what a name fills in, what is refused, and what then goes over the wire."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from orchestra_tui.config import load_settings
from orchestra_tui.domain.errors import NotConfigured, UsageError
from orchestra_tui.domain.presets import PRESETS
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings
from orchestra_tui.engine.adapters.base import ContextTooLong, RequestRefused
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.agents.schemas import AUDIT_SCHEMA
from tests.engine.adapter_wires import question
from tests.engine.test_adapter_presets_scenarios import adapter_for
from tests.stubs.dialects import OPENAI

ASKING = replace(question(), json_schema=AUDIT_SCHEMA, max_output_tokens=50)
USAGE = {"include_usage": True}


def settings(**fields: object) -> AdapterSettings:
    return AdapterSettings.model_validate({"name": "x", **fields})


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_builds_an_adapter(name: str) -> None:
    found = settings(preset=name, model="m")
    adapter = build_adapter(found, {found.api_key_env or "": "key-0123456789"})
    assert adapter.info().model == "m"
    assert adapter.info().provider in found.base_url
    is_local = found.base_url.startswith("http://127.0.0.1")
    assert is_local is (found.api_key_env is None)


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].get("api_key_env")])
def test_a_service_without_its_key_is_not_asked(name: str) -> None:
    with pytest.raises(NotConfigured, match=str(PRESETS[name]["api_key_env"])):
        build_adapter(settings(preset=name, model="m"), {})


def test_what_is_written_goes_before_the_preset() -> None:
    found = settings(
        preset="openai",
        model="m",
        base_url="https://proxy.invalid/v1",
        api_key_env="",
        structured_output="off",
    )
    assert found.base_url == "https://proxy.invalid/v1"
    assert found.structured_output == "off"
    build_adapter(found, {})


def test_the_usual_key_is_not_sent_to_another_address_unasked() -> None:
    found = settings(kind="gemini", model="m", base_url="https://proxy.invalid/v1beta")
    assert found.api_key_env is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "m"}, "openai_compatible needs base_url, or a preset"),
        ({}, "needs base_url and model, or a preset"),
        ({"preset": "gemini"}, "gemini needs model"),
        ({"preset": "olama", "model": "m"}, "there is no preset 'olama'; there are openai, "),
        ({"preset": "ollama", "kind": "gemini", "model": "m"}, "of kind openai_compatible"),
        ({"preset": "ollama", "model": "m", "thinking": True}, "thinking is not for openai"),
        ({"kind": "gemini", "model": "m", "stream_usage": False}, "stream_usage is not for gem"),
        ({"kind": "glm", "model": "m", "thinking_budget": 5}, "thinking_budget is not for glm"),
        ({"kind": "No!", "model": "m"}, "kind"),
    ],
)
def test_what_is_missing_or_ignored_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**fields)


def test_glm_may_be_reached_by_plain_chat_completions() -> None:
    found = settings(preset="zai", kind="openai_compatible", model="glm-4.7")
    assert (found.kind, found.api_key_env) == (AdapterKind.OPENAI_COMPATIBLE, "ZAI_API_KEY")


def test_a_settings_value_survives_being_stored() -> None:
    found = settings(preset="ollama", model="m")
    assert AdapterSettings.model_validate_json(found.model_dump_json()) == found


def test_a_preset_in_the_file_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[adapters.local]\npreset = "ollama"\nmodel = "q"\n')
    loaded = load_settings({"ORCHESTRA_CONFIG": str(path)})
    assert loaded.adapters[0].base_url == "http://127.0.0.1:11434/v1"
    path.write_text('[adapters.local]\npreset = "nope"\nmodel = "q"\n')
    with pytest.raises(UsageError, match=r"toml: adapters\.local: there is no preset 'nope'"):
        load_settings({"ORCHESTRA_CONFIG": str(path)})


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, {"stream_options": USAGE, "max_tokens": 50}),
        (
            {"preset": "openai"},
            {"stream_options": USAGE, "max_completion_tokens": 50, "response_format": "schema"},
        ),
        ({"preset": "mistral"}, {"max_tokens": 50, "response_format": "schema"}),
        (
            {"preset": "deepseek", "effort": "high"},
            {
                "stream_options": USAGE,
                "max_tokens": 50,
                "response_format": {"type": "json_object"},
                "reasoning_effort": "high",
            },
        ),
        (
            {"preset": "llamacpp", "structured_output": "off"},
            {"stream_options": USAGE, "max_tokens": 50},
        ),
    ],
)
async def test_the_switches_of_a_dialect(fields: dict[str, Any], meant: dict[str, Any]) -> None:
    async with adapter_for(OPENAI, OPENAI.answer("{}"), **fields) as (adapter, stub):
        await adapter.execute(ASKING, lambda _: None)
        body = stub.bodies[0]
    for name in ("model", "messages", "stream"):
        body.pop(name)
    if meant.get("response_format") == "schema":
        held = {"name": "reply", "strict": True, "schema": AUDIT_SCHEMA}
        meant = {**meant, "response_format": {"type": "json_schema", "json_schema": held}}
    assert body == meant


async def test_without_a_schema_nothing_is_held_to_json() -> None:
    async with adapter_for(OPENAI, OPENAI.answer("text"), preset="openai") as (adapter, stub):
        await adapter.execute(question(), lambda _: None)
    assert "response_format" not in stub.bodies[0]


@pytest.mark.parametrize(("form", "is_named"), [("json_schema", True), ("off", False)])
async def test_a_server_that_refuses_schemas_is_told_how_to_go_without(
    form: str, is_named: bool
) -> None:
    app = OPENAI.refusal(400, message="response_format: extra inputs are not permitted")
    async with adapter_for(OPENAI, app, structured_output=form) as (adapter, _):
        with pytest.raises(RequestRefused) as caught:
            await adapter.execute(ASKING, lambda _: None)
    assert ("structured_output" in str(caught.value)) is is_named


async def test_one_request_above_the_limit_of_a_minute_is_too_long() -> None:
    words = "Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 40000."
    app = OPENAI.refusal(429, code="rate_limit_exceeded", message=words)
    async with adapter_for(OPENAI, app) as (adapter, _):
        with pytest.raises(ContextTooLong):
            await adapter.execute(question(), lambda _: None)
