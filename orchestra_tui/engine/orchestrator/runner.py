"""The runner: performs one unit of work, and turns whatever goes wrong into an event.

The rule a reader must not break: this is one of the two places that catch `Exception`. What
fails here becomes `ActivityFailed`, so a log never says for ever that something is running.
"""

import logging

from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.errors import (
    FileAccessError,
    GitError,
    NotConfigured,
    OrchestraError,
    PathRefused,
    StorageError,
)
from orchestra_tui.domain.events import (
    ActivityAbandoned,
    ActivityFailed,
    BudgetReached,
    ReplyRefused,
)
from orchestra_tui.domain.recovery import AttemptOutcome
from orchestra_tui.domain.state import RunState
from orchestra_tui.domain.step_rules import CONFIGURATION_KINDS, HALTING_KINDS, OWN_CHAIN_REFUSED
from orchestra_tui.engine.adapters.base import AdapterError
from orchestra_tui.engine.orchestrator.checks_work import run_checks
from orchestra_tui.engine.orchestrator.ledger import BudgetStopped
from orchestra_tui.engine.orchestrator.one_step import own_chain
from orchestra_tui.engine.orchestrator.plan_work import draft_plan, take_base
from orchestra_tui.engine.orchestrator.recovery_work import attempted, recover, write_given
from orchestra_tui.engine.orchestrator.refusal import NotWritable, RefusedAnswer
from orchestra_tui.engine.orchestrator.review_work import apply_review, commit_run
from orchestra_tui.engine.orchestrator.step_work import audit, execute, fix, revert
from orchestra_tui.engine.orchestrator.tools import Tools

log = logging.getLogger(__name__)
_WORK = {
    ActivityKind.DRAFT_PLAN: draft_plan,
    ActivityKind.TAKE_BASE: take_base,
    ActivityKind.EXECUTE: execute,
    ActivityKind.AUDIT: audit,
    ActivityKind.FIX: fix,
    ActivityKind.RECOVER: recover,
    ActivityKind.MANUAL: write_given,
    ActivityKind.REVERT: revert,
    ActivityKind.RUN_CHECKS: run_checks,
    ActivityKind.APPLY_REVIEW: apply_review,
    ActivityKind.COMMIT: commit_run,
}


class Runner:
    """Performs activities with the tools it was given."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def perform(self, activity: Activity) -> None:
        """Do the work; its outcome is in the log when this returns.

        Raises StorageError when the outcome cannot be journaled, and CancelledError.
        """
        try:
            await _WORK[activity.kind](self._tools, activity)
        except StorageError:
            raise
        except RefusedAnswer as refusal:
            await self._refused(activity, refusal)
        except BudgetStopped as reached:
            # It starts again as it was, when the user has given more.
            await self._tools.journal.append(
                BudgetReached(run=activity.run, activity=activity.key, stop=reached.stop),
                ActivityAbandoned(run=activity.run, activity=activity),
            )
        except AdapterError as error:
            await self._failed(activity, error.kind, str(error))
        except OrchestraError as error:
            await self._failed(activity, _kind(error), str(error))
        except Exception as error:
            log.exception("activity %s failed", activity.key)
            # Without a number it was raised by code (a timeout, say), not by the system.
            if isinstance(error, OSError) and error.errno is not None:
                await self._failed(activity, "file", self._what_the_system_said(activity, error))
                return
            message = f"{type(error).__name__}: {error} (a defect in Orchestra; see the log)"
            await self._failed(activity, "internal", message)

    async def _refused(self, activity: Activity, refusal: RefusedAnswer) -> None:
        await self._tools.caller.forget(refusal.call)
        run = self._tools.run(activity.run)
        call = run.calls.get(refusal.call)
        refused = ReplyRefused(
            run=activity.run,
            call=refusal.call,
            activity=activity.key,
            reason=refusal.reason,
            diagnostics=refusal.diagnostics,
            cause=refusal.cause,
            is_reply=refusal.is_reply or refusal.text is None,
            can_continue=refusal.can_continue,
            # A reply that did not even parse can still be looked at, as it came.
            text=refusal.text or (call.reply if call else None),
        )
        if activity.kind is ActivityKind.RECOVER:
            end = attempted(run, activity, AttemptOutcome.UNUSABLE, refusal.reason)
            update = {"diagnostics": refusal.diagnostics, "text": refused.text}
            await self._tools.journal.append(refused, end.model_copy(update=update))
            return
        await self._tools.journal.append(
            refused,
            ActivityFailed(
                run=activity.run,
                activity=activity,
                kind="refused",
                message=refusal.reason,
                diagnostics=refusal.diagnostics,
            ),
        )

    def _what_the_system_said(self, activity: Activity, error: OSError) -> str:
        plan = self._tools.run(activity.run).plan
        path = plan.step(activity.step).path if plan and activity.step else "the project"
        file = f" ({error.filename})" if error.filename else ""
        return (
            f"{path} could not be read or written: {error.strerror}{file}. It is as it was; "
            "put that right and try again."
        )

    async def _failed(self, activity: Activity, kind: str, message: str) -> None:
        run = self._tools.run(activity.run)
        may_halt = kind in HALTING_KINDS and not _chose_whom_to_ask(run, activity)
        if activity.kind is ActivityKind.RECOVER and not may_halt:
            event = attempted(run, activity, AttemptOutcome.FAILED, message)
            await self._tools.journal.append(event)
            return
        if kind in CONFIGURATION_KINDS and _has_own_chain(run, activity):
            kind = OWN_CHAIN_REFUSED
        await self._tools.journal.append(
            ActivityFailed(run=activity.run, activity=activity, kind=kind, message=message)
        )


def _has_own_chain(run: RunState, activity: Activity) -> bool:
    """It asks adapters that were named for its step alone: the other steps may ask theirs."""
    if run.plan is None or activity.step is None or activity.role is None:
        return False
    step = run.steps[activity.step]
    return bool(own_chain(run.plan.step(activity.step), step, activity.role))


def _chose_whom_to_ask(run: RunState, activity: Activity) -> bool:
    """An attempt that asks whom we, or the user for this file, chose: that nobody of those can
    answer says nothing of the role's own chain."""
    recovery = run.steps[activity.step].recovery if activity.step is not None else None
    narrowed = activity.approach is not None and activity.approach.narrows_the_chain
    return narrowed or (recovery is not None and bool(recovery.agents))


def _kind(error: OrchestraError) -> str:
    match error:
        case NotConfigured():
            return "not_configured"
        case PathRefused() | NotWritable():
            return "path"
        case FileAccessError():
            return "file"
        case GitError():
            return "git"
        case _:
            return "usage"
