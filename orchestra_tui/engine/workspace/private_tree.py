"""A private copy of the project, for an agent that wants a folder to work in.

The rule a reader must not break: the copy holds what an agent may be shown (`ProjectFiles`), as
bytes of its own: no link leads back into the project, so nothing done in the copy can reach it.
Settings of agent programs stay behind, because they could start programs (hooks, MCP servers).
"""

import asyncio
import os
import secrets
import shutil
import stat
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_tui.domain.errors import PathRefused
from orchestra_tui.domain.ids import BlobHash
from orchestra_tui.engine.workspace.folder import FileContent
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.swap import FileChanged
from orchestra_tui.engine.workspace.tree import SafeTree, open_tree

MAX_BYTES = 256 * 1024 * 1024
MAX_FILE = 8 * 1024 * 1024
MAX_FILES = 20_000
MAX_NAMED = 20
MAX_LOOKED_AT = 100_000
PREFIX = "orchestra-copy-"

_AGENT_FOLDERS = frozenset({".claude", ".codex", ".gemini", ".opencode", ".vibe"})
_AGENT_FILES = frozenset({".mcp.json", "opencode.json", "opencode.jsonc"})


@dataclass(frozen=True)
class _Copied:
    """A file as it was copied: when it still looks like this, it was not touched."""

    hash: BlobHash
    stamp: tuple[int, int, int]


@dataclass
class FolderCopy:
    """One copy in a folder of its own; implements the adapters' port."""

    root: Path
    left_out: int = 0
    _files: dict[str, _Copied] = field(default_factory=dict)

    def add(self, path: str, data: bytes, mode: int, blob: BlobHash) -> None:
        """Write one file. Raises OSError."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
        self._files[path] = _Copied(blob, _stamp(place.stat()))

    def wrapped(self, argv: Sequence[str]) -> Sequence[str]:
        """The command as it is: nothing stands between a program and the copy."""
        return argv

    def read(self, path: str) -> bytes | None:
        """The bytes of `path` as they are now; None if there is no such file."""
        content = self._content(path)
        return content.data if content else None

    def write(self, path: str, data: bytes) -> None:
        """Make `data` the content of `path`, in one step and through no link."""
        content = self._content(path)
        expected = content.hash if content else None
        token = secrets.token_hex(8)
        try:
            tree = open_tree(self.root)
            tree.exchange(path, data, expected=expected, token=token, rescue=_forget)
        except (PathRefused, FileChanged) as refusal:
            raise OSError(str(refusal)) from None

    def _content(self, path: str) -> FileContent | None:
        try:
            return open_tree(self.root).read(path)
        except PathRefused as refusal:
            raise OSError(str(refusal)) from None

    def changed(self, path: str) -> bytes | None:
        """The bytes of `path` if they are not those that were copied; None if they are."""
        content = self._content(path)
        known = self._files.get(path)
        if content is None or (known and known.hash == content.hash):
            return None
        return content.data

    def others_changed(self, path: str) -> tuple[str, ...]:
        """Other paths that were changed, made or removed, by their time stamps."""
        found: list[str] = []
        seen = set()
        for name, stamp in self._walk():
            seen.add(name)
            known = self._files.get(name)
            if (known is None or known.stamp != stamp) and name != path:
                found.append(name)
            if len(found) >= MAX_NAMED or len(seen) >= MAX_LOOKED_AT:
                return tuple(found)
        found += sorted(self._files.keys() - seen - {path})
        return tuple(found[:MAX_NAMED])

    def _walk(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        for folder, _, names in os.walk(self.root):
            for name in names:
                place = Path(folder, name)
                try:
                    stamp = _stamp(place.lstat())
                except OSError:
                    continue
                yield place.relative_to(self.root).as_posix(), stamp


class PrivateCopies:
    """Makes copies of what an agent may see of the project; implements the adapters' port."""

    def __init__(
        self,
        tree: SafeTree,
        files: ProjectFiles,
        *,
        max_bytes: int = MAX_BYTES,
        max_files: int = MAX_FILES,
        parent: Path | None = None,
    ) -> None:
        """`parent` is where copies are made; None takes the system's folder for such things."""
        self._tree = tree
        self._files = files
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._parent = parent

    @asynccontextmanager
    async def copied(
        self,
        first: str | None = None,
        *,
        is_shared: bool = False,
    ) -> AsyncIterator[FolderCopy]:
        """A fresh copy, removed at the end; `first` goes in before the limits are counted."""
        listing = await self._files.listing()
        base = new_folder(self._parent)
        try:
            copy = FolderCopy(base / (self._tree.root.name or "project"))
            await self._filled(copy, listing, first)
            yield copy
        finally:
            await asyncio.shield(asyncio.to_thread(remove, base))

    async def told(self) -> str:
        """What it is."""
        return "a copy"

    async def _filled(self, copy: FolderCopy, listing: tuple[str, ...], first: str | None) -> None:
        """Fill the copy; when cancelled, the thread has stopped writing before this returns."""
        is_unwanted = threading.Event()
        filling = asyncio.ensure_future(
            asyncio.to_thread(self._fill, copy, listing, first, is_unwanted)
        )
        try:
            await asyncio.shield(filling)
        except asyncio.CancelledError:
            is_unwanted.set()
            await asyncio.wait({filling})
            raise

    def _fill(
        self,
        copy: FolderCopy,
        listing: tuple[str, ...],
        first: str | None,
        is_unwanted: threading.Event,
    ) -> None:
        copy.root.mkdir()
        ordered = sorted(listing, key=lambda path: path != first)
        left = self._max_bytes
        for number, path in enumerate(path for path in ordered if not is_of_an_agent(path)):
            if is_unwanted.is_set():
                return
            try:
                content = self._tree.read(path)
            except (PathRefused, OSError):
                continue
            if content is None:
                continue
            size = len(content.data)
            is_too_much = size > min(left, MAX_FILE) or number >= self._max_files
            if is_too_much and path != first:
                copy.left_out += 1
                continue
            left -= size
            copy.add(path, content.data, content.mode, content.hash)


def _forget(data: bytes) -> None:
    """What an agent wrote in its copy at the same moment is nobody's loss."""


def new_folder(parent: Path | None) -> Path:
    """A folder for one call below `parent`, or below the system's for such things.

    Made at once and in no thread, so that a cancel cannot come between. Resolved: a client that
    resolves its folder must see the name that we look under.
    """
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()


def is_of_an_agent(path: str) -> bool:
    """True for settings of agent programs, which could start programs."""
    *folders, name = path.casefold().split("/")
    return name in _AGENT_FILES or not _AGENT_FOLDERS.isdisjoint(folders)


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def remove(base: Path) -> None:
    """Remove the folder of one call, also where an agent took away its own rights to it."""
    for folder, names, _ in os.walk(base):
        for name in names:
            with suppress(OSError):
                if not Path(folder, name).is_symlink():
                    Path(folder, name).chmod(0o700)
    shutil.rmtree(base, ignore_errors=True)
