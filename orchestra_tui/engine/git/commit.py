"""The run's commit: made, found again after a crash, and its index brought into line.

    changes --prepare_commit--> CommitIntent --(journal it)--> commit --> oid
    after a crash: commit_state(intent); commit(intent) again, or finish(intent)

The rule a reader must not break: the order is draft of the index, index.lock, compare-and-swap of
the branch, rename of the lock into the index. A process killed in between leaves a lock that this
room (and nobody else) recognises as its own, and git refuses to work on the half-way state.

No hook is run, nothing is signed, no filter is applied: `CommitIntent.notes` tells the user.
"""

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.index_file import Index, index_bytes, parse_index
from orchestra_tui.engine.git.index_lock import IndexLock
from orchestra_tui.engine.git.intent import CommitIntent, CommitState, IndexEdit, RunChange
from orchestra_tui.engine.git.plumbing import CommitRefused, Entry, PathNote, RefMove
from orchestra_tui.engine.git.prepare import prepare_commit
from orchestra_tui.engine.git.repository import Repository

__all__ = [
    "CommitIntent",
    "CommitRefused",
    "CommitState",
    "PathNote",
    "RunChange",
    "commit",
    "commit_state",
    "finish",
    "prepare_commit",
]

_MOVED = (
    "the branch moved since the commit was prepared (somebody committed, or another branch is "
    "checked out): nothing was committed; review the changes and commit again"
)


def commit(repo: Repository, intent: CommitIntent) -> str:
    """Make the prepared commit and return its id; done already, it only finishes the index.

    Raises:
        GitError: HEAD is not where the intent was prepared, or another git holds the index.
    """
    match commit_state(repo, intent):
        case CommitState.DONE:
            finish(repo, intent)
            return intent.commit
        case CommitState.HEAD_MOVED:
            raise GitError(_MOVED)
        case CommitState.NOT_DONE:
            pass
    lock = _recovered_lock(repo, intent)
    lock.hold(lambda data: _edited_index(data, repo.plumbing.hash_name, intent.edits))
    moved = False
    try:
        moved = repo.head().ref == intent.ref and repo.plumbing.move_ref(_move(intent))
    finally:
        if not moved:
            lock.release()
    if not moved:
        raise GitError(_MOVED)
    lock.publish()
    return intent.commit


def commit_state(repo: Repository, intent: CommitIntent) -> CommitState:
    """How far the intent has come, judged from the refs alone."""
    tip = repo.plumbing.ref(intent.ref)
    if tip is not None and repo.plumbing.is_ancestor(intent.commit, tip):
        return CommitState.DONE
    head = repo.head()
    if head.ref == intent.ref and head.commit == intent.parent:
        return CommitState.NOT_DONE
    return CommitState.HEAD_MOVED


def finish(repo: Repository, intent: CommitIntent) -> None:
    """Bring the index into line with a commit that stands; doing it again changes nothing.

    What the user staged since then stays, and once he has committed on top or left the branch the
    index is his alone.
    """
    lock = _recovered_lock(repo, intent)
    head = repo.head()
    if head.ref != intent.ref or head.commit != intent.commit:
        return
    hash_name = repo.plumbing.hash_name
    data = repo.index_path.read_bytes() if repo.index_path.exists() else b""
    if not _open_edits(parse_index(data, hash_name), intent.edits):
        return
    lock.hold(lambda data: _edited_index(data, hash_name, intent.edits))
    lock.publish()


def _recovered_lock(repo: Repository, intent: CommitIntent) -> IndexLock:
    repo.plumbing.recover_ref(_move(intent))
    lock = IndexLock(repo.index_path, intent.commit)
    lock.recover()
    return lock


def _move(intent: CommitIntent) -> RefMove:
    subject = intent.message.split("\n", 1)[0]
    kind = "commit" if intent.parent else "commit (initial)"
    return RefMove(
        ref=intent.ref,
        old=intent.parent,
        new=intent.commit,
        log=f"{kind}: {subject}",
        name=intent.name,
        email=intent.email,
    )


def _edited_index(data: bytes, hash_name: str, edits: tuple[IndexEdit, ...]) -> bytes:
    index = parse_index(data, hash_name)
    open_edits = _open_edits(index, edits)
    return index_bytes(index.with_edits(open_edits), hash_name) if open_edits else data


def _open_edits(index: Index, edits: tuple[IndexEdit, ...]) -> dict[bytes, Entry | None]:
    """The edits still to be made. A path the user staged anew in the meantime is his."""
    staged = index.by_path()
    still: dict[bytes, Entry | None] = {}
    for edit in edits:
        path = edit.path.encode()
        entry = staged.get(path)
        now = entry.as_entry() if entry else None
        announced = entry is not None and entry.is_intent_to_add
        if now == edit.index_before:
            after = edit.index_after
        elif now == edit.head_before or announced:
            after = edit.head_after
        else:
            continue
        # An empty file that was only announced (`git add -N`) already has its content's id.
        is_unannounced = announced and after == edit.head_after
        if now != after or is_unannounced:
            still[path] = after
    return still
