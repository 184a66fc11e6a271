"""A real repository in a temporary folder, judged by the real `git` program.

The rule a reader must not break: the user's own git configuration has no part in a test.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from orchestra_tui.engine.git.commit import CommitIntent, RunChange, commit, prepare_commit
from orchestra_tui.engine.git.repository import Repository, open_repository

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True)
class Sandbox:
    """One work tree; `project` is the folder Orchestra is opened in."""

    tree: Path
    project: Path

    def git(self, *arguments: str, check: bool = True, stdin: bytes = b"") -> str:
        """What a git command prints."""
        done = subprocess.run(
            ["git", "-c", "core.quotepath=off", *arguments],
            cwd=self.project,
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
        return done.stdout.decode(errors="surrogateescape")

    def write(self, path: str, text: str | bytes) -> None:
        """A file of the project."""
        target = self.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)

    def read(self, path: str) -> bytes | None:
        """A file of the project, or None."""
        target = self.project / path
        return target.read_bytes() if target.exists() else None

    def status(self) -> str:
        """`git status --porcelain` as a script would see it."""
        return self.git("status", "--porcelain=v1", "--untracked-files=all")

    def shown(self, revision: str, path: str) -> bytes | None:
        """A file in HEAD ("HEAD") or in the index ("")."""
        done = subprocess.run(
            ["git", "cat-file", "blob", f"{revision}:{path}"],
            cwd=self.tree,
            env=ENVIRONMENT,
            capture_output=True,
            check=False,
        )
        return None if done.returncode else done.stdout

    def change(
        self,
        path: str,
        after: str | bytes | None,
        *,
        renamed_from: str | None = None,
        is_executable: bool | None = None,
        is_whole: bool = False,
    ) -> RunChange:
        """What the run does: the file is written (or removed) now, as the apply room would."""
        source = self.project / (renamed_from or path)
        before = source.read_bytes() if source.exists() else None
        was = before is not None and os.access(source, os.X_OK)
        now = was if is_executable is None else is_executable
        data = after.encode() if isinstance(after, str) else after
        if renamed_from:
            source.unlink()
        if data is None:
            (self.project / path).unlink(missing_ok=True)
        else:
            self.write(path, data)
            (self.project / path).chmod(0o755 if now else 0o644)
        return RunChange(
            path=path,
            before=before,
            after=data,
            was_executable=was,
            is_executable=now,
            renamed_from=renamed_from,
            is_whole=is_whole,
        )

    def open(self) -> Repository:
        """The repository as the engine opens it."""
        repo = open_repository(self.project)
        assert repo is not None
        return repo

    def prepare(self, *changes: RunChange, message: str = "feat: the run") -> CommitIntent:
        """The intent for these changes, without the environment's identity."""
        return prepare_commit(self.open(), changes, message, environment={})

    def commit(self, *changes: RunChange, message: str = "feat: the run") -> str:
        """Prepare and commit at once."""
        return commit(self.open(), self.prepare(*changes, message=message))

    def check_sound(self) -> None:
        """git finds nothing wrong with the objects and the index."""
        assert self.git("fsck", "--strict", "--no-dangling", "--no-reflogs") == ""
        self.git("ls-files", "--stage")
        assert not list((self.tree / ".git").glob("index.*"))


def make_sandbox(tree: Path, *, below: str = "", init: tuple[str, ...] = ()) -> Sandbox:
    """A new repository with an identity of its own; `below` makes the project a subfolder."""
    tree.mkdir(parents=True, exist_ok=True)
    project = tree / below if below else tree
    project.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(tree=tree, project=project)
    Sandbox(tree=tree, project=tree).git("init", "-q", "-b", "main", *init)
    sandbox.git("config", "user.name", "Ada Example")
    sandbox.git("config", "user.email", "ada@example.org")
    return sandbox
