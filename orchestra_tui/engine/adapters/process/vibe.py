"""vibe (`vibe -p --output streaming`): entries of a conversation, and an export at the end.

The rule a reader must not break: no event says that it succeeded. A message counts when its
outcome is `committed`, and the run when it also ended with exit code 0; what failed stands on
standard error only.
"""

import json
from pathlib import Path

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.prices import reported
from orchestra_tui.engine.adapters.process.client import ClientSettings, Job, Launch
from orchestra_tui.engine.adapters.process.events import (
    Event,
    EventReader,
    at,
    count_at,
    items,
    text_at,
)
from orchestra_tui.engine.adapters.process.failures import Failure

KEY = "ORCHESTRA_VIBE_KEY"
_HOME = "vibe"
_OUT = "out"
_EXPORT = "export.json"
_MAX_EXPORT = 64 * 1024 * 1024
_ERROR = "Error: "
_STOPPED = "Stopped: "
_CONFIG = """\
active_model = {model}
enable_telemetry = false
enable_update_checks = false
enable_auto_update = false
enable_connectors = false
enable_notifications = false
api_retry_max_elapsed_time = 2.0
output_limit_retries = 0

[[providers]]
name = "orchestra"
api_base = {base_url}
api_key_env_var = "{key}"
api_style = "openai"
backend = "generic"

[[models]]
name = {model}
provider = "orchestra"
alias = {model}

[experiments]
enabled = false
"""


class VibeClient:
    """How vibe is started and read."""

    name = "vibe"
    program = "vibe"
    provider = "Mistral (vibe)"
    keys: tuple[str, ...] = ("MISTRAL_API_KEY", "VIBE_HOME")
    first_event = 240.0
    between_events = 240.0

    def launch(self, settings: ClientSettings, job: Job) -> Launch:
        """Programmatic mode by standard input; a home of its own if a server is configured."""
        agent = "accept-edits" if job.may_write else "ask"
        out = str(job.scratch / _OUT)
        arguments = ("--trust", "--agent", agent, "--output", "streaming", "--output-dir", out)
        environment: dict[str, str] = {}
        files: dict[str, str] = {}
        if settings.base_url and settings.model:
            environment = {"VIBE_HOME": str(job.scratch / _HOME), KEY: settings.key or "none"}
            files[f"{_HOME}/config.toml"] = _CONFIG.format(
                model=json.dumps(settings.model), base_url=json.dumps(settings.base_url), key=KEY
            )
        elif settings.key:
            environment["MISTRAL_API_KEY"] = settings.key
        return Launch((*arguments, "-p"), environment, files)

    def reader(self) -> EventReader:
        """A reader for one run."""
        return VibeReader()


class VibeReader(EventReader):
    """Reads `message` and `effect` entries."""

    def feed(self, event: Event) -> str:
        """Take one entry; the text in it."""
        kind = text_at(event, "type")
        if kind != "message" or event.get("role") != "assistant":
            self.alive += kind in {"effect", "reasoning", "thought"}
            return ""
        self.alive += 1
        if text_at(event, "outcome", "type") != "committed":
            return ""
        self.text = "".join(text_at(part, "text") for part in items(event.get("content")))
        return f"{self.text}\n"

    def close(self, exit_code: int, stderr: str, scratch: Path) -> None:
        """How it ended, from the exit code, standard error and the export."""
        export = _export(scratch / _OUT / _EXPORT)
        self.usage = _usage(export)
        self.cost = reported(at(export, "cost_usd"))
        reason = text_at(export, "stop_reason") or _after(_STOPPED, stderr)
        if reason == "length":
            self.finish = FinishReason.LENGTH
        elif exit_code == 0:
            self.finish = FinishReason.STOP
        else:
            words = _after(_ERROR, stderr) or stderr.strip() or f"exit code {exit_code}"
            self.failure = Failure(words)


def _after(mark: str, stderr: str) -> str:
    """What stands behind the last `mark`, to the end."""
    return stderr.rpartition(mark)[2].strip() if mark in stderr else ""


def _export(path: Path) -> object:
    try:
        if path.stat().st_size > _MAX_EXPORT:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _usage(export: object) -> Usage:
    """Input includes cached tokens; unknown if there is no export."""
    usage = at(export, "usage")
    return Usage(
        input_tokens=count_at(usage, "input_tokens"),
        output_tokens=count_at(usage, "output_tokens"),
        cached_tokens=count_at(usage, "cached_input_tokens"),
    )
