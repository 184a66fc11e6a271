"""Git's tree and commit objects as bytes, and a tree edited at a few known paths.

The rule a reader must not break: only the folders on the way to an edited path are read and
written; everything else keeps its object id, so a commit holds exactly the edits it was given.
The formats are those of git's own documentation (gitformat-pack, "git cat-file -p").
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.plumbing import FOLDER, Entry, Plumbing


@dataclass(frozen=True)
class Identity:
    """Who made a commit, and when (an aware time)."""

    name: str
    email: str
    at: datetime

    def line(self) -> str:
        """The value of an `author` or `committer` header."""
        zone = self.at.strftime("%z")[:5] or "+0000"
        return f"{self.name} <{self.email}> {int(self.at.timestamp())} {zone}"


def object_id(kind: str, data: bytes, hash_name: str) -> str:
    """The id git gives an object with this content."""
    digest = hashlib.new(hash_name, b"%s %d\0" % (kind.encode(), len(data)), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def commit_bytes(
    tree: str, parent: str | None, *, author: Identity, committer: Identity, message: str
) -> bytes:
    """The content of a commit object with at most one parent, in UTF-8."""
    parents = [f"parent {parent}"] if parent else []
    people = [f"author {author.line()}", f"committer {committer.line()}"]
    return "\n".join([f"tree {tree}", *parents, *people, "", message]).encode()


def commit_tree(plumbing: Plumbing, commit: str | None) -> str | None:
    """The tree of a commit; None for no commit."""
    if commit is None:
        return None
    first = plumbing.read(commit, "commit").split(b"\n", 1)[0]
    if not first.startswith(b"tree "):
        raise GitError(f"the commit {commit} cannot be read")
    return first[5:].decode()


def read_tree(plumbing: Plumbing, tree: str | None) -> dict[bytes, Entry]:
    """The names of one folder; an empty one for None."""
    if tree is None:
        return {}
    data = plumbing.read(tree, "tree")
    width = len(tree) // 2
    entries: dict[bytes, Entry] = {}
    position = 0
    while position < len(data):
        space = data.index(b" ", position)
        end = data.index(b"\0", space)
        oid = data[end + 1 : end + 1 + width].hex()
        entries[data[space + 1 : end]] = Entry(mode=int(data[position:space], 8), oid=oid)
        position = end + 1 + width
    return entries


def tree_bytes(entries: Mapping[bytes, Entry]) -> bytes:
    """The content of a tree object; folders sort as if their name ended in `/`."""

    def key(name: bytes) -> bytes:
        return name + b"/" if entries[name].mode == FOLDER else name

    return b"".join(
        b"%o %s\0%s" % (entries[name].mode, name, bytes.fromhex(entries[name].oid))
        for name in sorted(entries, key=key)
    )


def entry_at(plumbing: Plumbing, tree: str | None, path: str) -> Entry | None:
    """What `path` names in a tree, a folder included; None if nothing."""
    found: Entry | None = None
    for name in path.encode().split(b"/"):
        if found is not None and found.mode != FOLDER:
            return None
        found = read_tree(plumbing, found.oid if found else tree).get(name)
        if found is None:
            return None
    return found


def edit_tree(
    plumbing: Plumbing, tree: str | None, edits: Mapping[bytes, Entry | None]
) -> str | None:
    """The tree with these paths set (or removed, for None); None if nothing is left in it."""
    entries = read_tree(plumbing, tree)
    below: dict[bytes, dict[bytes, Entry | None]] = {}
    for path, entry in edits.items():
        name, _, rest = path.partition(b"/")
        if rest:
            below.setdefault(name, {})[rest] = entry
        elif entry is not None:
            entries[name] = entry
        else:
            entries.pop(name, None)
    for name, inner in below.items():
        folder = entries.get(name)
        if folder is not None and folder.mode != FOLDER:
            if all(entry is None for entry in inner.values()):
                continue
            raise GitError(f"{name.decode(errors='replace')} is a file in the commit, not a folder")
        oid = edit_tree(plumbing, folder.oid if folder else None, inner)
        if oid is None:
            entries.pop(name, None)
        else:
            entries[name] = Entry(mode=FOLDER, oid=oid)
    return plumbing.store("tree", tree_bytes(entries)) if entries else None
