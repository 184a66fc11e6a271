"""The project's files as the engine may touch them: `SafeTree` and its one implementation.

The rule a reader must not break: every path is judged twice, by its name
(`domain.paths.path_problem`) and again folder by folder on the disk, because a name alone does
not say where it leads. Which system calls walk the folders is the `Folder` port's matter.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestra_tui.domain.errors import PathRefused
from orchestra_tui.domain.ids import BlobHash, blob_hash
from orchestra_tui.engine.workspace.folder import FileContent, Folder, Rescue
from orchestra_tui.engine.workspace.portable import PathFolder
from orchestra_tui.engine.workspace.refusals import (
    MAX_FILE,
    enter,
    look,
    parts,
    refuse_kind,
    refuse_repository,
    refuse_twin,
)
from orchestra_tui.engine.workspace.swap import Change, FileChanged, settle, swap

FORCE_PORTABLE = "ORCHESTRA_PORTABLE_TREE"


class SafeTree(Protocol):
    """The files below one project root; paths are relative to it with `/`.

    All methods block and may be called from threads. They raise PathRefused for a path that is
    outside, protected or of a kind that is never touched, and OSError for what the disk says.
    """

    @property
    def root(self) -> Path:
        """The project root, resolved."""

    @property
    def is_portable(self) -> bool:
        """True for the implementation with the narrower guarantees (`portable`)."""

    def read(self, path: str) -> FileContent | None:
        """The file's content; None if there is none."""

    def problem(self, path: str) -> str | None:
        """Why `exchange` would refuse this path as the disk is now; None if it would not."""

    def missing_parents(self, path: str) -> tuple[str, ...]:
        """The folders above `path` that are not there yet, outermost first."""

    def exchange(
        self,
        path: str,
        new: bytes | None,
        *,
        expected: BlobHash | None,
        token: str,
        rescue: Rescue,
        mode: int | None = None,
    ) -> None:
        """Make the file's bytes `new` (None removes it) if it is still `expected` (None: no file).

        Missing folders are made. `mode` None keeps the permission bits. Raises
        `swap.FileChanged` if the file is not `expected`: then the user's bytes stand.
        """

    def settle(
        self,
        path: str,
        *,
        before: BlobHash | None,
        after: BlobHash | None,
        token: str,
        rescue: Rescue,
    ) -> BlobHash | None:
        """Finish or take back an exchange that a crash cut off; the blob id of what stands now."""

    def remove_empty(self, folders: Iterable[str]) -> None:
        """Remove those of these folders that are empty, innermost first."""


def open_tree(root: Path, *, portable: bool | None = None) -> SafeTree:
    """The tree below `root`, by directory handles where the system has them.

    `portable=True`, or the environment variable ORCHESTRA_PORTABLE_TREE=1, takes the weaker
    implementation everywhere. Raises NotADirectoryError or FileNotFoundError for a bad root.
    """
    if portable is None:
        portable = os.environ.get(FORCE_PORTABLE, "") not in {"", "0"}
    if portable or os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
        return FolderTree(root, PathFolder.root)
    # Only here, because the module needs fcntl, which Windows does not have.
    from orchestra_tui.engine.workspace.posix import HandleFolder

    return FolderTree(root, HandleFolder.root)


@dataclass(frozen=True)
class _Place:
    """The folder a path's file stands in, opened, and the file's name there."""

    folder: Folder
    name: str


