"""What becomes of every path of the run in HEAD and in the index, as edits of both.

The rule a reader must not break: the user's difference between HEAD and index, and the one
between index and working file, are after the commit what they were before it. So the run's change
is applied to HEAD's version and to the staged version, each on its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from orchestra_tui.domain.errors import GitError
from orchestra_tui.domain.paths import path_problem
from orchestra_tui.engine.git.eol import EolRule, eol_rule, to_repository
from orchestra_tui.engine.git.index_file import Index, IndexEntry, parse_index
from orchestra_tui.engine.git.index_lock import refuse_if_locked
from orchestra_tui.engine.git.intent import IndexEdit, RunChange
from orchestra_tui.engine.git.objects import commit_tree, entry_at
from orchestra_tui.engine.git.obstacles import PathRules
from orchestra_tui.engine.git.plumbing import (
    EXECUTABLE,
    FILE,
    Attributes,
    CommitRefused,
    Entry,
    PathNote,
)
from orchestra_tui.engine.git.repository import Repository
from orchestra_tui.engine.git.separation import MixedError, Version, separate

IGNORED = "git ignores it (.gitignore), so it is not committed"


@dataclass(frozen=True)
class _Part:
    """One path's share of a change; a rename has two. `side_path` is where HEAD has the file."""

    path: str
    side_path: str
    base: bytes | None
    result: bytes | None
    was_executable: bool
    is_executable: bool
    is_whole: bool


class Stage:
    """The repository at one moment: HEAD, its tree and the index."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self.head = repo.head()
        self.tree = commit_tree(repo.plumbing, self.head.commit)

    def refuse_bad_moments(self) -> None:
        """Raise `GitError` where a commit would disturb what the user is in the middle of."""
        refuse_if_locked(self.repo.index_path)
        if operation := self.repo.operation():
            raise GitError(
                f"a {operation} is under way in this repository: finish or abort it, then commit"
            )
        if conflicts := self._index.conflicts():
            names = ", ".join(conflicts[:5])
            raise GitError(f"git has unresolved conflicts in {names}: resolve them, then commit")

    def edits(
        self, changes: Iterable[RunChange]
    ) -> tuple[tuple[IndexEdit, ...], tuple[PathNote, ...]]:
        """The edits of all paths, and the ignored files that are left out.

        Raises:
            CommitRefused: with the problems of all paths.
        """
        parts = _parts(list(changes))
        gone = {self.repo.prefix + part.path for part in parts if part.result is None}
        sound = (part.path for part in parts if not path_problem(part.path))
        attributes = self.repo.plumbing.attributes([self.repo.prefix + path for path in sound])
        rules = PathRules(self.repo, self.tree, self._staged, gone, attributes)
        problems: list[PathNote] = []
        left_out: list[PathNote] = []
        edits: list[IndexEdit] = []
        for part in parts:
            if self._is_left_out(part):
                left_out.append(PathNote(path=part.path, message=IGNORED))
                continue
            try:
                edits.append(self._edit(part, rules, attributes))
            except (GitError, MixedError) as error:
                problems.append(PathNote(path=part.path, message=str(error)))
        if problems:
            raise CommitRefused(problems)
        return tuple(edits), tuple(left_out)

    @cached_property
    def _index(self) -> Index:
        path = self.repo.index_path
        data = path.read_bytes() if path.exists() else b""
        return parse_index(data, self.repo.plumbing.hash_name)

    @cached_property
    def _staged(self) -> Mapping[bytes, IndexEntry]:
        return self._index.by_path()

    def _is_left_out(self, part: _Part) -> bool:
        path = self.repo.prefix + part.path
        if part.result is None or path.encode() in self._staged or path_problem(part.path):
            return False
        return self._in_head(path) is None and self.repo.is_ignored(part.path)

    def _in_head(self, path: str) -> Entry | None:
        return entry_at(self.repo.plumbing, self.tree, path)

    def _in_index(self, path: str) -> Entry | None:
        """The staged content; a path only announced with `git add -N` has none."""
        entry = self._staged.get(path.encode())
        return None if entry is None or entry.is_intent_to_add else entry.as_entry()

    def _edit(
        self, part: _Part, rules: PathRules, attributes: Mapping[str, Attributes]
    ) -> IndexEdit:
        path = self.repo.prefix + part.path
        source = self.repo.prefix + part.side_path
        head, found = self._in_head(path), self._staged.get(path.encode())
        index_before = found.as_entry() if found else None
        rules.check(part.path, head=head, staged=index_before, is_kept=part.result is not None)
        if source != path and (head or self._in_index(path)):
            raise GitError("it is in the last commit or staged already, and the run renamed to it")
        head_side, staged_side = self._in_head(source), self._in_index(source)
        rule = eol_rule(attributes[path], self.repo.plumbing.config("core.autocrlf"))
        base, result = self._versions(part, rule, head_side, staged_side)
        head_after = self._after(part, base, result, side=head_side)
        index_after: Entry | None
        if part.is_whole:
            index_after = head_after
        elif head_side is None and result is None:
            index_after = index_before  # staged by the user as new: still his, though removed
        elif staged_side == head_side:
            index_after = head_after
        elif staged_side is None and head_side is not None and base and result:
            index_after = index_before  # `git rm --cached`: the user wants it untracked
        else:
            index_after = self._after(part, base, result, side=staged_side)
        return IndexEdit(
            path=path,
            head_before=head,
            head_after=head_after,
            index_before=index_before,
            index_after=index_after,
        )

    def _after(
        self, part: _Part, base: Version | None, result: Version | None, *, side: Entry | None
    ) -> Entry | None:
        if not part.is_whole:
            if base is not None and result is None and side is None:
                return None
            result = separate(base, result, self._version(side))
        if result is None:
            return None
        mode = EXECUTABLE if result.is_executable else FILE
        return Entry(mode=mode, oid=self.repo.plumbing.store("blob", result.data))

    def _version(self, entry: Entry | None) -> Version | None:
        if entry is None:
            return None
        data = self.repo.plumbing.read(entry.oid, "blob")
        return Version(data, entry.mode == EXECUTABLE)

    def _versions(
        self, part: _Part, rule: EolRule, head: Entry | None, staged: Entry | None
    ) -> tuple[Version | None, Version | None]:
        """The working file before and after the run, as the repository would store them."""
        plumbing = self.repo.plumbing
        stored = plumbing.read(staged.oid, "blob") if staged else None
        was, now = part.was_executable, part.is_executable
        if (plumbing.config("core.filemode") or "").lower() == "false":
            known = staged or head
            was = now = known is not None and known.mode == EXECUTABLE
        base, result = (
            None if data is None else to_repository(data, rule, stored)
            for data in (part.base, part.result)
        )
        return (
            None if base is None else Version(base, was),
            None if result is None else Version(result, now),
        )


def _parts(changes: Sequence[RunChange]) -> list[_Part]:
    named = {change.path for change in changes}
    parts = []
    for change in changes:
        source = change.renamed_from
        parts.append(
            _Part(
                path=change.path,
                side_path=source or change.path,
                base=change.before,
                result=change.after,
                was_executable=change.was_executable,
                is_executable=change.is_executable,
                is_whole=change.is_whole,
            )
        )
        if source is not None and source not in named:
            # The user's own edits went along to the new name, so the old one goes entirely.
            parts.append(
                _Part(
                    path=source,
                    side_path=source,
                    base=change.before,
                    result=None,
                    was_executable=False,
                    is_executable=False,
                    is_whole=True,
                )
            )
    return parts
