"""The real program in a real process, as a script would call it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finished:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, object]]:
        """Stdout as JSON, a record a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def of_type(self, name: str) -> list[dict[str, object]]:
        """The records of one type."""
        return [record for record in self.records if record["type"] == name]


def environment(**more: str) -> dict[str, str]:
    """This process's environment without a configured provider, and with a quick rehearsal."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ORCHESTRA_") or "STATE" in k}
    # The line editor of a test runner writes down a size that no terminal of ours has.
    kept = {k: v for k, v in kept.items() if k not in {"COLUMNS", "LINES"}}
    return {
        **kept,
        "ORCHESTRA_REHEARSAL_RATE": "max",
        "XDG_CONFIG_HOME": str(REPOSITORY / "no-such-folder"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(REPOSITORY), kept.get("PYTHONPATH")))),
        **more,
    }


async def start(
    *words: str, cwd: Path, env: Mapping[str, str] | None = None, has_stdin: bool = False
) -> asyncio.subprocess.Process:
    """Start `orchestra` with these arguments and no terminal; `has_stdin` gives it a pipe."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "orchestra_tui",
        *words,
        cwd=cwd,
        env=dict(env or environment()),
        stdin=asyncio.subprocess.PIPE if has_stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=16 * 1024 * 1024,
    )


async def finish(process: asyncio.subprocess.Process, said: str | None = None) -> Finished:
    """Wait for the process to end; a minute is more than any rehearsal may take.

    `said` is written to its stdin, if it has one.
    """
    async with asyncio.timeout(60):
        out, err = await process.communicate(None if said is None else said.encode())
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


async def orchestra(*words: str, cwd: Path, env: Mapping[str, str] | None = None) -> Finished:
    """Run `orchestra` to its end."""
    return await finish(await start(*words, cwd=cwd, env=env))


def git(root: Path, *words: str) -> str:
    """What git prints."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=True, text=True)
    return done.stdout


def make_repository(root: Path, files: Mapping[str, str]) -> Path:
    """A committed repository of somebody's."""
    root.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "A User")
    git(root, "config", "user.email", "user@example.invalid")
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "start")
    return root
