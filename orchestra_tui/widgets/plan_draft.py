"""The plan while it is edited: what each edit makes of it, and undo.

The rule a reader must not break: an edit never leaves a plan that names a step which is gone;
whoever renames or deletes a step does it for its dependents too.
"""

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import Plan, PlanStep

MAX_UNDO = 200


class PlanDraft:
    """A plan with its history. Edits that share a `merge` key in a row are undone together."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._past: list[Plan] = []
        self._future: list[Plan] = []
        self._merge: str | None = None

    @property
    def can_undo(self) -> bool:
        """There is an edit to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """There is an undone edit."""
        return bool(self._future)

    def change(self, plan: Plan, *, merge: str | None = None) -> None:
        """Take an edited plan as the present one."""
        if plan == self.plan:
            return
        if merge is None or merge != self._merge:
            self._past = [*self._past[-MAX_UNDO:], self.plan]
        self._merge = merge
        self._future.clear()
        self.plan = plan

    def undo(self) -> None:
        """Go back by one edit."""
        if self._past:
            self._future.append(self.plan)
            self.plan = self._past.pop()
            self._merge = None

    def redo(self) -> None:
        """Take the undone edit again."""
        if self._future:
            self._past.append(self.plan)
            self.plan = self._future.pop()
            self._merge = None


def add_step(plan: Plan, after: int) -> tuple[Plan, int]:
    """The plan with an empty step behind the one at `after`, and the new step's index."""
    taken = {step.id for step in plan.steps}
    number = len(plan.steps) + 1
    while f"s{number}" in taken:
        number += 1
    index = min(after + 1, len(plan.steps))
    step = PlanStep(id=StepId(f"s{number}"), path="")
    return _with_steps(plan, (*plan.steps[:index], step, *plan.steps[index:])), index


def delete_step(plan: Plan, index: int) -> Plan:
    """The plan without the step; nobody waits for it any more."""
    gone = plan.steps[index].id
    rest = (*plan.steps[:index], *plan.steps[index + 1 :])
    if any(step.id == gone for step in rest):
        return _with_steps(plan, rest)
    return _with_steps(plan, tuple(_without_dependency(step, gone) for step in rest))


def move_step(plan: Plan, index: int, by: int) -> tuple[Plan, int]:
    """The plan with the step moved up (-1) or down (1), and the step's new index."""
    target = index + by
    if not 0 <= target < len(plan.steps):
        return plan, index
    steps = list(plan.steps)
    steps[index], steps[target] = steps[target], steps[index]
    return _with_steps(plan, tuple(steps)), target


def toggle_step(plan: Plan, index: int) -> Plan:
    """The plan with the step switched on or off."""
    step = plan.steps[index]
    return replace_step(plan, index, step.model_copy(update={"enabled": not step.enabled}))


def replace_step(plan: Plan, index: int, step: PlanStep) -> Plan:
    """The plan with `step` at `index`; those that wait for a renamed step follow its name."""
    old = plan.steps[index].id
    steps = [*plan.steps[:index], step, *plan.steps[index + 1 :]]
    is_renamed = old != step.id and all(other.id != old for other in steps)
    if is_renamed:
        steps = [_with_renamed_dependency(other, old, step.id) for other in steps]
    return _with_steps(plan, tuple(steps))


def _with_steps(plan: Plan, steps: tuple[PlanStep, ...]) -> Plan:
    return plan.model_copy(update={"steps": steps})


def _without_dependency(step: PlanStep, gone: StepId) -> PlanStep:
    kept = tuple(dependency for dependency in step.depends_on if dependency != gone)
    return step.model_copy(update={"depends_on": kept}) if kept != step.depends_on else step


def _with_renamed_dependency(step: PlanStep, old: StepId, new: StepId) -> PlanStep:
    names = tuple(new if dependency == old else dependency for dependency in step.depends_on)
    return step.model_copy(update={"depends_on": names}) if names != step.depends_on else step
