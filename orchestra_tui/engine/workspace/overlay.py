"""The project below an overlay: an agent works on what looks like the user's tree, and is not.

The rule a reader must not break: the user's tree is the lowest layer, which the kernel never
writes. What an agent may not be shown is struck out (whiteouts) in a layer of ours above it, from
the same listing as a copy is made of. What changed is read from the uppermost layer alone.

    upper   private, empty at first: what the agent writes and removes
    struck  private: whiteouts for secrets, `.git`, ignored files, links, settings of agents
    project the user's tree

The layers come together inside the agent's own mounts only (bubblewrap); there the project's own
address is empty, so that the tree cannot be written, or its secrets read, by its full name.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestra_tui.domain.errors import PathRefused
from orchestra_tui.engine.workspace.folder import FileContent
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import (
    MAX_LOOKED_AT,
    MAX_NAMED,
    is_of_an_agent,
    new_folder,
    remove,
)
from orchestra_tui.engine.workspace.tree import SafeTree, open_tree

_OPAQUE = "user.overlay.opaque"
"""The attribute of a folder in the upper layer that hides the whole folder below it."""
_ISOLATION = ("--unshare-user", "--unshare-pid", "--die-with-parent")


@dataclass(frozen=True)
class Layers:
    """The folders of one overlay: the project, and those of ours below `base`."""

    project: Path
    base: Path

    @property
    def upper(self) -> Path:
        """What was changed, as the kernel writes it down."""
        return self.base / "upper"

    @property
    def struck(self) -> Path:
        """What is not shown."""
        return self.base / "struck"

    @property
    def view(self) -> Path:
        """Where a program sees the project; empty for everybody else."""
        return self.base / "view" / (self.project.name or "project")

    def make(self) -> None:
        """Make the folders of ours. Raises OSError."""
        for folder in (self.upper, self.struck, self.base / "work", self.view):
            folder.mkdir(parents=True)

    def command(self, bubblewrap: str, argv: Sequence[str]) -> tuple[str, ...]:
        """`argv` with the layers put together before it."""
        mounts = ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"]
        mounts += ["--tmpfs", str(self.project), *self._kept(argv)]
        # The layers themselves are out of reach as well: nobody may take away a whiteout.
        mounts += ["--remount-ro", str(self.project), "--tmpfs", str(self.base)]
        mounts += ["--overlay-src", str(self.project), "--overlay-src", str(self.struck)]
        mounts += ["--overlay", str(self.upper), str(self.base / "work"), str(self.view)]
        return (bubblewrap, *_ISOLATION, *mounts, "--chdir", str(self.view), "--", *argv)

    def _kept(self, argv: Sequence[str]) -> Iterator[str]:
        """Programs that are installed in the project, such as in its `.venv`, stay where they are,
        to be read only."""
        tops = set()
        for word in argv:
            if not os.path.isabs(word):
                continue
            for place in (Path(word), Path(os.path.realpath(word))):
                if self.project in place.parents and place.exists():
                    tops.add(self.project / place.relative_to(self.project).parts[0])
        for top in sorted(tops):
            yield from ("--ro-bind", str(top), str(top))


@dataclass(frozen=True)
class OverlayView:
    """One overlay, for one call; implements the adapters' port."""

    layers: Layers
    tree: SafeTree
    bubblewrap: str
    listing: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def root(self) -> Path:
        """Where a program sees the project."""
        return self.layers.view

    def wrapped(self, argv: Sequence[str]) -> Sequence[str]:
        """The command below bubblewrap."""
        return self.layers.command(self.bubblewrap, argv)

    def read(self, path: str) -> bytes | None:
        """The bytes of `path` as a program sees them; None if it sees no such file."""
        if _is_whiteout(self.layers.upper / path):
            return None
        content = self._read(open_tree(self.layers.upper), path)
        if content is None and path in self.listing:
            content = self._read(self.tree, path)
        return content.data if content else None

    def write(self, path: str, data: bytes) -> None:
        """Refused: while the layers are together, only a program in them may write. OSError."""
        raise OSError(f"{path}: an overlay is written by its program alone")

    def changed(self, path: str) -> bytes | None:
        """The bytes of `path` if they are others than the user's tree has; None if they are not."""
        if _is_whiteout(self.layers.upper / path):
            return None
        content = self._read(open_tree(self.layers.upper), path)
        below = self._read(self.tree, path)
        if content is None or (below and below.hash == content.hash):
            return None
        return content.data

    def _read(self, tree: SafeTree, path: str) -> FileContent | None:
        try:
            return tree.read(path)
        except PathRefused as refusal:
            raise OSError(str(refusal)) from None

    def others_changed(self, path: str) -> tuple[str, ...]:
        """Other paths that were changed, made or removed."""
        found: set[str] = set()
        for number, name in enumerate(self._touched()):
            if name != path:
                found.add(name)
            if len(found) >= MAX_NAMED or number >= MAX_LOOKED_AT:
                break
        return tuple(sorted(found))[:MAX_NAMED]

    def _touched(self) -> Iterator[str]:
        upper = self.layers.upper
        for folder, folders, names in os.walk(upper):
            inside = Path(folder).relative_to(upper)
            for name in names:
                if self._is_touched(inside / name):
                    yield from self._files_at((inside / name).as_posix(), Path(folder, name))
            for name in folders:
                if _is_opaque(Path(folder, name)):
                    yield from self._gone_below((inside / name).as_posix())

    def _is_touched(self, path: Path) -> bool:
        """False for a file that was only opened for writing, or given other rights."""
        with suppress(OSError):
            now, before = (self.layers.upper / path).lstat(), (self.tree.root / path).lstat()
            return (now.st_mtime_ns, now.st_size) != (before.st_mtime_ns, before.st_size)
        return True

    def _files_at(self, path: str, place: Path) -> Iterator[str]:
        """The file itself; for the whiteout of a folder, all that it had."""
        if not _is_whiteout(place) or path in self.listing:
            yield path
        else:
            yield from self._gone_below(path)

    def _gone_below(self, folder: str) -> Iterator[str]:
        for name in self.listing:
            if name.startswith(f"{folder}/") and not os.path.lexists(self.layers.upper / name):
                yield name


