"""An EngineClient whose engine is loaded and opened behind the first frame.

The rule a reader must not break: nothing of the engine is imported when this module is; that
happens in a thread, at the first question the app asks.
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.budgets import has_flags, with_flags
from orchestra_tui.domain.commands import ApprovePlan, Command, OpenSession, RaiseBudget, StartRun
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import Delta, Lagged, Query, Update
from orchestra_tui.domain.state import Phase, SessionState

if TYPE_CHECKING:
    from orchestra_tui.cli.opening import Opening
    from orchestra_tui.engine.adapters.breaker import Lanes
    from orchestra_tui.engine.runtime import Engine

R = TypeVar("R")


@dataclass
class SharedHealth:
    """What the engines of one process know together of their adapters; made with the first."""

    lanes: "Lanes | None" = None


@dataclass(frozen=True)
class Preparation:
    """What to open: what the arguments say, or with `reopen` a session of another project."""

    arguments: Arguments
    reopen: tuple[Path, SessionId] | None = None
    resume: bool = True
    health: SharedHealth = field(default_factory=SharedHealth)

    def only_looking(self) -> "Preparation":
        """The same, without letting the run go on."""
        return replace(self, resume=False)


class DeferredEngine:
    """Opens the engine at the first question; its errors come out of every verb."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._opening: asyncio.Task[Engine] | None = None
        self._approval: asyncio.Task[None] | None = None
        self._opened: Opening | None = None

    async def submit(self, command: Command) -> SessionState:
        """See `EngineClient`."""
        return await (await self._engine()).submit(command)

    async def subscribe(self) -> AsyncIterator[Update]:
        """See `EngineClient`."""
        engine = await self._engine()
        async for update in engine.subscribe():
            yield update

    async def query(self, query: Query[R]) -> R:
        """See `EngineClient`."""
        return await (await self._engine()).query(query)

    async def close(self) -> None:
        """Close what was opened, also when opening failed halfway; drop an unused scratch."""
        if self._approval is not None:
            self._approval.cancel()
        if self._opening is not None:
            with contextlib.suppress(OrchestraError):
                await (await self._opening).close()
        if self._opened is not None:
            discard = importlib.import_module("orchestra_tui.cli.opening").discard_unused_scratch
            await asyncio.to_thread(discard, self._opened.options)

    async def _engine(self) -> "Engine":
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="open engine")
        return await asyncio.shield(self._opening)

    async def _open(self) -> "Engine":
        opened: Opening = await asyncio.to_thread(_prepare, self._preparation)
        self._opened = opened
        runtime: Any = importlib.import_module("orchestra_tui.engine.runtime")
        engine: Engine = await runtime.Engine.open(opened.options)
        try:
            await self._begin(engine, opened)
        except BaseException:
            await engine.close()
            raise
        return engine

    async def _begin(self, engine: "Engine", opened: "Opening") -> None:
        """Carry out what the command line asked for beyond opening the app."""
        arguments = self._preparation.arguments
        if opened.session is not None:
            resume = self._preparation.resume
            state = await engine.submit(OpenSession(session=opened.session, resume=resume))
            if state.run is not None and has_flags(arguments):
                budget = with_flags(state.run.settings.budget, arguments)
                await engine.submit(RaiseBudget(budget=budget))
        elif arguments.command == "run" and (arguments.plan or arguments.auto_approve):
            await engine.submit(
                StartRun(task=arguments.task, settings=opened.run_settings, plan=opened.plan)
            )
        if arguments.auto_approve or (arguments.approve and self._preparation.reopen is None):
            self._approval = asyncio.create_task(_approve(engine, opened), name="approve")


async def _approve(engine: "Engine", opened: "Opening") -> None:
    """Approve the first plan that waits, as the command line said."""
    while True:
        try:
            async for update in engine.subscribe():
                run = engine.state.run
                if isinstance(update, Delta) or run is None:
                    continue
                if run.phase is Phase.AWAITING_APPROVAL and run.plan is not None:
                    with contextlib.suppress(OrchestraError):
                        await engine.submit(ApprovePlan(plan=opened.plan or run.plan))
                    return
            return
        except Lagged:
            continue


def _prepare(preparation: Preparation) -> "Opening":
    """Load the engine's modules and decide what to open. Blocks."""
    opening: Any = importlib.import_module("orchestra_tui.cli.opening")
    importlib.import_module("orchestra_tui.engine.runtime")
    opened: Opening
    if preparation.reopen is not None:
        opened = opening.open_session(*preparation.reopen)
    elif preparation.arguments.command == "resume":
        opened = opening.open_for_resume(preparation.arguments)
    else:
        opened = opening.open_for_run(preparation.arguments, has_terminal=True)
    health = preparation.health
    if health.lanes is None:
        breaker: Any = importlib.import_module("orchestra_tui.engine.adapters.breaker")
        health.lanes = breaker.Lanes()
    options = replace(opened.options, lanes=health.lanes, is_attended=True)
    return replace(opened, options=options)
