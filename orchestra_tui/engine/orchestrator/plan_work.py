"""Work of the run as a whole: drafting the plan, and recording the files it was made against."""

import asyncio
from collections.abc import Sequence

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.errors import PathRefused
from orchestra_tui.domain.events import CheckpointTaken, ChecksDetected, PlanProposed
from orchestra_tui.domain.fold_review import BEFORE_RUN
from orchestra_tui.domain.ids import BlobHash, Role
from orchestra_tui.domain.state import RunState, SessionState
from orchestra_tui.engine.agents.jobs import PlanJob
from orchestra_tui.engine.agents.parsing import ReplyRefused
from orchestra_tui.engine.orchestrator.asking import ask
from orchestra_tui.engine.orchestrator.refusal import RefusedAnswer
from orchestra_tui.engine.orchestrator.tools import Tools


async def draft_plan(tools: Tools, activity: Activity) -> None:
    """Ask the Architect; append the plan. Raises RefusedAnswer or AdapterError."""
    await _detect_checks(tools, activity)
    run = tools.run(activity.run)
    job = PlanJob(
        task=run.task,
        feedback="\n".join(run.feedback),
        previous_plan=run.previous_plan,
        earlier_runs=_earlier_runs(tools.journal.state, run),
        checks=run.checks.detected or (),
        refusals=run.refusals,
    )
    architect = tools.agents.architect
    prompt = await architect.prepare(job)
    answer = await ask(tools, activity, prompt, role=Role.ARCHITECT)
    try:
        plan = architect.parse(answer.text, answer.finish, job)
    except ReplyRefused as refusal:
        raise RefusedAnswer(answer.call, refusal.reason) from None
    await tools.journal.append(PlanProposed(run=run.id, activity=activity.key, plan=plan))


async def take_base(tools: Tools, activity: Activity) -> None:
    """Store the files of the plan as they are now: what conflicts and reverts are judged by."""
    run = tools.run(activity.run)
    steps = run.plan.enabled_steps if run.plan else ()
    paths = [path for step in steps for path in (step.path, step.from_path) if path]
    await _detect_checks(tools, activity, planned=paths)
    files = await asyncio.to_thread(_store_files, tools, paths)
    await tools.journal.append(CheckpointTaken(run=run.id, label=BEFORE_RUN, files=files))


def _store_files(tools: Tools, paths: list[str]) -> dict[str, BlobHash | None]:
    files: dict[str, BlobHash | None] = {}
    for path in paths:
        try:
            content = tools.tree.read(path)
        except (PathRefused, OSError):
            # Its own step will fail with the reason; the others can go on.
            content = None
        files[path] = tools.blobs.put(content.data) if content else None
    return files


async def _detect_checks(tools: Tools, activity: Activity, *, planned: Sequence[str] = ()) -> None:
    run = tools.run(activity.run)
    if not run.settings.run_checks:
        return
    found = await tools.checks.detect(planned)
    if found.names != run.checks.detected:
        await tools.journal.append(ChecksDetected(run=run.id, names=found.names, why=found.why))


def _earlier_runs(session: SessionState, run: RunState) -> str:
    """What the session did before, in a few lines per run."""
    lines = []
    for earlier in session.runs:
        if earlier.id == run.id:
            break
        outcome = earlier.outcome.value if earlier.outcome else "not finished"
        lines.append(f"- {earlier.task.strip()} ({outcome})")
        lines += [f"  {path}" for path in earlier.changed_files]
        lines += [f"  open: {issue.message}" for s in earlier.ordered_steps for issue in s.issues]
    return "\n".join(lines)
