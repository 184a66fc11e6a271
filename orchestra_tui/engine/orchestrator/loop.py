"""The loop: asks what may start, starts it, and ends the run when nothing is left.

The rule a reader must not break: `ActivityStarted` is folded before `ready_activities` is asked
again, so no work is ever started twice. And whoever decides from the state holds `turn` until what
he decided is folded in: nothing starts behind the back of a command that stops it.
"""

import asyncio
from collections.abc import Collection
from typing import Protocol

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.events import ActivityAbandoned, ActivityStarted, Event
from orchestra_tui.domain.ids import ActivityKey, StepId
from orchestra_tui.engine.orchestrator.calls import Journal
from orchestra_tui.engine.orchestrator.ending import ending
from orchestra_tui.engine.orchestrator.scheduling import ready_activities


class Performer(Protocol):
    """Who does the work; its own boundary turns every error into an event."""

    async def perform(self, activity: Activity) -> None:
        """Do it and append its outcome."""
        ...


class Loop:
    """Drives the newest run of the open session until there is nothing to do."""

    def __init__(self, journal: Journal, performer: Performer) -> None:
        self._journal = journal
        self._performer = performer
        self.turn = asyncio.Lock()
        """Held from a look at the state to the fold of what follows from it, also by commands."""
        self._wake = asyncio.Event()
        self._tasks: dict[ActivityKey, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something changed: ask again."""
        self._wake.set()

    async def run_forever(self) -> None:
        """Work until cancelled. Raises what a unit of work could not journal (StorageError)."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._start_ready()
            await self._end_if_over()

    async def _start_ready(self) -> None:
        while await self._start_one():
            pass

    async def _start_one(self) -> bool:
        """Start the most urgent piece of work; False if there is none."""
        async with self.turn:
            self._raise_failures()
            run = self._journal.state.run
            ready = ready_activities(run, run.settings.limits) if run else ()
            if run is None or not ready:
                return False
            activity = ready[0]
            await self._journal.append(ActivityStarted(run=run.id, activity=activity))
            task = asyncio.create_task(self._performer.perform(activity), name=activity.key)
            self._tasks[activity.key] = task
            task.add_done_callback(lambda _: self.wake())
            return True

    def _raise_failures(self) -> None:
        for key, task in list(self._tasks.items()):
            if not task.done():
                continue
            del self._tasks[key]
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _end_if_over(self) -> None:
        async with self.turn:
            run = self._journal.state.run
            event = ending(run) if run else None
            if event is not None:
                await self._journal.append(event)

    async def stop_work(self) -> None:
        """Cancel what runs and wait until it is gone; the log says that it was abandoned.

        The caller holds `turn`, or the loop does not run.
        """
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        await self.abandon_running()

    async def stop_steps(self, steps: Collection[StepId], *then: Event) -> None:
        """Cancel what runs for these steps; `then` follows in the same breath. The caller holds
        `turn`, so that nothing of them starts again in between."""
        run = self._journal.state.run
        activities = [a for a in run.running.values() if a.step in steps] if run else []
        tasks = [self._tasks.pop(a.key) for a in activities if a.key in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        still = self._journal.state.run.running if self._journal.state.run else {}
        abandoned = [ActivityAbandoned(run=a.run, activity=a) for a in activities if a.key in still]
        await self._journal.append(*abandoned, *then)

    async def abandon_running(self) -> None:
        """Mark as abandoned what the log says is running and nobody is doing."""
        run = self._journal.state.run
        if run is None:
            return
        events = [
            ActivityAbandoned(run=run.id, activity=activity)
            for key, activity in run.running.items()
            if key not in self._tasks
        ]
        if events:
            await self._journal.append(*events)
