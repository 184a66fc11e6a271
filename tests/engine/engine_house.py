"""An engine on a real repository and a loopback server, to be driven like a person would."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.ports import Snapshot, Update
from orchestra_tui.domain.settings import Mode, RunSettings
from orchestra_tui.domain.state import Phase, RunState
from orchestra_tui.engine.adapters.rehearsal.transport import App
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine
from tests.e2e.program import git, make_repository
from tests.engine.run_driver import TASK, settings_for
from tests.stubs.openai_server import StubServer
from tests.stubs.scripted_agents import BEFORE, answer, scripted_agents


@dataclass
class House:
    """The open engine, its repository, and every event it has published."""

    engine: Engine
    root: Path
    server: StubServer
    updates: AsyncIterator[Update]
    events: list[ev.Event] = field(default_factory=list)
    _seen: int = 0

    @property
    def run(self) -> RunState:
        run = self.engine.state.run
        assert run is not None
        return run

    async def start(self, **settings: object) -> None:
        """Give the task and wait for the plan."""
        chosen = RunSettings(mode=Mode.PIPELINE, max_concurrency=3).model_copy(update=settings)
        await self.engine.submit(cmd.StartRun(task=TASK, settings=chosen))
        await self.until(lambda run: run.phase is Phase.AWAITING_APPROVAL)

    async def approve(self) -> None:
        """Approve the plan as it is."""
        assert self.run.plan is not None
        await self.engine.submit(cmd.ApprovePlan(plan=self.run.plan))

    async def to_review(self, **settings: object) -> None:
        """Give the task, approve, and wait until the diff can be looked at."""
        await self.start(**settings)
        await self.approve()
        await self.until(lambda run: run.is_reviewing)

    async def until(self, is_there: Callable[[RunState], bool]) -> None:
        """Follow the engine until the run is so; fails after half a minute."""
        async with asyncio.timeout(30):
            while self.engine.state.run is None or not is_there(self.run):
                self.take(await anext(self.updates))
            # The state is ahead of what was published: catch up with it.
            while self._seen < self.engine.state.seq:
                self.take(await anext(self.updates))

    def take(self, update: Update) -> None:
        if isinstance(update, ev.Record):
            self.events.append(update.event)
            self._seen = update.seq

    def of(self, *kinds: type) -> list[ev.Event]:
        """The events of these kinds seen so far."""
        return [event for event in self.events if isinstance(event, kinds)]

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def git(self, *words: str) -> str:
        return git(self.root, *words)


@contextlib.asynccontextmanager
async def house(
    folder: Path,
    script: Callable[[bytes], str] = answer,
    files: dict[str, str] | None = None,
    app: App | None = None,
) -> AsyncIterator[House]:
    """An engine on a new repository whose model answers by `script`."""
    root = make_repository(folder / "project", files or BEFORE)
    async with StubServer(app or scripted_agents(script)) as server:
        engine = await Engine.open(EngineOptions(root, settings_for(server.base_url), {}))
        try:
            updates = aiter(engine.subscribe())
            assert isinstance(await anext(updates), Snapshot)
            yield House(engine, root, server, updates)
        finally:
            await engine.close()
