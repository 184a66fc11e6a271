"""From settings to an adapter for an ACP agent.

The rule a reader must not break: whether the package is installed is looked up without loading
it, here and in the doctor, so that nobody waits for it who does not use it.
"""

import shlex
from collections.abc import Mapping
from importlib import metadata

from orchestra_tui.domain.errors import NotConfigured, UsageError
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.acp.agents import AGENTS, AcpClient, Agent, custom
from orchestra_tui.engine.adapters.acp.talk import AcpTalk
from orchestra_tui.engine.adapters.acp.terms import Terms
from orchestra_tui.engine.adapters.base import Adapter
from orchestra_tui.engine.adapters.process.adapter import ProcessAdapter
from orchestra_tui.engine.adapters.process.build import client_settings, has_own_pace, needed
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree

PACKAGE = "agent-client-protocol"
INSTALL = "pip install 'orchestra-tui[acp]'"


def require_package(adapter: str) -> None:
    """Raises NotConfigured, with the line that installs it, if the package is not there."""
    try:
        metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        raise NotConfigured(
            f"the adapter {adapter} needs the package {PACKAGE}: {INSTALL}"
        ) from None


def agent_of(settings: AdapterSettings) -> Agent:
    """The agent of these settings. Raises UsageError for a command that cannot be read."""
    known = AGENTS[settings.agent] if settings.agent else None
    command = settings.command
    try:
        words = tuple(shlex.split(command) if isinstance(command, str) else command)
    except ValueError as error:
        raise UsageError(f"the command of the adapter {settings.name}: {error}") from None
    if words:
        return custom(words, known)
    if known is None:
        raise UsageError(f"the adapter {settings.name} has no command")
    return known


def build_acp(
    settings: AdapterSettings,
    environ: Mapping[str, str],
    tree: PrivateTree | None,
    *,
    keys: Mapping[str, str],
) -> Adapter:
    """The adapter for an agent; `tree` makes the copies it works in.

    Raises NotConfigured if the package, its key or a project is missing, and UsageError for a
    command that cannot be read.
    """
    require_package(settings.name)
    agent = agent_of(settings)
    asked = {name for name in ("mode", "model") if getattr(settings, name)}
    terms = Terms(
        mode=settings.mode or agent.mode,
        model="" if agent.takes_model else settings.model,
        required=frozenset(asked),
        allow=frozenset(settings.allow),
        agent=settings.agent,
    )
    return ProcessAdapter(
        AcpClient(agent, settings.agent, allow=terms.allow),
        client_settings(settings, agent.program, keys),
        environ,
        needed(tree, settings.name),
        own_pace=has_own_pace(settings),
        talk=AcpTalk(terms),
        has_version=agent.answers_version,
    )
