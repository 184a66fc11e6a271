"""The plumbing port on the `git` program, with everything a repository could run switched off.

For repositories that libgit2 cannot open (reftable, SHA-256, newer extensions). The rule a reader
must not break: every call goes through `run_git`, which takes no `GIT_*` variable from outside,
no hook, pager, fsmonitor, external diff or credential helper, and never prompts. The commands are
plumbing that reads or writes objects and refs; none of them runs a clean or smudge filter.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from orchestra_tui.domain.errors import GitError
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.git import ref_file
from orchestra_tui.engine.git.plumbing import ATTRIBUTES, Attributes, Head, ObjectKind, RefMove

GIT_TIMEOUT = 60.0
"""Seconds before a git command is given up."""

_OFF = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.pager=cat",
    "diff.external=",
    "core.untrackedCache=keep",
    "gc.auto=0",
    "maintenance.auto=false",
    "credential.helper=",
    "protocol.allow=never",
)
_STATES = {
    "MERGE_HEAD": "merge",
    "REVERT_HEAD": "revert",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "BISECT_LOG": "bisect",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}


def run_git(
    where: Path,
    arguments: Sequence[str],
    *,
    stdin: bytes = b"",
    extra_environment: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run `git` in a folder with nothing of the repository's own able to run.

    Raises:
        GitError: there is no git program, or it did not end in time.
    """
    settings = [part for setting in _OFF for part in ("-c", setting)]
    command = ["git", "--no-pager", *settings, *arguments]
    try:
        return subprocess.run(  # noqa: S603 - a fixed program, no shell, paths as literals
            command,
            cwd=where,
            input=stdin,
            capture_output=True,
            env={**_environment(), **(extra_environment or {})},
            timeout=GIT_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitError("this repository needs the git program, which is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git did not answer within {GIT_TIMEOUT:.0f} seconds") from error


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }


