"""What an agent says in one turn, in the normal form of every client.

The rule a reader must not break: only the result of the prompt says how a turn ended. An agent
may say `end_turn` of an answer that was cut (gemini, opencode, codex); codex at least tells that
its thread failed, and the words for it come as if they were text.
"""

from collections.abc import Mapping
from pathlib import PurePath

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.acp.changes import change_lines
from orchestra_tui.engine.adapters.acp.errors import CUT, failure_of, is_cut, is_final, retry_of
from orchestra_tui.engine.adapters.acp.policy import inside
from orchestra_tui.engine.adapters.acp.usage import counted_nothing, usage_of
from orchestra_tui.engine.adapters.base import ProcessFailed, RequestRefused, StreamCut
from orchestra_tui.engine.adapters.prices import reported
from orchestra_tui.engine.adapters.process.events import Event, EventReader, at, items, text_at
from orchestra_tui.engine.adapters.process.failures import Failure

_FINISH = {
    "end_turn": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "refusal": FinishReason.FILTERED,
}
_AT_WORK = frozenset({"agent_thought_chunk", "tool_call", "tool_call_update", "plan"})


class AcpReader(EventReader):
    """Reads notifications, and the result or error of the prompt.

    `ear` hears standard error for the agents that tell only there what they retry.
    """

    def __init__(
        self, *, continues: bool = False, counts_last: bool = False, ear: EventReader | None = None
    ) -> None:
        super().__init__()
        self._continues = continues
        self._counts_last = counts_last
        self._ear = ear
        self._message = ""
        self._called_since = False
        self._calls: dict[str, dict[str, object]] = {}
        self._shown: set[tuple[str, str]] = set()
        self._is_broken = False
        self._broken_words = ""
        self.session = ""
        self.root = PurePath("/")
        """The folder of the session, which paths are shown below."""
        self.refused: list[str] = []
        """What was refused in this turn, each with the reason."""

    def hear(self, line: str) -> None:
        """Standard error: gemini and opencode say there what they retry."""
        if self._ear:
            self._ear.hear(line)
            self.notices.extend(self._ear.notices)
            self._ear.notices.clear()

    def feed(self, event: Event) -> str:
        """Take one notification; what the pane shows of it."""
        params = event.get("params")
        if not isinstance(params, Mapping):
            return ""
        if retried := retry_of(text_at(event, "method"), params):
            self.notices.append(retried)
            if is_final(params):
                self.failure = retried
            return ""
        update = params.get("update")
        if not isinstance(update, Mapping):
            return ""
        kind = text_at(update, "sessionUpdate")
        self.alive += kind in _AT_WORK
        if text_at(params, "sessionId") != self.session:
            # A session of its own that the agent opened; its words are no part of the answer.
            return ""
        match kind:
            case "agent_message_chunk":
                return self._piece(update)
            case "tool_call" | "tool_call_update":
                self._called_since |= kind == "tool_call"
                return self.changes(self.call(update))
            case "usage_update" if text_at(update, "cost", "currency") == "USD":
                # Of the session so far, and each call has a session of its own.
                self.cost = reported(at(update, "cost", "amount"))
            case "session_info_update":
                status = text_at(update, "_meta", "codex", "threadStatus", "type")
                self._is_broken = status == "systemError" or (
                    self._is_broken and status != "active"
                )
        return ""

    def call(self, update: Event) -> Event:
        """A tool call with everything that was said of it so far: some permission requests bring
        nothing but its id."""
        known = self._calls.setdefault(text_at(update, "toolCallId"), {})
        known.update({name: value for name, value in update.items() if value})
        return known

    def changes(self, call: Event) -> str:
        """The changes that a tool call carries, each shown once."""
        parts = [part for part in items(call.get("content")) if part.get("type") == "diff"]
        return "".join(
            self.change(text_at(part, "path"), text_at(part, "oldText"), text_at(part, "newText"))
            for part in parts
        )

    def change(self, path: str, old: str, new: str) -> str:
        """One change for the pane; empty if it was shown before (vibe's path is relative first)."""
        name = inside(self.root, path) or path
        if old == new or (name, new) in self._shown:
            return ""
        self._shown.add((name, new))
        return change_lines(clean_line(name), old, new)

    def finished(self, result: Event) -> None:
        """The prompt was answered."""
        self.is_over = True
        self.usage = Usage() if self._counts_last and self._calls else usage_of(result)
        used = items(at(result, "_meta", "quota", "model_usage"))
        self.model = next((name for one in used if (name := text_at(one, "model"))), self.model)
        reason = text_at(result, "stopReason")
        if self.refused:
            gave_up = f"it gave up after {self.refused[-1]}"
            self.excuse = Failure(gave_up, known=RequestRefused)
        if noticed := self.hopeless():
            # It was being stopped for this, and was quicker.
            self.failure = noticed
        elif self._is_broken:
            self._broke()
        elif counted_nothing(result):
            words = "its turn ended without one complete answer of the model"
            self.failure = Failure(words, known=StreamCut)
        elif reason in _FINISH:
            self.finish = _FINISH[reason]
        else:
            # codex ends its turn when something is refused, and calls that "cancelled".
            words = f"its turn ended with {reason or 'no reason'}"
            self.failure = self.excuse or Failure(words, known=ProcessFailed)

    def failed(self, code: object, message: str, data: object) -> None:
        """The prompt, or a request before it, was answered by an error."""
        self.is_over = True
        failure = failure_of(code, message, data)
        # claude says its error as if it were text, too.
        self.text = self.text.removesuffix(failure.words)
        if is_cut(failure) and self.text:
            self.finish = FinishReason.LENGTH
        else:
            self.failure = self.hopeless() or failure

    def _piece(self, update: Event) -> str:
        text = text_at(update, "content", "text")
        if self._is_broken:
            self._broken_words += text
            return ""
        self.alive += 1
        message = text_at(update, "messageId")
        is_new = message != self._message if message else self._called_since
        starts = is_new and (self._called_since or not self._continues)
        gap = "\n" if starts and self.text else ""
        self.text = text if starts else self.text + text
        self._message = message
        self._called_since = False
        return gap + text

    def _broke(self) -> None:
        words = self._broken_words.strip()
        if self.text and any(sign in words for sign in CUT):
            self.finish = FinishReason.LENGTH
        else:
            self.failure = self.failure or Failure(words or "its thread ended in an error")
