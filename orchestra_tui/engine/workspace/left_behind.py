"""Folders of calls that nobody could remove, because Orchestra was killed or the machine went down.

The rule a reader must not break: only what is ours by name and owner and older than any call may
last goes; another process may be at work in the rest.
"""

import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from orchestra_tui.engine.workspace.private_tree import remove

_OURS = re.compile(r"orchestra-(?:copy|client|try|check)-\w+")
OLD = 86_400.0
"""Seconds; a call may take an hour or two at most."""


def remove_left_behind(parent: Path | None = None) -> None:
    """Remove the old ones below `parent`, or below the system's folder for such things. Blocks."""
    with suppress(OSError), os.scandir(parent or tempfile.gettempdir()) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name) and _is_old(entry):
                remove(Path(entry.path))


def _is_old(entry: "os.DirEntry[str]") -> bool:
    with suppress(OSError):
        found = entry.stat(follow_symlinks=False)
        is_own = _own_number() in {None, found.st_uid}
        return entry.is_dir(follow_symlinks=False) and is_own and time.time() - found.st_mtime > OLD
    return False


def _own_number() -> int | None:
    """The number of this user; None where users have none."""
    return os.getuid() if hasattr(os, "getuid") else None
