"""What an agent means by a JSON-RPC error or a retry notice.

The rule a reader must not break: agents put the HTTP status into the code, their own numbers
there, or everything into words. The code is read first, then the words (`process.failures`).
"""

import json

from orchestra_tui.engine.adapters.base import (
    AdapterError,
    AuthenticationFailed,
    ContextTooLong,
    OutputFiltered,
    RateLimited,
)
from orchestra_tui.engine.adapters.process.events import Event, at, count_at, text_at
from orchestra_tui.engine.adapters.process.failures import Failure

CUT = ("max_output_tokens", "output token maximum", "max_tokens")
"""Words of an agent whose answer was cut at the limit of its length."""
_BY_CODE: dict[int, type[AdapterError]] = {
    # The protocol's own "authentication required".
    -32000: AuthenticationFailed,
    # vibe 3; its table stands in `vibe/acp/exceptions.py`.
    -31001: RateLimited,
    -31004: ContextTooLong,
    -31005: OutputFiltered,
}
_TOO_LONG_ANSWER = -31003
_SAYS_NOTHING = "Internal error"
_ANYTHING = 500
"""gemini's code for whatever broke, also a lost network; then only its words tell."""
_HTTP = range(400, 600)
_MAX_HINT = 4000


def failure_of(code: object, message: str, data: object) -> Failure:
    """The failure in an error answer of an agent."""
    number = code if isinstance(code, int) else 0
    hint = {_TOO_LONG_ANSWER: CUT[0], _ANYTHING: "internal error"}.get(number) or _hint(data)
    words = message.removeprefix(_SAYS_NOTHING).removeprefix(": ")
    words = words or text_at(data, "message") or text_at(data, "details") or message
    return Failure(
        words or "no reason given",
        status=number if number in _HTTP and number != _ANYTHING else None,
        hint=hint,
        known=_BY_CODE.get(number),
    )


def is_cut(failure: Failure) -> bool:
    """True if what failed is that the answer was too long."""
    return any(sign in f"{failure.words} {failure.hint}" for sign in CUT)


def retry_of(method: str, params: object) -> Failure | None:
    """The failure behind a notice that the agent is about to try again; None for other notices.

    vibe tells it by `_session/retrying`, codex inside a session update; the others say nothing.
    """
    if method.removeprefix("_") == "session/retrying":
        words = f"{text_at(params, 'category')} {text_at(params, 'detail')}".strip()
        return Failure(words.replace("_", " "))
    error = at(params, "update", "_meta", "codex", "error")
    if error is None:
        return None
    info = at(error, "codexErrorInfo")
    kinds = list(info.values()) if isinstance(info, dict) else []
    return Failure(
        text_at(error, "additionalDetails") or text_at(error, "message"),
        status=next((count for kind in kinds if (count := count_at(kind, "httpStatusCode"))), None),
        hint=_hint(info),
    )


def is_final(params: Event) -> bool:
    """True if codex says of an error that it will not try again."""
    return at(params, "update", "_meta", "codex", "error", "willRetry") is False


def _hint(data: object) -> str:
    return "" if data is None else json.dumps(data)[:_MAX_HINT]
