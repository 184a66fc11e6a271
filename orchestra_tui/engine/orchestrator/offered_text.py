"""The text of a `TakeOver` or `AcceptAnyway`, stored and judged before the command is decided."""

import asyncio

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import BlobHash
from orchestra_tui.domain.recovery_rules import last_good
from orchestra_tui.domain.state import RunState, StepState
from orchestra_tui.engine.orchestrator.judging import judge
from orchestra_tui.engine.orchestrator.recovery_commands import Offered
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.workspace.text import Text, decode


async def offered_text(
    tools: Tools, run: RunState | None, command: cmd.TakeOver | cmd.AcceptAnyway
) -> Offered | None:
    """What the command offers; None if its step is unknown or has no damaged text.

    Raises CommandRefused for a text that no file could hold, or that would replace what is none.
    """
    step = run.steps.get(command.step) if run is not None else None
    if run is None or run.plan is None or step is None:
        return None
    path = run.plan.step(step.id).path
    for blob in _replaced(run, step, path):
        data = await asyncio.to_thread(tools.blob, blob)
        if data is not None and (problem := binary_problem(path, data)):
            raise CommandRefused(problem)
    if command.text is not None:
        return await _judged(tools, run, step, command.text)
    blob = damaged_text(step)
    if blob is None:
        return None
    # It may be a text from the disk, with line ends and a mark of its own.
    decoded = decode(await asyncio.to_thread(tools.blobs.get, blob))
    return await _judged(tools, run, step, decoded.text) if isinstance(decoded, Text) else None


def binary_problem(path: str, data: bytes) -> str:
    """Why no text may take the place of these bytes; empty if one may."""
    if isinstance(decode(data), Text):
        return ""
    size = len(data)
    return f"{path} is binary ({size} bytes), and no text takes its place: put it back, or skip it"


def _replaced(run: RunState, step: StepState, path: str) -> set[BlobHash | None]:
    """What the text would take the place of: what stands there now, and the last good text."""
    stands = step.conflict if step.conflict_path else step.files.get(path)
    return {stands, last_good(run, step)}


def damaged_text(step: StepState) -> BlobHash | None:
    """The newest damaged text of the step's file; a reply that no text could be read out of is
    none."""
    if step.recoveries:
        damage = step.recoveries[-1].damage
        return None if damage.is_reply else damage.text
    return None


async def _judged(tools: Tools, run: RunState, step: StepState, text: str) -> Offered:
    if run.plan is None:
        raise KeyError(step.id)
    path = run.plan.step(step.id).path
    try:
        data = text.replace("\r\n", "\n").encode()
    except UnicodeEncodeError:
        raise CommandRefused("the text holds half a character, which no file can") from None
    before = await asyncio.to_thread(tools.blob, last_good(run, step))
    old = before.decode("utf-8", "replace") if before is not None else None
    report = await judge(tools, run.plan, path, data.decode(), old)
    blob = await asyncio.to_thread(tools.blobs.put, data)
    problem = report.summary if report.is_hard else ""
    return Offered(blob, problem, report.diagnostics)
