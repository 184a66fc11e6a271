"""The Executor: writes the file of one step."""

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.engine.agents.base import Prompt
from orchestra_tui.engine.agents.file_agents import add_surroundings, proposal
from orchestra_tui.engine.agents.jobs import ExecuteJob, Proposal
from orchestra_tui.engine.agents.project_agent import ProjectAgent
from orchestra_tui.engine.agents.writing import (
    plan_in_brief,
    prompt_of,
    refused,
    step_in_full,
    words,
)


class Executor(ProjectAgent):
    """Sees its file, what the file depends on and imports, and the tests that name it."""

    role = Role.EXECUTOR

    async def prepare(self, job: ExecuteJob) -> Prompt:
        """The step, its place in the plan, and the files around it as they are now."""
        context = await self._open_context()
        await add_surroundings(context, job.plan, job.step, job.base)
        parts = [
            words("The task of the user:", "TASK", job.task),
            plan_in_brief(job.plan, job.step),
            step_in_full(job.step, job.note),
            context.text(),
            refused(job.refusals),
            _request(job),
        ]
        return await prompt_of(self._prompts, self.role, parts, context)

    def parse(self, text: str, finish: FinishReason, job: ExecuteJob) -> Proposal:
        """The file's new text. Raises ReplyRefused; then nothing of the reply is used."""
        return proposal(text, finish, plan=job.plan, step=job.step, base=job.base)


def _request(job: ExecuteJob) -> str:
    path = job.step.path
    if job.base is None:
        return f"{path} does not exist yet. Reply with the whole file.\n"
    if job.step.change is ChangeKind.RENAME:
        return (
            f"Orchestra moves the file itself. Reply with edits to {path} for what has to change "
            "inside it, with no edit block if nothing has.\n"
        )
    return f"Reply with the whole new {path}, or with edits to it.\n"
