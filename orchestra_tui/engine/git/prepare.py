"""A commit prepared: which content every path of the run gets in HEAD and in the index.

The rule a reader must not break: preparing writes objects and nothing else. No ref, no index and
no working file changes until `commit.commit`; whatever cannot be committed without taking the
user's own work along is refused here, all reasons at once.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from orchestra_tui.domain.commit_message import cleaned_message
from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.identity import commit_notes, identity
from orchestra_tui.engine.git.intent import CommitIntent, IndexEdit, RunChange
from orchestra_tui.engine.git.objects import commit_bytes, edit_tree
from orchestra_tui.engine.git.plumbing import PathNote
from orchestra_tui.engine.git.repository import Repository
from orchestra_tui.engine.git.staging import Stage


def prepare_commit(
    repo: Repository,
    changes: Iterable[RunChange],
    message: str,
    *,
    at: datetime | None = None,
    environment: Mapping[str, str] | None = None,
) -> CommitIntent:
    """The commit of exactly the run's changes, ready to be journalled and then made.

    `at` is the commit's time (aware; now if None); `environment` may hold git's GIT_AUTHOR_* and
    GIT_COMMITTER_* (the process's own if None).

    Raises:
        CommitRefused: paths that cannot be committed, each with its reason.
        GitError: nothing to commit, an operation under way, no identity, a locked index.
    """
    stage = Stage(repo)
    stage.refuse_bad_moments()
    at = at or datetime.now(UTC).astimezone()
    environment = os.environ if environment is None else environment
    author = identity(repo.plumbing, environment, "author", at)
    committer = identity(repo.plumbing, environment, "committer", at)
    text = cleaned_message(message)
    if not text:
        raise GitError("the commit message is empty: write one")
    edits, left_out = stage.edits(changes)
    tree = _committed_tree(stage, edits, left_out)
    parent = stage.head.commit
    body = commit_bytes(tree, parent, author=author, committer=committer, message=f"{text}\n")
    committed = [edit.path for edit in edits if edit.head_before != edit.head_after]
    return CommitIntent(
        ref=stage.head.ref,
        parent=parent,
        tree=tree,
        commit=repo.plumbing.store("commit", body),
        message=text,
        name=committer.name,
        email=committer.email,
        edits=edits,
        files=tuple(path.removeprefix(repo.prefix) for path in committed),
        left_out=left_out,
        notes=commit_notes(repo),
    )


def _committed_tree(stage: Stage, edits: Sequence[IndexEdit], left_out: Sequence[PathNote]) -> str:
    changed = {
        edit.path.encode(): edit.head_after for edit in edits if edit.head_before != edit.head_after
    }
    if not changed:
        reasons = "; ".join(str(note) for note in left_out)
        raise GitError(f"there is nothing to commit{': ' if reasons else ''}{reasons}")
    plumbing = stage.repo.plumbing
    return edit_tree(plumbing, stage.tree, changed) or plumbing.store("tree", b"")
