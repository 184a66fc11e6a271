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

BASE_URL = "ORCHESTRA_BASE_URL"
MODEL = "ORCHESTRA_MODEL"
API_KEY_ENV = "ORCHESTRA_API_KEY_ENV"
NAME_FROM_ENVIRONMENT = "environment"


def build_adapter(
    settings: AdapterSettings,
    environ: Mapping[str, str],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Adapter:
    """The adapter for one entry of the settings; `transport` replaces the network.

    Raises NotConfigured if the variable that should hold its key is not set, and UsageError for
    a base URL or key that cannot be used.
    """
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


def adapter_from_environment(environ: Mapping[str, str]) -> AdapterSettings | None:
    """The adapter that ORCHESTRA_BASE_URL and ORCHESTRA_MODEL describe; None if neither is set.

    ORCHESTRA_API_KEY_ENV names the variable that holds the key. Raises NotConfigured if only one
    of the two is set.
    """
    base_url, model = environ.get(BASE_URL, "").strip(), environ.get(MODEL, "").strip()
    if not base_url and not model:
        return None
    if not base_url or not model:
        missing = MODEL if base_url else BASE_URL
        raise NotConfigured(f"{BASE_URL} and {MODEL} go together: {missing} is not set")
    return AdapterSettings(
        name=NAME_FROM_ENVIRONMENT,
        base_url=base_url,
        model=model,
        api_key_env=environ.get(API_KEY_ENV, "").strip() or None,
    )
