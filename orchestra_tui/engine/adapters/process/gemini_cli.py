"""gemini (`gemini --output-format stream-json`): deltas and one `result`.

The rule a reader must not break: after an error inside the stream gemini says the whole answer
once more, without a mark between (recorded); the part before must not stay in front of it.
"""

import json
import re

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.engine.adapters.process.client import ClientSettings, Job, Launch
from orchestra_tui.engine.adapters.process.events import Event, EventReader, count_at, text_at
from orchestra_tui.engine.adapters.process.failures import Failure

_HOME = "gemini"
_SETTINGS = f"{_HOME}/.gemini/settings.json"
_OWN_SETTINGS: dict[str, object] = {
    "security": {
        "auth": {"selectedType": "gemini-api-key"},
        "folderTrust": {"enabled": False},
    },
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {
        "enableAutoUpdate": False,
        "enableAutoUpdateNotification": False,
        "checkpointing": {"enabled": False},
        "maxAttempts": 1,
        "retryFetchErrors": False,
    },
    "ide": {"enabled": False},
}
_STATUSES = {status % 256: status for status in (400, 401, 403, 404, 429, 500, 503)}
_MIN_REPEATED = 8
# "Attempt 1 failed: too many...", "Attempt 1 failed with status 500. Retrying with backoff..."
_SUGGESTED = "Suggested retry after"
_ATTEMPT = re.compile(r"^Attempt \d+ failed(?: with status (?P<status>\d{3}))?[:.] ?(?P<words>.*)")


class GeminiClient:
    """How gemini is started and read."""

    name = "gemini_cli"
    program = "gemini"
    provider = "Google (gemini)"
    keys: tuple[str, ...] = (
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_LOCATION",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_GEMINI_BASE_URL",
        "GOOGLE_GENAI_USE_GCA",
        "GOOGLE_GENAI_USE_VERTEXAI",
    )
    first_event = 120.0
    between_events = 120.0

    def launch(self, settings: ClientSettings, job: Job) -> Launch:
        """Headless by standard input.

        With a key it gets a home and settings of its own, with its retries turned down. Without
        one it is logged in as the user, in the user's home; then `hear` ends its retries.
        (System settings, which would win, are read from folders of root only.)
        """
        mode = "auto_edit" if job.may_write else "default"
        arguments = ["--output-format", "stream-json", "--approval-mode", mode, "--skip-trust"]
        if settings.model:
            arguments += ["-m", settings.model]
        environment = {"GEMINI_CLI_NO_RELAUNCH": "true", "TERM": "xterm-256color"}
        files = {}
        if settings.base_url:
            environment["GOOGLE_GEMINI_BASE_URL"] = settings.base_url
        if settings.key:
            environment["GEMINI_API_KEY"] = settings.key
            environment["GEMINI_CLI_HOME"] = str(job.scratch / _HOME)
            files[_SETTINGS] = json.dumps(_OWN_SETTINGS)
        return Launch(tuple(arguments), environment, files)

    def reader(self) -> EventReader:
        """A reader for one run."""
        return GeminiReader()


class GeminiReader(EventReader):
    """Reads `init`, `message`, `tool_use`, `tool_result`, `error` and `result`."""

    def __init__(self) -> None:
        super().__init__()
        self._error = ""
        self._attempt = ""
        self._said = ""
        self._beginnings: list[int] = []

    def feed(self, event: Event) -> str:
        """Take one event; the piece of text in it."""
        match text_at(event, "type"):
            case "init":
                self.model = text_at(event, "model")
            case "message" if event.get("role") == "assistant":
                self.alive += 1
                return self._piece(text_at(event, "content"))
            case "tool_use" | "tool_result":
                self.alive += 1
                self._begin("")
            case "error":
                self._error = text_at(event, "message")
            case "result":
                self._result(event)
        return ""

    def hear(self, line: str) -> None:
        """A try that failed; the next follows after a wait of up to a minute, in silence.

        How long it should be waited stands on the line after.
        """
        if line.startswith(_SUGGESTED) and self._attempt:
            self.notices.append(Failure(f"{self._attempt}. {line}"))
        said = _ATTEMPT.match(line)
        self._attempt = said["words"] if said else ""
        if said and said["status"]:
            self.notices.append(Failure(said["words"], status=int(said["status"])))

    def close(self, exit_code: int, stderr: str, scratch: object) -> None:
        """The exit code is the HTTP status modulo 256, where the event does not say it."""
        failed = self.failure
        if failed and failed.status is None and exit_code in _STATUSES:
            self.failure = Failure(failed.words, status=_STATUSES[exit_code])

    def _piece(self, text: str) -> str:
        at = len(self._said)
        self._said += text
        # Where the answer may have begun once more: what came since is how it began.
        starts = [*self._beginnings, at] if at >= _MIN_REPEATED else self._beginnings
        self._beginnings = [
            start
            for start in starts
            if self._said.startswith(self._said[at : 2 * start], at - start)
        ]
        if again := next((s for s in self._beginnings if 2 * s <= len(self._said)), None):
            self._begin(self._said[again:])
        self.text = self._said
        return text

    def _begin(self, said: str) -> None:
        self._said, self._beginnings = said, []

    def _result(self, event: Event) -> None:
        self.is_over = True
        if text_at(event, "status") == "success":
            self.finish = FinishReason.STOP
            self.usage = _usage(event)
            return
        words = text_at(event, "error", "message") or self._error or "no reason given"
        self.failure = Failure(words)


def _usage(event: Event) -> Usage:
    """Input includes cached tokens; output excludes thoughts, which only the total shows."""
    read = count_at(event, "stats", "input_tokens")
    said = count_at(event, "stats", "output_tokens")
    everything = count_at(event, "stats", "total_tokens")
    if read is None or said is None or everything is None:
        return Usage(input_tokens=read, output_tokens=said)
    written = max(everything - read, said)
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=count_at(event, "stats", "cached"),
        reasoning_tokens=written - said,
    )
