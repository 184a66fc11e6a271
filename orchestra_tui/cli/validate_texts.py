"""Which texts `orchestra validate` looks at: files, folders, and what git has of them.

The rule a reader must not break: a path that was named must be answered for, so what cannot be
read is a sentence and no silence; only what a folder or git lists is passed over when binary.
"""

import asyncio
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.domain.errors import GitError, PathRefused, UsageError

if TYPE_CHECKING:
    from orchestra_tui.engine.git.revisions import Revisions

MAX_BYTES = 128 * 1024 * 1024
MAX_FILES = 1_000_000
BATCH = 100
"""Texts that are asked of git, and held in memory, at once."""


@dataclass(frozen=True)
class Candidate:
    """One file to judge. `shown` is its path for people; `stored_new` and `stored_old` are names
    in the repository that replace the file's own text and give the one before."""

    shown: str
    path: Path
    is_listed: bool = False
    """Found in a folder or by git, not named: passed over when it is no text."""
    old: Path | None = None
    stored_new: str | None = None
    stored_old: str | None = None


@dataclass(frozen=True)
class Texts:
    """A candidate with its texts; `problem` says why there is none."""

    shown: str
    new: str = ""
    old: str | None = None
    problem: str = ""
    is_passed_over: bool = False


class NotText(Exception):
    """The bytes are no text, or cannot be had; the message is the reason."""

    is_binary = False


class BinaryBytes(NotText):
    """The bytes are no UTF-8 text."""

    is_binary = True


def candidates(arguments: Arguments) -> "tuple[list[Candidate], Revisions | None]":
    """The files to look at, in the order they were named or are sorted in. Blocks.

    Raises UsageError.
    """
    if not (arguments.staged or arguments.against):
        found = [one for file in arguments.files for one in _named(file)]
        if arguments.old is not None:
            found = [replace(one, old=arguments.old) for one in found]
        return found, None
    # Only here, as below: whoever names files does not wait for rooms that they do not need.
    from orchestra_tui.engine.git.revisions import Revisions

    try:
        revisions = Revisions.around(Path.cwd())
        if arguments.staged:
            return list(_staged(revisions, arguments.files)), revisions
        base = revisions.commit(arguments.against or "HEAD")
        return list(_against(revisions, base, arguments.files)), revisions
    except GitError as error:
        raise UsageError(str(error)) from None


def read_texts(wanted: Sequence[Candidate], revisions: "Revisions | None") -> list[Texts]:
    """The texts of up to `BATCH` candidates. Blocks. Raises GitError."""
    names = [name for one in wanted for name in (one.stored_new, one.stored_old) if name]
    contents = revisions.read(names) if revisions and names else []
    stored = dict(zip(names, contents, strict=True))
    return [_texts(one, stored) for one in wanted]


def _texts(one: Candidate, stored: dict[str, bytes | None]) -> Texts:
    try:
        if one.stored_new:
            data = stored[one.stored_new]
            if data is None:
                raise NotText("is not in the index as one file (deleted, or in conflict)")
        else:
            data = read_file(one.path)
        new = as_text(data)
    except NotText as reason:
        passed = one.is_listed and reason.is_binary
        return Texts(one.shown, problem=str(reason), is_passed_over=passed)
    try:
        return Texts(one.shown, new, _old_text(one, stored))
    except NotText as reason:
        return Texts(one.shown, problem=f"{one.old}: {reason}")


def _old_text(one: Candidate, stored: dict[str, bytes | None]) -> str | None:
    if one.old is not None:
        return as_text(read_file(one.old))
    data = stored[one.stored_old] if one.stored_old else None
    try:
        return None if data is None else as_text(data)
    except BinaryBytes:
        # It was no text before (or is kept in another encoding): there is nothing to compare.
        return None


def read_file(path: Path) -> bytes:
    """The bytes of a regular file. Blocks. Raises NotText with the reason."""
    try:
        # A pipe would be waited for; it is opened without, and then refused.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NotText("is no regular file")
            if status.st_size > MAX_BYTES:
                raise NotText(f"is larger than {MAX_BYTES // 2**20} MB")
            return file.read()
    except OSError as error:
        raise NotText(f"cannot be read: {error.strerror or error}") from None


def as_text(data: bytes) -> str:
    """Strict UTF-8 without NUL. Raises BinaryBytes."""
    if b"\0" in data:
        raise BinaryBytes("is binary (it holds a NUL byte)")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BinaryBytes(f"is not UTF-8 text (byte {error.start + 1})") from None


def _named(file: Path) -> Iterator[Candidate]:
    if not file.is_dir():
        yield Candidate(str(file), file)
        return
    for path in _listing(file):
        yield Candidate(str(file / path), file / path, is_listed=True)


def _listing(folder: Path) -> tuple[str, ...]:
    """The files of a folder that git would not ignore, sorted."""
    from orchestra_tui.engine.workspace.listing import ProjectFiles
    from orchestra_tui.engine.workspace.tree import open_tree

    try:
        tree = open_tree(folder)
    except (PathRefused, OSError) as error:
        raise UsageError(f"the folder {folder} cannot be read: {error}") from None
    return asyncio.run(ProjectFiles(tree, max_files=MAX_FILES).listing())


def _staged(revisions: "Revisions", files: Sequence[Path]) -> Iterator[Candidate]:
    head = revisions.head()
    changes = revisions.staged(head)
    named = _paths_in(revisions, files) if files else dict.fromkeys(changes)
    for path, shown in named.items():
        before = changes.get(path, path)
        yield Candidate(
            shown or _shown(revisions, path),
            revisions.top / path,
            is_listed=shown is None,
            stored_new=f":{path}",
            stored_old=f"{head}:{before}",
        )


def _against(revisions: "Revisions", base: str, files: Sequence[Path]) -> Iterator[Candidate]:
    named = _paths_in(revisions, files) if files else dict.fromkeys(revisions.changed(base))
    before = {path: old for path, old in revisions.staged(base).items() if path != old}
    for path, shown in named.items():
        yield Candidate(
            shown or _shown(revisions, path),
            revisions.top / path,
            is_listed=shown is None,
            stored_old=f"{base}:{before.get(path, path)}",
        )


def _paths_in(revisions: "Revisions", files: Sequence[Path]) -> dict[str, str | None]:
    """Path in the repository -> as it was named (None: found in a named folder)."""
    found: dict[str, str | None] = {}
    top = revisions.top.resolve()
    for file in files:
        if not _place(file).is_relative_to(top):
            raise UsageError(f"{file} is outside the repository {top}")
        for one in _named(file):
            path = _place(one.path).relative_to(top).as_posix()
            found[path] = None if one.is_listed else one.shown
    return found


def _place(path: Path) -> Path:
    """Where a path is; its last part may be a link, which git knows by its own name."""
    if path.name in {"", ".."}:
        return path.resolve()
    return path.parent.resolve() / path.name


def _shown(revisions: "Revisions", path: str) -> str:
    return os.path.relpath(revisions.top / path)
