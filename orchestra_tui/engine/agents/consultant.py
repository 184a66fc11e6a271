"""The Consultant: repairs a file that failed its audit, its checks or its validation."""

from collections.abc import Iterable

from orchestra_tui.domain.activities import FixReason
from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.review import Diagnostic, Issue
from orchestra_tui.engine.agents.base import Prompt
from orchestra_tui.engine.agents.file_agents import add_surroundings, proposal
from orchestra_tui.engine.agents.jobs import FixJob, Proposal
from orchestra_tui.engine.agents.project_agent import ProjectAgent
from orchestra_tui.engine.agents.writing import (
    plan_in_brief,
    prompt_of,
    refused,
    step_in_full,
    words,
)

MAX_FINDINGS = 60
_WHY = {
    FixReason.AUDIT: "The Auditor found issues in the file. Solve each of them.",
    FixReason.CHECKS: (
        "The project's checks fail after the run's changes. Find out why from their output, and "
        "repair what this file has to do with it. If the test is right, change the code, not the "
        "test."
    ),
    FixReason.RECOVERY: (
        "The last attempt to write the file could not be used: it was damaged or cut. "
        "Do the step again, completely."
    ),
}

_AGAIN = (
    "The last attempt to do so could not be used: it was damaged or cut. Do it again, from the "
    "file as it is on disk, completely.\n"
)


class Consultant(ProjectAgent):
    """Sees what the Executor saw, and what went wrong."""

    role = Role.CONSULTANT

    async def prepare(self, job: FixJob) -> Prompt:
        """The step, what is wrong with its file, and the files around it as they are now."""
        context = await self._open_context()
        await add_surroundings(context, job.plan, job.step, job.text)
        if job.old is not None and job.old != job.text:
            context.add_text("OLD", job.step.path, job.old, "the file before the run")
        if job.last_good is not None:
            context.add_text("GOOD", job.step.path, job.last_good, "the last good text of it")
        if job.check_output:
            context.add_end("OUTPUT", "check output", job.check_output, "what the checks printed")
        if job.damaged is not None:
            context.add_text("DAMAGED", job.step.path, job.damaged, "the damaged attempt")
        parts = [
            words("The task of the user:", "TASK", job.task),
            plan_in_brief(job.plan, job.step),
            step_in_full(job.step, job.note),
            _WHY[job.reason] + "\n",
            _AGAIN if job.damaged is not None and job.reason is not FixReason.RECOVERY else "",
            words("The issues:", "ISSUES", _issue_lines(job.issues)),
            words("What validation says:", "DIAGNOSTICS", _lines(job.diagnostics)),
            words("Definitions that the last attempt lost:", "LOST", "\n".join(job.lost)),
            context.text(),
            refused(job.refusals),
            _request(job),
        ]
        return await prompt_of(self._prompts, self.role, parts, context)

    def parse(self, text: str, finish: FinishReason, job: FixJob) -> Proposal:
        """The file's new text; edits are applied to what is on disk now. Raises ReplyRefused."""
        return proposal(text, finish, plan=job.plan, step=job.step, base=job.text)


def _request(job: FixJob) -> str:
    if job.in_pieces:
        return (
            "Whole files did not come through, so work in small pieces: reply with edits to the "
            f"FILE block of {job.step.path} only (=== EDIT), one block for each definition that "
            "is missing or has to change. Do not repeat what stays as it is.\n"
        )
    if job.text is None:
        return f"{job.step.path} is not on disk. Reply with the whole file.\n"
    return f"Reply with the whole repaired {job.step.path}, or with edits to its FILE block.\n"


def _issue_lines(issues: Iterable[Issue]) -> str:
    worst_first = sorted(issues, key=lambda issue: -issue.severity.rank)
    return "".join(
        f"- {issue.severity}{_at(issue.line)}: {issue.message}\n"
        + (f"  suggestion: {issue.suggestion}\n" if issue.suggestion else "")
        for issue in worst_first[:MAX_FINDINGS]
    )


def _lines(diagnostics: tuple[Diagnostic, ...]) -> str:
    return "".join(
        f"- {one.kind}{_at(one.line)}: {one.message}\n"
        + (f"  there: {one.evidence}\n" if one.evidence else "")
        for one in diagnostics[:MAX_FINDINGS]
    )


def _at(line: int | None) -> str:
    return "" if line is None else f" at line {line}"
