"""The plumbing port on libgit2 (pygit2), which runs no code of the repository.

Measured on a hostile repository: pygit2's status, diff and commit run no hook, filter, fsmonitor
or pager. The rule a reader must not break: every method opens the repository anew (a third of a
millisecond), so no stale cache is believed and any thread may call.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import pygit2
from pygit2.enums import FileStatus, ObjectType, ReferenceType, RepositoryState

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git import ref_file
from orchestra_tui.engine.git.plumbing import ATTRIBUTES, Attributes, Head, ObjectKind, RefMove

# pygit2 raises OSError for the errors of the operating system that libgit2 met.
FAILURES = (pygit2.GitError, OSError, KeyError, ValueError)

_TYPES = {"blob": ObjectType.BLOB, "tree": ObjectType.TREE, "commit": ObjectType.COMMIT}
_OPERATIONS = {
    RepositoryState.MERGE: "merge",
    RepositoryState.REVERT: "revert",
    RepositoryState.REVERT_SEQUENCE: "revert",
    RepositoryState.CHERRYPICK: "cherry-pick",
    RepositoryState.CHERRYPICK_SEQUENCE: "cherry-pick",
    RepositoryState.BISECT: "bisect",
    RepositoryState.REBASE: "rebase",
    RepositoryState.REBASE_INTERACTIVE: "rebase",
    RepositoryState.REBASE_MERGE: "rebase",
    RepositoryState.APPLY_MAILBOX: "am",
    RepositoryState.APPLY_MAILBOX_OR_REBASE: "rebase",
}
_STAGED = {
    FileStatus.INDEX_NEW: "A",
    FileStatus.INDEX_MODIFIED: "M",
    FileStatus.INDEX_DELETED: "D",
    FileStatus.INDEX_RENAMED: "R",
    FileStatus.INDEX_TYPECHANGE: "T",
}
_WORKING = {
    FileStatus.WT_MODIFIED: "M",
    FileStatus.WT_DELETED: "D",
    FileStatus.WT_TYPECHANGE: "T",
    FileStatus.WT_RENAMED: "R",
    FileStatus.WT_UNREADABLE: "M",
}


class Libgit2Plumbing:
    """`Plumbing` for one git directory (of a work tree: its own, below `.git/worktrees`)."""

    hash_name: Literal["sha1", "sha256"] = "sha1"

    def __init__(self, git_dir: Path) -> None:
        self._git_dir = git_dir

    def head(self) -> Head:
        """Where HEAD stands now, symbolic refs followed."""
        repo = self._open()
        try:
            head = repo.lookup_reference("HEAD")
            if head.type is not ReferenceType.SYMBOLIC:
                return Head(ref="HEAD", commit=str(head.target))
            if repo.head_is_unborn:
                return Head(ref=str(head.target), commit=None)
            resolved = head.resolve()
            return Head(ref=resolved.name, commit=str(resolved.target))
        except FAILURES as error:
            raise GitError(f"HEAD cannot be read: {error}") from error

    def ref(self, name: str) -> str | None:
        """The commit a ref points at, or None."""
        try:
            return str(self._open().lookup_reference(name).resolve().target)
        except FAILURES:
            return None

    def operation(self) -> str | None:
        """The merge, rebase and the like that is under way."""
        state = self._open().state()
        return None if state == RepositoryState.NONE else _OPERATIONS.get(state, "git command")

    def read(self, oid: str, kind: ObjectKind) -> bytes:
        """The content of an object."""
        try:
            found, data = self._open().odb.read(pygit2.Oid(hex=oid))
        except FAILURES as error:
            raise GitError(f"the {kind} {oid} is not in the repository: run git fsck") from error
        if found != _TYPES[kind]:
            raise GitError(f"{oid} is not a {kind}: run git fsck")
        return data

    def store(self, kind: ObjectKind, data: bytes) -> str:
        """Write an object unless it is there already."""
        try:
            return str(self._open().odb.write(_TYPES[kind], data))
        except FAILURES as error:
            raise GitError(f"git's object store cannot be written: {error}") from error

    def move_ref(self, move: RefMove) -> bool:
        """Move a ref by a lock that survives a kill; see `ref_file`."""
        setting = (self.config("core.logAllRefUpdates") or "true").lower()
        return ref_file.move_ref(
            self._git_dir,
            move,
            current=lambda: self.ref(move.ref),
            is_logged=setting not in {"false", "no", "off", "0"},
        )

    def recover_ref(self, move: RefMove) -> None:
        """Remove the lock of this very move, if a killed process left it."""
        ref_file.recover_ref(self._git_dir, move)

    def is_ancestor(self, ancestor: str, tip: str) -> bool:
        """True if `ancestor` is `tip` or reached from it."""
        if ancestor == tip:
            return True
        try:
            return self._open().descendant_of(tip, ancestor)
        except FAILURES:
            return False

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """The attributes that change a file's bytes."""
        repo = self._open()  # one for all paths: libgit2 may read the whole index for the first
        try:
            return {
                path: {name: repo.get_attr(path, name) for name in ATTRIBUTES} for path in paths
            }
        except FAILURES as error:
            raise GitError(f"git's attributes cannot be read: {error}") from error

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths that an ignore rule names."""
        repo = self._open()
        try:
            return frozenset(path for path in paths if repo.path_is_ignored(path))
        except FAILURES as error:
            raise GitError(f"git's ignore rules cannot be read: {error}") from error

    def status(self, paths: Iterable[str] | None) -> Mapping[str, str]:
        """The porcelain letters of what is not clean."""
        repo = self._open()
        try:
            if paths is None:
                flags = repo.status(untracked_files="no")
            else:
                flags = {path: _status_of(repo, path) for path in paths}
        except FAILURES as error:
            raise GitError(f"git's status cannot be read: {error}") from error
        letters = {path: _letters(FileStatus(value)) for path, value in flags.items()}
        return {path: both for path, both in letters.items() if both}

    def config(self, key: str) -> str | None:
        """A configuration value, last one wins."""
        try:
            return self._open().config[key]
        except FAILURES:
            return None

    def _open(self) -> pygit2.Repository:
        try:
            return pygit2.Repository(str(self._git_dir))
        except FAILURES as error:
            raise GitError(f"the repository can no longer be opened: {error}") from error


def _status_of(repo: pygit2.Repository, path: str) -> int:
    try:
        return repo.status_file(path)
    except KeyError:
        return FileStatus.CURRENT


def _letters(status: FileStatus) -> str:
    if status & FileStatus.IGNORED:
        return ""
    if status & FileStatus.CONFLICTED:
        return "UU"
    if status & FileStatus.WT_NEW and not status & ~FileStatus.WT_NEW:
        return "??"
    staged = next((letter for flag, letter in _STAGED.items() if status & flag), " ")
    working = next((letter for flag, letter in _WORKING.items() if status & flag), " ")
    if staged == " " and working == " ":
        return ""
    return staged + working
