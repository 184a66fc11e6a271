"""What a command means in the state the session is in: its events, or a refusal. Pure.

The rule a reader must not break: a command that is refused changes nothing, and its refusal says
what to do instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import RunId, StepId
from orchestra_tui.domain.plan import Plan, PlanProblem, plan_problems
from orchestra_tui.domain.settings import Mode, RunSettings
from orchestra_tui.domain.spending import used_up
from orchestra_tui.domain.state import Phase, RunState, SessionState, StepState
from orchestra_tui.engine.orchestrator.ending import finish_event, outcome_of
from orchestra_tui.engine.orchestrator.recovery_commands import (
    Offered,
    RecoveryCommand,
    decide_recovery,
)

PlanCommand = cmd.EditPlan | cmd.RejectPlan | cmd.ApprovePlan
RunCommand = cmd.ChangeLimits | cmd.PauseRun | cmd.ContinueRun | cmd.CancelRun | cmd.RevertRun
ReviewCommand = cmd.DecideHunks | cmd.CommitChanges | cmd.FinishRun
DecidedCommand = (
    cmd.StartRun
    | RecoveryCommand
    | cmd.RevertFile
    | PlanCommand
    | RunCommand
    | cmd.RaiseBudget
    | ReviewCommand
)
_WRITES_BY_ITSELF = frozenset({ActivityKind.MANUAL, ActivityKind.REVERT})
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Surroundings:
    """What a decision needs beside the state."""

    head: str | None = None
    branch: str | None = None
    has_git: bool = False
    git_problem: str = ""
    adapter_problem: Callable[[tuple[str, ...]], str] = lambda names: ""
    """Why a chain of these names cannot be used; empty if it can."""
    now: datetime = _NEVER
    """The time of day, for limits of time."""
    offered: Offered | None = None
    """The text that comes with the command."""


def decide(
    command: DecidedCommand, state: SessionState, around: Surroundings
) -> tuple[ev.Event, ...]:
    """The events that carry the command out. Raises CommandRefused."""
    if isinstance(command, cmd.StartRun):
        return _start(command, state, around)
    run = state.run
    if run is None:
        raise CommandRefused("there is no run yet: give a task first")
    if isinstance(command, PlanCommand):
        return _plan(command, run, around)
    if isinstance(command, RunCommand):
        return _run(command, run)
    if isinstance(command, cmd.RaiseBudget):
        return _raise_budget(command, state, run, around)
    if isinstance(command, RecoveryCommand):
        problem = around.adapter_problem
        event = decide_recovery(command, run, offered=around.offered, adapter_problem=problem)
        if isinstance(command, cmd.SkipStep) and run.outcome is not None:
            raise CommandRefused("the run is over: give a new task")
        return _reopened(run, event)
    if isinstance(command, cmd.RevertFile):
        return _revert_file(command, run)
    if isinstance(command, ReviewCommand):
        return _review(command, run, around)
    assert_never(command)


def _start(
    command: cmd.StartRun, state: SessionState, around: Surroundings
) -> tuple[ev.Event, ...]:
    if not command.task.strip():
        raise CommandRefused("the task is empty: say what shall be built")
    if command.settings.mode is Mode.WATCH:
        raise CommandRefused("watch mode is not in this version")
    events: list[ev.Event] = []
    run = state.run
    if run is not None and run.outcome is None:
        if not run.is_reviewing:
            raise CommandRefused("a run is at work: wait for it, or cancel it first")
        events.append(finish_event(run, outcome_of(run), ""))
    run_id = RunId(f"r{len(state.runs) + 1}")
    events.append(
        ev.RunStarted(
            run=run_id,
            task=command.task,
            settings=command.settings,
            head=around.head,
            branch=around.branch,
        )
    )
    if command.plan is not None:
        events.append(ev.PlanProposed(run=run_id, activity=None, plan=command.plan))
    return tuple(events)


def _plan(command: PlanCommand, run: RunState, around: Surroundings) -> tuple[ev.Event, ...]:
    if run.outcome is not None or run.plan is None or run.is_approved:
        raise CommandRefused("no plan waits for you")
    match command:
        case cmd.EditPlan():
            return (ev.PlanEdited(run=run.id, plan=command.plan),)
        case cmd.RejectPlan():
            if not command.feedback.strip():
                raise CommandRefused("say what is wrong with the plan, so that the next is better")
            return (ev.PlanRejected(run=run.id, feedback=command.feedback),)
        case cmd.ApprovePlan():
            _refuse_problems(command.plan, around)
            settings = _changed(run.settings, command.mode, command.max_concurrency)
            if command.budget is not None:
                settings = settings.model_copy(update={"budget": command.budget})
            return (
                ev.PlanApproved(
                    run=run.id, plan=command.plan, note=command.note, settings=settings
                ),
            )
    assert_never(command)


def _refuse_problems(plan: Plan, around: Surroundings) -> None:
    problems = list(plan_problems(plan))
    for step in plan.enabled_steps:
        if step.agents and (problem := around.adapter_problem(step.agents)):
            problems.append(PlanProblem(step=step.id, message=problem))
    if problems:
        first = problems[0]
        where = f"step {first.step}: " if first.step else ""
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise CommandRefused(f"the plan cannot be approved: {where}{first.message}{more}")


def _run(command: RunCommand, run: RunState) -> tuple[ev.Event, ...]:
    match command:
        case cmd.ContinueRun():
            is_over = run.outcome in {ev.Outcome.DONE, ev.Outcome.PARTIAL, ev.Outcome.FAILED}
            if is_over or not (run.is_paused or run.outcome):
                raise CommandRefused("the run is not paused")
            return (ev.RunContinued(run=run.id),)
        case cmd.RevertRun():
            written = [step for step in run.steps.values() if _may_revert(run, step)]
            if not written:
                raise CommandRefused("no file of this run is left to revert")
            return _reopened(run, ev.RevertRequested(run=run.id, steps=_ids(written)))
    if run.outcome is not None:
        raise CommandRefused("the run is over: give a new task")
    match command:
        case cmd.ChangeLimits():
            settings = _changed(run.settings, command.mode, command.max_concurrency)
            return (ev.LimitsChanged(run=run.id, settings=settings),)
        case cmd.PauseRun():
            if run.is_paused:
                raise CommandRefused("the run is paused already")
            return (ev.RunPaused(run=run.id),)
        case cmd.CancelRun():
            return (ev.CancelRequested(run=run.id),)
    assert_never(command)


def _raise_budget(
    command: cmd.RaiseBudget, state: SessionState, run: RunState, around: Surroundings
) -> tuple[ev.Event, ...]:
    if run.outcome is not None:
        raise CommandRefused("the run is over: give a new task, with its budget")
    if said := used_up(state, command.budget, around.now):
        raise CommandRefused(f"{said}: give more than that")
    return (ev.BudgetRaised(run=run.id, budget=command.budget),)


def _revert_file(command: cmd.RevertFile, run: RunState) -> tuple[ev.Event, ...]:
    step = run.steps.get(command.step)
    if step is None or not run.is_approved:
        raise CommandRefused(f"there is no step {command.step} at work")
    if not _may_revert(run, step):
        raise CommandRefused(f"step {step.id} has nothing written that can be reverted")
    return _reopened(run, ev.RevertRequested(run=run.id, steps=(step.id,)))


def _review(command: ReviewCommand, run: RunState, around: Surroundings) -> tuple[ev.Event, ...]:
    if not run.is_reviewing:
        raise CommandRefused(_why_not_reviewing(run))
    match command:
        case cmd.DecideHunks():
            if command.path not in run.proposed_files:
                raise CommandRefused(f"{command.path} is not a file of this run")
            rejected = tuple(sorted(set(command.rejected)))
            return (ev.HunksDecided(run=run.id, path=command.path, rejected=rejected),)
        case cmd.CommitChanges():
            if not around.has_git:
                reason = around.git_problem or "there is no git repository here"
                raise CommandRefused(f"{reason}: keep the files without a commit")
            if not command.message.strip():
                raise CommandRefused("the commit message is empty: write one")
            return (ev.CommitRequested(run=run.id, message=command.message),)
        case cmd.FinishRun():
            return (ev.CommitRequested(run=run.id, message=None),)
    assert_never(command)


def _why_not_reviewing(run: RunState) -> str:
    if run.outcome is not None:
        return "the run is over: give a new task"
    if run.phase is Phase.COMMITTING or run.commit_request is not None:
        return "the commit is being made"
    return "the run is still at work: its diff can be decided when it is done"


def _reopened(run: RunState, event: ev.Event) -> tuple[ev.Event, ...]:
    """`event`, with a finished run taken up again first, as long as it is not committed."""
    if run.commit is not None:
        raise CommandRefused("the run is committed: use git to take it back")
    if run.outcome is None:
        return (event,)
    return (ev.RunContinued(run=run.id), event)


def _may_revert(run: RunState, step: StepState) -> bool:
    # What an agent does is ended for it. What writes by itself is over in a moment.
    is_writing = any(
        activity.step == step.id and activity.kind in _WRITES_BY_ITSELF
        for activity in run.running.values()
    )
    base = run.base or {}
    differs = any(base.get(path) != blob for path, blob in step.files.items())
    return differs and not is_writing


def _ids(steps: list[StepState]) -> tuple[StepId, ...]:
    return tuple(step.id for step in steps)


def _changed(settings: RunSettings, mode: Mode | None, concurrency: int | None) -> RunSettings:
    if mode is Mode.WATCH:
        raise CommandRefused("watch mode is not in this version")
    update: dict[str, object] = {}
    if mode is not None:
        update["mode"] = mode
    if concurrency is not None:
        update["max_concurrency"] = max(1, min(32, concurrency))
    return settings.model_copy(update=update)
