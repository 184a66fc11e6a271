"""The change of the index file under git's own lock, so that nobody's staging is lost.

The new index is first written as a draft beside the old one and then becomes `index.lock` by one
link, so a lock is never half-written. The rule a reader must not break: a lock whose bytes are
not those of *our* draft belongs to somebody else and is never removed.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from orchestra_tui.domain.errors import GitError

_TRIES = 5


class IndexLock:
    """One change of the index. `token` names the change, so that a resumed process knows its own.

    Use: `recover()`, `hold(build)`, then `publish()` or `release()`.
    """

    def __init__(self, index: Path, token: str) -> None:
        self._index = index
        self._lock = index.with_name("index.lock")
        self._draft = index.with_name(f"index.orchestra-{token[:16]}")

    def recover(self) -> None:
        """Remove what a killed process left of this very change; nobody else's lock."""
        draft = _read(self._draft)
        if draft and _read(self._lock) == draft:
            self._lock.unlink(missing_ok=True)
        self._draft.unlink(missing_ok=True)

    def hold(self, build: Callable[[bytes], bytes]) -> None:
        """Take the lock with `build(old bytes)` as the new index, not yet in force.

        Raises:
            GitError: another git process holds the lock, or the folder cannot be written.
        """
        for _ in range(_TRIES):
            before = _read(self._index) or b""
            try:
                self._write_draft(build(before))
                self._take()
            except FileExistsError as error:
                self._draft.unlink(missing_ok=True)
                raise GitError(_busy(self._lock)) from error
            except OSError as error:
                self._draft.unlink(missing_ok=True)
                raise GitError(f"git's index cannot be written: {error.strerror}") from error
            if (_read(self._index) or b"") == before:
                return
            self.release()
        raise GitError("git's index keeps changing: wait for the other git command, then try again")

    def publish(self) -> None:
        """Put the new index in force and give the lock back."""
        try:
            os.replace(self._lock, self._index)
        except OSError as error:
            raise GitError(f"git's index cannot be written: {error.strerror}") from error
        self._draft.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the lock back with the index as it was."""
        self._lock.unlink(missing_ok=True)
        self._draft.unlink(missing_ok=True)

    def _write_draft(self, data: bytes) -> None:
        with self._draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            old = self._index.stat()
            self._draft.chmod(old.st_mode & 0o777)
            # A newer time would make git trust entries whose file changed within the same tick of
            # the clock as the old index; with the old time it goes on comparing those by content.
            os.utime(self._draft, ns=(old.st_atime_ns, old.st_mtime_ns))

    def _take(self) -> None:
        try:
            os.link(self._draft, self._lock)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            with self._lock.open("xb") as file:
                file.write(self._draft.read_bytes())
            mode = self._draft.stat()
            os.utime(self._lock, ns=(mode.st_atime_ns, mode.st_mtime_ns))


def refuse_if_locked(index: Path) -> None:
    """Raise `GitError` when another git process holds the index."""
    lock = index.with_name("index.lock")
    if lock.exists():
        raise GitError(_busy(lock))


def _busy(lock: Path) -> str:
    return (
        f"another git command is using this repository ({lock} exists): wait until it is done, "
        "or remove that file if no git command is running, then commit again"
    )


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
