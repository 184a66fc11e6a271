"""Told sessions with money in them: what calls cost, a limit that is reached, kept answers."""

from decimal import Decimal

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.budget import Budget, BudgetKind, BudgetStop, Reserve
from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind, Usage
from orchestra_tui.domain.ids import BlobHash, call_key
from orchestra_tui.domain.money import Cost, CostBasis
from orchestra_tui.domain.settings import RunSettings
from tests.ui.stub_client import StubClient
from tests.ui.work_story import CODEX, GEMINI, GLM, R1, SCRIPT, Story

BUDGET = Budget(usd=Decimal("2.00"))
STOP = BudgetStop(
    kind=BudgetKind.MONEY,
    message=(
        "$1.93 of $2.00 for the session is used or set aside, and the next call may cost $0.094"
    ),
)


def cost(usd: str, basis: CostBasis = CostBasis.LISTED) -> Cost:
    return Cost(usd=Decimal(usd), basis=basis)


def asked(story: Story, activity: Activity, number: int, adapter: AdapterInfo) -> str:
    """A call begins with something set aside for it."""
    role = activity.kind.role
    assert role is not None
    key = call_key(activity.key, number)
    story.client.emit(
        ev.CallStarted(
            run=R1,
            call=key,
            activity=activity.key,
            role=role,
            path=None,
            adapter=adapter,
            request=BlobHash("0" * 40),
            reserve=Reserve(tokens=9_000, usd=Decimal("0.09")),
        )
    )
    return key


def answered(
    story: Story,
    step: str,
    adapter: AdapterInfo,
    paid: Cost | None,
    *,
    kind: ActivityKind = ActivityKind.EXECUTE,
    seconds: float = 6.8,
    usage: Usage | None = None,
) -> None:
    """One whole call of a piece of work that then ends."""
    activity = story.begun(step, kind)
    key = asked(story, activity, 1, adapter)
    story.client.emit(
        ev.CallFinished(
            run=R1,
            call=key,
            activity=activity.key,
            usage=usage or Usage(input_tokens=2_100, output_tokens=412, cached_tokens=300),
            finish=FinishReason.STOP,
            reply=BlobHash("1" * 40),
            seconds=seconds,
            cost=paid,
        )
    )
    if kind is ActivityKind.EXECUTE:
        story.written(activity)
    else:
        story.client.emit(ev.AuditPassed(run=R1, activity=activity.key, step=activity.step or "s1"))


def spending(budget: Budget = BUDGET, *, is_rehearsal: bool = False) -> tuple[StubClient, Story]:
    """Three adapters with every fate a call can have."""
    kind = ProviderKind.REHEARSAL if is_rehearsal else ProviderKind.REAL
    client = StubClient()
    settings = RunSettings(budget=budget)
    story = Story(client, provider=kind).started(settings=settings).approved(settings=settings)
    if is_rehearsal:
        answered(story, "s1", SCRIPT, None)
        answered(story, "s1", SCRIPT, None, kind=ActivityKind.AUDIT)
        return client, story
    answered(story, "s1", CODEX, cost("1.31"), seconds=41.5)
    answered(story, "s1", GEMINI, cost("0.0421"), kind=ActivityKind.AUDIT, seconds=3.2)
    answered(story, "s2", GLM, cost("0.22"), seconds=12.0)
    broken = story.begun("s3")
    asked(story, broken, 1, GLM)
    story.call_failed(broken, 1, retry_in=0.0)
    second = asked(story, broken, 2, CODEX)
    client.emit(
        ev.HopTaken(
            run=R1,
            call=call_key(broken.key, 2),
            activity=broken.key,
            left="glm",
            to="codex",
            kind="rate_limited",
            cause="429: too many requests",
        ),
        ev.CallFinished(
            run=R1,
            call=call_key(broken.key, 2),
            activity=broken.key,
            usage=Usage(input_tokens=4_000, output_tokens=900),
            finish=FinishReason.STOP,
            reply=BlobHash("1" * 40),
            seconds=38.0,
            cost=cost("0.36", CostBasis.REPORTED),
        ),
    )
    assert second
    story.written(broken)
    kept = story.begun("s2", ActivityKind.AUDIT)
    asked(story, kept, 1, GEMINI)
    saved = Usage(input_tokens=3_000, output_tokens=80)
    nothing = Usage(input_tokens=0, output_tokens=0)
    client.emit(
        ev.CacheHit(
            run=R1,
            call=call_key(kept.key, 1),
            activity=kept.key,
            saved=saved,
            saved_cost=cost("0.051"),
        ),
        ev.CallFinished(
            run=R1,
            call=call_key(kept.key, 1),
            activity=kept.key,
            usage=nothing,
            finish=FinishReason.STOP,
            reply=BlobHash("1" * 40),
            seconds=0.0,
        ),
        ev.AuditPassed(run=R1, activity=kept.key, step=kept.step or "s2"),
    )
    return client, story


def stopped() -> tuple[StubClient, Story]:
    """The next call would pass the limit, and nothing runs any more."""
    client, story = spending()
    activity = story.begun("s4")
    client.emit(
        ev.BudgetReached(run=R1, activity=activity.key, stop=STOP),
        ev.ActivityAbandoned(run=R1, activity=activity),
    )
    return client, story
