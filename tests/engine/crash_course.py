"""Kills a run at every passage of a named point, resumes it, and compares what came out."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from tests.engine.run_driver import Order, calls_of, read_log
from tests.stubs.openai_server import StubServer
from tests.stubs.scripted_agents import answer, scripted_agents, write_project

HERE = Path(__file__).resolve().parents[2]


class Forks:
    """The process that carries out orders in killed or finished children."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, order: Order) -> dict[str, object]:
        """The child's result, with the signal that ended it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        assert line, "the process that forks has died"
        answer: dict[str, object] = json.loads(line)
        return answer


@asynccontextmanager
async def forks() -> AsyncIterator[Forks]:
    """Start the process, and end it with the test."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH")))),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.engine.run_driver",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=HERE,
        env=environment,
    )
    try:
        yield Forks(process)
    finally:
        process.kill()
        await process.wait()
        # The transports of the pipes are closed by the loop only after it ran once more.
        await asyncio.sleep(0)


def make_template(folder: Path) -> Path:
    """A committed project to copy for each crash."""
    root = folder / "template"
    root.mkdir()
    write_project(root)
    for words in (
        ["init", "-q", "-b", "main"],
        ["config", "user.name", "A User"],
        ["config", "user.email", "user@example.invalid"],
        ["add", "-A"],
        ["commit", "-q", "-m", "start"],
    ):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


async def crash_at_every(
    point: str, mode: str, folder: Path, script: Callable[[bytes], str] = answer
) -> int:
    """Crash at the 1st, 2nd, ... passage of `point` until a run survives; return how many did not.

    After each crash the run is resumed and must come to the outcome of the run that was never
    cut, with no finished call repeated.
    """
    template = make_template(folder)
    async with forks() as children, StubServer(scripted_agents(script)) as server:
        smooth = folder / "smooth"
        shutil.copytree(template, smooth)
        expected = (await children.run(Order(str(smooth), server.base_url, mode)))["result"]
        assert expected is not None, "the run that is not cut must come to its end"
        passage = 0
        while True:
            passage += 1
            root = folder / f"cut{passage}"
            shutil.copytree(template, root)
            asked_before = len(server.requests)
            order = Order(str(root), server.base_url, mode, f"{point}:{passage}")
            first = await children.run(order)
            if first["signal"] == 0:
                assert first["result"] == expected
                return passage - 1
            started, finished = calls_of(await read_log(root))
            again = await children.run(Order(str(root), server.base_url, mode))
            where = f"{mode}: {point} number {passage}"
            assert again["result"] == expected, where
            await _no_call_repeated(
                root,
                where,
                finished=finished,
                open_calls=len(set(started) - finished),
                asked=len(server.requests) - asked_before,
            )
            shutil.rmtree(root)


async def _no_call_repeated(
    root: Path, where: str, *, finished: set[str], open_calls: int, asked: int
) -> None:
    started, all_finished = calls_of(await read_log(root))
    assert all(started[call] == 1 for call in finished), where
    assert len(all_finished) <= asked <= len(all_finished) + open_calls, where
