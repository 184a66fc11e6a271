"""Told runs for the work screens: events as an engine would append them, over the real fold."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from textual.pilot import Pilot

import orchestra_tui
from orchestra_tui.app import OrchestraApp
from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind, FixReason
from orchestra_tui.domain.calls import (
    AdapterInfo,
    ContextItem,
    FinishReason,
    ProviderKind,
    Usage,
)
from orchestra_tui.domain.ids import BlobHash, RunId, StepId, blob_hash, call_key
from orchestra_tui.domain.money import Cost
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryApproach, RecoveryCause
from orchestra_tui.domain.review import Diagnostic, Issue
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.screens.diff import DiffScreen
from orchestra_tui.screens.recovery import RecoveryScreen
from orchestra_tui.screens.run import RunScreen
from tests.ui.stub_client import START, StubClient

R1 = RunId("r1")
NOW = START + timedelta(minutes=2, seconds=41)
GLM = AdapterInfo(name="glm", model="glm-4.7", provider="zai")
CODEX = AdapterInfo(name="codex", model="gpt-5", provider="openai")
GEMINI = AdapterInfo(name="gemini", model="gemini-3", provider="google")
SCRIPT = AdapterInfo(
    name="rehearsal", model="script", provider="rehearsal", kind=ProviderKind.REHEARSAL
)
CONTEXT = (
    ContextItem(what="AGENTS.md", why="rules of the project", size=2_140, sent=2_140),
    ContextItem(what="app/limits.py", why="this step depends on it", size=3_312, sent=3_312),
    ContextItem(what="tests/test_login.py", why="names the file", size=48_200, sent=6_000),
    ContextItem(what="app/legacy.py", why="imported by the file", size=190_400, sent=0),
)
PATHS = (
    "app/limits.py",
    "app/limits_store.py",
    "app/routes/login.py",
    "tests/test_limits.py",
    "README.md",
)


def plan_of(paths: Sequence[str]) -> Plan:
    """A plan that creates these files, one step each."""
    return Plan(
        summary="Rate limit the login route",
        steps=tuple(
            PlanStep(id=StepId(f"s{n}"), path=path, change=ChangeKind.CREATE, purpose="as told")
            for n, path in enumerate(paths, 1)
        ),
        checks=("pytest",),
        commit_message="feat(login): rate limit sign-in attempts per account",
    )


class WorkApp(OrchestraApp):
    """The app with this room's screens and a clock that stands still."""

    # A relative path would be looked for beside this subclass.
    CSS_PATH = str(Path(orchestra_tui.__file__).parent / "styles" / "app.tcss")

    MODES: ClassVar[dict[str, Any]] = OrchestraApp.MODES | {
        "run": lambda: RunScreen(clock=lambda: NOW),
        "diff": DiffScreen,
        "recovery": lambda: RecoveryScreen(clock=lambda: NOW),
    }
    DEFAULT_MODE = "run"


class DiffApp(WorkApp):
    """The same, opened on the diff."""

    DEFAULT_MODE = "diff"


class RecoveryApp(WorkApp):
    """The same, opened on the recovery."""

    DEFAULT_MODE = "recovery"


