"""claude (`claude -p --output-format stream-json`): deltas, whole messages, one `result`.

The rule a reader must not break: a `result` is a success only if `is_error` is false, whatever its
`subtype` says. Usage is that of the `result`: the events before it repeat the first numbers.
"""

import signal

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
    total,
)
from orchestra_tui.engine.adapters.process.failures import Failure

_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    # With none it would not tell how long it was asked to wait.
    "CLAUDE_CODE_MAX_RETRIES": "1",
}
# No shell: it would run outside of any sandbox.
_WRITE_TOOLS = "Read,Grep,Glob,Write,Edit"
_READ_TOOLS = "Read,Grep,Glob"
_OWN_BACKOFF = 650
"""Milliseconds of its own first wait, at most; a longer one is what the provider asked for."""
_OWN_WORDS = "<synthetic>"
"""The model of messages that no model wrote, such as "API Error: ..."."""
_CUT = ("max_tokens", "max_output_tokens", "output token maximum")


class ClaudeClient:
    """How claude is started and read."""

    name = "claude"
    program = "claude"
    provider = "Anthropic (claude)"
    keys: tuple[str, ...] = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
    )
    first_event = 120.0
    between_events = 120.0

    def launch(self, settings: ClientSettings, job: Job) -> Launch:
        """Print mode; settings and servers of the project are not loaded, only the user's."""
        arguments = ["-p", "--output-format", "stream-json", "--verbose"]
        arguments += ["--include-partial-messages", "--no-session-persistence"]
        arguments += ["--setting-sources", "user", "--strict-mcp-config"]
        arguments += ["--permission-mode", "acceptEdits" if job.may_write else "default"]
        arguments += ["--tools", _WRITE_TOOLS if job.may_write else _READ_TOOLS]
        if settings.model:
            arguments += ["--model", settings.model]
        environment = dict(_QUIET)
        if settings.base_url:
            environment["ANTHROPIC_BASE_URL"] = settings.base_url
        if settings.key:
            environment["ANTHROPIC_API_KEY"] = settings.key
        return Launch(tuple(arguments), environment, stop=signal.SIGINT)

    def reader(self) -> EventReader:
        """A reader for one run."""
        return ClaudeReader()


class ClaudeReader(EventReader):
    """Reads `system`, `stream_event`, `assistant` and `result`.

    A message that was cut at the output limit is continued by claude itself in the next one, and
    `result` holds the last one only, so what was cut is kept and put before it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._cut = ""

    def feed(self, event: Event) -> str:
        """Take one event; the piece of text in it."""
        match text_at(event, "type"):
            case "system":
                self._system(event)
            case "stream_event":
                return self._piece(event)
            case "assistant":
                self.alive += 1
                self._message(event)
            case "user":
                self.alive += 1
            case "result":
                self._result(event)
        return ""

    def _system(self, event: Event) -> None:
        subtype = text_at(event, "subtype")
        if subtype == "init":
            self.model = text_at(event, "model")
        elif subtype == "thinking_tokens":
            self.alive += 1
        elif subtype == "api_retry":
            self.notices.append(
                Failure(
                    text_at(event, "error"),
                    status=count_at(event, "error_status"),
                    retry_after=_asked_for(event.get("retry_delay_ms")),
                )
            )

    def _piece(self, event: Event) -> str:
        kind = text_at(event, "event", "type")
        if kind == "content_block_delta":
            self.alive += 1
        if kind == "message_start":
            self.model = text_at(event, "event", "message", "model") or self.model
        if text_at(event, "event", "delta", "stop_reason") in _CUT:
            self._cut = self.text
        return text_at(event, "event", "delta", "text")

    def _message(self, event: Event) -> None:
        if text_at(event, "message", "model") == _OWN_WORDS:
            return
        parts = items(at(event, "message", "content"))
        said = "".join(text_at(part, "text") for part in parts)
        self.text = self._cut + said if said else self.text

    def _result(self, event: Event) -> None:
        self.is_over = True
        self.usage = _usage(event)
        self.cost = reported(event.get("total_cost_usd"))
        words = text_at(event, "result")
        if event.get("is_error") is False:
            self.text = self._cut + words
            reason = text_at(event, "stop_reason")
            self.finish = FinishReason.LENGTH if reason in _CUT else FinishReason.STOP
            if reason == "refusal":
                self.finish = FinishReason.FILTERED
            return
        if any(sign in f"{words} {text_at(event, 'stop_reason')}" for sign in _CUT):
            self.finish = FinishReason.LENGTH
            return
        said = words or text_at(event, "subtype") or "no reason given"
        hint = text_at(event, "api_error_type")
        self.failure = Failure(said, status=count_at(event, "api_error_status"), hint=hint)


def _asked_for(delay: object) -> float | None:
    """Seconds that the provider asked to wait; None if claude chose the time itself."""
    # Turned round, so that what is no number (NaN) is no time either.
    if not isinstance(delay, int | float) or not delay > _OWN_BACKOFF:
        return None
    return delay / 1000


def _usage(event: Event) -> Usage:
    """Input excludes cached tokens here; the domain's includes them."""
    cached = count_at(event, "usage", "cache_read_input_tokens")
    written = count_at(event, "usage", "cache_creation_input_tokens")
    return Usage(
        input_tokens=total(count_at(event, "usage", "input_tokens"), cached or 0, written or 0),
        output_tokens=count_at(event, "usage", "output_tokens"),
        cached_tokens=cached,
        reasoning_tokens=count_at(event, "usage", "output_tokens_details", "thinking_tokens"),
        cache_write_tokens=written,
    )
