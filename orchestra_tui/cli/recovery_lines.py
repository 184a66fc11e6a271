"""Recovery as lines of a headless run: each attempt as it ends, and the report at the end."""

from typing import assert_never

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryReport


def describe_recovery(event: ev.RecoveryEvent) -> str:
    """The event as a sentence for a person."""
    match event:
        case ev.RecoveryAttempted():
            return _attempted(event)
        case ev.RecoverySteered():
            who = f", {', '.join(event.agents)} asked" if event.agents else ""
            return f"step {event.step}: your word for the next attempt{who}: {event.note}"
        case ev.AttemptsRaised():
            return f"step {event.step}: {event.attempts} more attempts allowed"
        case ev.TextTaken():
            how = f"although damaged: {event.reason}" if event.is_anyway else "as you wrote it"
            return f"step {event.step}: its text is taken {how}"
        case ev.StepSkipped():
            return f"step {event.step}: skipped"
    assert_never(event)


def recovery_report(event: ev.Event) -> list[str]:
    """At the end of a run: one line per file that was in recovery, with all that was tried."""
    return [_reported(one) for one in event.recoveries] if isinstance(event, ev.RunFinished) else []


def _attempted(event: ev.RecoveryAttempted) -> str:
    approach = event.approach.value.replace("_", " ")
    asked = f" ({event.asked})" if event.asked else ""
    # Why a reply is unusable was told when it was refused.
    is_told = event.outcome is AttemptOutcome.UNUSABLE or not event.message
    why = "" if is_told else f": {event.message}"
    return f"recovery of {event.path}: {approach}{asked}: {event.outcome.value}{why}"


def _reported(report: RecoveryReport) -> str:
    end = report.outcome.value.replace("_", " ") if report.outcome else "not finished"
    tried = ", ".join(report.tried) or "nothing could be tried"
    return f"recovery of {report.path} ({report.cause.value}): {end}; tried: {tried}"
