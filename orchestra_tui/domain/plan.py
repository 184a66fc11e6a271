"""The plan: what the Architect proposes, the user edits and the Executors follow."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.paths import path_problem

STEP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


class ChangeKind(StrEnum):
    """What a step does to its file."""

    CREATE = "create"
    MODIFY = "modify"
    DELETE = "delete"
    RENAME = "rename"


class PlanStep(BaseModel):
    """One file's part of the plan. `from_path` is set for a rename only.

    `agents` overrides the Executor's chain for this step by adapter names; empty means the
    default chain. Disabled steps stay in the plan and are not run.
    """

    model_config = ConfigDict(frozen=True, defer_build=True, populate_by_name=True)

    id: Annotated[StepId, StringConstraints(pattern=rf"^{STEP_ID.pattern}$")]
    path: str
    change: ChangeKind = ChangeKind.MODIFY
    from_path: str | None = Field(default=None, alias="from")
    purpose: str = ""
    notes: str = ""
    enabled: bool = True
    depends_on: tuple[StepId, ...] = ()
    agents: tuple[str, ...] = ()


class Plan(BaseModel):
    """The whole plan. `checks` are names of detected or configured checks, never commands."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    summary: str = ""
    steps: tuple[PlanStep, ...] = ()
    checks: tuple[str, ...] = ()
    commit_message: str = ""

    def step(self, step_id: StepId) -> PlanStep:
        """The step with this id. Raises KeyError if there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @property
    def enabled_steps(self) -> tuple[PlanStep, ...]:
        """The steps that will run, in plan order."""
        return tuple(step for step in self.steps if step.enabled)


class PlanProblem(BaseModel):
    """Why a plan cannot be approved yet. `step` is None when the whole plan is meant."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    step: StepId | None
    message: str


def plan_problems(plan: Plan) -> tuple[PlanProblem, ...]:
    """Everything that blocks approval, in plan order; empty means the plan may be approved."""
    problems = [*_id_problems(plan.steps)]
    if not plan.enabled_steps:
        problems.append(PlanProblem(step=None, message="the plan has no enabled step"))
    known = {step.id: step for step in plan.steps}
    taken: dict[str, StepId] = {}
    for step in plan.enabled_steps:
        problems += _step_problems(step, known)
        for path in filter(None, (step.path, step.from_path)):
            folded = path.casefold()
            if folded in taken:
                problems.append(_problem(step, f"{path} is also the file of step {taken[folded]}"))
            taken.setdefault(folded, step.id)
    problems += [
        PlanProblem(step=step_id, message="its dependencies form a circle")
        for step_id in cyclic_steps(plan)
    ]
    return tuple(problems)


def cyclic_steps(plan: Plan) -> tuple[StepId, ...]:
    """The steps that can never start because they wait, directly or not, for themselves."""
    waiting = {step.id: set(step.depends_on) for step in plan.steps}
    waiting = {step: {dep for dep in deps if dep in waiting} for step, deps in waiting.items()}
    while free := [step for step, deps in waiting.items() if not deps]:
        for step in free:
            del waiting[step]
        for deps in waiting.values():
            deps.difference_update(free)
    return tuple(waiting)


def levels(plan: Plan) -> tuple[tuple[StepId, ...], ...]:
    """Groups of enabled steps that can run at once, first group first; circles are left out."""
    enabled = {step.id for step in plan.enabled_steps}
    waiting = {step.id: set(step.depends_on) & enabled for step in plan.enabled_steps}
    groups: list[tuple[StepId, ...]] = []
    while free := tuple(step for step, deps in waiting.items() if not deps):
        groups.append(free)
        for step in free:
            del waiting[step]
        for deps in waiting.values():
            deps.difference_update(free)
    return tuple(groups)


def _id_problems(steps: Iterable[PlanStep]) -> list[PlanProblem]:
    seen: set[StepId] = set()
    problems = []
    for step in steps:
        if step.id in seen:
            problems.append(_problem(step, f"the id {step.id} is used twice"))
        seen.add(step.id)
    return problems


def _step_problems(step: PlanStep, known: Mapping[StepId, PlanStep]) -> list[PlanProblem]:
    problems = []
    if reason := path_problem(step.path):
        problems.append(_problem(step, reason))
    if step.change is ChangeKind.RENAME:
        reason = path_problem(step.from_path or "")
        if reason:
            problems.append(_problem(step, f"rename from: {reason}"))
    for dependency in step.depends_on:
        if dependency not in known:
            problems.append(_problem(step, f"it waits for step {dependency}, which is not there"))
        elif not known[dependency].enabled:
            problems.append(_problem(step, f"it waits for step {dependency}, which is off"))
    return problems


def _problem(step: PlanStep, message: str) -> PlanProblem:
    return PlanProblem(step=step.id, message=message)
