"""What is refused on the disk although its name was allowed: the second of the two fences.

The rule a reader must not break: every folder on the way to a file passes `enter`, and every
file `look`, so that what they refuse is refused for reading and for writing alike.
"""

from contextlib import ExitStack
from unicodedata import normalize

from orchestra_tui.domain.errors import PathRefused
from orchestra_tui.domain.paths import PROTECTED, path_problem
from orchestra_tui.engine.workspace.folder import TEMPORARY, Entry, FileTooLarge, Folder

MAX_FILE = 5_000_000
"""Bytes; a longer file is neither given to a model nor written from its answer."""


def parts(path: str) -> list[str]:
    """The parts of a path whose name alone is no reason to refuse it. Raises PathRefused."""
    if reason := path_problem(path):
        raise PathRefused(reason)
    parts = path.split("/")
    if any(_folded(part).startswith(TEMPORARY) for part in parts):
        raise PathRefused(f"{path}: names that begin with {TEMPORARY} belong to Orchestra")
    return parts


def enter(stack: ExitStack, folder: Folder, part: str, path: str) -> Folder | None:
    """Step into `part` of an open folder; None if it is not there.

    `stack` closes it. Raises PathRefused if it is no place to write in.
    """
    try:
        child = folder.child(part)
    except NotADirectoryError as error:
        raise PathRefused(f"{path}: {part} is not a folder of the project") from error
    if child is None:
        return None
    stack.callback(child.close)
    # The name was judged already; this sees .git and .orchestra under any other spelling.
    for protected in PROTECTED:
        if folder.has(protected) and _is_same(folder, protected, child):
            raise PathRefused(f"{path}: {part} is another name of {protected}")
    refuse_repository(child, part, is_root=False)
    return child


def _is_same(folder: Folder, name: str, child: Folder) -> bool:
    try:
        other = folder.child(name)
    except NotADirectoryError:
        return False
    if other is None:
        return False
    try:
        return other.identity == child.identity
    finally:
        other.close()


def refuse_repository(folder: Folder, name: str, *, is_root: bool) -> None:
    """Refuse a nested repository, and the inside of any repository whatever its folder is called.

    A git folder is known by HEAD, objects and refs (gitrepository-layout(5)): it may stand
    anywhere in the project (`git init --separate-git-dir`, a bare repository) and holds hooks.
    """
    if all(folder.has(inside) for inside in ("HEAD", "objects", "refs")):
        raise PathRefused(f"{name} is the inside of a git repository")
    if not is_root and folder.has(".git"):
        raise PathRefused(f"{name} is a repository of its own: open Orchestra there")


def look(folder: Folder, name: str, path: str) -> Entry | None:
    """What stands under `name`, refused if it is too long."""
    try:
        return folder.look(name, limit=MAX_FILE)
    except FileTooLarge as error:
        raise PathRefused(f"{path} is longer than {MAX_FILE} bytes") from error


def refuse_kind(entry: Entry | None, path: str) -> None:
    """Refuse to write over anything but a regular file with one name."""
    if entry is None:
        return
    if entry.content is None:
        raise PathRefused(f"{path} is {entry.kind}: only regular files are written")
    if entry.links > 1:
        raise PathRefused(f"{path} has {entry.links} hard links: writing it would change them all")


def refuse_twin(folder: Folder, name: str, path: str) -> None:
    """Refuse a new name that other file systems would take for one that is there."""
    for other in folder.names():
        if other != name and _folded(other) == _folded(name):
            raise PathRefused(f"{path}: {other} is there, and on some systems is the same name")


def _folded(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).casefold())
