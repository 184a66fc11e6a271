"""Events and values that UI tests tell their stories with."""

from datetime import timedelta
from decimal import Decimal

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.ids import RunId, SessionId, StepId
from orchestra_tui.domain.money import Money
from orchestra_tui.domain.plan import Plan, PlanStep
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.domain.settings import RunSettings, Scenario
from orchestra_tui.domain.state import Phase
from tests.ui.stub_client import PROJECT, START, StubClient

RUN = RunId("r1")
TASK = "Add rate limiting to the login route, with tests"


def step(
    id: str,
    path: str,
    change: str = "modify",
    after: tuple[str, ...] = (),
    **fields: object,
) -> PlanStep:
    """A step, by the words of its JSON."""
    return PlanStep.model_validate(
        {"id": id, "path": path, "change": change, "depends_on": after, **fields}
    )


PLAN = Plan(
    summary="Add rate limiting to the login route",
    steps=(
        step("s1", "app/limits.py", "create", purpose="A token bucket per account."),
        step("s2", "app/limits_store.py", "create", ("s1",), agents=("glm",)),
        step("s3", "app/routes/login.py", "modify", ("s1", "s2"), notes="check before parsing"),
        step("s4", "tests/test_limits.py", "create", ("s1",)),
        step("s5", "README.md", "modify", ("s3",), enabled=False),
    ),
    checks=("pytest",),
    commit_message="feat(login): rate limit sign-in attempts",
)


def proposed(plan: Plan = PLAN, *, is_rehearsal: bool = False) -> tuple[ev.Event, ...]:
    """A session whose plan waits for the user."""
    kind = ProviderKind.REHEARSAL if is_rehearsal else ProviderKind.REAL
    scenario = Scenario.CALM if is_rehearsal else None
    return (*begun(kind, scenario), ev.PlanProposed(run=RUN, activity=None, plan=plan))


def begun(
    kind: ProviderKind = ProviderKind.REAL, scenario: Scenario | None = None
) -> tuple[ev.Event, ...]:
    """A session whose Architect has not answered yet."""
    return (
        ev.SessionStarted(title=TASK, root=PROJECT.root, provider=kind, scenario=scenario),
        ev.RunStarted(run=RUN, task=TASK, settings=RunSettings(scenario=scenario)),
    )


def approved(plan: Plan = PLAN) -> ev.Event:
    """The plan is approved as it stands."""
    return ev.PlanApproved(run=RUN, plan=plan, settings=RunSettings())


def executed(step_id: str) -> tuple[ev.Event, ...]:
    """A step is written and passes its audit."""
    activity = Activity(kind=ActivityKind.EXECUTE, run=RUN, step=StepId(step_id))
    audit = Activity(kind=ActivityKind.AUDIT, run=RUN, step=StepId(step_id))
    return (
        ev.ActivityStarted(run=RUN, activity=activity),
        ev.StepExecuted(run=RUN, activity=activity.key, step=StepId(step_id)),
        ev.ActivityStarted(run=RUN, activity=audit),
        ev.AuditPassed(run=RUN, activity=audit.key, step=StepId(step_id)),
    )


def waiting_client(plan: Plan = PLAN, *, is_rehearsal: bool = False) -> StubClient:
    """A client whose session has a plan that waits."""
    client = StubClient()
    client.emit(*proposed(plan, is_rehearsal=is_rehearsal))
    return client


def summary(id: str, title: str, **fields: object) -> SessionSummary:
    """A stored session; by default a finished one of this project, two hours old."""
    return SessionSummary.model_validate(
        {
            "id": SessionId(id),
            "project": "p1",
            "root": PROJECT.root,
            "title": title,
            "started_at": START - timedelta(hours=3),
            "last_at": START - timedelta(hours=2),
            "phase": Phase.DONE,
            "outcome": ev.Outcome.DONE,
            "files_done": 3,
            "files_total": 3,
            "tokens": 12_345,
            **fields,
        }
    )


SESSIONS = (
    summary("a1", "Slugify with tests", cost=Money(usd=Decimal("0.11"))),
    summary(
        "b2",
        "Move config to TOML and drop the old INI reader everywhere",
        phase=Phase.AUDITING,
        outcome=None,
        files_done=4,
        files_total=9,
        tokens=63_000,
        cost=Money(usd=Decimal("0.63"), unknown=1),
        can_resume=True,
        last_at=START - timedelta(days=1),
    ),
    summary(
        "c3",
        "Fix the login",
        root="/home/ada/src/blog",
        phase=Phase.FAILED,
        outcome=ev.Outcome.FAILED,
        files_done=0,
        last_at=START - timedelta(days=3),
    ),
)
