"""One open folder of the project, and what stands in it: the port below every file operation.

The rule a reader must not break: a `Folder` takes single names, never paths, so nothing above
it can step out of the project; and it never follows a symbolic link.
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

from orchestra_tui.domain.ids import BlobHash, blob_hash

TEMPORARY = ".orchestra-"
"""Every name this program gives to a file of its own between two steps begins with it."""

Rescue = Callable[[bytes], object]
"""Stores bytes durably before the file that held them is removed."""


@dataclass(frozen=True)
class FileContent:
    """A regular file as it was read: its bytes, permission bits (e.g. 0o644) and blob id."""

    data: bytes
    mode: int
    hash: BlobHash

    @classmethod
    def of(cls, data: bytes, mode: int) -> Self:
        """The content with its hash worked out."""
        return cls(data=data, mode=mode, hash=blob_hash(data))


@dataclass(frozen=True)
class Entry:
    """What stands under a name. `content` is None for anything but a regular file.

    `is_busy` is True if another process has the file open for writing (known on Linux only),
    `links` counts its names, `kind` says what it is, for a person.
    """

    kind: str
    inode: int
    links: int = 1
    content: FileContent | None = None
    is_busy: bool = False


class Folder(Protocol):
    """An open folder. All names are single path parts; errors are plain OSErrors."""

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode: the same folder under every spelling of its name."""

    def child(self, name: str) -> "Folder | None":
        """The folder `name`; None if nothing is there. Raises NotADirectoryError for all else."""

    def make_child(self, name: str) -> None:
        """Create the folder `name`; no error if it is there already."""

    def remove_child(self, name: str) -> bool:
        """Remove the folder `name` if it is empty; False if it is not, or not there."""

    def names(self) -> list[str]:
        """The names in the folder, in no order."""

    def has(self, name: str) -> bool:
        """True if anything at all stands under `name`, a dangling link included."""

    def look(self, name: str, *, limit: int | None = None) -> Entry | None:
        """What stands under `name`. Raises FileTooLarge if a file is longer than `limit`."""

    def write(self, name: str, data: bytes, mode: int | None) -> None:
        """Create `name` with these bytes, on the disk when this returns; `name` must be new."""

    def set_mode(self, name: str, mode: int) -> None:
        """Change the permission bits of the regular file `name`."""

    def rename(self, old: str, new: str) -> None:
        """Rename in one step; what was `new` is replaced."""

    def publish(self, old: str, new: str) -> bool:
        """Rename in one step only if `new` is free; False if it is taken."""

    def exchange(self, left: str, right: str) -> bool:
        """Exchange two names in one step; False if the system or file system cannot."""

    def remove(self, name: str) -> None:
        """Remove the file `name`; no error if nothing is there."""

    def flush(self) -> None:
        """Have the names themselves on the disk."""

    def close(self) -> None:
        """Give the handle back."""


class FileTooLarge(OSError):
    """The file is longer than the limit asked for."""


def kind_of(mode: int) -> str:
    """What a file that is no regular file is, for a person; `mode` as stat gives it."""
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a folder" if stat.S_ISDIR(mode) else "not a regular file"
