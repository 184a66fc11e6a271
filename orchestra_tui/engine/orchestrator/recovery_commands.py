"""What a user's command for a file in trouble means: its events, or a refusal. Pure.

The rule a reader must not break: the user has the last word about his file. What is asked for here
goes before every attempt of an agent, and only a damaged text needs his reason.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import BlobHash, StepId
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.recovery import RecoveryOutcome
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import RunState, StepState, StepStatus
from orchestra_tui.domain.step_state import ENDED_BADLY, IN_RECOVERY, SKIPPABLE, TAKES_TEXT

RecoveryCommand = cmd.RetryStep | cmd.TakeOver | cmd.AcceptAnyway | cmd.RaiseAttempts | cmd.SkipStep


@dataclass(frozen=True)
class Offered:
    """The text that comes with a command, stored and judged; `problem` is set if it is damaged."""

    text: BlobHash
    problem: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


def decide_recovery(
    command: RecoveryCommand,
    run: RunState,
    *,
    offered: Offered | None,
    adapter_problem: Callable[[tuple[str, ...]], str],
) -> ev.Event:
    """The event that carries the command out. Raises CommandRefused."""
    step = run.steps.get(command.step)
    if step is None or not run.is_approved:
        raise CommandRefused(f"there is no step {command.step} at work")
    match command:
        case cmd.RetryStep():
            return _retry(command, run, step, adapter_problem(command.agents))
        case cmd.RaiseAttempts():
            return _raise_attempts(command, run, step)
        case cmd.TakeOver() | cmd.AcceptAnyway():
            return _take(command, run, step, offered)
        case cmd.SkipStep():
            if step.status not in SKIPPABLE:
                raise CommandRefused(f"step {step.id} is {_words(step)}: it cannot be skipped")
            return ev.StepSkipped(run=run.id, step=step.id)
    assert_never(command)


def decided_steps(events: Iterable[ev.Event]) -> frozenset[StepId]:
    """The steps whose files the user has decided about: work that runs for one is of no use."""
    found: set[StepId] = set()
    for event in events:
        match event:
            case ev.TextTaken() | ev.StepSkipped():
                found.add(event.step)
            case ev.RevertRequested():
                found |= set(event.steps)
    return frozenset(found)


def _retry(command: cmd.RetryStep, run: RunState, step: StepState, problem: str) -> ev.Event:
    if command.agents and problem:
        raise CommandRefused(problem)
    values = {"run": run.id, "step": step.id, "note": command.note, "agents": command.agents}
    if step.status in IN_RECOVERY:
        if not command.note.strip() and not command.agents:
            raise CommandRefused(
                f"step {step.id} is being recovered: give the next attempt a note, or choose who "
                "makes it"
            )
        return ev.RecoverySteered.model_validate(values)
    if not step.status.is_trouble or step.status is StepStatus.BLOCKED:
        raise CommandRefused(f"step {step.id} is {_words(step)}: nothing to retry")
    return ev.StepRetried.model_validate(values)


def _raise_attempts(command: cmd.RaiseAttempts, run: RunState, step: StepState) -> ev.Event:
    last = step.recoveries[-1] if step.recoveries else None
    gave_up = {RecoveryOutcome.KEPT, RecoveryOutcome.REVERTED}
    is_over = step.status in ENDED_BADLY | {StepStatus.ACCEPTED}
    may_reopen = last is not None and last.outcome in gave_up and is_over
    if step.status not in IN_RECOVERY and not may_reopen:
        raise CommandRefused(
            f"step {step.id} is {_words(step)}: there is no recovery that more attempts could help"
        )
    return ev.AttemptsRaised(run=run.id, step=step.id, attempts=command.attempts)


def _take(
    command: cmd.TakeOver | cmd.AcceptAnyway,
    run: RunState,
    step: StepState,
    offered: Offered | None,
) -> ev.Event:
    if step.status not in TAKES_TEXT:
        raise CommandRefused(f"step {step.id} is {_words(step)}: there is nothing to take over")
    if run.plan is not None and run.plan.step(step.id).change is ChangeKind.DELETE:
        raise CommandRefused(f"step {step.id} removes its file: there is no text to write")
    if offered is None:
        raise CommandRefused(
            f"no damaged text of step {step.id} is kept: take the file over by hand"
        )
    if isinstance(command, cmd.TakeOver):
        if offered.problem:
            raise CommandRefused(
                f"{offered.problem}. Correct it, or accept it anyway with a reason"
            )
        return ev.TextTaken(run=run.id, step=step.id, text=offered.text)
    if not command.reason.strip():
        raise CommandRefused("say why the damaged text is right: the reason is kept with the run")
    return ev.TextTaken(
        run=run.id,
        step=step.id,
        text=offered.text,
        is_anyway=True,
        reason=command.reason.strip(),
        diagnostics=offered.diagnostics,
    )


def _words(step: StepState) -> str:
    return step.status.value.replace("_", " ")
