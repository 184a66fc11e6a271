"""The project's own checks: their output as it comes, their verdict when it is there."""

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one

from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.events import CheckOutcome, CheckState
from orchestra_tui.domain.state import ChecksState, RunState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.agent_pane import spans_content
from orchestra_tui.widgets.figures import clock_text
from orchestra_tui.widgets.line_pane import LinePane
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import justify
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import Signs, signs_of
from orchestra_tui.widgets.streams import StreamBuffers

_STATE_WORDS = {
    CheckState.PASSED: "passed",
    CheckState.FAILED: "failed",
    CheckState.NO_TESTS: "no tests found",
    CheckState.TIMED_OUT: "timed out and was stopped",
    CheckState.CRASHED: "could not run",
    CheckState.NOT_FOUND: "the program was not found",
}


def outcome_spans(outcome: CheckOutcome, signs: Signs) -> list[Span]:
    """One check: sign, name, counts, in the colour of its result."""
    name = clean_line(outcome.name)
    words = outcome.tally or _STATE_WORDS[outcome.state]
    match outcome.state:
        case CheckState.PASSED:
            sign, style = signs.accepted, "$text-success"
        case CheckState.NO_TESTS:
            sign, style = signs.waiting, "$text-warning"
        case _:
            sign, style = signs.failed, "$text-error"
    if outcome.state in {CheckState.TIMED_OUT, CheckState.CRASHED, CheckState.NOT_FOUND}:
        words = _STATE_WORDS[outcome.state]
    return [(f"{sign} ", style), (f"{name} ", ""), (words, style)]


def verdict_spans(checks: ChecksState, signs: Signs) -> list[Span]:
    """All checks in one line; nothing detected is said, never silently green."""
    if checks.detected == () and not checks.outcomes:
        return [(f"{signs.waiting} no checks found", "$text-warning")]
    if not checks.outcomes:
        return [("checks have not run", MUTED)]
    spans: list[Span] = [("checks ", MUTED)]
    for outcome in checks.outcomes:
        spans += [*outcome_spans(outcome, signs), ("  ", "")]
    spans.pop()
    if checks.is_stale:
        spans.append((" (stale: files changed since)", "$text-warning"))
    return spans


class CheckPane(Vertical):
    """Shown while checks run, and afterwards while they say that something is wrong."""

    DEFAULT_CSS = """
    CheckPane {
        display: none;
        height: 1fr;
        background: $surface;
        .pane-head { height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; }
        .pane-body { height: 1fr; padding: 0 1; }
    }
    """

    output = query_one(LinePane)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run: RunState | None = None
        self._stream = ""
        self._place = 0
        self._began: datetime | None = None
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Header and output."""
        yield PlainStatic(classes="pane-head")
        with Vertical(classes="pane-body"):
            yield LinePane()

    @property
    def runs_now(self) -> bool:
        """Checks run right now."""
        return bool(_checks_stream(self._run))

    def show_run(self, run: RunState | None) -> None:
        """Take the run as it is now."""
        is_same_run = run is not None and self._run is not None and run.id == self._run.id
        if not is_same_run:
            self._stream, self._place = "", 0
        self._run = run
        stream = _checks_stream(run)
        if stream and stream != self._stream:
            self._stream, self._place, self._began = stream, 0, None
            self.output.restart()
        has_trouble = run is not None and run.checks.verdict == "failed" and run.outcome is None
        self.display = bool(stream) or (has_trouble and bool(self._stream))
        self.output.is_live = bool(stream)
        self.output.placeholder = "started; nothing printed yet…" if stream else "printed nothing"

    def pull(self, streams: StreamBuffers, now: datetime) -> None:
        """Show what the checks printed since."""
        if not self.display or not self._stream:
            return
        self._began = self._began or now
        piece = streams.since(self._stream, self._place)
        if piece.is_restart:
            self.output.restart(piece.text)
        elif piece.text:
            self.output.feed(piece.text)
        self._place = piece.end
        self.output.flush()
        self._show_head(now)

    def _show_head(self, now: datetime) -> None:
        run = self._run
        if run is None:
            return
        began = self._began or now
        seconds = int((now - began).total_seconds()) if self.runs_now else -1
        shown = (run.checks, seconds, self.size.width)
        if shown == self._shown:
            return
        self._shown = shown
        signs = signs_of(self.app)
        names = ", ".join(clean_line(name) for name in run.checks.detected or ())
        left: list[Span] = [("Checks", "bold")]
        if self.runs_now:
            left.append((f" · {names}", ""))
        else:
            left = [
                (text.capitalize() if at == 0 else text, style)
                for at, (text, style) in enumerate(verdict_spans(run.checks, signs))
            ]
        right: list[Span] = [(f"{clock_text(seconds):>5}", MUTED)] if seconds >= 0 else []
        head = justify(left, right, max(0, self.size.width - 2))
        self.query_one(".pane-head", PlainStatic).update(spans_content(head), layout=False)


def _checks_stream(run: RunState | None) -> str:
    if run is None:
        return ""
    for activity in run.running.values():
        if activity.kind is ActivityKind.RUN_CHECKS:
            return activity.key
    return ""
