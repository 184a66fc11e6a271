"""One unit of work on a step: everything it is about, and its question to an agent.

The rule a reader must not break: what must be on disk is what the step wrote last, else what the
plan was made against. Anything else there is a conflict, and nothing is asked or written.
"""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.events import ConflictFound
from orchestra_tui.domain.ids import BlobHash, Role
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.recovery import RecoveryCause
from orchestra_tui.domain.state import RunState, StepState
from orchestra_tui.engine.agents.base import Agent, Prompt
from orchestra_tui.engine.agents.mending import is_broken_off
from orchestra_tui.engine.agents.parsing import ReplyRefused
from orchestra_tui.engine.orchestrator.asking import ask
from orchestra_tui.engine.orchestrator.calls import Answer
from orchestra_tui.engine.orchestrator.refusal import NotWritable, RefusedAnswer
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.workspace.text import Binary, decode

J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True)
class Work:
    """One unit of work with everything it is about, read once at its start."""

    tools: Tools
    activity: Activity
    run: RunState
    plan: Plan
    plan_step: PlanStep
    step: StepState

    @property
    def path(self) -> str:
        """The step's file, by its new name where it is renamed."""
        return self.plan_step.path

    @property
    def source(self) -> str:
        """The path whose content the step starts from: the old name until it is moved."""
        old = self.plan_step.from_path
        if self.plan_step.change is not ChangeKind.RENAME or not old:
            return self.path
        is_moved = old in self.step.files and self.step.files[old] is None
        return self.path if is_moved else old

    @property
    def note(self) -> str:
        """What the user said to the run and to this step."""
        recovery = self.step.recovery
        said = (self.run.note, self.step.note, recovery.note if recovery else "")
        return "\n".join(filter(None, said))

    def expected(self, path: str) -> BlobHash | None:
        """What must be on disk: what the step wrote last, else what the plan was made against."""
        return self.step.files.get(path, (self.run.base or {}).get(path))


def begin(tools: Tools, activity: Activity) -> Work:
    """The work of an activity that has a step. Raises KeyError for one that has none."""
    run = tools.run(activity.run)
    if run.plan is None or activity.step is None:
        raise KeyError(activity.key)
    step = run.steps[activity.step]
    return Work(tools, activity, run, run.plan, run.plan.step(activity.step), step)


def is_written_by(work: Work) -> bool:
    """This very activity changed all it had to before a crash cut it off."""
    writers = work.step.writers
    if work.activity.kind not in {ActivityKind.EXECUTE, ActivityKind.FIX}:
        return writers.get(work.path) == work.activity.key and work.source == work.path
    paths = [work.path]
    if work.plan_step.change is ChangeKind.RENAME and work.activity.kind is ActivityKind.EXECUTE:
        paths.append(work.plan_step.from_path or work.path)
    return all(writers.get(path) == work.activity.key for path in paths)


def refuse_replacing(work: Work) -> None:
    """A moved file takes no other file's place: nobody would see that one go.

    Raises NotWritable.
    """
    is_moving = work.plan_step.change is ChangeKind.RENAME and work.source != work.path
    was_there = (work.run.base or {}).get(work.path) is not None
    if is_moving and was_there and work.path not in work.step.files:
        raise NotWritable(
            f"{work.path} is there already: move it away, or give the step another path"
        )


async def refuse_unwritable(work: Work) -> None:
    """Ask the tree before a model is paid. Raises NotWritable."""
    for path in {work.path, work.source}:
        if problem := await work.tools.applier.refusal(path):
            raise NotWritable(problem)


async def content(work: Work, path: str) -> bytes | ConflictFound | None:
    """The file's bytes as the step must find them, or the conflict that stands there instead.

    Inside a rename that a crash cut in two, the old file may be read from the content store.
    """
    on_disk = await asyncio.to_thread(work.tools.tree.read, path)
    found = on_disk.hash if on_disk else None
    expected = work.expected(path)
    if found != expected:
        if on_disk is not None:
            await asyncio.to_thread(work.tools.blobs.put, on_disk.data)
        return ConflictFound(
            run=work.run.id,
            activity=work.activity.key,
            step=work.step.id,
            path=path,
            expected=expected,
            found=found,
        )
    return on_disk.data if on_disk else None


def text_of(work: Work, data: bytes | None) -> str | None:
    """The text of a file. Raises NotWritable if it is none."""
    if data is None:
        return None
    decoded = decode(data)
    if isinstance(decoded, Binary):
        raise NotWritable(f"{work.path} is not UTF-8 text: a model never rewrites it")
    return decoded.text


async def answered(
    work: Work, agent: Agent[J, R], job: J, *, chain: tuple[str, ...] | None = None
) -> tuple[Answer, R]:
    """The agent's reply to `job`, and what it says; `chain` names who is asked.

    Raises RefusedAnswer or AdapterError.
    """
    answer = await _ask(work, agent.role, await agent.prepare(job), chain)
    try:
        return answer, agent.parse(answer.text, answer.finish, job)
    except ReplyRefused as refusal:
        raise await refused_reply(work.tools, answer, refusal) from None


async def refused_reply(tools: Tools, answer: Answer, refusal: ReplyRefused) -> RefusedAnswer:
    """The refusal of a reply that nothing could be read out of; the reply is kept."""
    reply = await asyncio.to_thread(tools.blobs.put, answer.text.encode("utf-8", "replace"))
    has_begun = is_broken_off(answer.text)
    is_cut = refusal.is_cut and (has_begun or answer.finish is not FinishReason.STOP)
    # After a length limit the chain itself goes on: it has tried that, and it was not enough.
    may_go_on = answer.finish in {FinishReason.STOP, FinishReason.UNKNOWN}
    return RefusedAnswer(
        answer.call,
        refusal.reason,
        cause=RecoveryCause.CUT if is_cut else RecoveryCause.REFUSED,
        is_reply=True,
        can_continue=is_cut and has_begun and may_go_on,
        text=reply,
    )


async def _ask(work: Work, role: Role, prompt: Prompt, chain: tuple[str, ...] | None) -> Answer:
    if chain is None:
        chain = own_chain(work.plan_step, work.step, role)
    return await ask(work.tools, work.activity, prompt, role=role, path=work.path, chain=chain)


def own_chain(plan_step: PlanStep, step: StepState, role: Role) -> tuple[str, ...]:
    """Whom the user, or else the plan, names for this step in place of the role's chain."""
    own = plan_step.agents if role is Role.EXECUTOR else ()
    chosen = step.agents if role is not Role.AUDITOR else ()
    return chosen or own


async def check_output(work: Work) -> str:
    """What the checks printed last."""
    blobs = [outcome.output for outcome in work.run.checks.outcomes if outcome.output]
    texts = [await asyncio.to_thread(work.tools.blobs.get, blob) for blob in blobs]
    return "\n".join(text.decode("utf-8", "replace") for text in texts)
