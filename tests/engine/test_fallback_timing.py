"""How many calls a provider gets at once: learnt from its refusals and its headers."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.calls import AdapterInfo
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.base import CompletionRequest
from orchestra_tui.engine.adapters.breaker import Lanes
from orchestra_tui.engine.adapters.decisions import RULES
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.timing import MAX_AT_ONCE, Pace, RateHint, rate_hint
from tests.engine.chain_doubles import Notes, Says, ScriptedAdapter, chain_of, now, run_timeless
from tests.stubs.openai_server import EVENTS, StubServer, delta, raw


@pytest.mark.parametrize(
    ("remaining", "reset", "hint"),
    [
        ("59", "1s", RateHint(59, 1.0)),
        ("0", "6m0s", RateHint(0, 360.0)),
        ("3", "20ms", RateHint(3, 0.02)),
        ("3", "1h2m3.5s", RateHint(3, 3723.5)),
        ("3", "12", RateHint(3, 12.0)),
        ("3", "1800000060", RateHint(3, 60.0)),
        ("3", "1700000000", RateHint(3, 0.0)),
        ("-1", "1s", None),
        ("lots", "1s", None),
        ("3", "soon", None),
        ("3", "nan", None),
        ("3", "-5", None),
        ("3", "", None),
        ("9" * 40, "1s", None),
    ],
)
def test_the_forms_of_rate_headers(remaining: str, reset: str, hint: RateHint | None) -> None:
    headers = {
        "x-ratelimit-remaining-requests": remaining,
        "x-ratelimit-reset-requests": reset,
    }
    assert rate_hint(headers, now=1_800_000_000.0) == hint
    assert rate_hint({}, now=0.0) is None


def test_anthropic_sends_a_time() -> None:
    headers = {
        "anthropic-ratelimit-requests-remaining": "5",
        "anthropic-ratelimit-requests-reset": "2027-01-15T08:01:00Z",
    }
    assert rate_hint(headers, now=1_800_000_000.0) == RateHint(5, 60.0)
    headers["anthropic-ratelimit-requests-reset"] = "tomorrow at ten"
    assert rate_hint(headers, now=1_800_000_000.0) is None


async def test_an_answer_brings_what_its_headers_say() -> None:
    headers = {
        **EVENTS,
        "x-ratelimit-remaining-requests": "3",
        "x-ratelimit-reset-requests": "6s",
    }
    app = raw(delta("hello"), delta(None, finish="stop"), headers=headers)
    async with StubServer(app) as server:
        settings = AdapterSettings(name="a", base_url=server.base_url, model="m")
        adapter = build_adapter(settings, {})
        try:
            request = CompletionRequest(
                key=CallKey("k"), role=Role.EXECUTOR, path=None, task="", messages=()
            )
            completion = await adapter.execute(request, lambda _: None)
        finally:
            await adapter.close()
    assert completion.hint == RateHint(3, 6.0)


def test_what_an_answer_says_spreads_the_next_calls() -> None:
    async def work() -> None:
        lanes = Lanes()
        first = ScriptedAdapter("a", Says(seconds=1.0, hint=RateHint(2, 8.0)))
        await chain_of(first, lanes=lanes).answer(Notes())
        second = ScriptedAdapter("a", Says(seconds=0.0))
        began = now()
        chains = [chain_of(second, lanes=lanes).answer(Notes()) for _ in range(3)]
        await asyncio.gather(*chains)
        gaps = sorted(at - began for at in second.began)
        assert gaps[0] == 0
        assert gaps[1] >= 3.5
        assert gaps[2] >= 7.0

    run_timeless(work())


def test_a_refusal_halves_and_answers_add() -> None:
    pace = Pace()
    for _ in range(8):
        pace.began(0.0)
    pace.refused(began=0.0, now=1.0)
    assert pace.at_once == 4
    pace.refused(began=0.5, now=1.1)
    assert pace.at_once == 4, "calls of the same time are one refusal"
    pace.refused(began=2.0, now=3.0)
    assert pace.at_once == 2
    before = pace.at_once
    for _ in range(8):
        pace.ended()
        pace.answered(None, 4.0)
    assert before < pace.at_once < 6


def test_a_known_limit_is_never_exceeded() -> None:
    lanes = Lanes()
    info = AdapterInfo(name="a", model="m", provider="this machine")
    other = AdapterInfo(name="b", model="n", provider="this machine")
    for at in range(5):
        permit = lanes.lane(info, 1).enter(at)
        assert lanes.lane(info, 1).readiness(at).is_busy
        assert lanes.lane(other, 1).readiness(at).is_busy
        lanes.lane(info, 1).answered(None, began=at, now=at)
        permit.leave()
        assert not lanes.lane(other, 1).readiness(at).kind


@given(st.lists(st.sampled_from(["begin", "end", "refuse", "answer", "empty", "little"])))
def test_the_limit_stays_sane(steps: list[str]) -> None:
    pace, at = Pace(), 0.0
    for step in steps:
        at += 1.0
        match step:
            case "begin":
                pace.began(at)
            case "end" if pace.in_flight:
                pace.ended()
            case "refuse":
                pace.refused(began=at, now=at)
            case "answer":
                pace.answered(None, at)
            case "empty":
                pace.answered(RateHint(0, 1e9), at)
            case "little":
                pace.answered(RateHint(2, 1.0), at)
        assert 1 <= pace.at_once <= MAX_AT_ONCE
        assert 0 <= pace.rest(at) <= 60


def test_no_call_is_made_that_would_be_refused() -> None:
    pace = Pace()
    pace.began(0.0)
    pace.ended()
    pace.answered(RateHint(0, 12.0), 1.0)
    assert pace.rest(1.0) == 12.0
    pace = Pace()
    pace.answered(RateHint(4, 8.0), 0.0)
    pace.began(0.0)
    assert pace.rest(0.0) == 2.0, "what is left is spread over the time"


def test_after_a_refusal_fewer_run_at_once_and_the_others_wait_their_turn() -> None:
    async def work() -> None:
        lanes = Lanes()
        limited = Says(error=base.RateLimited("a: 429", retry_after=3), seconds=1.0)
        only = ScriptedAdapter("a", *[limited] * 8, Says(seconds=10.0))
        notes = [Notes() for _ in range(8)]
        await asyncio.gather(*(chain_of(only, lanes=lanes).answer(each) for each in notes))
        assert only.most_in_flight == 8, "nothing was known at first"
        assert len(only.requests) <= 8 + 8 + 2
        assert all(line for each in notes for line in each.lines if line[0] == "wait")

    run_timeless(work())


def test_a_provider_that_is_full_is_passed_when_another_is_free() -> None:
    async def work() -> None:
        lanes = Lanes()
        busy, free = ScriptedAdapter("a", Says(seconds=50)), ScriptedAdapter("b")
        lane = lanes.lane(busy.info())
        lane.failed(base.RateLimited("a: 429"), RULES["rate_limited"], began=now(), now=now())
        await asyncio.sleep(1)
        task = asyncio.create_task(chain_of(busy, lanes=lanes).answer(Notes()))
        await asyncio.sleep(1)
        notes = Notes()
        await chain_of(busy, free, lanes=lanes).answer(notes)
        assert notes.lines == [("hop", "a", "b", "busy"), ("call", "b")]
        await task

    run_timeless(work())
