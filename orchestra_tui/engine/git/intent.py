"""What a commit is about to do, in a form that survives a crash.

The rule a reader must not break: an intent is complete before it is acted on (the commit object
already exists, unreferenced), so acting on it twice gives the same commit and the same index.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestra_tui.engine.git.plumbing import Entry, PathNote


class RunChange(BaseModel):
    """What the run did to one file, from before its first write to its last. None is no file.

    The bytes are those of the working files. For a rename `path` is the new name, `renamed_from`
    the old one and `before` the old file. `is_whole` is the user's consent to commit the file as
    it is, with his own uncommitted changes in it.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    before: bytes | None
    after: bytes | None
    was_executable: bool = False
    is_executable: bool = False
    renamed_from: str | None = None
    is_whole: bool = False


class IndexEdit(BaseModel):
    """What becomes of one path (work-tree relative) in HEAD and in the index."""

    model_config = ConfigDict(frozen=True)

    path: str
    head_before: Entry | None
    head_after: Entry | None
    index_before: Entry | None
    index_after: Entry | None


class CommitIntent(BaseModel):
    """A prepared commit: journal its JSON, then give it to `commit`.

    `files` are committed, `left_out` are not (with the reason); `notes` are sentences for the
    user, e.g. that hooks are not run. Paths there are project-relative.
    """

    model_config = ConfigDict(frozen=True)

    ref: str
    parent: str | None
    tree: str
    commit: str
    message: str
    name: str
    email: str
    edits: tuple[IndexEdit, ...]
    files: tuple[str, ...]
    left_out: tuple[PathNote, ...] = ()
    notes: tuple[str, ...] = ()


class CommitState(StrEnum):
    """How far an intent has come."""

    NOT_DONE = "not done"
    DONE = "done"
    HEAD_MOVED = "head moved"
