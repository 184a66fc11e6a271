"""The errors a person may see, as one tree.

OrchestraError
├── UsageError             what was asked for cannot be done as asked (exit 2)
│   ├── CommandRefused     a command does not fit the state of the session
│   └── NotConfigured      no provider, and no rehearsal was asked for
├── PathRefused            a path outside the root, protected, or of a kind never written
├── ConflictError          the file on disk is not the one the plan was made against
├── FileAccessError        a file cannot be read or written: no space, no permission
├── StorageError           the journal cannot be read or written
│   └── ProjectLocked      another process holds the project
└── GitError               the repository cannot do what was asked

Every message says what happened and what to do; none holds a secret or a raw escape.
"""


class OrchestraError(Exception):
    """The root of the tree: `str(error)` is a sentence for a person."""


class UsageError(OrchestraError):
    """What was asked for cannot be done as asked; the process exits with 2."""


class CommandRefused(UsageError):
    """The command does not fit the state of the session, e.g. approving when no plan waits."""


class NotConfigured(UsageError):
    """There is no provider, no terminal to ask on, and no rehearsal was asked for."""


class PathRefused(OrchestraError):
    """The path may not be read or written; the message says why."""


class ConflictError(OrchestraError):
    """The file changed under the plan; nothing was written."""


class FileAccessError(OrchestraError):
    """The system refused to read or write a file of the project; the file is as it was."""


class StorageError(OrchestraError):
    """The journal cannot be read or written; nothing that was recorded is lost."""


class ProjectLocked(StorageError):
    """Another Orchestra holds this project; the message names its process."""


class GitError(OrchestraError):
    """The repository cannot do what was asked; the message says what to do instead."""
