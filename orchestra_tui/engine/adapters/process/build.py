"""From settings to a process adapter.

The rule a reader must not break: a key is looked up here, at the last moment, and given to its own
client alone.
"""

from collections.abc import Callable, Mapping

from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings
from orchestra_tui.engine.adapters.base import Adapter
from orchestra_tui.engine.adapters.process.adapter import ProcessAdapter
from orchestra_tui.engine.adapters.process.claude import ClaudeClient
from orchestra_tui.engine.adapters.process.client import Client, ClientSettings
from orchestra_tui.engine.adapters.process.codex import CodexClient
from orchestra_tui.engine.adapters.process.gemini_cli import GeminiClient
from orchestra_tui.engine.adapters.process.opencode import OpencodeClient
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree
from orchestra_tui.engine.adapters.process.vibe import VibeClient

CLIENTS: Mapping[str, Callable[[], Client]] = {
    AdapterKind.CODEX: CodexClient,
    AdapterKind.CLAUDE: ClaudeClient,
    AdapterKind.GEMINI_CLI: GeminiClient,
    AdapterKind.OPENCODE: OpencodeClient,
    AdapterKind.VIBE: VibeClient,
}
_TIMEOUTS = {"first_byte_timeout", "idle_timeout"}


def client_key(settings: AdapterSettings, keys: Mapping[str, str]) -> str | None:
    """The key of a client, None if it is logged in by itself. Raises NotConfigured."""
    if not settings.api_key_env:
        return None
    if key := keys.get(settings.api_key_env, "").strip():
        return key
    raise NotConfigured(
        f"the adapter {settings.name} wants its key in {settings.api_key_env}, which is not "
        f"set: set it or run `orchestra keys set {settings.api_key_env}`, or remove api_key_env "
        "if the client is logged in by itself"
    )


def client_settings(
    settings: AdapterSettings, command: str | None, keys: Mapping[str, str]
) -> ClientSettings:
    """What one client needs to know of its settings. Raises NotConfigured without its key."""
    return ClientSettings(
        name=settings.name,
        command=command,
        model=settings.model or None,
        base_url=settings.base_url or None,
        key=client_key(settings, keys),
        keep=settings.env,
    )


def needed(tree: PrivateTree | None, adapter: str) -> PrivateTree:
    """The project that clients work in. Raises NotConfigured if there is none."""
    if tree is None:
        raise NotConfigured(f"the adapter {adapter} needs a project to work in")
    return tree


def has_own_pace(settings: AdapterSettings) -> bool:
    """True unless a person wrote how much silence is too much."""
    return not _TIMEOUTS & settings.model_fields_set


def client_program(settings: AdapterSettings) -> str:
    """The name or path of the program that is started."""
    return settings.program or CLIENTS[settings.kind]().program


def build_process_adapter(
    settings: AdapterSettings,
    environ: Mapping[str, str],
    tree: PrivateTree | None,
    *,
    keys: Mapping[str, str],
) -> Adapter:
    """The adapter for a client; `tree` makes the copies it runs in.

    Raises NotConfigured if its key was not found, or if there is no project to copy.
    """
    return ProcessAdapter(
        CLIENTS[settings.kind](),
        client_settings(settings, settings.program or None, keys),
        environ,
        needed(tree, settings.name),
        own_pace=has_own_pace(settings),
    )
