"""Where this program keeps things that belong to the user and not to one project.

The rule a reader must not break: names here are stable, an older release finds them again.
"""

import hashlib
import os
from pathlib import Path

import platformdirs

ENVIRONMENT = "ORCHESTRA_STATE_HOME"
APPLICATION = "orchestra-tui"


def state_home() -> Path:
    """The per-user state folder; the variable ORCHESTRA_STATE_HOME moves it. Not created here."""
    moved = os.environ.get(ENVIRONMENT)
    if moved:
        return Path(os.path.expanduser(moved)).absolute()
    return platformdirs.user_state_path(APPLICATION, appauthor=False)


def cache_home() -> Path:
    """The per-user folder for what can be lost; it moves with the state folder. Not created."""
    if os.environ.get(ENVIRONMENT):
        return state_home() / "cache"
    return platformdirs.user_cache_path(APPLICATION, appauthor=False)


def project_id(root: Path) -> str:
    """The id of the project at `root`, as records carry it: 16 hex digits of its real path.

    The same folder reached through a link is the same project; a moved folder is a new one.
    """
    return hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]


def rehearsal_home() -> Path:
    """The folder that holds the scratch repositories of rehearsals. Not created here."""
    return state_home() / "rehearsals"