class FolderTree:
    """`SafeTree` on any `Folder` implementation."""

    def __init__(self, root: Path, open_root: Callable[[str], Folder]) -> None:
        self._root = root.resolve(strict=True)
        self._open_root = open_root
        folder = open_root(str(self._root))
        self._identity = folder.identity
        folder.close()
        # One change at a time: a folder just made for one file must not be taken away as empty
        # by another file's change that failed.
        self._changing = threading.Lock()

    @property
    def root(self) -> Path:
        """The project root, resolved."""
        return self._root

    @property
    def is_portable(self) -> bool:
        """True for the implementation with the narrower guarantees (`portable`)."""
        return self._open_root == PathFolder.root

    def read(self, path: str) -> FileContent | None:
        """The file's content; None if there is none. Hard links may be read, not written."""
        with self._walk(path) as place:
            entry = look(place.folder, place.name, path) if place else None
        if entry is None:
            return None
        if entry.content is None:
            raise PathRefused(f"{path} is {entry.kind}: only regular files are read")
        return entry.content

    def problem(self, path: str) -> str | None:
        """Why `exchange` would refuse this path as the disk is now; None if it would not."""
        try:
            self.missing_parents(path)
            with self._walk(path) as place:
                entry = look(place.folder, place.name, path) if place else None
                refuse_kind(entry, path)
                if place and entry is None:
                    refuse_twin(place.folder, place.name, path)
        except PathRefused as refusal:
            return str(refusal)
        return None

    def missing_parents(self, path: str) -> tuple[str, ...]:
        """The folders above `path` that are not there yet, outermost first.

        Raises PathRefused also if the first of them has a twin that some systems confuse it with.
        """
        parents = parts(path)[:-1]
        with ExitStack() as stack:
            folder = self._enter_root(stack)
            for depth, part in enumerate(parents):
                child = enter(stack, folder, part, path)
                if child is None:
                    refuse_twin(folder, part, path)
                    return tuple("/".join(parents[: n + 1]) for n in range(depth, len(parents)))
                folder = child
        return ()

    def exchange(
        self,
        path: str,
        new: bytes | None,
        *,
        expected: BlobHash | None,
        token: str,
        rescue: Rescue,
        mode: int | None = None,
    ) -> None:
        """Make the file's bytes `new` if it is still `expected`; see `SafeTree.exchange`."""
        if new is not None and len(new) > MAX_FILE:
            raise PathRefused(f"{path}: {len(new)} bytes are more than the {MAX_FILE} allowed")
        with self._changing:
            made = self.missing_parents(path)
            try:
                with self._walk(path, make=new is not None) as place:
                    if place:
                        _swap(place, path, new, expected, token, rescue, mode)
                    elif expected is not None:
                        raise FileChanged(f"{path} was removed since it was read", None)
            except BaseException:
                self._remove_empty(made)
                raise

    def settle(
        self,
        path: str,
        *,
        before: BlobHash | None,
        after: BlobHash | None,
        token: str,
        rescue: Rescue,
    ) -> BlobHash | None:
        """Finish or take back an exchange that a crash cut off; the blob id of what stands now."""
        with self._changing, self._walk(path) as place:
            if place is None:
                return None
            settle(place.folder, Change(place.name, path, token, before, after), rescue)
            entry = place.folder.look(place.name)
        if entry and entry.content is None:
            raise PathRefused(f"{path} is now {entry.kind}")
        return entry.content.hash if entry and entry.content else None

    def remove_empty(self, folders: Iterable[str]) -> None:
        """Remove those of these folders that are empty, innermost first."""
        with self._changing:
            self._remove_empty(folders)

    def _remove_empty(self, folders: Iterable[str]) -> None:
        for path in sorted(folders, key=lambda folder: folder.count("/"), reverse=True):
            with self._walk(path) as place:
                if place is None or not place.folder.remove_child(place.name):
                    continue
                place.folder.flush()

    @contextmanager
    def _walk(self, path: str, *, make: bool = False) -> Iterator[_Place | None]:
        """Open the folder that holds `path`; None if a folder on the way is missing."""
        *parents, name = parts(path)
        with ExitStack() as stack:
            folder: Folder | None = self._enter_root(stack)
            for part in parents:
                if folder is None:
                    break
                inner = enter(stack, folder, part, path)
                if inner is None and make:
                    folder.make_child(part)
                    folder.flush()
                    inner = enter(stack, folder, part, path)
                folder = inner
            yield _Place(folder, name) if folder else None

    def _enter_root(self, stack: ExitStack) -> Folder:
        folder = self._open_root(str(self._root))
        stack.callback(folder.close)
        if folder.identity != self._identity:
            raise PathRefused(f"{self._root} was replaced by another folder since it was opened")
        refuse_repository(folder, ".", is_root=True)
        return folder


def _swap(
    place: _Place,
    path: str,
    new: bytes | None,
    expected: BlobHash | None,
    token: str,
    rescue: Rescue,
    mode: int | None,
) -> None:
    entry = look(place.folder, place.name, path)
    refuse_kind(entry, path)
    if entry is None and new is not None:
        refuse_twin(place.folder, place.name, path)
    after = None if new is None else blob_hash(new)
    change = Change(place.name, path, token, expected, after)
    swap(place.folder, change, new, mode=mode, rescue=rescue)
