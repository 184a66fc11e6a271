"""`.orchestra/plan.md`: the plan that stands now, as Markdown for the user's editor.

It is written after each event that changes the plan and again when a session is opened, so a
crash between the two leaves it at most one change behind until then.
"""

import asyncio
import logging
from pathlib import Path

from orchestra_tui.domain.events import Event, PlanApproved, PlanEdited, PlanProposed, Record
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.plan_markdown import to_markdown
from orchestra_tui.domain.ports import Lagged, Snapshot
from orchestra_tui.engine.event_log import EventLog
from orchestra_tui.engine.store.atomic import write_atomic

log = logging.getLogger(__name__)


class PlanFile:
    """Follows the log and keeps the file in step with the plan."""

    def __init__(self, path: Path, log: EventLog) -> None:
        self._path = path
        self._log = log

    async def follow(self) -> None:
        """Write until the log is closed."""
        while True:
            try:
                await self._follow_once()
            except Lagged:
                continue
            return

    async def _follow_once(self) -> None:
        async for update in self._log.subscribe():
            match update:
                case Snapshot():
                    run = update.state.run
                    await self._write(run.plan if run else None)
                case Record():
                    await self._write(_plan_in(update.event))
                case _:
                    continue

    async def _write(self, plan: Plan | None) -> None:
        if plan is not None:
            data = (await asyncio.to_thread(to_markdown, plan)).encode("utf-8", "replace")
            try:
                await asyncio.to_thread(write_atomic, self._path, data)
            except OSError as error:
                # The plan itself is in the journal; the next change tries again.
                log.warning("%s cannot be written: %s", self._path, error)


def _plan_in(event: Event) -> Plan | None:
    match event:
        case PlanProposed() | PlanEdited() | PlanApproved():
            return event.plan
        case _:
            return None
