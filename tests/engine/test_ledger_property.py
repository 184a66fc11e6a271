"""Whatever calls end when: what is used and set aside never passes the budget."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import Activity, ActivityKind
from orchestra_tui.domain.budget import Budget, BudgetKind, Limits, OnUnknownPrice, Reserve
from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind, Usage
from orchestra_tui.domain.fold import fold
from orchestra_tui.domain.ids import ActivityKey, CallKey, Role, blob_hash
from orchestra_tui.domain.money import Cost, CostBasis, Price
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.spending import money_of, tokens_in, used
from orchestra_tui.domain.state import SessionState
from orchestra_tui.engine.adapters.fallback import Link
from orchestra_tui.engine.adapters.patience import MOST
from orchestra_tui.engine.adapters.prices import PriceBook, Tariff
from orchestra_tui.engine.orchestrator.ledger import Asked, BudgetStopped, Ledger
from tests.engine.chain_doubles import ScriptedAdapter, now, run_timeless
from tests.engine.sample_log import RUN, SESSION, START, records_of

PRICES = PriceBook({"m": Price(input=Decimal(1), output=Decimal(10))})
MICRO = Decimal(1_000_000)


@dataclass(frozen=True)
class Plan:
    """One call: how long its prompt and answer may be, and how it really ends."""

    role: Role
    size: int
    limit: int
    share: float
    """The part of its limit that the answer really takes."""
    ending: str


@dataclass
class World:
    """A log in memory, and the ledger over it."""

    budget: Budget
    events: list[ev.Event] = field(default_factory=list)
    state: SessionState = field(default_factory=lambda: SessionState(id=SESSION))
    has_started: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.ledger = Ledger(lambda: self.state, PRICES, now=lambda: START)
        self.say(ev.RunStarted(run=RUN, task="t", settings=RunSettings(budget=self.budget)))

    def say(self, event: ev.Event) -> None:
        self.state = fold(self.state, records_of([event], first=len(self.events) + 1))
        self.events.append(event)
        if isinstance(event, ev.CallStarted):
            self.has_started.set()

    def passes(self) -> str:
        """The first limit that what is really used and set aside passes; empty if none."""
        held = dict(self.ledger._held)  # noqa: SLF001 - what no event tells
        for scope in (None, *Role):
            limits, now = self.budget.of(scope), used(self.state, scope, held, START)
            if limits.usd is not None and now.usd > limits.usd:
                return f"{scope}: {now.usd} of {limits.usd}"
            if limits.tokens is not None and now.tokens > limits.tokens:
                return f"{scope}: {now.tokens} of {limits.tokens}"
        return ""

    async def call(self, number: int, plan: Plan, ends: asyncio.Event) -> bool:
        """Make one call as the orchestrator does; False if it was not let through."""
        link = Link(
            adapter(), tariff=Tariff("m", "https://x.example"), max_output_tokens=plan.limit
        )
        key = CallKey(f"r1/s{number}/execute/1/call/1")
        asked = Asked(RUN, key, plan.role, link, plan.size)
        try:
            reserve = await self.ledger.admit(asked, told)
        except BudgetStopped:
            return False
        assert not self.passes()
        try:
            # The request is stored before the log says that it is asked.
            await asyncio.sleep(0)
            self.say(started(key, plan.role, reserve))
            await ends.wait()
            if plan.ending == "cut off":
                return True
            output = int(plan.limit * plan.share)
            usage = Usage(input_tokens=plan.size // 3, output_tokens=output)
            cost = await self.ledger.cost(link, usage)
            self.say(ended(key, plan.ending, usage, cost))
        finally:
            self.ledger.release(key)
        assert not self.passes()
        return True


def adapter() -> ScriptedAdapter:
    return ScriptedAdapter("a")


async def told(why: str, seconds: float) -> None:
    assert "set aside" in why
    assert seconds > 0


def started(key: CallKey, role: Role, reserve: Reserve) -> ev.CallStarted:
    return ev.CallStarted(
        run=RUN,
        call=key,
        activity=ActivityKey(key.rpartition("/call")[0]),
        role=role,
        path=None,
        adapter=AdapterInfo(name="a", model="m", provider="x"),
        request=blob_hash(b""),
        reserve=reserve,
    )


def ended(key: CallKey, how: str, usage: Usage, cost: Cost | None) -> ev.Event:
    activity = ActivityKey(key.rpartition("/call")[0])
    if how == "failed":
        return ev.CallFailed(run=RUN, call=key, activity=activity, kind="stream_cut", message="cut")
    return ev.CallFinished(
        run=RUN,
        call=key,
        activity=activity,
        usage=usage,
        finish=FinishReason.STOP,
        reply=blob_hash(b""),
        seconds=1.0,
        cost=cost,
    )


PLANS = st.lists(
    st.builds(
        Plan,
        role=st.sampled_from([Role.EXECUTOR, Role.AUDITOR]),
        size=st.integers(2, 6000),
        limit=st.integers(1, 4000),
        share=st.floats(0, 1),
        ending=st.sampled_from(["whole", "whole", "failed", "cut off"]),
    ),
    min_size=1,
    max_size=8,
)
LIMITS = st.builds(
    lambda micros, tokens: Limits(usd=micros and Decimal(micros) / MICRO, tokens=tokens),
    st.none() | st.integers(1, 120_000),
    st.none() | st.integers(1, 20_000),
)


@given(plans=PLANS, session=LIMITS, executor=LIMITS, order=st.randoms(use_true_random=False))
def test_no_interleaving_passes_the_budget(
    plans: Sequence[Plan], session: Limits, executor: Limits, order: object
) -> None:
    budget = Budget(usd=session.usd, tokens=session.tokens, executor=executor)

    async def all_at_once() -> None:
        world = World(budget)
        gates = [asyncio.Event() for _ in plans]
        calls = [
            asyncio.create_task(world.call(n, plan, gate))
            for n, (plan, gate) in enumerate(zip(plans, gates, strict=True))
        ]
        assert hasattr(order, "shuffle")
        shuffled = list(gates)
        order.shuffle(shuffled)
        for gate in shuffled:
            for _ in range(3):
                await asyncio.sleep(0)
                assert not world.passes()
            gate.set()
        async with asyncio.timeout(20):
            let_through = await asyncio.gather(*calls)
        assert not world.passes()
        if not budget.is_set and not executor.is_set:
            assert all(let_through)
        spent = money_of(world.state)
        assert budget.usd is None or spent.usd <= budget.usd

    asyncio.run(all_at_once())


async def test_a_call_waits_for_those_in_flight_when_they_alone_are_in_its_way() -> None:
    world = World(Budget(tokens=3000))
    first, second = asyncio.Event(), asyncio.Event()
    plan = Plan(Role.EXECUTOR, size=1000, limit=1500, share=0.1, ending="whole")
    one = asyncio.create_task(world.call(1, plan, first))
    await world.has_started.wait()
    two = asyncio.create_task(world.call(2, plan, second))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not two.done(), "both together might take 4002 tokens"
    assert len([e for e in world.events if isinstance(e, ev.CallStarted)]) == 1
    first.set()
    second.set()
    assert await one
    assert await two
    totals = [tokens_in(e.usage) for e in world.events if isinstance(e, ev.CallFinished)]
    assert totals == [483, 483]


async def test_a_call_that_waits_for_room_goes_on_when_the_limit_is_raised() -> None:
    """Not only when a call in flight has ended: that may take many minutes."""
    world = World(Budget(tokens=3000))
    first, second = asyncio.Event(), asyncio.Event()
    plan = Plan(Role.EXECUTOR, size=1000, limit=1500, share=0.1, ending="whole")
    one = asyncio.create_task(world.call(1, plan, first))
    await world.has_started.wait()
    two = asyncio.create_task(world.call(2, plan, second))
    for _ in range(20):
        await asyncio.sleep(0)
    world.budget = Budget(tokens=9000)
    world.say(ev.BudgetRaised(run=RUN, budget=world.budget))
    world.ledger.look_again()
    second.set()
    async with asyncio.timeout(20):
        assert await two
    assert not one.done()
    first.set()
    assert await one


@pytest.mark.parametrize(
    ("allow", "is_stopped"), [(OnUnknownPrice.ASK, True), (OnUnknownPrice.ALLOW, False)]
)
async def test_an_unknown_price_is_asked_about(allow: OnUnknownPrice, is_stopped: bool) -> None:
    world = World(Budget(usd=Decimal(2), on_unknown_price=allow))
    link = Link(adapter(), tariff=Tariff("mystery", "https://x.example"))
    asked = Asked(RUN, CallKey("k"), Role.EXECUTOR, link, 100)
    if not is_stopped:
        assert (await world.ledger.admit(asked, told)).usd is None
        return
    with pytest.raises(BudgetStopped) as stopped:
        await world.ledger.admit(asked, told)
    assert stopped.value.stop.kind is BudgetKind.UNKNOWN_PRICE
    assert "not known" in str(stopped.value)


async def test_a_cut_off_call_that_is_asked_again_is_not_forgotten() -> None:
    world = World(Budget())
    key = CallKey("r1/plan/1/call/1")
    activity = Activity(kind=ActivityKind.DRAFT_PLAN, run=RUN)
    reserve = Reserve(tokens=100, usd=Decimal("0.5"))
    world.say(ev.ActivityStarted(run=RUN, activity=activity))
    world.say(started(key, Role.ARCHITECT, reserve))
    world.say(ev.ActivityAbandoned(run=RUN, activity=activity))
    world.say(ev.ActivityStarted(run=RUN, activity=activity))
    world.say(started(key, Role.ARCHITECT, reserve))
    cost = Cost(usd=Decimal("0.1"), basis=CostBasis.LISTED)
    usage = Usage(input_tokens=10, output_tokens=10)
    world.say(ended(key, "whole", usage, cost))
    assert money_of(world.state).unknown == 1
    assert money_of(world.state).usd == Decimal("0.1")
    assert used(world.state, None, {}, START).usd == Decimal("0.6"), "the reserve counts"
    assert used(world.state, None, {}, START).tokens == 120


def test_the_wait_for_calls_in_flight_has_an_end() -> None:
    """Also where one of them never ends: then the user is asked, as at the limit itself."""

    async def work() -> None:
        world = World(Budget(tokens=1000))
        waits: list[float] = []

        async def noted(why: str, seconds: float) -> None:
            waits.append(seconds)

        # A rehearsal needs no price list, which is looked at in a thread.
        link = Link(ScriptedAdapter("a", kind=ProviderKind.REHEARSAL), max_output_tokens=600)
        first = Asked(RUN, CallKey("r1/s1/execute/1/call/1"), Role.EXECUTOR, link, 10)
        await world.ledger.admit(first, noted)
        began = now()
        second = Asked(RUN, CallKey("r1/s2/execute/1/call/1"), Role.EXECUTOR, link, 10)
        with pytest.raises(BudgetStopped, match="set aside"):
            await world.ledger.admit(second, noted)
        assert waits == [link.timeouts.total * MOST]
        assert now() - began == pytest.approx(waits[0])

    run_timeless(work())
