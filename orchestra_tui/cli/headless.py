"""A run without the app: the same engine, driven by flags instead of keys.

The rule a reader must not break: what the app asks a person, a headless run decides by its flags
alone (`--auto-approve`, `--commit`); everything else is the engine's.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from orchestra_tui.cli import top
from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.budgets import flag_for, has_flags, with_flags
from orchestra_tui.cli.opening import Opening, open_for_resume, open_for_run
from orchestra_tui.cli.printing import JsonPrinter, LinePrinter, Printer
from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain.commit_message import draft_message
from orchestra_tui.domain.errors import OrchestraError, StorageError, UsageError
from orchestra_tui.domain.events import Event, Outcome, PlanProposed, Record, RunFinished
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.plan_markdown import to_markdown
from orchestra_tui.domain.ports import Delta, Lagged, Update
from orchestra_tui.domain.state import Phase, RunState, StepStatus
from orchestra_tui.engine.orchestrator.ending import finish_event
from orchestra_tui.engine.orchestrator.scheduling import ready_activities
from orchestra_tui.engine.orchestrator.wiring import LABEL
from orchestra_tui.engine.runtime import Engine

EXIT_CODES = {
    Outcome.DONE: top.DONE,
    Outcome.PARTIAL: top.PARTIAL,
    Outcome.FAILED: top.PARTIAL,
    Outcome.MISCONFIGURED: top.USAGE,
    Outcome.UNAVAILABLE: top.UNAVAILABLE,
    Outcome.CANCELLED: top.CANCELLED,
}


def run_headless(arguments: Arguments) -> int:
    """Run or resume to the end; the exit code says how it ended."""
    if arguments.command == "resume":
        opening = open_for_resume(arguments)
    else:
        opening = open_for_run(arguments, has_terminal=False)
    return asyncio.run(_drive(arguments, opening))


def plan_only(arguments: Arguments) -> int:
    """Draft a plan and print it; the session waits for its approval."""
    opening = open_for_run(arguments, has_terminal=False)
    return asyncio.run(_drive(arguments, opening))


async def _drive(arguments: Arguments, opening: Opening) -> int:
    engine = await Engine.open(opening.options)
    try:
        printer = await _printer(arguments, opening)
        try:
            return await _Run(engine, arguments, printer, opening.plan).to_the_end(opening)
        except StorageError as error:
            session = engine.state.id
            raise StorageError(
                f"{error}: put that right, then: orchestra resume {session}"
            ) from None
        finally:
            printer.close()
    finally:
        await engine.close()


async def _printer(arguments: Arguments, opening: Opening) -> Printer:
    label = LABEL if opening.options.scenario else ""
    printer: Printer
    if arguments.json or arguments.command == "plan":
        printer = JsonPrinter(label)
    elif sys.stdout.isatty():
        # Only here, because a terminal library would cost a piped run its start.
        from orchestra_tui.cli.progress_view import ProgressView

        printer = ProgressView(label)
    else:
        printer = LinePrinter(label)
    if opening.options.scenario:
        printer.note(f"scripted agents work in {opening.options.root.resolve()}")
    return printer


@dataclass
class _Run:
    """One headless run: what was decided already, so that nothing is decided twice."""

    engine: Engine
    arguments: Arguments
    printer: Printer
    plan: Plan | None
    has_approved: bool = False
    has_ended: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    signal_number: int = 0
    cancelling: asyncio.Future[None] | None = None

    async def to_the_end(self, opening: Opening) -> int:
        """Start or resume, then follow until it is over or waits for a person."""
        if self.arguments.commit and not self.engine.has_git:
            raise UsageError("--commit needs a git repository: run `git init`, or use --no-commit")
        self._listen_to_signals()
        updates = self._updates()
        # The first one is the snapshot: from here on no record can be missed.
        await anext(updates)
        if opening.session is None:
            await self.engine.submit(
                cmd.StartRun(
                    task=self.arguments.task, settings=opening.run_settings, plan=self.plan
                )
            )
        else:
            await self.engine.submit(cmd.OpenSession(session=opening.session, resume=True))
            if self._has_nothing_left():
                return self._exit_code()
            await self._raise_budget()
            self.printer.note(f"session {opening.session} goes on")
        for warning in self.engine.warnings:
            self.printer.note(warning)
        async for update in updates:
            if isinstance(update, Delta):
                self.printer.delta(update)
                continue
            if isinstance(update, Record):
                if self.arguments.command != "plan":
                    self.printer.record(update, self.engine.state)
                if self._is_last(update):
                    return self._exit_code()
            code = await self._decide()
            if code is not None:
                return code
        return 128 + self.signal_number if self.signal_number else top.CRASHED

    async def _raise_budget(self) -> None:
        """Set the budget that the command line gives to a run that goes on."""
        run = self.engine.state.run
        if run is not None and has_flags(self.arguments):
            budget = with_flags(run.settings.budget, self.arguments)
            await self.engine.submit(cmd.RaiseBudget(budget=budget))

    def _has_nothing_left(self) -> bool:
        """The session's run was over before it was opened: its end is printed once more."""
        state = self.engine.state
        run = state.run
        if run is None or run.outcome is None:
            return False
        self.printer.note(f"session {state.id} is over: give a new task with `orchestra run`")
        self._tell_again(finish_event(run, run.outcome, run.reason))
        return True

    def _tell_again(self, event: Event) -> None:
        """Print what the session's log ends with, for a reader who was not there."""
        state = self.engine.state
        if state.last_at is not None:
            record = Record(
                seq=state.seq,
                at=state.last_at,
                session=state.id,
                project=state.project,
                event=event,
            )
            self.printer.record(record, state)

    def _listen_to_signals(self) -> None:
        """SIGINT ends the run as cancelled; SIGTERM and SIGHUP leave it to be resumed."""
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            return
        loop.add_signal_handler(signal.SIGINT, self._cancel)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave, number)

    def _cancel(self) -> None:
        if self.cancelling is None:
            self.cancelling = asyncio.ensure_future(self._cancel_run())
        else:
            # Asked again: do not wait for the end of the run.
            self._leave(signal.SIGINT)

    async def _cancel_run(self) -> None:
        try:
            await self.engine.submit(cmd.CancelRun())
        except OrchestraError:
            run = self.engine.state.run
            if run is None or run.outcome is None:
                self._leave(signal.SIGINT)

    def _leave(self, number: int) -> None:
        self.signal_number = number
        self.stop.set()

    async def _updates(self) -> AsyncIterator[Update]:
        """The engine's updates until a signal ends them; a slow pipe only costs deltas."""
        while True:
            source = aiter(self.engine.subscribe())
            try:
                while True:
                    following = asyncio.ensure_future(anext(source))
                    stopping = asyncio.ensure_future(self.stop.wait())
                    await asyncio.wait((following, stopping), return_when=asyncio.FIRST_COMPLETED)
                    stopping.cancel()
                    if self.stop.is_set():
                        following.cancel()
                        return
                    yield following.result()
            except Lagged:
                continue
            except StopAsyncIteration:
                return

    def _is_last(self, record: Record) -> bool:
        run = self.engine.state.run
        event = record.event
        return isinstance(event, RunFinished) and run is not None and run.id == event.run

    def _exit_code(self) -> int:
        run = self.engine.state.run
        if run is None or run.outcome is None:
            return top.CRASHED
        is_uncommitted = self.arguments.commit and run.commit is None and run.changed_files
        if run.outcome is Outcome.DONE and is_uncommitted:
            return top.PARTIAL
        return EXIT_CODES[run.outcome]

    async def _decide(self) -> int | None:
        """What a person would decide now; an exit code if the run has to wait for him."""
        run = self.engine.state.run
        if run is None:
            return None
        if run.phase is Phase.AWAITING_APPROVAL and run.plan is not None:
            return await self._approve(run, run.plan)
        for step in run.ordered_steps:
            if step.status is StepStatus.CONFLICT:
                # Found while the app was open, where a person would be asked: his file stays.
                await self.engine.submit(cmd.SkipStep(step=step.id))
                self.printer.note(f"step {step.id} is skipped: {step.last_error}")
        if run.is_reviewing and run.held and self.has_ended:
            # Held once: the files are kept, and the exit code says that it is not all done.
            await self.engine.submit(cmd.FinishRun())
        elif run.is_reviewing and not self.has_ended:
            self.has_ended = True
            await self._end(run)
        elif run.budget_stops and not run.running and not _has_work(run):
            return self._end_at_budget(run)
        elif run.is_paused and run.last_error:
            self.printer.note(run.last_error)
            return top.CRASHED
        return None

    def _end_at_budget(self, run: RunState) -> int:
        """Nothing more fits: say what stopped it and how it goes on."""
        stop = next(iter(run.budget_stops.values()))
        self.printer.note(
            f"budget reached: {stop.message}; go on with: "
            f"orchestra resume {self.engine.state.id} --headless {flag_for(stop)}"
        )
        return top.BUDGET

    async def _approve(self, run: RunState, plan: Plan) -> int | None:
        if self.arguments.command == "plan":
            self._print_plan(plan)
            return top.DONE
        may_approve = self.arguments.auto_approve or self.arguments.approve
        if may_approve and not self.has_approved:
            self.has_approved = True
            await self.engine.submit(cmd.ApprovePlan(plan=self.plan or plan))
            return None
        if may_approve:
            return None
        if self.plan is not None and self.plan != plan:
            plan = self.plan
            await self.engine.submit(cmd.EditPlan(plan=plan))
        if self.arguments.command == "resume":
            self._tell_again(PlanProposed(run=run.id, activity=None, plan=plan))
        self._say_how_to_go_on()
        return top.WAITS

    def _print_plan(self, plan: Plan) -> None:
        if self.arguments.json:
            print(json.dumps(plan.model_dump(mode="json", by_alias=True)), flush=True)
        else:
            print(to_markdown(plan), flush=True)
        self._say_how_to_go_on()

    def _say_how_to_go_on(self) -> None:
        session = self.engine.state.id
        self.printer.note(
            f"the plan waits in session {session} ({self.engine.plan_path}); go on with: "
            f"orchestra resume {session} --approve --headless"
        )

    async def _end(self, run: RunState) -> None:
        if not (self.arguments.commit and run.changed_files):
            await self.engine.submit(cmd.FinishRun())
            return
        if run.checks.verdict == "failed":
            self.printer.note("nothing is committed because the checks fail: the files stay")
            await self.engine.submit(cmd.FinishRun())
            return
        message = draft_message(run.plan, run.changed_files) if run.plan else ""
        try:
            await self.engine.submit(cmd.CommitChanges(message=message))
        except OrchestraError as error:
            self.printer.note(str(error))
            await self.engine.submit(cmd.FinishRun())


def _has_work(run: RunState) -> bool:
    """Something can still be done, e.g. by a role whose own budget is not reached."""
    return bool(ready_activities(run, run.settings.limits))
