"""Work at the end of a run: take rejected hunks out of the files, and commit.

The rule a reader must not break: a rejected hunk leaves the working file through the apply
function like any other change, and what is left is validated like any other text.
"""

import asyncio
from collections.abc import Mapping

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.changes import compose
from orchestra_tui.domain.errors import GitError, PathRefused
from orchestra_tui.domain.events import (
    CommitIntended,
    Committed,
    ConflictFound,
    ReviewApplied,
    WriteReason,
)
from orchestra_tui.domain.ids import BlobHash, StepId, blob_hash
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.state import RunState
from orchestra_tui.engine.git.commit import commit
from orchestra_tui.engine.git.diff import diff_bytes
from orchestra_tui.engine.git.intent import CommitIntent, RunChange
from orchestra_tui.engine.git.prepare import prepare_commit
from orchestra_tui.engine.git.repository import Repository
from orchestra_tui.engine.orchestrator.judging import judge
from orchestra_tui.engine.orchestrator.proposing import checkpoint
from orchestra_tui.engine.orchestrator.refusal import NotWritable
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.workspace.crashpoints import reach
from orchestra_tui.engine.workspace.text import Text, decode

WHOLE_FILE = "*"
"""Rejected instead of hunk ids: the whole change of a file, also one without hunks."""


async def apply_review(tools: Tools, activity: Activity) -> None:
    """Make every file what its accepted hunks say. Raises NotWritable with the reason."""
    run = tools.run(activity.run)
    wanted: dict[str, bytes | None] = {}
    for path in run.pending_rejections:
        wanted |= await asyncio.to_thread(_without_rejected, tools, run, path)
    for path, data in wanted.items():
        await _refuse_damage(tools, run, path, data)
        await asyncio.to_thread(_refuse_changed, tools, run, path)
    for path, data in wanted.items():
        step = step_of(run, path)
        if run.steps[step].files.get(path) == (None if data is None else blob_hash(data)):
            continue
        outcome = await tools.applier.apply(
            activity,
            path=path,
            new=data,
            base=run.steps[step].files.get(path),
            why=WriteReason.REVIEW,
            step=step,
            mode=run.steps[step].modes.get(path),
        )
        if isinstance(outcome, ConflictFound):
            raise _changed_since(path)
    if None in wanted.values():
        await asyncio.to_thread(tools.tree.remove_empty, run.folders)
    await tools.journal.append(
        checkpoint(tools.run(activity.run), "hunks rejected"),
        ReviewApplied(run=run.id, activity=activity.key),
    )


async def commit_run(tools: Tools, activity: Activity) -> None:
    """Commit the run's files and nothing else. Raises GitError with the reason."""
    run = tools.run(activity.run)
    repository = tools.repository
    if repository is None or run.commit_request is None or run.commit_request.message is None:
        raise GitError("there is no git repository here: the files stay as they are")
    if run.commit_intent is not None:
        intent = CommitIntent.model_validate_json(run.commit_intent)
    else:
        intent = await asyncio.to_thread(
            _prepare, tools, run, repository, run.commit_request.message
        )
        await tools.journal.append(
            checkpoint(run, "before the commit"),
            CommitIntended(
                run=run.id, activity=activity.key, intent=intent.model_dump_json(by_alias=True)
            ),
        )
    reach("commit.intended")
    oid = await asyncio.to_thread(commit, repository, intent)
    reach("commit.made")
    await tools.journal.append(
        Committed(run=run.id, activity=activity.key, commit=oid, message=intent.message)
    )


def step_of(run: RunState, path: str) -> StepId:
    """The step that wrote `path`. Raises KeyError if none did."""
    for step in run.steps.values():
        if path in step.files:
            return step.id
    raise KeyError(path)


def _without_rejected(tools: Tools, run: RunState, path: str) -> dict[str, bytes | None]:
    """What the decisions on `path` leave: its content, and with a move that of its old name too.

    The old name comes first when it is given back, so that one of the two always stands.
    """
    old_path = renames_of(run, run.proposed_files).get(path)
    if old_path is None:
        return {path: _compose(tools, run, path)}
    if WHOLE_FILE in run.rejected.get(path, ()):
        return {old_path: tools.blob((run.base or {}).get(old_path)), path: None}
    return {path: _compose(tools, run, path), old_path: None}


