"""The agents whose ways are known: how each is started so that it asks, and what it leaves unsaid.

The rule a reader must not break: an agent is started in a mode that asks before it writes, so
that the policy decides; what it needs of its vendor (variables, settings of its own) is what the
vendor's command line needs, and is taken from there.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from orchestra_tui.domain.presets import PRESETS
from orchestra_tui.domain.settings import AcpAgent, Permission
from orchestra_tui.engine.adapters.acp.reader import AcpReader
from orchestra_tui.engine.adapters.process.claude import ClaudeClient
from orchestra_tui.engine.adapters.process.client import Client, ClientSettings, Job, Launch
from orchestra_tui.engine.adapters.process.codex import CodexClient, overrides
from orchestra_tui.engine.adapters.process.events import EventReader
from orchestra_tui.engine.adapters.process.gemini_cli import GeminiClient
from orchestra_tui.engine.adapters.process.opencode import OpencodeClient
from orchestra_tui.engine.adapters.process.vibe import VibeClient


@dataclass(frozen=True)
class Agent:
    """One agent. `client` is the command line of its vendor, None for an unknown one.

    `mode` is asked for where the agent offers it. With `continues`, a message that follows another
    without a tool between is the rest of it. With `counts_last`, its tokens are those of the last
    request of a turn. `takes_model` says that the model is chosen at the start.
    """

    program: str
    arguments: tuple[str, ...] = ()
    client: Callable[[], Client] | None = None
    mode: str = ""
    continues: bool = False
    counts_last: bool = False
    takes_model: bool = False
    answers_version: bool = True
    """False: it would start to serve when asked for its version."""
    names: tuple[str, ...] = field(default=())
    """Further variables it may see."""


AGENTS: Mapping[AcpAgent, Agent] = {
    AcpAgent.GEMINI: Agent(
        program="gemini",
        arguments=("--acp", "--skip-trust"),
        client=GeminiClient,
        mode="default",
        takes_model=True,
    ),
    AcpAgent.CLAUDE: Agent(
        program="claude-agent-acp",
        client=ClaudeClient,
        mode="default",
        continues=True,
        answers_version=False,
    ),
    AcpAgent.CODEX: Agent(
        program="codex-acp",
        client=CodexClient,
        # Its read-only sandbox asks before each write; "agent" writes without asking.
        mode="read-only",
        takes_model=True,
        answers_version=False,
    ),
    AcpAgent.OPENCODE: Agent(
        program="opencode",
        arguments=("acp", "--print-logs", "--log-level", "ERROR"),
        client=OpencodeClient,
        counts_last=True,
        takes_model=True,
    ),
    AcpAgent.VIBE: Agent(
        program="vibe-acp",
        client=VibeClient,
        mode="ask",
        # It does, after five seconds.
        answers_version=False,
    ),
}


class AcpClient:
    """How an agent is started and read; `process.client.Client` for the adapter around it."""

    name = "acp"
    first_event = 240.0
    between_events = 240.0

    def __init__(
        self,
        agent: Agent,
        kind: AcpAgent | None = None,
        *,
        allow: frozenset[Permission] = frozenset(),
    ) -> None:
        vendor = agent.client() if agent.client else None
        self._agent = agent
        self._kind = kind
        self._allow = allow
        self._vendor = vendor
        self.program = agent.program
        self.provider = vendor.provider if vendor else PurePath(agent.program).name
        self.keys: tuple[str, ...] = (vendor.keys if vendor else ()) + agent.names

    def launch(self, settings: ClientSettings, job: Job) -> Launch:
        """The agent's arguments with the variables and files of its vendor's command line."""
        if self._kind is AcpAgent.CODEX and settings.key and not settings.base_url:
            # Logged in with a key, it would keep that in the user's own settings.
            settings = replace(settings, base_url=PRESETS["openai"]["base_url"])
        own = self._vendor.launch(settings, job) if self._vendor else Launch(())
        environment = dict(own.environment)
        arguments = list(self._agent.arguments)
        match self._kind:
            case AcpAgent.GEMINI if settings.model:
                arguments += ["-m", settings.model]
            case AcpAgent.CLAUDE:
                # What it retries it tells nobody.
                environment["CLAUDE_CODE_MAX_RETRIES"] = "0"
            case AcpAgent.CODEX:
                environment["CODEX_CONFIG"] = json.dumps(_nested(overrides(settings)))
            case AcpAgent.OPENCODE:
                environment["OPENCODE_CONFIG_CONTENT"] = _asking(own, settings, job, self._allow)
        # Most end at once on SIGTERM; SIGINT is a person's key, and some only cancel on it.
        return Launch(tuple(arguments), environment, own.files)

    def reader(self) -> EventReader:
        """A reader for one turn; it hears on standard error what the vendor's reader hears."""
        ear = self._vendor.reader() if self._vendor else None
        return AcpReader(
            continues=self._agent.continues, counts_last=self._agent.counts_last, ear=ear
        )


def custom(command: tuple[str, ...], base: Agent | None = None) -> Agent:
    """An agent by its command: arguments of its own take the place of the usual ones."""
    program, *arguments = command
    if base is None:
        return Agent(program=program, arguments=tuple(arguments), answers_version=False)
    return replace(base, program=program, arguments=tuple(arguments) or base.arguments)


def _nested(dotted: Mapping[str, str]) -> dict[str, object]:
    """`a.b=1` of the command line as the object that the agent takes."""
    tree: dict[str, object] = {}
    for name, value in dotted.items():
        *folders, last = name.split(".")
        place = tree
        for folder in folders:
            inner = place.setdefault(folder, {})
            if isinstance(inner, dict):
                place = inner
        place[last] = json.loads(value)
    return tree


def session_meta(
    kind: AcpAgent | None, allow: frozenset[Permission], *, may_write: bool
) -> dict[str, object]:
    """What a new session is told beyond the protocol.

    claude starts programs that it takes for harmless without asking (observed with `sleep`), and
    would load settings and servers of the project; so it gets the tools that it may use at all.
    """
    if kind is not AcpAgent.CLAUDE:
        return {}
    tools = ["Read", "Grep", "Glob"]
    tools += ["Write", "Edit"] if may_write else []
    tools += ["Bash"] if Permission.SHELL in allow else []
    tools += ["WebFetch", "WebSearch"] if Permission.NETWORK in allow else []
    options = {
        "tools": tools,
        "settingSources": ["user"],
        "extraArgs": {"strict-mcp-config": None},
        "persistSession": False,
    }
    return {"claudeCode": {"options": options}}


def _asking(own: Launch, settings: ClientSettings, job: Job, allow: frozenset[Permission]) -> str:
    """opencode asks only where its configuration says so, and gives up when it is refused; what
    would be refused anyway is not offered to its model."""
    config = json.loads(own.environment["OPENCODE_CONFIG_CONTENT"])
    granted = {
        "edit": job.may_write,
        "bash": Permission.SHELL in allow,
        "webfetch": Permission.NETWORK in allow,
    }
    config["permission"] = {name: "ask" if may else "deny" for name, may in granted.items()}
    if settings.model and not settings.base_url:
        config["model"] = settings.model
    return json.dumps(config)