class CommandPlumbing:
    """`Plumbing` for one work tree, each call one or two short git processes."""

    def __init__(
        self, work_tree: Path, git_dir: Path, hash_name: Literal["sha1", "sha256"]
    ) -> None:
        self._work_tree = work_tree
        self._git_dir = git_dir
        self.hash_name: Literal["sha1", "sha256"] = hash_name

    def head(self) -> Head:
        """Where HEAD stands now."""
        symbolic = self._try("symbolic-ref", "--quiet", "HEAD")
        name = symbolic.decode().strip() if symbolic is not None else "HEAD"
        return Head(ref=name, commit=self.ref(name))

    def ref(self, name: str) -> str | None:
        """The commit a ref points at, or None."""
        found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return found.decode().strip() if found else None

    def operation(self) -> str | None:
        """The merge, rebase and the like that is under way."""
        for name, operation in _STATES.items():
            if (self._git_dir / name).exists() or self._has_pseudo_ref(name):
                return operation
        return None

    def read(self, oid: str, kind: ObjectKind) -> bytes:
        """The content of an object."""
        return self._run("cat-file", kind, oid)

    def store(self, kind: ObjectKind, data: bytes) -> str:
        """Write an object unless it is there already."""
        arguments = ("hash-object", "-w", "--no-filters", "-t", kind, "--stdin")
        return self._run(*arguments, stdin=data).decode().strip()

    def move_ref(self, move: RefMove) -> bool:
        """Move a ref by `git update-ref` with the old value."""
        old = move.old or "0" * len(move.new)
        people = {"GIT_COMMITTER_NAME": move.name, "GIT_COMMITTER_EMAIL": move.email}
        arguments = ["update-ref", "--create-reflog", "-m", move.log, move.ref, move.new, old]
        done = run_git(self._work_tree, arguments, extra_environment=people)
        if done.returncode == 0:
            return True
        if self.ref(move.ref) != move.old:
            return False
        raise GitError(f"{move.ref} could not be moved: {_complaint(done.stderr)}")

    def recover_ref(self, move: RefMove) -> None:
        """Remove the lock of this very move; git itself, not being killed with us, leaves none."""
        ref_file.recover_ref(self._git_dir, move)

    def is_ancestor(self, ancestor: str, tip: str) -> bool:
        """True if `ancestor` is `tip` or reached from it."""
        return self._try("merge-base", "--is-ancestor", ancestor, tip) is not None

    def attributes(self, paths: Iterable[str]) -> Mapping[str, Attributes]:
        """The attributes that change a file's bytes."""
        listed = b"".join(path.encode() + b"\0" for path in paths)
        if not listed:
            return {}
        fields = self._run("check-attr", "-z", "--stdin", *ATTRIBUTES, stdin=listed).decode()
        words: dict[str, str | bool | None] = {"set": True, "unset": False, "unspecified": None}
        found: dict[str, dict[str, str | bool | None]] = {}
        parts = fields.split("\0")[:-1]
        for path, name, value in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            found.setdefault(path, {})[name] = words.get(value, value)
        return found

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of the paths that an ignore rule names."""
        # "./" in front, or a name that begins with ":" would be read as pathspec magic.
        listed = b"".join(b"./" + path.encode() + b"\0" for path in paths)
        if not listed:
            return frozenset()
        arguments = ["check-ignore", "-z", "--stdin", "--no-index"]
        done = run_git(self._work_tree, arguments, stdin=listed)
        if done.returncode not in {0, 1}:
            raise GitError(f"git check-ignore failed: {_complaint(done.stderr)}")
        names = done.stdout.decode(errors="surrogateescape").split("\0")[:-1]
        return frozenset(name.removeprefix("./") for name in names)

    def status(self, paths: Iterable[str] | None) -> Mapping[str, str]:
        """The porcelain letters of what is not clean, with every clean filter switched off."""
        wanted = None if paths is None else list(paths)
        if wanted == []:
            return {}
        untracked = "no" if wanted is None else "all"
        arguments = [
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            f"--untracked-files={untracked}",
        ]
        limit = ["--", *wanted] if wanted else []
        environment = self._filters_off() | {"GIT_LITERAL_PATHSPECS": "1"}
        done = run_git(self._work_tree, [*arguments, *limit], extra_environment=environment)
        if done.returncode != 0:
            raise GitError(f"git status failed: {_complaint(done.stderr)}")
        lines = done.stdout.decode(errors="surrogateescape").split("\0")[:-1]
        return {line[3:]: line[:2] for line in lines}

    def config(self, key: str) -> str | None:
        """A configuration value, last one wins."""
        found = self._try("config", "--get", key)
        return found.decode(errors="replace").removesuffix("\n") if found is not None else None

    def _filters_off(self) -> dict[str, str]:
        """Environment that empties every configured filter: git then passes the bytes through."""
        listed = self._try("config", "-z", "--name-only", "--get-regexp", r"^filter\.")
        keys = sorted(set((listed or b"").decode(errors="surrogateescape").split("\0")) - {""})
        pairs = {"GIT_CONFIG_COUNT": str(len(keys))}
        for number, key in enumerate(keys):
            pairs[f"GIT_CONFIG_KEY_{number}"] = key
            pairs[f"GIT_CONFIG_VALUE_{number}"] = "false" if key.endswith(".required") else ""
        return pairs

    def _has_pseudo_ref(self, name: str) -> bool:
        return name.endswith("_HEAD") and self.ref(name) is not None

    def _try(self, *arguments: str) -> bytes | None:
        done = run_git(self._work_tree, arguments)
        return done.stdout if done.returncode == 0 else None

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        done = run_git(self._work_tree, arguments, stdin=stdin)
        if done.returncode != 0:
            raise GitError(f"git {arguments[0]} failed: {_complaint(done.stderr)}")
        return done.stdout


def _complaint(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return clean_line(lines[0]) if lines else "no reason given"
