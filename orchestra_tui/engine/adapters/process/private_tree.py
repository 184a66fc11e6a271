"""The port to a private view of the project; the workspace room implements it twice.

A view is a copy, or an overlay over the user's tree that cannot be written through.

The rule a reader must not break: a client never runs in the user's tree. What it changed is read
back from the view, and only that one file a call is about.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class PrivateCopy(Protocol):
    """One view of the project, for one call. The methods block and are called from threads."""

    @property
    def root(self) -> Path:
        """The folder that a program sees the project in, resolved; its working folder."""
        ...

    @property
    def left_out(self) -> int:
        """Files of the project that are not in the copy because it would grow too large."""
        ...

    def wrapped(self, argv: Sequence[str]) -> Sequence[str]:
        """The command that runs `argv` where `root` holds the project."""
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
    """Makes private views of one project."""

    def copied(
        self, first: str | None = None, *, is_shared: bool = False
    ) -> AbstractAsyncContextManager[PrivateCopy]:
        """A fresh view, removed at the end; `first` is in it whatever its size limit says.

        `is_shared`: we write in it as well while the program runs. Raises OSError if it cannot be
        made.
        """
        ...

    async def told(self) -> str:
        """What a program is given to work in here, and why, in words."""
        ...
