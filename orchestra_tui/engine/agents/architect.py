"""The Architect: turns a task into a plan of small steps, one file each."""

import asyncio

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.plan_markdown import to_markdown
from orchestra_tui.engine.agents.base import Prompt
from orchestra_tui.engine.agents.jobs import PlanJob
from orchestra_tui.engine.agents.parsing import parse_plan
from orchestra_tui.engine.agents.project_agent import ProjectAgent
from orchestra_tui.engine.agents.related import named_in
from orchestra_tui.engine.agents.schemas import PLAN_SCHEMA
from orchestra_tui.engine.agents.writing import prompt_of, refused, words


class Architect(ProjectAgent):
    """Sees the tree listing and the files that the task names."""

    role = Role.ARCHITECT

    async def prepare(self, job: PlanJob) -> Prompt:
        """The task, what came before it, and what the project looks like now."""
        context = await self._open_context()
        await context.add_listing()
        said = f"{job.task}\n{job.feedback}"
        for path in await asyncio.to_thread(named_in, said, context.listing):
            await context.add_file(path, "named in the task")
        checks = ", ".join(job.checks) or "none were found"
        parts = [
            words("The task:", "TASK", job.task),
            words("What earlier runs of this session did:", "EARLIER", job.earlier_runs),
            words("Your last plan, which was sent back:", "PREVIOUS", _previous(job)),
            words("What the user says about it. Follow this:", "FEEDBACK", job.feedback),
            context.text(),
            f"Checks that can be run: {checks}.\n",
            refused(job.refusals),
            "Reply with the plan as one JSON object and nothing else.\n",
        ]
        return await prompt_of(self._prompts, self.role, parts, context, PLAN_SCHEMA)

    def parse(self, text: str, finish: FinishReason, job: PlanJob) -> Plan:
        """The plan. Raises ReplyRefused if it is malformed or could not be run."""
        return parse_plan(text, finish, known_checks=job.checks)


def _previous(job: PlanJob) -> str:
    return "" if job.previous_plan is None else to_markdown(job.previous_plan)
