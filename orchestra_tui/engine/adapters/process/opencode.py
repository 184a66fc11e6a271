"""opencode (`opencode run --format json`): steps, whole texts, and an error event.

The rule a reader must not break: there is no final event; the last `step_finish` with a reason
other than `tool-calls` is one. A `step_start` begins a step anew, so a text before it that no
`step_finish` followed belongs to a try that broke.
"""

import json
import re
from decimal import Decimal

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.money import Cost, CostBasis
from orchestra_tui.engine.adapters.prices import reported
from orchestra_tui.engine.adapters.process.client import ClientSettings, Job, Launch
from orchestra_tui.engine.adapters.process.events import (
    Event,
    EventReader,
    at,
    count_at,
    text_at,
    total,
)
from orchestra_tui.engine.adapters.process.failures import Failure

PROVIDER = "orchestra"
_OFF = (
    "AUTOUPDATE",
    "MODELS_FETCH",
    "LSP_DOWNLOAD",
    "DEFAULT_PLUGINS",
    "PROJECT_CONFIG",
    "SHARE",
    "CLAUDE_CODE",
)
_NOWHERE = "http://127.0.0.1:9/"
_FINISH = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content-filter": FinishReason.FILTERED,
    "error": FinishReason.ERROR,
}
_STREAM_ERROR = re.compile(r'message="stream error".*?small=false.*?error\.error="(?P<words>[^"]*)')


class OpencodeClient:
    """How opencode is started and read."""

    name = "opencode"
    program = "opencode"
    provider = "opencode"
    keys: tuple[str, ...] = ("OPENCODE_CONFIG", "OPENCODE_API_KEY")
    first_event = 240.0
    between_events = 240.0

    def launch(self, settings: ClientSettings, job: Job) -> Launch:
        """`run` by standard input; permissions stand in the configuration, which wins."""
        arguments = ["run", "--format", "json", "--pure", "--print-logs", "--log-level", "ERROR"]
        environment = {f"OPENCODE_DISABLE_{name}": "1" for name in _OFF}
        edit = "allow" if job.may_write else "deny"
        own: dict[str, object] = {
            "autoupdate": False,
            "share": "disabled",
            "permission": {"edit": edit, "bash": "deny", "webfetch": "deny"},
        }
        if settings.base_url and settings.model:
            own |= _provider(settings.base_url, settings.model, settings.key)
            # It asks the npm registry for a package at each start, and needs it for nothing.
            environment["npm_config_registry"] = _NOWHERE
        elif settings.model:
            arguments += ["--model", settings.model]
        environment["OPENCODE_CONFIG_CONTENT"] = json.dumps(own)
        return Launch(tuple(arguments), environment)

    def reader(self) -> EventReader:
        """A reader for one run."""
        return OpencodeReader()


def _provider(base_url: str, model: str, key: str | None) -> dict[str, object]:
    return {
        "model": f"{PROVIDER}/{model}",
        "small_model": f"{PROVIDER}/{model}",
        "enabled_providers": [PROVIDER],
        "provider": {
            PROVIDER: {
                "npm": "@ai-sdk/openai-compatible",
                "name": PROVIDER,
                "options": {"baseURL": base_url, "apiKey": key or "none"},
                "models": {model: {"name": model, "tool_call": True}},
            }
        },
    }


class OpencodeReader(EventReader):
    """Reads `step_start`, `text`, `tool_use`, `step_finish` and `error`."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[Cost | None] = []

    def feed(self, event: Event) -> str:
        """Take one event; the text in it."""
        match text_at(event, "type"):
            case "step_start":
                self.text = ""
                self.finish = None
            case "text":
                self.alive += 1
                self.text += text_at(event, "part", "text")
                return f"{text_at(event, 'part', 'text')}\n"
            case "tool_use" | "reasoning":
                self.alive += 1
            case "step_finish":
                self._finish(event)
            case "error":
                self.is_over = True
                self.failure = _failure(event)
        return ""

    def hear(self, line: str) -> None:
        """A try of the main model that failed; the next follows after its own backoff."""
        if said := _STREAM_ERROR.search(line):
            self.notices.append(Failure(said["words"]))

    def _finish(self, event: Event) -> None:
        self.alive += 1
        self.usage = self.usage + _usage(event)
        self._steps.append(reported(at(event, "part", "cost")))
        self.cost = _sum_of(self._steps)
        reason = text_at(event, "part", "reason")
        if reason == "tool-calls":
            return
        self.finish = _FINISH.get(reason, FinishReason.UNKNOWN)
        self.is_over = True


def _failure(event: Event) -> Failure:
    data = at(event, "error", "data")
    wait = text_at(data, "responseHeaders", "retry-after")
    words = text_at(data, "message") or text_at(event, "error", "name") or "no reason given"
    return Failure(
        words,
        status=count_at(data, "statusCode"),
        retry_after=float(wait) if re.fullmatch(r"\d{1,9}(\.\d+)?", wait) else None,
        hint=f"{text_at(data, 'responseBody')} {text_at(event, 'error', 'name')}",
    )


def _sum_of(steps: list[Cost | None]) -> Cost | None:
    """The cost of all steps; None unless each has one."""
    known = [step.usd for step in steps if step is not None]
    if len(known) < len(steps):
        return None
    return Cost(usd=sum(known, Decimal(0)), basis=CostBasis.REPORTED)


def _usage(event: Event) -> Usage:
    """Of one step: input excludes cached tokens and output reasoning; the domain's include them."""
    tokens = at(event, "part", "tokens")
    cached = count_at(tokens, "cache", "read")
    written = count_at(tokens, "cache", "write")
    thought = count_at(tokens, "reasoning")
    return Usage(
        input_tokens=total(count_at(tokens, "input"), cached or 0, written or 0),
        output_tokens=total(count_at(tokens, "output"), thought or 0),
        cached_tokens=cached,
        reasoning_tokens=thought,
        cache_write_tokens=written,
    )
