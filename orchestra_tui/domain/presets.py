"""Well-known services and servers by name: settings that need not be looked up.

The rule a reader must not break: a preset is nothing but settings under a name. What a person
writes goes before it, field by field, and no code asks which preset was named.
"""

from collections.abc import Mapping
from typing import Any

_LOCAL = {
    "kind": "openai_compatible",
    "structured_output": "json_schema",
    "first_byte_timeout": 300.0,
}
"""A server on this machine may first have to load its model, which takes minutes."""
_GLM = {"kind": "glm", "structured_output": "json_object"}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "openai": {
        "kind": "openai_compatible",
        "base_url": "https://api.openai.com/v1",
        "api_key_env": "OPENAI_API_KEY",
        "structured_output": "json_schema",
        # Models that think refuse `max_tokens`.
        "token_limit_field": "max_completion_tokens",
    },
    "mistral": {
        "kind": "openai_compatible",
        "base_url": "https://api.mistral.ai/v1",
        "api_key_env": "MISTRAL_API_KEY",
        "structured_output": "json_schema",
        # It refuses fields it does not know, and sends the usage without being asked.
        "stream_usage": False,
    },
    "openrouter": {
        "kind": "openai_compatible",
        "base_url": "https://openrouter.ai/api/v1",
        "api_key_env": "OPENROUTER_API_KEY",
        "structured_output": "json_schema",
    },
    "deepseek": {
        "kind": "openai_compatible",
        "base_url": "https://api.deepseek.com/v1",
        "api_key_env": "DEEPSEEK_API_KEY",
        "structured_output": "json_object",
    },
    "ollama": {**_LOCAL, "base_url": "http://127.0.0.1:11434/v1"},
    "lmstudio": {**_LOCAL, "base_url": "http://127.0.0.1:1234/v1"},
    "llamacpp": {**_LOCAL, "base_url": "http://127.0.0.1:8080/v1"},
    "vllm": {**_LOCAL, "base_url": "http://127.0.0.1:8000/v1"},
    "zai": {**_GLM, "base_url": "https://api.z.ai/api/paas/v4", "api_key_env": "ZAI_API_KEY"},
    "zai-coding": {
        **_GLM,
        "base_url": "https://api.z.ai/api/coding/paas/v4",
        "api_key_env": "ZAI_API_KEY",
    },
    "bigmodel": {
        **_GLM,
        "base_url": "https://open.bigmodel.cn/api/paas/v4",
        "api_key_env": "ZHIPUAI_API_KEY",
    },
    "bigmodel-coding": {
        **_GLM,
        "base_url": "https://open.bigmodel.cn/api/coding/paas/v4",
        "api_key_env": "ZHIPUAI_API_KEY",
    },
    "gemini": {
        "kind": "gemini",
        "base_url": "https://generativelanguage.googleapis.com/v1beta",
        "api_key_env": "GEMINI_API_KEY",
        "structured_output": "json_schema",
    },
    "anthropic": {
        "kind": "anthropic",
        "base_url": "https://api.anthropic.com/v1",
        "api_key_env": "ANTHROPIC_API_KEY",
        "structured_output": "json_schema",
    },
}
"""Fields of `AdapterSettings` by preset. Addresses and dialects are documented by the services;
a key is named where there is one, and its variable must then be set."""

PRESET_OF_KIND: Mapping[str, str] = {"gemini": "gemini", "glm": "zai", "anthropic": "anthropic"}
"""What a kind stands for when neither preset nor `base_url` is given."""


_OF_KIND: Mapping[str, Mapping[str, Any]] = {
    # The model has first to be loaded, which takes minutes for a large file.
    "local": {"structured_output": "json_schema", "first_byte_timeout": 300.0},
}
"""Defaults of kinds that no preset stands for."""


def with_preset(written: Mapping[str, Any]) -> dict[str, Any]:
    """What was written for one adapter, completed from its preset; a field that is None counts
    as not written. Raises ValueError for a preset that is none, or is of another kind.
    """
    fields = {name: value for name, value in written.items() if value is not None}
    kind = fields.get("kind")
    if kind == "acp":
        # Agents have names of their own, and some are those of services.
        agent = fields.pop("preset", None)
        return {"agent": agent, **fields} if agent else fields
    name = fields.get("preset") or PRESET_OF_KIND.get(str(kind or ""))
    if name is None:
        return {**_OF_KIND.get(str(kind), {}), **fields}
    preset = PRESETS.get(str(name))
    if preset is None:
        raise ValueError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
    of_kind = preset["kind"]
    # GLM's address also takes plain chat completions.
    if kind not in {None, of_kind} and (kind, of_kind) != ("openai_compatible", "glm"):
        raise ValueError(f"the preset {name!r} is of kind {of_kind}, not {kind}")
    if "preset" not in fields and "base_url" in fields:
        # Another address than the usual one: the usual key must not be sent there unasked.
        preset = {field: value for field, value in preset.items() if field != "api_key_env"}
    return {**preset, **fields}
