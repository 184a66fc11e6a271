"""Drives one whole run over the engine without a terminal, and tells how it came out.

Run as a program it is a server of forks: each line on stdin is a JSON order, carried out in a
child of its own (so that it can be killed at a named point), each line on stdout its result. The
modules are loaded once, which makes hundreds of crashes affordable.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.ids import blob_hash
from orchestra_tui.domain.ports import ListSessions
from orchestra_tui.domain.settings import AdapterSettings, Mode, RunSettings, Settings
from orchestra_tui.domain.state import Phase
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine
from orchestra_tui.engine.store.sqlite import SqliteEventStore

TASK = "double numbers"


@dataclass(frozen=True)
class Order:
    """One run to drive: where, with which server, and how."""

    root: str
    base_url: str
    mode: str = "pipeline"
    crash_at: str = ""


@dataclass(frozen=True)
class Result:
    """What a finished run left behind; equal results are the same outcome."""

    outcome: str
    files: Mapping[str, str]
    steps: Mapping[str, str]
    checks: str
    tree: str
    status: str


def settings_for(base_url: str) -> Settings:
    """One loopback server for every role."""
    return Settings(adapters=(AdapterSettings(name="stub", base_url=base_url, model="m"),))


async def drive(order: Order) -> Result:
    """Start or resume the run in `order.root` and take it to its commit."""
    root = Path(order.root)
    options = EngineOptions(root, settings_for(order.base_url), {})
    engine = await Engine.open(options)
    try:
        known = await engine.query(ListSessions())
        updates = aiter(engine.subscribe())
        await anext(updates)
        if known:
            await engine.submit(cmd.OpenSession(session=known[0].id, resume=True))
        if engine.state.run is None:
            settings = RunSettings(mode=Mode(order.mode), max_concurrency=3)
            await engine.submit(cmd.StartRun(task=TASK, settings=settings))
        if engine.state.run is None or engine.state.run.outcome is None:
            await _follow(engine, updates)
    finally:
        await engine.close()
    return _result(engine, root)


async def _follow(engine: Engine, updates: object) -> None:
    assert hasattr(updates, "__anext__")
    has_decided: set[str] = set()
    while True:
        run = engine.state.run
        if run is not None and run.outcome is not None:
            return
        if run is not None and run.phase is Phase.AWAITING_APPROVAL and run.plan is not None:
            if "plan" not in has_decided:
                has_decided.add("plan")
                await engine.submit(cmd.ApprovePlan(plan=run.plan))
        elif run is not None and run.is_reviewing and "commit" not in has_decided:
            has_decided.add("commit")
            await engine.submit(cmd.CommitChanges(message="feat: double numbers"))
        await anext(updates)


def _result(engine: Engine, root: Path) -> Result:
    run = engine.state.run
    assert run is not None
    assert run.outcome is not None
    files = {
        path.relative_to(root).as_posix(): blob_hash(path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".git", ".orchestra"} & set(path.parts)
    }
    return Result(
        outcome=run.outcome.value,
        files=files,
        steps={key: step.status.value for key, step in run.steps.items()},
        checks=run.checks.verdict,
        tree=_git(root, "rev-parse", "HEAD^{tree}"),
        status=_git(root, "status", "--porcelain"),
    )


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=True, text=True)
    return done.stdout.strip()


async def read_log(root: Path) -> list[ev.Event]:
    """Every event of the newest session in `root`; empty before the first."""
    database = root / ".orchestra" / "orchestra.db"
    if not database.exists():
        return []
    store = await SqliteEventStore.open_readonly(database)
    try:
        newest = await store.summaries(1)
        return [r.event for r in await store.read(newest[0].id)] if newest else []
    finally:
        await store.close()


def calls_of(events: list[ev.Event]) -> tuple[Counter[str], set[str]]:
    """How often each call was started, and which calls are finished."""
    started = Counter(e.call for e in events if isinstance(e, ev.CallStarted))
    finished = {str(e.call) for e in events if isinstance(e, ev.CallFinished)}
    return Counter({str(key): n for key, n in started.items()}), finished


def serve_forks() -> None:
    """Carry out orders from stdin, one forked child each."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _be_the_child(order, write)
        os.close(write)
        with os.fdopen(read) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        result = json.loads(said) if said else None
        print(json.dumps({"signal": signal, "result": result}), flush=True)


def _be_the_child(order: Order, write: int) -> None:
    code = 1
    try:
        if order.crash_at:
            os.environ["ORCHESTRA_CRASH_AT"] = order.crash_at
        result = asyncio.run(drive(order))
        os.write(write, json.dumps(asdict(result)).encode())
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve_forks()
