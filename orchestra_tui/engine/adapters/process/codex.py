"""codex (`codex exec --json`): one JSON object per line, whole messages, no deltas.

The rule a reader must not break: `type: error` and `item.type: error` are notices; only
`turn.failed` is a failure and only `turn.completed` a success.
"""

import json
import signal

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.process.client import ClientSettings, Job, Launch
from orchestra_tui.engine.adapters.process.events import Event, EventReader, count_at, text_at
from orchestra_tui.engine.adapters.process.failures import Failure

PROVIDER = "orchestra"
KEY = "ORCHESTRA_CODEX_KEY"
_RECONNECTING = "Reconnecting"
_CUT = "max_output_tokens"
# Without these codex asks github.com and chatgpt.com things, or retries a lost network for ever.
_FEATURES_OFF = (
    "plugins",
    "apps",
    "remote_plugin",
    "unbounded_connection_retries",
    "shell_snapshot",
    "skill_mcp_dependency_install",
    "goals",
)


class CodexClient:
    """How codex is started and read."""

    name = "codex"
    program = "codex"
    provider = "OpenAI (codex)"
    keys: tuple[str, ...] = ("OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_HOME", "OPENAI_BASE_URL")
    first_event = 240.0
    between_events = 240.0

    def launch(self, settings: ClientSettings, job: Job) -> Launch:
        """`exec` with the prompt on standard input; the patch tool is free in its folder only."""
        sandbox = "workspace-write" if job.may_write else "read-only"
        arguments = ["exec", "--json", "--skip-git-repo-check", "--ephemeral"]
        arguments += ["--sandbox", sandbox, "-C", str(job.folder)]
        environment = {}
        if settings.base_url:
            environment[KEY] = settings.key or "none"
        elif settings.key:
            environment["CODEX_API_KEY"] = settings.key
        for name, value in overrides(settings).items():
            arguments += ["-c", f"{name}={value}"]
        return Launch((*arguments, "-"), environment, stop=signal.SIGTERM)

    def reader(self) -> EventReader:
        """A reader for one run."""
        return CodexReader()


def overrides(settings: ClientSettings) -> dict[str, str]:
    """What goes before codex's own configuration: dotted names, values as in TOML and JSON."""
    own = {"check_for_update_on_startup": "false", "analytics.enabled": "false"}
    own |= {f"features.{name}": "false" for name in _FEATURES_OFF}
    if settings.model:
        own["model"] = json.dumps(settings.model)
    return own | _provider(settings.base_url) if settings.base_url else own


def _provider(base_url: str) -> dict[str, str]:
    """A provider of ours, with codex's own retries turned down."""
    table = f"model_providers.{PROVIDER}"
    return {
        "model_provider": json.dumps(PROVIDER),
        f"{table}.name": json.dumps(PROVIDER),
        f"{table}.base_url": json.dumps(base_url),
        f"{table}.wire_api": '"responses"',
        f"{table}.env_key": json.dumps(KEY),
        f"{table}.request_max_retries": "0",
        f"{table}.stream_max_retries": "0",
        f"{table}.supports_websockets": "false",
    }


class CodexReader(EventReader):
    """Reads `thread.*`, `turn.*` and `item.*`."""

    def feed(self, event: Event) -> str:
        """Take one event; the text of a message in it."""
        match text_at(event, "type"):
            case "item.started" | "item.updated":
                self.alive += 1
            case "item.completed":
                return self._item(event)
            case "error":
                self._notice(text_at(event, "message"))
            case "turn.completed":
                self.usage = _usage(event)
                self.finish = FinishReason.STOP
                self.is_over = True
            case "turn.failed":
                self._failed(text_at(event, "error", "message"))
        return ""

    def _item(self, event: Event) -> str:
        kind = text_at(event, "item", "type")
        if kind == "error":
            return ""
        self.alive += 1
        if kind != "agent_message":
            return ""
        self.text = text_at(event, "item", "text")
        return f"{self.text}\n"

    def _notice(self, message: str) -> None:
        # Without its prefix it is the last word, which `turn.failed` repeats.
        if message.startswith(_RECONNECTING):
            self.notices.append(Failure(message))

    def _failed(self, message: str) -> None:
        self.is_over = True
        if _CUT in message:
            self.finish = FinishReason.LENGTH
        else:
            self.failure = Failure(message)


def _usage(event: Event) -> Usage:
    """Input includes cached tokens and output reasoning, summed over the requests of the turn."""
    return Usage(
        input_tokens=count_at(event, "usage", "input_tokens"),
        output_tokens=count_at(event, "usage", "output_tokens"),
        cached_tokens=count_at(event, "usage", "cached_input_tokens"),
        reasoning_tokens=count_at(event, "usage", "reasoning_output_tokens"),
        cache_write_tokens=count_at(event, "usage", "cache_write_input_tokens"),
    )
