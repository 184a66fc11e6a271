"""The project as agents see it: the files that git does not ignore, and their text.

The rule a reader must not break: a file that is ignored, that git or Orchestra owns, or whose
name says it holds a secret is neither listed nor read. Links and nested repositories are not
entered. The bytes always come through the `SafeTree`; the walk here only finds names.
"""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestra_tui.domain.errors import PathRefused
from orchestra_tui.domain.paths import PROTECTED, path_problem
from orchestra_tui.engine.workspace.folder import TEMPORARY
from orchestra_tui.engine.workspace.ignore import IGNORE_FILE, IgnoreRules, rules_of
from orchestra_tui.engine.workspace.sensitive import is_sensitive
from orchestra_tui.engine.workspace.text import Text, decode
from orchestra_tui.engine.workspace.tree import SafeTree

MAX_FILES = 50_000
_SETTLED = 0.1
"""Seconds: a folder changed more recently than this may change again within one time stamp."""


@dataclass(frozen=True)
class Survey:
    """What was found: sorted paths, and how much was left out and why."""

    files: tuple[str, ...]
    ignored: int = 0
    """Files and folders that git ignores."""
    sensitive: int = 0
    """Files whose names say that they hold secrets."""
    other: int = 0
    """Links, nested repositories, special files, and names that cannot be written."""
    is_cut: bool = False
    """True if the project has more than the files listed."""


@dataclass(frozen=True)
class _Folder:
    """What one folder holds, kept for as long as its time stamp and the rules stay the same."""

    stamp: int
    inner: IgnoreRules
    files: tuple[str, ...]
    folders: tuple[str, ...]
    ignored: int
    sensitive: int
    other: int


class ProjectFiles:
    """The `ProjectView` of agents, on the disk. A second listing looks only at changed folders."""

    def __init__(self, tree: SafeTree, *, max_files: int = MAX_FILES) -> None:
        self._tree = tree
        self._max_files = max_files
        self._known: dict[str, _Folder] = {}
        self._ignore_files: dict[str, tuple[tuple[int, int], IgnoreRules, IgnoreRules]] = {}
        self._outer = rules_of(tree.root)
        self._lock = threading.Lock()

    async def listing(self) -> tuple[str, ...]:
        """Every file that may be shown, project-relative with `/`, sorted."""
        return (await self.survey()).files

    async def survey(self) -> Survey:
        """The listing together with what was left out."""
        return await asyncio.to_thread(self._survey)

    async def read(self, path: str) -> str | None:
        r"""The text of a file with `\n` line ends and without BOM.

        None if it is not there, is no regular file, is too long, is ignored, may hold a secret,
        or is not UTF-8 text.
        """
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> str | None:
        try:
            if is_sensitive(path) or path_problem(path) or self._is_ignored(path):
                return None
            content = self._tree.read(path)
        except (PathRefused, OSError):
            return None
        text = decode(content.data) if content else None
        return text.text if isinstance(text, Text) else None

    def _is_ignored(self, path: str) -> bool:
        rules = self._rules_at(self._outer_rules(), "")
        inside = ""
        for part in path.split("/")[:-1]:
            inside = f"{inside}{part}/"
            if rules.ignores(inside):
                return True
            rules = self._rules_at(rules, inside)
        return rules.ignores(path)

    def _survey(self) -> Survey:
        with self._lock:
            folders = []
            count = 0
            is_cut = False
            for folder in self._walk():
                folders.append(folder)
                count += len(folder.files)
                if count > self._max_files:
                    is_cut = True
                    break
        files = sorted(file for folder in folders for file in folder.files)
        return Survey(
            files=tuple(files[: self._max_files]),
            ignored=sum(folder.ignored for folder in folders),
            sensitive=sum(folder.sensitive for folder in folders),
            other=sum(folder.other for folder in folders),
            is_cut=is_cut,
        )

    def _walk(self) -> Iterator[_Folder]:
        """Every folder, outer ones and near ones first, so that a cut leaves out the deepest."""
        waiting = [("", self._outer_rules())]
        seen = set()
        for path, rules in waiting:
            folder = self._look(path, rules)
            seen.add(path)
            yield folder
            waiting += [(inner, folder.inner) for inner in folder.folders]
        self._known = {path: folder for path, folder in self._known.items() if path in seen}

    def _look(self, path: str, rules: IgnoreRules) -> _Folder:
        """The folder `path` (`""` or `a/b/`); one that cannot be read is itself left out."""
        place = self._tree.root / path
        try:
            stamp = os.stat(place).st_mtime_ns
            inner = self._rules_at(rules, path)
            known = self._known.get(path)
            if known and known.stamp == stamp and known.inner is inner:
                return known
            folder = _scan(place, path, inner, stamp)
        except OSError:
            return _closed(0, rules)
        if time.time() - stamp / 1e9 > _SETTLED:
            self._known[path] = folder
        return folder

    def _outer_rules(self) -> IgnoreRules:
        """The rules from outside the root: the same object for as long as nothing changed."""
        now = rules_of(self._tree.root)
        if now != self._outer:
            self._outer = now
        return self._outer

    def _rules_at(self, rules: IgnoreRules, folder: str) -> IgnoreRules:
        """The rules inside `folder`: the same object for as long as nothing changed."""
        name = folder + IGNORE_FILE
        try:
            status = os.lstat(self._tree.root / name)
        except OSError:
            self._ignore_files.pop(folder, None)
            return rules
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._ignore_files.get(folder)
        if known and known[0] == stamp and known[1] == rules:
            return known[2]
        try:
            content = self._tree.read(name)
        except (PathRefused, OSError):
            return rules
        inner = rules.inside(folder, content.data if content else None)
        self._ignore_files[folder] = (stamp, rules, inner)
        return inner


def _closed(stamp: int, inner: IgnoreRules) -> _Folder:
    """A folder that is not entered: a repository of its own, or one that cannot be read."""
    return _Folder(stamp, inner, files=(), folders=(), ignored=0, sensitive=0, other=1)


def _scan(place: Path, path: str, inner: IgnoreRules, stamp: int) -> _Folder:
    with os.scandir(place) as scan:
        entries = list(scan)
    names = {entry.name for entry in entries}
    if path and (".git" in names or {"HEAD", "objects", "refs"} <= names):
        return _closed(stamp, inner)
    files, folders = [], []
    ignored = sensitive = other = 0
    for entry in entries:
        if entry.name.casefold() in PROTECTED or entry.name.startswith(TEMPORARY):
            continue
        full = path + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        is_file = entry.is_file(follow_symlinks=False)
        if not (is_folder or is_file) or path_problem(full):
            other += 1
        elif inner.ignores(f"{full}/" if is_folder else full):
            ignored += 1
        elif is_folder:
            folders.append(f"{full}/")
        elif is_sensitive(full):
            sensitive += 1
        else:
            files.append(full)
    return _Folder(stamp, inner, tuple(files), tuple(sorted(folders)), ignored, sensitive, other)
