"""From settings to adapters: one builder per kind, ours or another package's.

The rule a reader must not break: a key is looked up here, at the last moment, and handed to the
adapter as a secret; settings hold only the name of its variable. Keys that were found elsewhere
than in the environment are never mixed into it: programs that we start inherit from it.
"""

from collections.abc import Callable, Mapping

import httpx
from pydantic import SecretStr

from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings
from orchestra_tui.engine.adapters.acp.build import build_acp
from orchestra_tui.engine.adapters.anthropic import build_anthropic
from orchestra_tui.engine.adapters.base import Adapter
from orchestra_tui.engine.adapters.gemini import build_gemini
from orchestra_tui.engine.adapters.glm import build_glm
from orchestra_tui.engine.adapters.key_guard import guarded
from orchestra_tui.engine.adapters.local.adapter import build_local
from orchestra_tui.engine.adapters.local.models import LocalModels
from orchestra_tui.engine.adapters.openai_compatible import build_openai_compatible
from orchestra_tui.engine.adapters.plugins import build_plugin, is_foreign
from orchestra_tui.engine.adapters.process.build import CLIENTS, build_process_adapter
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree
from orchestra_tui.engine.adapters.streaming import Access

Transport = httpx.AsyncBaseTransport | None
Builder = Callable[[AdapterSettings, Mapping[str, str], Transport], Adapter]
"""Settings, the keys and, for a test or the rehearsal, what replaces the network."""


def build_adapter(
    settings: AdapterSettings,
    environ: Mapping[str, str],
    *,
    keys: Mapping[str, str] | None = None,
    transport: Transport = None,
    tree: PrivateTree | None = None,
    models: LocalModels | None = None,
) -> Adapter:
    """The adapter for one entry of the settings; `transport` replaces the network.

    `keys` are the keys that were found, by name; without them the environment has them all.
    `tree` makes the copies of the project that agent programs run in. `models` are the model files
    in use, shared by adapters; without it the adapter has its own.

    Raises NotConfigured if its key was not found, and UsageError for settings that cannot be used.
    """
    found = environ if keys is None else keys
    if settings.kind is AdapterKind.LOCAL:
        owned = LocalModels(environ) if models is None else models
        adapter: Adapter = build_local(settings, owned, owns=models is None)
    else:
        adapter = _built(settings, environ, found, transport, tree)
    return guarded(adapter, settings, environ, keys)


def _built(
    settings: AdapterSettings,
    environ: Mapping[str, str],
    keys: Mapping[str, str],
    transport: Transport,
    tree: PrivateTree | None,
) -> Adapter:
    if settings.kind is AdapterKind.ACP:
        return build_acp(settings, environ, tree, keys=keys)
    if settings.kind in CLIENTS:
        return build_process_adapter(settings, environ, tree, keys=keys)
    if is_foreign(settings):
        return build_plugin(settings, api_key(settings, keys))
    return BUILDERS[settings.kind](settings, keys, transport)


def api_key(settings: AdapterSettings, keys: Mapping[str, str]) -> SecretStr | None:
    """The key of this adapter, None if it has none. Raises NotConfigured if it was not found."""
    if not settings.api_key_env:
        return None
    text = keys.get(settings.api_key_env, "").strip()
    if text:
        return SecretStr(text)
    raise NotConfigured(
        f"the adapter {settings.name} wants its key in {settings.api_key_env}, which is not set: "
        f"set it or run `orchestra keys set {settings.api_key_env}`, or remove api_key_env (with "
        "a preset: set it to '') if the server needs no key"
    )


def _over_http(build: Callable[[AdapterSettings, Access], Adapter]) -> Builder:
    def built(settings: AdapterSettings, keys: Mapping[str, str], transport: Transport) -> Adapter:
        access = Access(
            name=settings.name,
            base_url=settings.base_url,
            model=settings.model,
            api_key=api_key(settings, keys),
            key_env=settings.api_key_env or None,
            transport=transport,
        )
        return build(settings, access)

    return built


BUILDERS: Mapping[str, Builder] = {
    AdapterKind.OPENAI_COMPATIBLE: _over_http(build_openai_compatible),
    AdapterKind.GEMINI: _over_http(build_gemini),
    AdapterKind.GLM: _over_http(build_glm),
    AdapterKind.ANTHROPIC: _over_http(build_anthropic),
}
