"""The in-process engine: the rooms wired to their ports, and the three verbs of `EngineClient`.

The rule a reader must not break: this is the second of the two places that catch `Exception`.
What the loop could not journal ends here as `RunCrashed`, or as the error that every subscriber
and every command then gets; nothing is left saying that it still works.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.errors import CommandRefused, NotConfigured, StorageError
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import Query, Update
from orchestra_tui.domain.state import RunState, SessionState
from orchestra_tui.engine.event_log import EventLog, utc_now
from orchestra_tui.engine.orchestrator.command_rules import Surroundings, decide
from orchestra_tui.engine.orchestrator.loop import Loop
from orchestra_tui.engine.orchestrator.offered_text import offered_text
from orchestra_tui.engine.orchestrator.plan_file import PlanFile
from orchestra_tui.engine.orchestrator.recovery_commands import Offered, decided_steps
from orchestra_tui.engine.orchestrator.runner import Runner
from orchestra_tui.engine.orchestrator.scheduling import ready_activities
from orchestra_tui.engine.orchestrator.wiring import EngineOptions, Rooms, close_rooms, open_rooms

R = TypeVar("R")
log = logging.getLogger(__name__)


class Engine:
    """One open project. Made by `open`; `close` must be awaited, also after a crash."""

    def __init__(self, rooms: Rooms, clock: Callable[[], datetime] = utc_now) -> None:
        self._rooms = rooms
        self._clock = clock
        self._log: EventLog = rooms.log
        self._loop = Loop(rooms.log, Runner(rooms.tools))
        self._turn = asyncio.Lock()
        self._failure: StorageError | None = None
        plan_file = PlanFile(rooms.project.folder.plan, rooms.log)
        self._working = asyncio.create_task(self._work(), name="loop")
        self._plan_writing = asyncio.create_task(plan_file.follow(), name="plan file")

    @classmethod
    async def open(cls, options: EngineOptions) -> Self:
        """Claim the project at `options.root` and wire the rooms. Nothing runs yet.

        Raises ProjectLocked, StorageError, UsageError or NotConfigured (a key that is missing).
        """
        return cls(await open_rooms(options))

    @property
    def state(self) -> SessionState:
        """The state of the open session; its id is empty while none is open."""
        return self._log.state

    @property
    def has_git(self) -> bool:
        """The project can be committed to."""
        return self._rooms.tools.repository is not None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of this project and its journal, in sentences."""
        left_out = self._rooms.tools.caller.chains.left_out.values()
        return (*self._rooms.project.warnings, *left_out, *self._log.warnings)

    @property
    def plan_path(self) -> Path:
        """Where the plan stands as Markdown."""
        return self._rooms.project.folder.plan

    async def submit(self, command: cmd.Command) -> SessionState:
        """Take a command: its events are stored when this returns. One at a time."""
        async with self._turn:
            self._raise_failure()
            await self._submit(command)
            self._loop.wake()
            return self._log.state

    async def subscribe(self) -> AsyncIterator[Update]:
        """The state, then what happens. Raises Lagged, and StorageError when the engine failed."""
        async for update in self._log.subscribe():
            yield update
        self._raise_failure()

    async def query(self, query: Query[R]) -> R:
        """The answer to a question. Raises OrchestraError."""
        return await self._rooms.answers.answer(query)

    async def close(self) -> None:
        """Stop what runs, so that it can be resumed, and let go of the project."""
        # The loop first: what it started while the rest is being stopped, nobody would stop.
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        with contextlib.suppress(StorageError):
            async with self._loop.turn:
                await self._loop.stop_work()
        # The end of the log ends the follower, after it has written the last plan.
        await self._log.close()
        await asyncio.gather(self._plan_writing, return_exceptions=True)
        await close_rooms(self._rooms)

    async def _submit(self, command: cmd.Command) -> None:
        if isinstance(command, cmd.ConfigureAgents):
            await self._configure(command)
            return
        offered = None
        if isinstance(command, cmd.TakeOver | cmd.AcceptAnyway):
            offered = await offered_text(self._rooms.tools, self._log.state.run, command)
        # From here on nothing may start that this command would have kept from starting.
        async with self._loop.turn:
            await self._carry_out(command, offered)

    async def _carry_out(self, command: cmd.Command, offered: Offered | None) -> None:
        match command:
            case cmd.NewSession():
                self._refuse_at_work("leave the session")
                await self._log.leave()
            case cmd.OpenSession():
                await self._open_session(command)
            case cmd.StartRun():
                await self._start_run(command)
            case cmd.CancelRun():
                await self._log.append(*self._decided(command, Surroundings()))
                await self._loop.stop_work()
            case _:
                around = Surroundings(
                    has_git=self._rooms.tools.repository is not None,
                    git_problem=self._rooms.project.git_problem,
                    adapter_problem=self._rooms.tools.caller.chains.problem,
                    now=self._clock(),
                    offered=offered,
                )
                events = self._decided(command, around)
                await self._loop.stop_steps(decided_steps(events), *events)
                if isinstance(command, cmd.RaiseBudget):
                    self._rooms.tools.caller.ledger.look_again()

    def _decided(self, command: cmd.Command, around: Surroundings) -> tuple[ev.Event, ...]:
        if isinstance(command, cmd.NewSession | cmd.OpenSession | cmd.ConfigureAgents):
            raise TypeError(f"{command.type} has no events of its own")
        return decide(command, self._log.state, around)

    async def _configure(self, command: cmd.ConfigureAgents) -> None:
        setup, run = self._rooms.setup, self._log.state.run
        await setup.configure(command.offers, command.chains)
        is_at_work = run is not None and run.outcome is None
        if run is not None and is_at_work and not self._rooms.tools.caller.chains.is_rehearsal:
            await self._log.append(ev.ChainsChanged(run=run.id, chains=setup.chain_names()))

    async def _start_run(self, command: cmd.StartRun) -> None:
        chains = self._rooms.tools.caller.chains
        if chains.lacking:
            # Found out in mid-run it would have cost the calls before it.
            role, why = next(iter(chains.lacking.items()))
            raise NotConfigured(f"the {role.value} has nobody to ask: {why} (f9 takes a key)")
        if not chains.by_role:
            raise NotConfigured(
                "no provider is configured: set ORCHESTRA_BASE_URL and ORCHESTRA_MODEL, write the "
                "configuration file that `orchestra doctor` names, or rehearse with --rehearse calm"
            )
        repository = self._rooms.tools.repository
        head = await asyncio.to_thread(repository.head) if repository else None
        around = Surroundings(
            head=head.commit if head else None,
            branch=head.branch if head else None,
            has_git=repository is not None,
        )
        scenario = self._rooms.project.scenario
        settings = command.settings.model_copy(update={"scenario": scenario})
        command = command.model_copy(update={"settings": settings})
        events = decide(command, self._log.state, around)
        if not self._log.state.id:
            await self._log.open(self._new_session_id())
        if not self._log.state.seq:
            events = (self._session_started(command), *events)
        await self._log.append(*events)

    def _session_started(self, command: cmd.StartRun) -> ev.SessionStarted:
        project = self._rooms.project
        return ev.SessionStarted(
            title=command.task.strip().split("\n")[0][:200],
            root=str(project.folder.root),
            provider=project.provider,
            scenario=project.scenario,
        )

    def _new_session_id(self) -> SessionId:
        return SessionId(f"{self._clock():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")

    async def _open_session(self, command: cmd.OpenSession) -> None:
        self._refuse_at_work("open another session")
        before = self._log.state.id
        state = await self._log.open(command.session)
        if not state.seq:
            await self._back_to(before)
            raise CommandRefused(f"there is no session {command.session} in this project")
        if state.provider is not self._rooms.project.provider and command.resume:
            kind = "a rehearsal" if state.is_rehearsal else "a real run"
            await self._back_to(before)
            raise CommandRefused(f"session {command.session} is {kind}: open it as such")
        await self._loop.abandon_running()
        run = self._log.state.run
        if run is None:
            return
        await self._rooms.tools.applier.recover(run)
        await self._log.append(*_events_on_opening(self._log.state, is_resumed=command.resume))

    async def _back_to(self, session: SessionId) -> None:
        """A refused command changes nothing: the session that was open is open again."""
        if session:
            await self._log.open(session)
        else:
            await self._log.leave()

    def _refuse_at_work(self, what: str) -> None:
        run = self._log.state.run
        if run is not None and run.running:
            raise CommandRefused(f"a run is at work: pause or cancel it before you {what}")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _work(self) -> None:
        """Drive the loop; what it cannot journal ends the run, or the whole engine."""
        while True:
            try:
                await self._loop.run_forever()
            except StorageError as error:
                log.exception("the journal failed")
                await self._fail(error)
                return
            except Exception as error:
                log.exception("the loop failed")
                try:
                    await self._record_crash(error)
                except StorageError as storage_error:
                    await self._fail(storage_error)
                    return

    async def _record_crash(self, error: Exception) -> None:
        await self._loop.stop_work()
        run = self._log.state.run
        if run is None or run.outcome is not None:
            return
        message = f"{type(error).__name__}: {error} (a defect in Orchestra; see the log)"
        await self._log.append(ev.RunCrashed(run=run.id, message=message), ev.RunPaused(run=run.id))

    async def _fail(self, error: StorageError) -> None:
        """The disk does not take the journal any more: everybody who waits is told."""
        self._failure = error
        await self._log.close()


def _events_on_opening(state: SessionState, *, is_resumed: bool) -> tuple[ev.Event, ...]:
    """What must be said before an opened session may work, or must not."""
    run = state.run
    if run is None:
        return ()
    if is_resumed:
        must_continue = run.is_paused or (run.outcome is not None and state.can_resume)
        return (ev.RunContinued(run=run.id),) if must_continue else ()
    return (ev.RunPaused(run=run.id),) if _would_work(run) else ()


def _would_work(run: RunState) -> bool:
    return bool(ready_activities(run, run.settings.limits))
