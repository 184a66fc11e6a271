"""Why a path cannot be committed here, whatever its content: the rules about names and kinds.

The rule a reader must not break: a doubt is a refusal with a reason. A submodule, a link, a
filtered file or a file in the place of a folder is never committed by guess.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import PurePosixPath

from orchestra_tui.domain.errors import GitError
from orchestra_tui.domain.paths import path_problem
from orchestra_tui.engine.git.eol import conversion_problem
from orchestra_tui.engine.git.index_file import IndexEntry
from orchestra_tui.engine.git.objects import entry_at
from orchestra_tui.engine.git.plumbing import FOLDER, SUBMODULE, SYMLINK, Attributes, Entry
from orchestra_tui.engine.git.repository import Repository

_KINDS = {
    SUBMODULE: "it is a submodule, which is a repository of its own: commit inside it",
    SYMLINK: "it is a symbolic link in the repository, and the run made it a file",
    FOLDER: "it is a folder in the last commit, and the run made it a file",
}


class PathRules:
    """The obstacles of one commit; `gone` are the paths (work-tree relative) it removes."""

    def __init__(
        self,
        repo: Repository,
        tree: str | None,
        staged: Mapping[bytes, IndexEntry],
        gone: Collection[str],
        attributes: Mapping[str, Attributes],
    ) -> None:
        self._repo = repo
        self._tree = tree
        self._staged = staged
        self._gone = gone
        self._attributes = attributes

    def check(self, path: str, *, head: Entry | None, staged: Entry | None, is_kept: bool) -> None:
        """Raise `GitError` with the reason if the project-relative `path` cannot be committed.

        `is_kept` is False for a path that the commit removes.
        """
        if problem := path_problem(path):
            raise GitError(problem)
        for entry in (head, staged):
            if entry is not None and not entry.is_file:
                raise GitError(_KINDS.get(entry.mode, "it is not a plain file in the repository"))
        full = self._repo.prefix + path
        self._check_parents(full)
        if not is_kept:
            return
        if self._has_staged_below(full):
            raise GitError("it is a folder in git's index, and the run made it a file")
        if problem := conversion_problem(self._attributes[full]):
            raise GitError(problem)
        if head is None and staged is None and full.casefold() in self._folded:
            raise GitError("git has it under another spelling (upper and lower case)")

    def _check_parents(self, path: str) -> None:
        for parent in map(str, PurePosixPath(path).parents):
            if parent == ".":
                return
            if (self._repo.work_tree / parent / ".git").exists():
                raise GitError(f"{parent} is a git repository of its own: commit inside it")
            known = entry_at(self._repo.plumbing, self._tree, parent)
            staged = self._staged.get(parent.encode())
            for entry in (known, staged.as_entry() if staged else None):
                self._check_parent(parent, entry)

    def _check_parent(self, parent: str, entry: Entry | None) -> None:
        if entry is None or entry.mode == FOLDER or parent in self._gone:
            return
        if entry.mode == SUBMODULE:
            raise GitError(f"{parent} is a submodule: commit inside it")
        raise GitError(f"{parent} is a file in the repository, not a folder")

    def _has_staged_below(self, path: str) -> bool:
        start = path.encode() + b"/"
        at = bisect_left(self._ordered, start)
        below = self._ordered[at : at + 1]
        return bool(below) and below[0].startswith(start) and below[0].decode() not in self._gone

    @cached_property
    def _ordered(self) -> list[bytes]:
        return sorted(self._staged)

    @cached_property
    def _folded(self) -> frozenset[str]:
        """Every staged path in folded case, where the file system does not tell case apart."""
        if (self._repo.plumbing.config("core.ignorecase") or "").lower() != "true":
            return frozenset()
        names = (path.decode(errors="replace") for path in self._staged)
        return frozenset(name.casefold() for name in names)
