"""Folders by path: the `Folder` port for systems without directory handles, such as Windows.

The rule a reader must not break: the guarantees here are narrower, and it is said wherever it
matters. Links are looked for before each step instead of being impossible to follow, so a folder
turned into a link within that moment is followed; two names cannot be exchanged, so a file is
compared and then replaced, and a save within that moment is lost.
"""

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Self

from orchestra_tui.engine.workspace.folder import Entry, FileContent, FileTooLarge, kind_of


class PathFolder:
    """A folder known by its path; there is no handle to give back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        status = os.lstat(path)
        self._identity = (status.st_dev, status.st_ino)

    @classmethod
    def root(cls, path: str) -> Self:
        """Open the project root, whose own path may pass through links."""
        resolved = Path(path).resolve(strict=True)
        if not resolved.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is not a folder", path)
        return cls(resolved)

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode: the same folder under every spelling of its name."""
        return self._identity

    def child(self, name: str) -> "PathFolder | None":
        """The folder `name`; None if nothing is there. Raises NotADirectoryError for all else."""
        status = self._status(name)
        if status is None:
            return None
        if not stat.S_ISDIR(status.st_mode) or _is_junction(self._path / name):
            raise NotADirectoryError(errno.ENOTDIR, "is not a folder", name)
        return PathFolder(self._path / name)

    def make_child(self, name: str) -> None:
        """Create the folder `name`; no error if it is there already."""
        try:
            os.mkdir(self._path / name)
        except FileExistsError:
            return

    def remove_child(self, name: str) -> bool:
        """Remove the folder `name` if it is empty; False if it is not, or not there."""
        try:
            os.rmdir(self._path / name)
        except OSError:
            return False
        return True

    def names(self) -> list[str]:
        """The names in the folder, in no order."""
        return os.listdir(self._path)

    def has(self, name: str) -> bool:
        """True if anything at all stands under `name`, a dangling link included."""
        return self._status(name) is not None

    def look(self, name: str, *, limit: int | None = None) -> Entry | None:
        """What stands under `name`. Raises FileTooLarge if a file is longer than `limit`."""
        status = self._status(name)
        if status is None:
            return None
        if not stat.S_ISREG(status.st_mode):
            return Entry(kind=kind_of(status.st_mode), inode=status.st_ino)
        if limit is not None and status.st_size > limit:
            raise FileTooLarge(errno.EFBIG, f"{status.st_size} bytes")
        try:
            data = (self._path / name).read_bytes()
        except FileNotFoundError:
            return None
        return Entry(
            kind="a file",
            inode=status.st_ino,
            links=status.st_nlink,
            content=FileContent.of(data, stat.S_IMODE(status.st_mode) & 0o777),
        )

    def write(self, name: str, data: bytes, mode: int | None) -> None:
        """Create `name` with these bytes, on the disk when this returns; `name` must be new."""
        with open(self._path / name, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(self._path / name, mode)

    def set_mode(self, name: str, mode: int) -> None:
        """Change the permission bits of the regular file `name`."""
        os.chmod(self._path / name, mode)

    def rename(self, old: str, new: str) -> None:
        """Rename in one step; what was `new` is replaced."""
        os.replace(self._path / old, self._path / new)

    def publish(self, old: str, new: str) -> bool:
        """Rename in one step only if `new` is free; False if it is taken."""
        try:
            if sys.platform == "win32":  # rename never replaces there
                os.rename(self._path / old, self._path / new)
                return True
            os.link(self._path / old, self._path / new, follow_symlinks=False)
        except FileExistsError:
            return False
        except PermissionError:  # no hard links here (FAT): a narrow race remains
            if self.has(new):
                return False
            self.rename(old, new)
            return True
        os.unlink(self._path / old)
        return True

    def exchange(self, left: str, right: str) -> bool:
        """Exchange two names in one step; False, because no portable call does it."""
        return False

    def remove(self, name: str) -> None:
        """Remove the file `name`; no error if nothing is there."""
        (self._path / name).unlink(missing_ok=True)

    def flush(self) -> None:
        """Have the names themselves on the disk, where a folder can be opened for it."""
        if sys.platform == "win32":
            return
        handle = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def close(self) -> None:
        """Give the handle back: there is none."""

    def _status(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(self._path / name)
        except FileNotFoundError:
            return None


def _is_junction(path: Path) -> bool:
    """True for a Windows junction, which is a link that lstat calls a folder."""
    tag = getattr(os.lstat(path), "st_reparse_tag", 0)
    return bool(tag == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1))
