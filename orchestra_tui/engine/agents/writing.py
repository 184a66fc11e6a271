"""The parts that the prompts of several agents share.

The rule a reader must not break: whatever a user, a model, a file or a process wrote stands in a
block; only our own sentences stand outside of one.
"""

import asyncio
from collections.abc import Iterable, Mapping

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.prompt_blocks import block
from orchestra_tui.engine.adapters.base import Message
from orchestra_tui.engine.agents.base import Prompt
from orchestra_tui.engine.agents.context import Context
from orchestra_tui.engine.agents.prompts import PromptLibrary


async def prompt_of(
    prompts: PromptLibrary,
    role: Role,
    parts: Iterable[str],
    context: Context,
    json_schema: Mapping[str, object] | None = None,
) -> Prompt:
    """The parts that are not empty, below what the role is told."""
    told = await asyncio.to_thread(prompts.system, role)
    # A task typed on a command line may hold half a character, which no request can carry.
    asked = "\n".join(part for part in parts if part).encode(errors="replace").decode()
    messages = (Message("system", told), Message("user", asked))
    return Prompt(messages, tuple(context.items), json_schema)


def words(heading: str, kind: str, text: str) -> str:
    """A heading and what somebody said, blank edges off; nothing if that is nothing."""
    said = text.strip()
    return f"{heading}\n" + block(kind, "", f"{said}\n") if said else ""


def refused(refusals: Iterable[str]) -> str:
    """Why the last replies were refused, so that the next one is not."""
    reasons = "".join(f"- {reason}\n" for reason in refusals)
    return words(
        "Your last reply could not be used and nothing of it was kept. The reason, newest last:",
        "REFUSED",
        reasons,
    )


def plan_in_brief(plan: Plan, step: PlanStep) -> str:
    """The summary and one line per step, so that a step knows its place."""
    lines = [_step_line(other, is_yours=other.id == step.id) for other in plan.enabled_steps]
    return words("The whole plan, for orientation:", "PLAN", "\n".join([plan.summary, "", *lines]))


def step_in_full(step: PlanStep, note: str = "", *, whose: str = "Your step") -> str:
    """What this step is to do, in the words of the plan and of the user."""
    parts = [
        f"{whose} is {step.id}: {_change(step)}.\n",
        words("Its purpose:", "PURPOSE", step.purpose),
        words("Notes on it:", "NOTES", step.notes),
        words("A note of the user, who has the last word:", "NOTE", note),
    ]
    return "\n".join(part for part in parts if part)


def _change(step: PlanStep) -> str:
    path = " ".join(step.path.split())
    if step.change is ChangeKind.RENAME:
        return f"rename {' '.join((step.from_path or '').split())} to {path}"
    return f"{step.change} {path}"


def _step_line(step: PlanStep, *, is_yours: bool) -> str:
    waits = f" (after {', '.join(step.depends_on)})" if step.depends_on else ""
    mark = " <- this step" if is_yours else ""
    purpose = " ".join(step.purpose.split())
    return f"- {step.id}: {_change(step)}{waits}: {purpose}{mark}"
