"""What Executor and Consultant have in common: the surroundings of a step, and a file as reply."""

import asyncio

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.engine.agents.context import Context
from orchestra_tui.engine.agents.file_replies import composed, parse_file_reply
from orchestra_tui.engine.agents.jobs import Proposal
from orchestra_tui.engine.agents.related import find_tests, imports_of

MAX_TESTS = 5


async def add_surroundings(context: Context, plan: Plan, step: PlanStep, text: str | None) -> None:
    """The step's file, the files it depends on as they are now, tests that name it, imports."""
    if text is not None:
        context.add_whole(step.path, text, "the step's file")
    for other in plan.enabled_steps:
        if other.id in step.depends_on and other.change is not ChangeKind.DELETE:
            await context.add_file(other.path, f"the step depends on {other.id}")
    old_path = step.from_path or step.path
    for path in await find_tests(old_path, context.listing, context.read, limit=MAX_TESTS):
        await context.add_file(path, "a test that names it")
    for path in await asyncio.to_thread(imports_of, old_path, text or "", context.listing):
        await context.add_file(path, "imported by it")


def proposal(
    text: str, finish: FinishReason, *, plan: Plan, step: PlanStep, base: str | None
) -> Proposal:
    """The new text of the step's file. Raises ReplyRefused; then nothing was applied."""
    others = [path for one in plan.steps for path in (one.path, one.from_path) if path]
    reply = parse_file_reply(text, finish, path=step.path, other_paths=others)
    is_rename = step.change is ChangeKind.RENAME
    return Proposal(step.path, composed(reply, base, is_rename=is_rename))
