"""From settings to adapters.

The rule a reader must not break: a key is read from the environment here, at the last moment, and
handed to the adapter as a secret; settings hold only the name of its variable.
"""

from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import Adapter
from orchestra_tui.engine.adapters.openai_compatible import OpenAICompatibleAdapter
from orchestra_tui.engine.adapters.process.build import CLIENTS, build_process_adapter
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree


def build_adapter(
    settings: AdapterSettings,
    environ: Mapping[str, str],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    tree: PrivateTree | None = None,
) -> Adapter:
    """The adapter for one entry of the settings; `transport` replaces the network.

    `tree` makes the copies of the project that agent programs run in.

    Raises NotConfigured if the variable that should hold its key is not set, and UsageError for
    a base URL or key that cannot be used.
    """
    if settings.kind in CLIENTS:
        return build_process_adapter(settings, environ, tree)
    key: SecretStr | None = None
    if settings.api_key_env:
        text = environ.get(settings.api_key_env, "").strip()
        if not text:
            raise NotConfigured(
                f"the adapter {settings.name} wants its key in {settings.api_key_env}, which is "
                "not set: set it, or remove api_key_env if the server needs no key"
            )
        key = SecretStr(text)
    return OpenAICompatibleAdapter(
        settings.name,
        settings.base_url,
        settings.model,
        key,
        key_env=settings.api_key_env,
        transport=transport,
        max_output_tokens=settings.max_output_tokens,
    )