class Overlays:
    """Makes overlays over one project."""

    def __init__(
        self, tree: SafeTree, files: ProjectFiles, bubblewrap: str, *, parent: Path | None = None
    ) -> None:
        """`bubblewrap` is the program; that it works here was tried before (`overlay_probe`)."""
        self._tree = tree
        self._files = files
        self._bubblewrap = bubblewrap
        self._parent = parent

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[OverlayView]:
        """A fresh overlay, removed at the end."""
        listing = tuple(path for path in await self._files.listing() if not is_of_an_agent(path))
        layers = Layers(self._tree.root, new_folder(self._parent))
        try:
            making = asyncio.ensure_future(asyncio.to_thread(strike_out, layers, listing))
            try:
                await asyncio.shield(making)
            except asyncio.CancelledError:
                await asyncio.wait({making})
                raise
            yield OverlayView(layers, self._tree, self._bubblewrap, listing)
        finally:
            await asyncio.shield(asyncio.to_thread(remove, layers.base))


def strike_out(layers: Layers, listing: Sequence[str]) -> None:
    """Make the layers, with a whiteout for everything in the project that is not listed.

    Raises OSError, also where the system lets nobody make whiteouts.
    """
    layers.make()
    shown = set(listing)
    folders = {str(parent) for path in shown for parent in PurePosixPath(path).parents} | {"."}
    for folder in folders:
        with os.scandir(layers.project / folder) as entries:
            names = [os.path.normpath(f"{folder}/{entry.name}") for entry in entries]
        hidden = [name for name in names if name not in shown and name not in folders]
        if hidden:
            (layers.struck / folder).mkdir(parents=True, exist_ok=True)
        for name in hidden:
            os.mknod(layers.struck / name, stat.S_IFCHR, os.makedev(0, 0))


def _is_whiteout(place: Path) -> bool:
    try:
        status = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _is_opaque(folder: Path) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False
