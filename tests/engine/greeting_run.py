"""The smallest run with agents in every role: plan a greeting, write it, pass it, commit it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.settings import RunSettings, Settings
from orchestra_tui.domain.state import Phase
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine

GREETING = "hello\n"
PLAN = json.dumps(
    {
        "summary": "Greet",
        "steps": [{"id": "s1", "path": "hello.txt", "change": "create", "purpose": "greet"}],
        "checks": [],
        "commit_message": "feat: greet",
        "end": True,
    }
)
VERDICT = json.dumps({"verdict": "pass", "issues": [], "end": True})


@asynccontextmanager
async def greeting_run(root: Path, settings: Settings, home: Path) -> AsyncIterator[Engine]:
    """The engine when everything is written and waits for review; committed behind the block."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    engine = await Engine.open(EngineOptions(root, settings, environ))
    try:
        updates = aiter(engine.subscribe())
        run = RunSettings(run_checks=False)
        await engine.submit(cmd.StartRun(task="greet", settings=run))
        async with asyncio.timeout(60):
            while engine.state.run is None or engine.state.run.phase is not Phase.AWAITING_APPROVAL:
                await anext(updates)
            assert engine.state.run.plan is not None
            await engine.submit(cmd.ApprovePlan(plan=engine.state.run.plan))
            while not engine.state.run.is_reviewing:
                await anext(updates)
        yield engine
        await engine.submit(cmd.CommitChanges(message="feat: greet"))
        async with asyncio.timeout(30):
            while engine.state.run.outcome is None:
                await anext(updates)
        assert engine.state.run.outcome is ev.Outcome.DONE
    finally:
        await engine.close()
