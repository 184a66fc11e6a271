"""The Auditor: judges the new text of one file against its step and its old text."""

import asyncio
import difflib

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.engine.agents.base import Prompt
from orchestra_tui.engine.agents.jobs import Audit, AuditJob
from orchestra_tui.engine.agents.parsing import parse_audit
from orchestra_tui.engine.agents.project_agent import ProjectAgent
from orchestra_tui.engine.agents.related import outline
from orchestra_tui.engine.agents.schemas import AUDIT_SCHEMA
from orchestra_tui.engine.agents.writing import (
    plan_in_brief,
    prompt_of,
    refused,
    step_in_full,
    words,
)

MAX_DIFF_LINES = 10_000


class Auditor(ProjectAgent):
    """Sees the file, what changed in it, and in brief what it depends on."""

    role = Role.AUDITOR

    async def prepare(self, job: AuditJob) -> Prompt:
        """The file under review, exact in its FILE block, with its diff and its purpose."""
        context = await self._open_context()
        path = job.step.path
        context.add_whole(path, job.text, "the file under review")
        if job.old is not None:
            diff = await asyncio.to_thread(_diff, job.old, job.text)
            if diff is not None and len(diff) <= len(job.old):
                context.add_text("DIFF", path, diff, "what changed in it")
            else:
                context.add_text("OLD", path, job.old, "the file before the run")
        for other in job.plan.enabled_steps:
            if other.id in job.step.depends_on and other.change is not ChangeKind.DELETE:
                await context.add_outline(other.path, outline, f"the step depends on {other.id}")
        parts = [
            words("The task of the user:", "TASK", job.task),
            plan_in_brief(job.plan, job.step),
            step_in_full(job.step, whose="The step under review"),
            "The file is new.\n" if job.old is None else "",
            context.text(),
            refused(job.refusals),
            "Reply with your verdict as one JSON object and nothing else.\n",
        ]
        return await prompt_of(self._prompts, self.role, parts, context, AUDIT_SCHEMA)

    def parse(self, text: str, finish: FinishReason, job: AuditJob) -> Audit:
        """The verdict. An issue at a line that the file does not have speaks of the whole file.

        Raises ReplyRefused.
        """
        verdict, issues = parse_audit(text, finish)
        last = job.text.count("\n") + 1
        return Audit(
            verdict,
            tuple(
                issue.model_copy(update={"line": None}) if (issue.line or 0) > last else issue
                for issue in issues
            ),
        )


def _diff(old: str, new: str) -> str | None:
    """A unified diff; None if the texts are so long that finding it would take too long."""
    before, after = old.split("\n"), new.split("\n")
    if max(len(before), len(after)) > MAX_DIFF_LINES:
        return None
    lines = difflib.unified_diff(before, after, "before", "after", lineterm="")
    return "".join(f"{line}\n" for line in lines)
