"""The one content store: a private bare git repository in the state folder.

The rule a reader must not break: bytes are on the disk before `put` returns, because events that
name their hash are written next. Nothing here is ever an object or a ref of the user's
repository: those would be shown by `git log --all` and published by `git push --mirror`.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

import pygit2

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.ids import BlobHash

FOLDER = "blobs.git"


class BlobStore:
    """Bytes by their git blob id. All methods block and may be called from any thread.

    Nothing is ever collected: automatic and manual pruning are switched off in its config.
    """

    def __init__(self, state: Path) -> None:
        """Open `state`/blobs.git, made if it is not there. Raises StorageError if it cannot be."""
        self._path = state / FOLDER
        self._lock = threading.Lock()
        try:
            _create(self._path)
            self._repository = pygit2.Repository(str(self._path))
        except (OSError, pygit2.GitError) as error:
            raise StorageError(
                f"The content store {self._path} cannot be opened ({error}). "
                "Move it aside to start a new one; earlier sessions then lose their file contents."
            ) from error

    def put(self, data: bytes) -> BlobHash:
        """Store `data` durably; storing it again costs nothing. Raises StorageError."""
        try:
            with self._lock:
                name = str(self._repository.create_blob(data))
                self._flush(name)
        except (OSError, pygit2.GitError) as error:
            raise StorageError(f"{self._path}: content cannot be stored ({error}).") from error
        return BlobHash(name)

    def get(self, blob: BlobHash) -> bytes:
        """The bytes of `blob`, checked against their hash. Raises StorageError if not there."""
        try:
            with self._lock:
                found = self._repository[blob]
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise StorageError(f"{self._path} does not hold {blob} ({error}).") from error
        if not isinstance(found, pygit2.Blob):
            raise StorageError(f"{self._path}: {blob} is not a file's content.")
        return found.data

    def has(self, blobs: Iterable[BlobHash]) -> bool:
        """True if every one of `blobs` is there."""
        with self._lock:
            return all(blob in self._repository for blob in blobs)

    def close(self) -> None:
        """Release the files that libgit2 keeps open."""
        with self._lock:
            self._repository.free()

    def _flush(self, name: str) -> None:
        """Have a new loose object on the disk; libgit2 only renames it into place."""
        loose = self._path / "objects" / name[:2] / name[2:]
        for path in (loose, loose.parent, loose.parent.parent):
            _to_disk(path)


def _to_disk(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        return  # Windows cannot open a folder for this
    flags = os.O_RDONLY if os.name == "posix" else os.O_RDWR
    try:
        handle = os.open(path, flags)
    except (FileNotFoundError, PermissionError):
        return  # packed already, or a read-only file on Windows: nothing is left to flush
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _create(path: Path) -> None:
    """Make the repository aside and rename it into place, so that it is whole or not there.

    A killed `init` in place leaves a config.lock that makes the store unusable for ever.
    """
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    for left_over in path.parent.glob(f"{FOLDER}.new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=f"{FOLDER}.new-", dir=path.parent))
    repository = pygit2.init_repository(str(aside), bare=True)
    for name, value in (("gc.auto", 0), ("gc.pruneExpire", "never"), ("core.autocrlf", False)):
        repository.config[name] = value
    repository.free()
    shutil.rmtree(aside / "hooks", ignore_errors=True)
    try:
        aside.rename(path)
    except OSError:
        # Another process of the same user was first; its store is as good.
        shutil.rmtree(aside, ignore_errors=True)
        if not path.is_dir():
            raise
    _to_disk(path.parent)