class Story:
    """Tells a run to a client, event by event."""

    def __init__(self, client: StubClient, *, provider: ProviderKind = ProviderKind.REAL) -> None:
        self.client = client
        self.provider = provider

    def started(self, *, settings: RunSettings | None = None) -> "Story":
        """A session with one run that has no plan yet."""
        task = "Add rate limiting to the login route, with tests"
        self.client.emit(
            ev.SessionStarted(title=task, root="/home/ada/src/shop", provider=self.provider),
            ev.RunStarted(
                run=R1, task=task, settings=settings or RunSettings(), head="c0ffee", branch="main"
            ),
            ev.ChecksDetected(run=R1, names=("pytest",), why="pyproject.toml"),
        )
        return self

    def approved(
        self, paths: Sequence[str] = PATHS, *, settings: RunSettings | None = None
    ) -> "Story":
        """The plan is approved and the files are read."""
        plan = plan_of(paths)
        self.client.emit(
            ev.PlanProposed(run=R1, activity=None, plan=plan),
            ev.PlanApproved(run=R1, plan=plan, settings=settings or RunSettings()),
            ev.CheckpointTaken(run=R1, label="before the run", files=dict.fromkeys(paths)),
        )
        return self

    def begun(
        self,
        step: str | None,
        kind: ActivityKind = ActivityKind.EXECUTE,
        *,
        attempt: int = 1,
        reason: FixReason | None = None,
        approach: RecoveryApproach | None = None,
    ) -> Activity:
        """An activity begins."""
        activity = Activity(
            kind=kind,
            run=R1,
            step=StepId(step) if step else None,
            attempt=attempt,
            reason=reason,
            approach=approach,
        )
        self.client.emit(ev.ActivityStarted(run=R1, activity=activity))
        return activity

    def called(self, activity: Activity, number: int = 1, *, adapter: AdapterInfo = GLM) -> str:
        """A model is asked; the key of the call."""
        role = activity.kind.role
        assert role is not None
        key = call_key(activity.key, number)
        self.client.emit(
            ev.CallStarted(
                run=R1,
                call=key,
                activity=activity.key,
                role=role,
                path=self.path(activity.step) if activity.step else None,
                adapter=adapter,
                request=BlobHash("0" * 40),
                context=CONTEXT,
            )
        )
        return key

    def answered(self, activity: Activity, number: int = 1, *, cost: Cost | None = None) -> None:
        """The model's answer is whole."""
        self.client.emit(
            ev.CallFinished(
                run=R1,
                call=call_key(activity.key, number),
                activity=activity.key,
                usage=Usage(input_tokens=2_100, output_tokens=412),
                finish=FinishReason.STOP,
                reply=BlobHash("1" * 40),
                seconds=6.8,
                cost=cost,
            )
        )

    def call_failed(self, activity: Activity, number: int = 1, *, retry_in: float | None) -> None:
        """The call broke off."""
        self.client.emit(
            ev.CallFailed(
                run=R1,
                call=call_key(activity.key, number),
                activity=activity.key,
                kind="rate_limited",
                message="429: too many requests",
                retry_in=retry_in,
            )
        )

    def refused(
        self,
        activity: Activity,
        number: int = 1,
        *,
        reason: str = "the reply has no end mark",
        diagnostics: tuple[Diagnostic, ...] = (),
        text: BlobHash | None = None,
    ) -> None:
        """The answer could not be used, and with it the try."""
        self.client.emit(
            ev.ReplyRefused(
                run=R1,
                call=call_key(activity.key, number),
                activity=activity.key,
                reason=reason,
                diagnostics=diagnostics,
                text=text,
                cause=RecoveryCause.CUT,
            ),
        )
        if activity.kind is ActivityKind.RECOVER:
            self.attempted(activity, AttemptOutcome.UNUSABLE, reason)
            return
        self.client.emit(
            ev.ActivityFailed(
                run=R1, activity=activity, kind="refused", message=reason, diagnostics=diagnostics
            )
        )

    def attempted(self, activity: Activity, outcome: AttemptOutcome, message: str = "") -> None:
        """An attempt at recovery ends without a text."""
        assert activity.step is not None
        assert activity.approach is not None
        self.client.emit(
            ev.RecoveryAttempted(
                run=R1,
                activity=activity.key,
                step=activity.step,
                path=self.path(activity.step),
                approach=activity.approach,
                cause=RecoveryCause.CUT,
                outcome=outcome,
                asked="" if outcome is AttemptOutcome.IMPOSSIBLE else GLM.name,
                message=message,
            )
        )

    def written(self, activity: Activity, text: str = "x = 1\n") -> None:
        """The step's file is on disk."""
        assert activity.step is not None
        self.client.emit(
            ev.FileWritten(
                run=R1,
                activity=activity.key,
                step=activity.step,
                path=self.path(activity.step),
                before=None,
                after=blob_hash(text.encode()),
                why=ev.WriteReason.EXECUTE,
            ),
            ev.StepExecuted(run=R1, activity=activity.key, step=activity.step),
        )

    def audited(self, step: str, issues: tuple[Issue, ...] = (), *, attempt: int = 1) -> None:
        """The Auditor has read the file; without issues it passes."""
        audit = self.begun(step, ActivityKind.AUDIT, attempt=attempt)
        assert audit.step is not None
        if issues:
            self.client.emit(
                ev.IssuesFound(run=R1, activity=audit.key, step=audit.step, issues=issues)
            )
        else:
            self.client.emit(ev.AuditPassed(run=R1, activity=audit.key, step=audit.step))

    def accepted(self, *steps: str, text: str = "x = 1\n") -> "Story":
        """These steps are written and pass."""
        for step in steps:
            self.written(self.begun(step), text)
            self.audited(step)
        return self

    def reverted(self, step: str, reason: str, *, attempt: int = 1) -> None:
        """The step's file goes back."""
        activity = self.begun(step, ActivityKind.REVERT, attempt=attempt)
        assert activity.step is not None
        self.client.emit(
            ev.FileReverted(
                run=R1,
                activity=activity.key,
                step=activity.step,
                path=self.path(activity.step),
                after=None,
                reason=reason,
            )
        )

    def checked(
        self, state: ev.CheckState = ev.CheckState.PASSED, *, passed: int = 48, failed: int = 0
    ) -> "Story":
        """The checks ran."""
        activity = self.begun(None, ActivityKind.RUN_CHECKS)
        outcome = ev.CheckOutcome(name="pytest", state=state, passed=passed, failed=failed)
        self.client.emit(ev.ChecksFinished(run=R1, activity=activity.key, outcomes=(outcome,)))
        return self

    def path(self, step: StepId) -> str:
        """The file of a step."""
        run = self.client.state.run
        assert run is not None
        assert run.plan is not None
        return run.plan.step(step).path


async def agree(pilot: Pilot[Any]) -> None:
    """Answer the guarded dialog that is open or about to open with yes, once its guard ends."""
    for _ in range(200):
        dialog = pilot.app.screen
        if isinstance(dialog, GuardedDialog) and dialog.is_open:
            await pilot.press("ctrl+s")
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError("no dialog asked")
