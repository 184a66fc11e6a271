"""What a headless run prints: one plain line per event, or one JSON record per line.

The rule a reader must not break: with `--json`, stdout holds records and nothing else; notes for
people go to stderr. Foreign text is cleaned before it is printed as a line.
"""

import json
import sys
from typing import Protocol, TextIO

from orchestra_tui.cli.recovery_lines import describe_recovery, recovery_report
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.budget import budget_text
from orchestra_tui.domain.durations import seconds_text
from orchestra_tui.domain.money import money_text, usd_text
from orchestra_tui.domain.ports import Delta
from orchestra_tui.domain.spending import tokens_in
from orchestra_tui.domain.state import SessionState
from orchestra_tui.domain.text import clean_line


class Printer(Protocol):
    """Shows a run to whoever started it."""

    def record(self, record: ev.Record, state: SessionState) -> None:
        """A fact; `state` has it folded in (and may be further)."""
        ...

    def delta(self, delta: Delta) -> None:
        """A piece of a running call or check."""
        ...

    def note(self, text: str) -> None:
        """A sentence of ours for a person."""
        ...

    def close(self) -> None:
        """Nothing more comes; leave the terminal as it was."""
        ...


class JsonPrinter:
    """One JSON record per line: `seq, at, session, type, ...` with the event's own fields."""

    def __init__(self, label: str = "", out: TextIO = sys.stdout) -> None:
        self._label = f"{label}: " if label else ""
        self._out = out

    def record(self, record: ev.Record, state: SessionState) -> None:
        """Print the record."""
        event = record.event.model_dump(mode="json", by_alias=True)
        head = {"seq": record.seq, "at": record.at.isoformat(), "session": record.session}
        line = {**head, "type": event.pop("type"), **event}
        # ASCII only: no terminal and no log viewer can be made to obey a model's text.
        print(json.dumps(line), file=self._out, flush=True)

    def delta(self, delta: Delta) -> None:
        """Streams are not facts: left out."""

    def note(self, text: str) -> None:
        """Say it on stderr."""
        print(f"orchestra: {self._label}{clean_line(text)}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to close."""


class LinePrinter:
    """A plain line per fact that a person wants to know."""

    def __init__(self, label: str = "", out: TextIO = sys.stdout) -> None:
        self._label = f"[{label}] " if label else ""
        self._out = out

    def record(self, record: ev.Record, state: SessionState) -> None:
        """Print the fact if it is one for people."""
        for line in recovery_report(record.event):
            self.note(line)
        text = describe(record.event)
        if text:
            self.note(text)

    def delta(self, delta: Delta) -> None:
        """Streams are not printed as lines."""

    def note(self, text: str) -> None:
        """Print a line."""
        print(f"{self._label}{clean_line(text)}", file=self._out, flush=True)

    def close(self) -> None:
        """Nothing to close."""


def describe(event: ev.Event) -> str:
    """The event as a sentence for a person; empty for those that only the engine needs."""
    match event:
        case ev.RunStarted():
            return f"task: {event.task}"
        case ev.PlanProposed():
            steps = ", ".join(step.path for step in event.plan.steps)
            return f"plan: {len(event.plan.steps)} steps: {steps}"
        case ev.PlanApproved():
            return "plan approved"
        case ev.CallFailed():
            wait = f"; trying again in {seconds_text(event.retry_in)}" if event.retry_in else ""
            return f"{event.call}: {event.message}{wait}"
        case ev.ReplyRefused():
            return f"{event.activity}: reply refused: {event.reason}"
        case ev.ActivityFailed():
            return "" if event.kind == "refused" else f"{event.activity.key}: {event.message}"
        case ev.FileWritten():
            return f"{'removed' if event.after is None else 'wrote'} {event.path} ({event.why})"
        case ev.ConflictFound():
            return f"conflict: {event.path} was changed by somebody else; it was left alone"
        case ev.FileReverted():
            back = "to its last good text" if event.is_good else "as before the run"
            return f"reverted {event.path} ({back}): {event.reason}"
        case ev.RevertRefused():
            return f"not reverted: {event.message}"
        case ev.IssuesFound():
            first = event.issues[0].message if event.issues else ""
            return f"step {event.step}: {len(event.issues)} issues: {first}"
        case _:
            return _describe_run(event)


def _describe_run(event: ev.Event) -> str:
    match event:
        case (
            ev.HopTaken()
            | ev.CallDelayed()
            | ev.CacheHit()
            | ev.BudgetReached()
            | ev.ReplyDoubted()
        ):
            return _describe_call(event)
        case (
            ev.RecoveryAttempted()
            | ev.RecoverySteered()
            | ev.AttemptsRaised()
            | ev.TextTaken()
            | ev.StepSkipped()
        ):
            return describe_recovery(event)
        case ev.BudgetRaised():
            return f"budget: {budget_text(event.budget)}"
        case ev.AuditPassed():
            return f"step {event.step}: accepted"
        case ev.ChecksDetected():
            return f"checks: {event.why}"
        case ev.ChecksFinished():
            return f"checks: {_checks(event)}"
        case ev.CommitHeld():
            return f"commit held: {event.reason}"
        case ev.Committed():
            return f"committed {event.commit[:10]}: {event.message.splitlines()[0]}"
        case ev.RunPaused():
            return "paused"
        case ev.RunContinued():
            return "going on"
        case ev.RunCrashed():
            return f"crashed: {event.message}"
        case ev.RunFinished():
            return _finished(event)
        case _:
            return ""


def _describe_call(
    event: ev.HopTaken | ev.CallDelayed | ev.CacheHit | ev.BudgetReached | ev.ReplyDoubted,
) -> str:
    match event:
        case ev.HopTaken():
            why = f"{event.kind.replace('_', ' ')}: {event.cause}"
            return f"{event.call}: goes to {event.to} instead of {event.left} ({why})"
        case ev.CallDelayed():
            wait = f"waits up to {seconds_text(event.seconds)} for {event.adapter}"
            return f"{event.activity}: {wait}: {event.reason}"
        case ev.CacheHit():
            return f"{event.call}: answered from the cache, nobody was asked{_saved(event)}"
        case ev.BudgetReached():
            return f"{event.activity}: budget reached: {event.stop.message}"
        case ev.ReplyDoubted():
            where = f" at line {event.line}" if event.line is not None else ""
            return f"{event.call}: the reply looks damaged{where}: {event.message}"


def _saved(event: ev.CacheHit) -> str:
    saved = event.saved_cost
    return f"; it saved {usd_text(saved.usd)}" if saved is not None and saved.usd else ""


def _checks(event: ev.ChecksFinished) -> str:
    if not event.outcomes:
        return "none found, so nothing was checked"
    return "; ".join(_outcome(outcome) for outcome in event.outcomes)


def _outcome(outcome: ev.CheckOutcome) -> str:
    state = outcome.state.value.replace("_", " ")
    return f"{outcome.name} {outcome.tally or state} in {outcome.seconds:.1f} s"


def _finished(event: ev.RunFinished) -> str:
    counts = event.counts.model_dump()
    numbers = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    reason = f": {event.reason}" if event.reason else ""
    words = [numbers or "no file", f"checks {event.checks}"]
    if (tokens := tokens_in(event.usage)) is not None:
        words.append(f"{tokens} tokens")
    words.append("no cost, simulated" if event.cost is None else money_text(event.cost))
    return f"{event.outcome.value} ({'; '.join(words)}){reason}"
