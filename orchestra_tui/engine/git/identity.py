"""Who commits, and what the user should know about a commit made without the git program.

The rule a reader must not break: an identity is never invented; without one the commit waits.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.objects import Identity
from orchestra_tui.engine.git.plumbing import Plumbing
from orchestra_tui.engine.git.ref_file import common_dir
from orchestra_tui.engine.git.repository import Repository

_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit")
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
"""What git itself strips from both ends of a name (ident.c)."""


def identity(
    plumbing: Plumbing,
    environment: Mapping[str, str],
    person: Literal["author", "committer"],
    at: datetime,
) -> Identity:
    """The user's name and address in git's order: environment, `<person>.*`, `user.*`.

    Raises:
        GitError: git does not know the user; the message says how to tell it.
    """
    prefix = f"GIT_{person.upper()}"
    values = {}
    for part in ("name", "email"):
        found = (
            environment.get(f"{prefix}_{part.upper()}")
            or plumbing.config(f"{person}.{part}")
            or plumbing.config(f"user.{part}")
        )
        values[part] = _cleaned(found or "")
    if not values["name"] or not values["email"]:
        raise GitError(
            "git does not know who you are. Run: git config --global user.name "
            '"Your Name" and git config --global user.email you@example.com, then commit again'
        )
    return Identity(name=values["name"], email=values["email"], at=at)


def commit_notes(repo: Repository) -> tuple[str, ...]:
    """Sentences about what the user's git would have done and this commit does not."""
    notes = []
    if hooks := _hooks(repo):
        notes.append(f"hooks are not run: {', '.join(hooks)}")
    if (repo.plumbing.config("commit.gpgsign") or "").lower() in {"true", "yes", "on", "1"}:
        notes.append("the commit is not signed, though commit.gpgsign is set")
    return tuple(notes)


def _cleaned(text: str) -> str:
    return "".join(char for char in text if char not in "<>\n\0").strip(_CRUD)


def _hooks(repo: Repository) -> list[str]:
    configured = repo.plumbing.config("core.hooksPath")
    if configured:
        folder = repo.work_tree / os.path.expanduser(configured)
    else:
        folder = common_dir(repo.git_dir) / "hooks"
    return [name for name in _HOOKS if os.access(folder / name, os.X_OK)]
