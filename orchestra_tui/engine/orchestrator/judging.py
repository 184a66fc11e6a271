"""A proposed text before the gate, with what the plan says of the change.

The rule a reader must not break: every text that a run may write is judged here, by its path and
its step, so that the gate knows the same of a reply, of a hand-made repair and of a review.
"""

from orchestra_tui.domain.plan import Plan, PlanStep
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import Report


async def judge(tools: Tools, plan: Plan | None, path: str, new: str, old: str | None) -> Report:
    """The gate's report on `new`, the proposed text of `path`; `old` is the text before, if any."""
    return await tools.gate.check(path, new, old, plan_hint=plan_hint(plan, path))


def plan_hint(plan: Plan | None, path: str) -> PlanHint | None:
    """What the plan's step of this file says; None for a file that is not in the plan."""
    step = _step_of(plan, path)
    if step is None:
        return None
    words = "\n".join(filter(None, (step.purpose, step.notes)))
    return PlanHint(change=step.change, words=words)


def _step_of(plan: Plan | None, path: str) -> PlanStep | None:
    steps = plan.enabled_steps if plan else ()
    return next((step for step in steps if path in {step.path, step.from_path}), None)
