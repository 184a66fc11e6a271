"""A branch moved in git's own files, in a way that a killed process can be told from a living one.

libgit2 leaves an empty `main.lock` behind when it is killed at the wrong moment, and nobody can
prove whose it is. Here the lock appears by one link with its content in it, the new commit's id.
The rule a reader must not break: a lock that does not hold *our* commit is never removed.
Format: git's gitrepository-layout (loose refs, logs); repositories with reftable never come here.
"""

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from orchestra_tui.domain.errors import GitError
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.git.objects import Identity
from orchestra_tui.engine.git.plumbing import RefMove


def common_dir(git_dir: Path) -> Path:
    """The git directory that all linked work trees share: branches and hooks are there."""
    try:
        return git_dir / (git_dir / "commondir").read_text().strip()
    except OSError:
        return git_dir


def recover_ref(git_dir: Path, move: RefMove) -> None:
    """Remove what a killed process left of this very move; nobody else's lock."""
    lock = _lock(git_dir, move.ref)
    with contextlib.suppress(OSError):
        if lock.read_bytes() == _content(move):
            lock.unlink()
    _draft(git_dir, move).unlink(missing_ok=True)


def move_ref(
    git_dir: Path, move: RefMove, *, current: Callable[[], str | None], is_logged: bool
) -> bool:
    """Compare-and-swap a ref under its lock; False if `current()` is not what `move` says.

    `is_logged` is core.logAllRefUpdates: without it only logs that exist are continued.

    Raises:
        GitError: another git command holds the lock, or the files cannot be written.
    """
    lock, draft = _lock(git_dir, move.ref), _draft(git_dir, move)
    try:
        _take(lock, draft, _content(move))
        try:
            if current() != move.old:
                return False
            _log(git_dir, move, is_logged=is_logged)
            os.replace(lock, lock.with_name(lock.name.removesuffix(".lock")))
            return True
        finally:
            lock.unlink(missing_ok=True)
    except FileExistsError as error:
        raise GitError(
            f"another git command is moving {move.ref} ({lock} exists): wait until it is done, "
            "or remove that file if no git command is running, then commit again"
        ) from error
    except OSError as error:
        raise GitError(f"{move.ref} could not be moved: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _take(lock: Path, draft: Path, content: bytes) -> None:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, lock)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with lock.open("xb") as file:
            file.write(content)


def _log(git_dir: Path, move: RefMove, *, is_logged: bool) -> None:
    person = Identity(move.name, move.email, datetime.now(UTC).astimezone())
    old = move.old or "0" * len(move.new)
    line = f"{old} {move.new} {person.line()}\t{clean_line(move.log)}\n".encode()
    logs = {git_dir / "logs" / "HEAD"}
    if move.ref != "HEAD":
        logs.add(common_dir(git_dir) / "logs" / move.ref)
    for log in logs:
        if is_logged:
            log.parent.mkdir(parents=True, exist_ok=True)
        if is_logged or log.exists():
            with log.open("ab") as file:
                file.write(line)


def _lock(git_dir: Path, ref: str) -> Path:
    base = git_dir if ref == "HEAD" else common_dir(git_dir)
    return base / f"{ref}.lock"


def _draft(git_dir: Path, move: RefMove) -> Path:
    return git_dir / f"orchestra-ref-{move.new[:16]}"


def _content(move: RefMove) -> bytes:
    return f"{move.new}\n".encode()
