"""One writer per project: an advisory lock that the system lets go of when its process dies.

The rule a reader must not break: the lock file is never removed. A process that held the old
file and one that made a new one would both believe that they are alone.
"""

import contextlib
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ValidationError

from orchestra_tui.domain.errors import ProjectLocked, StorageError

MAX_OWNER_BYTES = 4096
_GUARD_OFFSET = 1 << 30
"""Windows locks bytes, and a locked byte cannot be read: this one is far behind the text."""


class LockOwner(BaseModel):
    """Who holds a project, for the message to a second process."""

    pid: int
    host: str
    since: datetime

    @classmethod
    def here(cls) -> Self:
        """This process, from now on."""
        return cls(pid=os.getpid(), host=socket.gethostname(), since=datetime.now(UTC))


class ProjectLock:
    """The lock of one project, held from `acquire` to `release`."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle: int | None = handle

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Take the lock at `path`, which is created if need be. Does not wait.

        Raises:
            ProjectLocked: another process holds it; the message names the process.
            StorageError: the file system cannot lock.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            handle = os.open(path, flags, 0o600)
        except OSError as error:
            raise StorageError(f"the lock {path} cannot be opened: {error.strerror}") from error
        try:
            _lock(handle)
        except BlockingIOError as error:
            owner = _read_owner(handle)
            os.close(handle)
            raise ProjectLocked(_held_by(owner)) from error
        except OSError as error:
            os.close(handle)
            raise StorageError(f"{path.parent} cannot be locked: {error.strerror}") from error
        _write_owner(handle, LockOwner.here())
        return cls(path, handle)

    def release(self) -> None:
        """Let the next process in. May be called twice."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
        _unlock(handle)
        os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def lock_owner(path: Path) -> LockOwner | None:
    """Who holds the lock at `path` now; None if nobody does or he left no name."""
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    try:
        _lock(handle)
    except OSError:
        return _read_owner(handle)
    else:
        _unlock(handle)
        return None
    finally:
        os.close(handle)


def _held_by(owner: LockOwner | None) -> str:
    if owner is None:
        return "another Orchestra works on this project; close it there, or wait until it is done"
    return (
        f"another Orchestra works on this project: process {owner.pid} on {owner.host}, "
        f"since {owner.since:%Y-%m-%d %H:%M} UTC; close it there, or wait until it is done"
    )


def _read_owner(handle: int) -> LockOwner | None:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        return LockOwner.model_validate_json(os.read(handle, MAX_OWNER_BYTES))
    except (OSError, ValidationError):
        return None


def _write_owner(handle: int, owner: LockOwner) -> None:
    """Leave the name for others. It is a courtesy: on a full disk the lock counts without it."""
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(owner.model_dump(mode="json")).encode() + b"\n")


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, _GUARD_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error

    def _unlock(handle: int) -> None:
        os.lseek(handle, _GUARD_OFFSET, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