def _compose(tools: Tools, run: RunState, path: str) -> bytes | None:
    """What is left of the file's change without its rejected hunks."""
    before, after = _sides(run, path)
    old, new = tools.blob(before), tools.blob(after)
    rejected = set(run.rejected.get(path, ()))
    if not rejected:
        return new
    if WHOLE_FILE in rejected:
        return old
    hunks = diff_bytes(path, old, new).hunks
    accepted = {hunk.id for hunk in hunks} - rejected
    if not accepted:
        return old
    return compose(old or b"", hunks, accepted)


def _sides(run: RunState, path: str) -> tuple[BlobHash | None, BlobHash | None]:
    """The file before the run, by its old name if it was moved, and as the agents made it."""
    old_path = renames_of(run, run.proposed_files).get(path, path)
    base = (run.base or {}).get(old_path)
    for step in run.steps.values():
        if path in step.results:
            return base, step.results[path]
    return base, base


def _refuse_changed(tools: Tools, run: RunState, path: str) -> None:
    """Before the first file is touched, so that a review is applied whole or not at all."""
    content = tools.tree.read(path)
    if (content.hash if content else None) != run.steps[step_of(run, path)].files.get(path):
        raise _changed_since(path)


def _changed_since(path: str) -> NotWritable:
    return NotWritable(
        f"{path} was changed since the run wrote it, so its rejected hunks cannot be "
        "taken out: accept them, or make the file what the diff shows"
    )


async def _refuse_damage(tools: Tools, run: RunState, path: str, data: bytes | None) -> None:
    if data is None:
        return
    new = decode(data)
    if not isinstance(new, Text):
        return
    before, after = _sides(run, path)
    if blob_hash(data) in {before, after}:
        return
    base = await asyncio.to_thread(tools.blob, before)
    old = decode(base) if base is not None else None
    old_text = old.text if isinstance(old, Text) else None
    report = await judge(tools, run.plan, path, new.text, old_text, with_users=False)
    if report.is_hard:
        raise NotWritable(
            f"without the rejected hunks the file would be damaged: {report.summary}. "
            "Accept one of them, or reject the whole file."
        )


def _prepare(tools: Tools, run: RunState, repository: Repository, message: str) -> CommitIntent:
    return prepare_commit(repository, changes_of(tools, run), message)


def changes_of(tools: Tools, run: RunState) -> tuple[RunChange, ...]:
    """What the run did to each file, from before its first write to its last. Blocks."""
    renames = renames_of(run, run.changed_files)
    changes = []
    for path, (before, after) in run.changed_files.items():
        if path in renames.values() and after is None:
            continue
        old_path = renames.get(path)
        base = (run.base or {}).get(old_path) if old_path else before
        is_executable = _is_executable(tools, path)
        changes.append(
            RunChange(
                path=path,
                before=tools.blob(_uncommitted_base(tools, run, old_path or path, base)),
                after=tools.blob(after),
                was_executable=is_executable or _was_executable(run, path),
                is_executable=is_executable,
                renamed_from=old_path,
            )
        )
    return tuple(changes)


def _uncommitted_base(
    tools: Tools, run: RunState, path: str, base: BlobHash | None
) -> BlobHash | None:
    """What the file was before the first run of the session whose change of it was only kept.

    Such a change is Orchestra's own, not the user's: it is committed along with the run that was
    built on it. The chain ends at a committed run and where the user changed the file between.
    """
    runs = tools.journal.state.runs
    earlier_runs = runs[: next(at for at, one in enumerate(runs) if one.id == run.id)]
    for earlier in reversed(earlier_runs):
        before, after = earlier.changed_files.get(path, (None, None))
        if path not in earlier.changed_files:
            continue
        if earlier.commit is not None or after != base:
            break
        base = before
    return base


def renames_of(
    run: RunState, changed: Mapping[str, tuple[BlobHash | None, BlobHash | None]]
) -> dict[str, str]:
    """New path -> old path of the renames whose both halves stand in `changed`."""
    steps = run.plan.enabled_steps if run.plan else ()
    return {
        step.path: step.from_path
        for step in steps
        if step.change is ChangeKind.RENAME
        and step.from_path
        and step.path in changed
        and changed.get(step.from_path, (None, ""))[1] is None
    }


def _is_executable(tools: Tools, path: str) -> bool:
    try:
        content = tools.tree.read(path)
    except (PathRefused, OSError):
        # The user made something else of it: preparing the commit says so.
        return False
    return bool(content and content.mode & 0o100)


def _was_executable(run: RunState, path: str) -> bool:
    return any(step.modes.get(path, 0) & 0o100 for step in run.steps.values())
