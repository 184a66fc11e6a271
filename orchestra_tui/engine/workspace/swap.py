"""One file exchanged for another so that nobody's bytes are lost: not ours, not the user's.

The rule a reader must not break: after the exchange, what came *out* is looked at before it is
removed; if it is not what the change was made against it is the user's, and goes back. The same
`settle` runs at once after the exchange and again after a crash, so recovery is the usual path.

Names used beside the file: `.orchestra-<token>.part` while our bytes are being written (always
ours, never whole for sure) and `.orchestra-<token>.swap` once they are on the disk. After the
exchange `.swap` holds what the file held before.
"""

from dataclasses import dataclass

from orchestra_tui.domain.errors import ConflictError
from orchestra_tui.domain.ids import BlobHash
from orchestra_tui.engine.workspace.crashpoints import reach
from orchestra_tui.engine.workspace.folder import TEMPORARY, Entry, Folder, Rescue

_MAX_ROUNDS = 16


@dataclass(frozen=True)
class Change:
    """What is to become of the file `name`: blob ids before and after, None is no file.

    `path` is how a person knows the file. `token` names the temporary files: the same change
    must have the same token after a crash.
    """

    name: str
    path: str
    token: str
    before: BlobHash | None
    after: BlobHash | None

    @property
    def part(self) -> str:
        """Where our bytes are written."""
        return f"{TEMPORARY}{self.token}.part"

    @property
    def swap(self) -> str:
        """Where our bytes wait for the exchange, and what came out of it afterwards."""
        return f"{TEMPORARY}{self.token}.swap"


class FileChanged(ConflictError):
    """The file is not what the change was made against. `found` is its blob id, None no file."""

    def __init__(self, message: str, found: BlobHash | None) -> None:
        super().__init__(message)
        self.found = found


def swap(
    folder: Folder, change: Change, new: bytes | None, *, mode: int | None, rescue: Rescue
) -> None:
    """Make the change; on return the file is `after` and nothing of ours stands beside it.

    `mode` None keeps the permission bits (the usual ones for a new file).
    Raises FileChanged, with the user's bytes in place, or OSError, with nothing changed.
    """
    entry = folder.look(change.name)
    _require_same(change, entry)
    bits = entry.content.mode if entry and entry.content else None
    try:
        if new is not None:
            folder.write(change.part, new, bits if mode is None else mode)
            reach("apply.part")
            folder.rename(change.part, change.swap)
        reach("apply.ready")
        _exchange(folder, change)
    except OSError:
        folder.remove(change.part)
        settle(folder, change, rescue)
        raise
    reach("apply.exchanged")
    theirs = settle(folder, change, rescue, bits if mode is None else None)
    folder.flush()
    reach("apply.settled")
    if theirs:
        found = folder.look(change.name)
        raise _changed(change, found, busy=theirs.is_busy)


def settle(
    folder: Folder, change: Change, rescue: Rescue, expected_mode: int | None = None
) -> Entry | None:
    """Clear up beside the file; what came out of the exchange and is the user's goes back.

    Where it cannot go back, because the file holds something still newer, its bytes are given
    to `rescue`. Returns the user's entry if there was one. With `expected_mode`, a change of
    permission bits that the user made meanwhile is carried over to the new file.
    """
    folder.remove(change.part)
    theirs: Entry | None = None
    placed: set[int] = set()
    for _ in range(_MAX_ROUNDS):
        held = folder.look(change.swap)
        if held is None:
            return theirs
        if _is_ours(held, change):
            _carry_mode(folder, change, held, expected_mode)
            folder.remove(change.swap)
            return theirs
        theirs = theirs or held
        # What comes out a second time was displaced by a newer save, which now has the place.
        is_older = held.inode in placed
        if is_older or not _give_back(folder, change, is_first=not placed):
            _keep(folder, change, held, rescue)
            return theirs
        placed.add(held.inode)
    return theirs


def _is_ours(held: Entry, change: Change) -> bool:
    """True for our own bytes, and for the bytes that were to be replaced unless still in use."""
    if held.content is None:
        return False
    if held.content.hash == change.after:
        return True
    return held.content.hash == change.before and not held.is_busy


def _give_back(folder: Folder, change: Change, *, is_first: bool) -> bool:
    """Put what came out under the file's name again; False if something newer stands there."""
    if change.after is None:
        return folder.publish(change.swap, change.name)
    if is_first:
        # After a crash much may have happened since; only our own bytes are moved out of the way.
        now = folder.look(change.name)
        if now is None or now.content is None or now.content.hash != change.after:
            return False
    try:
        if not folder.exchange(change.swap, change.name):
            folder.rename(change.swap, change.name)
    except FileNotFoundError:
        return False
    return True


def _keep(folder: Folder, change: Change, held: Entry, rescue: Rescue) -> None:
    """Keep bytes that have no place any more; a folder or link is left where it is, visibly."""
    if held.content is None:
        return
    rescue(held.content.data)
    folder.remove(change.swap)


def _carry_mode(folder: Folder, change: Change, held: Entry, expected: int | None) -> None:
    if expected is None or held.content is None or held.content.hash != change.before:
        return
    if held.content.mode != expected and change.after is not None:
        folder.set_mode(change.name, held.content.mode)


def _exchange(folder: Folder, change: Change) -> None:
    """The one step that others see. A name that was taken or freed meanwhile is FileChanged."""
    try:
        if change.before is None:
            if not folder.publish(change.swap, change.name):
                folder.remove(change.swap)
                raise _changed(change, folder.look(change.name))
        elif change.after is None:
            folder.rename(change.name, change.swap)
        elif not folder.exchange(change.swap, change.name):
            _replace(folder, change)
    except FileNotFoundError as error:
        folder.remove(change.swap)
        raise _changed(change, folder.look(change.name)) from error


def _replace(folder: Folder, change: Change) -> None:
    """Compare and replace, where two names cannot be exchanged: a save in between is lost."""
    now = folder.look(change.name)
    if now is None or now.is_busy or now.content is None or now.content.hash != change.before:
        folder.remove(change.swap)
        raise _changed(change, now, busy=now is not None and now.is_busy)
    folder.rename(change.swap, change.name)


def _require_same(change: Change, entry: Entry | None) -> None:
    if entry is not None and entry.content is None:
        raise FileChanged(f"{change.path} is now {entry.kind}", None)
    content = entry.content if entry else None
    if (content.hash if content else None) != change.before:
        raise _changed(change, entry)


def _changed(change: Change, entry: Entry | None, *, busy: bool = False) -> FileChanged:
    found = entry.content.hash if entry and entry.content else None
    if busy:
        return FileChanged(f"{change.path} is being written by another program", found)
    if entry is None:
        return FileChanged(f"{change.path} was removed since it was read", None)
    if change.before is None:
        return FileChanged(f"{change.path} is there already", found)
    return FileChanged(f"{change.path} was changed since it was read", found)
