"""Records for tests of the store and the log: a small run, and any number of plain ones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind, Usage
from orchestra_tui.domain.ids import Role, RunId, SessionId, StepId, blob_hash, call_key
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.settings import RunSettings, Scenario

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SESSION = SessionId("s-1")
RUN = RunId("r1")
STEP = StepId("s1")
PLAN = Plan(
    summary="Add slugify",
    steps=(PlanStep(id=STEP, path="slug.py", change=ChangeKind.CREATE, purpose="the function"),),
    commit_message="feat: slugify",
)
ADAPTER = AdapterInfo(
    name="rehearsal", model="script", provider="in-process", kind=ProviderKind.REHEARSAL
)


def records_of(
    events: Sequence[ev.Event], *, session: SessionId = SESSION, first: int = 1
) -> list[ev.Record]:
    """The events as records, one second apart, numbered from `first`."""
    return [
        ev.Record(
            seq=seq,
            at=START + timedelta(seconds=seq),
            session=session,
            project="p",
            event=event,
        )
        for seq, event in enumerate(events, first)
    ]


def plain_records(
    count: int, *, session: SessionId = SESSION, first: int = 1, size: int = 10
) -> list[ev.Record]:
    """Records without meaning, for tests of keeping them."""
    events = [
        ev.RunCrashed(run=RUN, message=f"{seq} " + "x" * size)
        for seq in range(first, first + count)
    ]
    return records_of(events, session=session, first=first)


def begin() -> list[ev.Event]:
    """A session with a task."""
    return [
        ev.SessionStarted(
            title="slugify",
            root="/projects/demo",
            provider=ProviderKind.REHEARSAL,
            scenario=Scenario.CALM,
        ),
        ev.RunStarted(run=RUN, task="write slugify", settings=RunSettings(), head="c0", branch="m"),
    ]


def draft() -> list[ev.Event]:
    """The Architect plans and the user approves."""
    activity = Activity(kind=ActivityKind.DRAFT_PLAN, run=RUN)
    return [
        ev.ActivityStarted(run=RUN, activity=activity),
        *_call(activity, Role.ARCHITECT, None),
        ev.PlanProposed(run=RUN, activity=activity.key, plan=PLAN),
        ev.PlanApproved(run=RUN, plan=PLAN, note="be brief", settings=RunSettings()),
    ]


def work() -> list[ev.Event]:
    """The base is taken, the file written and audited."""
    base = Activity(kind=ActivityKind.TAKE_BASE, run=RUN)
    execute = Activity(kind=ActivityKind.EXECUTE, run=RUN, step=STEP)
    audit = Activity(kind=ActivityKind.AUDIT, run=RUN, step=STEP)
    after = blob_hash(b"def slugify(): ...\n")
    return [
        ev.ActivityStarted(run=RUN, activity=base),
        ev.CheckpointTaken(run=RUN, label="before the run", files={"slug.py": None}),
        ev.ActivityStarted(run=RUN, activity=execute),
        *_call(execute, Role.EXECUTOR, "slug.py"),
        ev.FileIntended(
            run=RUN, activity=execute.key, step=STEP, path="slug.py", before=None, after=after
        ),
        ev.FileWritten(
            run=RUN,
            activity=execute.key,
            step=STEP,
            path="slug.py",
            before=None,
            after=after,
            why=ev.WriteReason.EXECUTE,
        ),
        ev.StepExecuted(run=RUN, activity=execute.key, step=STEP),
        ev.ActivityStarted(run=RUN, activity=audit),
        *_call(audit, Role.AUDITOR, "slug.py"),
        ev.AuditPassed(run=RUN, activity=audit.key, step=STEP),
    ]


def finish() -> list[ev.Event]:
    """The user commits and the run is over."""
    commit = Activity(kind=ActivityKind.COMMIT, run=RUN)
    return [
        ev.CommitRequested(run=RUN, message="feat: slugify"),
        ev.ActivityStarted(run=RUN, activity=commit),
        ev.CommitIntended(run=RUN, activity=commit.key, intent="{}"),
        ev.Committed(run=RUN, activity=commit.key, commit="c1", message="feat: slugify"),
        ev.RunFinished(run=RUN, outcome=ev.Outcome.DONE, counts=ev.Counts(accepted=1), commit="c1"),
    ]


def whole_run() -> list[ev.Event]:
    """A run from its task to its commit."""
    return [*begin(), *draft(), *work(), *finish()]


def _call(activity: Activity, role: Role, path: str | None) -> list[ev.Event]:
    key = call_key(activity.key, 1)
    return [
        ev.CallStarted(
            run=RUN,
            call=key,
            activity=activity.key,
            role=role,
            path=path,
            adapter=ADAPTER,
            request=blob_hash(key.encode()),
        ),
        ev.CallFinished(
            run=RUN,
            call=key,
            activity=activity.key,
            usage=Usage(input_tokens=100, output_tokens=20),
            finish=FinishReason.STOP,
            reply=blob_hash(b"reply " + key.encode()),
            seconds=1.5,
        ),
    ]
