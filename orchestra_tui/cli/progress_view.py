"""The progress view of a headless run on a terminal: the steps and what they do, kept in place.

The rule a reader must not break: every foreign string is cleaned and put in a `Text`, so nothing
is markup; when the view closes, the terminal shows its last state and no control remains.
"""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestra_tui.cli.printing import describe
from orchestra_tui.cli.recovery_lines import recovery_report
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.money import money_text, usd_text
from orchestra_tui.domain.ports import Delta
from orchestra_tui.domain.spending import money_of
from orchestra_tui.domain.state import SessionState, StepState, StepStatus
from orchestra_tui.domain.text import clean_line

MAX_NOTES = 6
_SIGNS = {
    StepStatus.WAITING: ("○", "dim"),
    StepStatus.WRITING: ("◐", "cyan"),
    StepStatus.WRITTEN: ("◐", "cyan"),
    StepStatus.AUDITING: ("◑", "magenta"),
    StepStatus.NEEDS_FIX: ("✎", "yellow"),
    StepStatus.FIXING: ("✎", "yellow"),
    StepStatus.NEEDS_RECOVERY: ("✚", "yellow"),
    StepStatus.RECOVERING: ("✚", "yellow"),
    StepStatus.TAKEN_OVER: ("◐", "yellow"),
    StepStatus.ACCEPTED: ("✔", "green"),
    StepStatus.CONFLICT: ("⚑", "red"),
    StepStatus.NEEDS_REVERT: ("✚", "yellow"),
    StepStatus.REVERTING: ("✚", "yellow"),
    StepStatus.REVERTED: ("↩", "red"),
    StepStatus.FAILED: ("✖", "red"),
    StepStatus.BLOCKED: ("⊘", "red"),
    StepStatus.SKIPPED: ("⊘", "dim"),
}


class ProgressView:
    """A `Printer` that redraws a small table; notes scroll above it."""

    def __init__(self, label: str = "", console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._label = label
        self._state: SessionState | None = None
        self._live = Live(Text(""), console=self._console, refresh_per_second=8, transient=False)
        self._live.start()

    def record(self, record: ev.Record, state: SessionState) -> None:
        """Draw the state; a fact that a person wants to know scrolls above it."""
        self._state = state
        for line in recovery_report(record.event):
            self.note(line)
        text = describe(record.event)
        if text:
            self.note(text)
        self._live.update(self._table())

    def delta(self, delta: Delta) -> None:
        """A stream moves nothing here: the table shows states."""

    def note(self, text: str) -> None:
        """A line above the table."""
        label = f"[{self._label}] " if self._label else ""
        self._live.console.print(Text(label + clean_line(text), style="dim"))

    def close(self) -> None:
        """Leave the last state on the screen."""
        self._live.stop()

    def _table(self) -> RenderableType:
        run = self._state.run if self._state else None
        if run is None:
            return Text("")
        table = Table.grid(padding=(0, 1))
        for step in run.ordered_steps:
            sign, style = _SIGNS[step.status]
            path = run.plan.step(step.id).path if run.plan else step.id
            word = step.status.value.replace("_", " ")
            table.add_row(
                Text(sign, style=style),
                Text(clean_line(path)),
                Text(word, style=style),
                Text(_detail(step), style="dim"),
            )
        done = run.counts.accepted
        head = f"{run.phase.value.replace('_', ' ')}  {done}/{len(run.ordered_steps)}"
        return Group(Text(f"{head}{self._spent()}", style="bold"), table)

    def _spent(self) -> str:
        """Money so far, against its limit; nothing where nothing costs anything."""
        state = self._state
        if state is None or state.run is None or state.is_rehearsal:
            return ""
        money, limit = money_of(state), state.run.settings.budget.usd
        if limit is not None:
            return f"  {money_text(money)} of {usd_text(limit)}"
        return f"  {money_text(money)}" if money.usd or money.unknown else ""


def _detail(step: StepState) -> str:
    if step.last_error:
        return clean_line(step.last_error)[:80]
    return f"fixed {step.fixes}x" if step.fixes else ""
