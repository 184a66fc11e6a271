"""The port to a private copy of the project; the workspace room implements it.

The rule a reader must not break: a client never runs in the user's tree. What it changed is read
back from the copy, and only that one file a call is about.
"""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class PrivateCopy(Protocol):
    """One copy of the project, for one call. The methods block and are called from threads."""

    @property
    def root(self) -> Path:
        """The folder that holds the copy, resolved."""
        ...

    @property
    def left_out(self) -> int:
        """Files of the project that are not in the copy because it would grow too large."""
        ...

    def changed(self, path: str) -> bytes | None:
        """The bytes of `path` if they are not those that were copied; None if they are.

        None as well if there is no such file now. Raises OSError for anything but a regular
        file of reasonable size reached without links.
        """
        ...

    def read(self, path: str) -> bytes | None:
        """The bytes of `path` as they are now; None if there is no such file.

        Raises OSError for anything but a regular file of reasonable size reached without links.
        """
        ...

    def write(self, path: str, data: bytes) -> None:
        """Make `data` the content of `path`, never half; folders that are missing are made.

        Raises OSError for a path that is protected, too large, or reached by a link.
        """
        ...

    def others_changed(self, path: str) -> tuple[str, ...]:
        """Other paths that were changed, made or removed; at most a few of them."""
        ...


class PrivateTree(Protocol):
    """Makes private copies of one project."""

    def copied(self, first: str | None = None) -> AbstractAsyncContextManager[PrivateCopy]:
        """A fresh copy, removed at the end; `first` is in it whatever its size limit says.

        Raises OSError if it cannot be made.
        """
        ...
