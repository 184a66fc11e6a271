"""What each scenario does to whom, through the adapter and the parsers of the agents."""

import asyncio

import pytest

from orchestra_tui.domain.calls import FinishReason, ProviderKind
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.plan import ChangeKind, Plan
from orchestra_tui.domain.prompt_blocks import block
from orchestra_tui.domain.review import Verdict
from orchestra_tui.domain.settings import Scenario
from orchestra_tui.engine.adapters.base import (
    Completion,
    CompletionRequest,
    IdleTimeout,
    Message,
    RateLimited,
    StreamCut,
)
from orchestra_tui.engine.adapters.rehearsal import build_rehearsal
from orchestra_tui.engine.adapters.rehearsal.adapter import DEFAULT_RATE, rehearsal_rate
from orchestra_tui.engine.adapters.rehearsal.recipe import LABEL
from orchestra_tui.engine.agents.file_replies import composed, parse_file_reply
from orchestra_tui.engine.agents.parsing import ReplyRefused, parse_audit, parse_plan
from tests.engine.rehearsal_asking import ask, audited, fixed, plan_for, written

TASK = "write slugify with tests"
CODE, TESTS, LEAF = "slugify.py", "test_slugify.py", "examples/slugify_demo.py"
every_scenario = pytest.mark.parametrize("scenario", list(Scenario))


async def test_it_says_what_it_is() -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    info = adapter.info()
    assert info.kind is ProviderKind.REHEARSAL
    assert info.provider == LABEL
    assert await adapter.is_available()
    plan = await plan_for(adapter, TASK)
    assert plan.summary.startswith(LABEL)
    assert LABEL in plan.commit_message
    await adapter.close()


async def test_a_plan_modifies_what_is_already_there() -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    listing = block("LISTING", "", f"README.md\n{CODE}\nsub/{TESTS}\n")
    plan = await plan_for(adapter, TASK, prompt=block("TASK", "", LEAF) + listing)
    changes = {step.path: step.change for step in plan.steps}
    assert changes == {
        CODE: ChangeKind.MODIFY,
        TESTS: ChangeKind.CREATE,
        LEAF: ChangeKind.CREATE,
    }
    await adapter.close()


async def test_feedback_is_not_pretended_to_be_followed() -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    first = await plan_for(adapter, TASK)
    again = await plan_for(adapter, TASK, attempt=2, prompt=block("FEEDBACK", "", "use Rust\n"))
    assert again.steps == first.steps
    assert "not followed" in again.summary
    assert "not followed" not in first.summary
    await adapter.close()


@pytest.mark.parametrize(
    "task",
    ["", " \n ", "hello", "日本語で書いて 🎉", "a\ud800b", "'''\"\"\"\\", "x" * 5000, "\x1b[31m"],
)
async def test_any_text_is_a_task(task: str) -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    plan = await plan_for(adapter, task)
    assert "stand-in" in plan.summary
    for step in plan.steps:
        text = await written(adapter, task, step.path)
        assert LABEL in text.splitlines()[0]
        if step.path.endswith(".py"):
            compile(text, step.path, "exec")
    await adapter.close()


async def test_the_same_request_gives_the_same_bytes() -> None:
    async def pieces(path: str) -> list[str]:
        adapter = build_rehearsal(Scenario.CALM, rate=None)
        seen: list[str] = []
        request = CompletionRequest(
            key=CallKey("r1/s1/execute/1/call/1"),
            role=Role.EXECUTOR,
            path=path,
            task=TASK,
            messages=(Message("user", "write it"),),
        )
        await adapter.execute(request, seen.append)
        await adapter.close()
        return seen

    assert await pieces(CODE) == await pieces(CODE)
    assert len(await pieces(CODE)) > 50


async def test_files_that_a_user_added_get_a_stand_in_that_says_so() -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    for path in ("notes.md", "main.go", "data.json", "Makefile", "x.unknown", "style.css"):
        assert LABEL in await written(adapter, TASK, path)
    own = "def mine():\n    return 1\n"
    changed = await written(adapter, TASK, CODE, base=own)
    assert changed.startswith(own)
    assert changed.splitlines()[-1].startswith(f"# {LABEL}")
    assert await written(adapter, TASK, "data.json", base='{"a": 1}\n') == '{"a": 1}\n'
    await adapter.close()


async def test_a_fix_keeps_what_the_user_changed_beside_the_flaw() -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    flawed = await written(adapter, TASK, CODE)
    edited = flawed + "\n\ndef mine() -> int:\n    return 1\n"
    repaired = await fixed(adapter, TASK, CODE, edited)
    assert repaired.endswith("def mine() -> int:\n    return 1\n")
    assert (await audited(adapter, TASK, CODE, repaired)).verdict is Verdict.PASS
    assert await fixed(adapter, TASK, CODE, edited, attempt=2) == repaired
    await adapter.close()


async def test_a_mistake_of_the_user_is_found_and_not_pretended_to_be_fixed() -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    own = "def total(items: list[int]) -> int:\n    return sum(itmes)\n"
    audit = await audited(adapter, TASK, CODE, own)
    assert [(issue.line, "itmes" in issue.message) for issue in audit.issues] == [(2, True)]
    assert await fixed(adapter, TASK, CODE, own) == own
    await adapter.close()


async def test_calm_has_one_flaw_in_the_code_and_none_elsewhere() -> None:
    adapter = build_rehearsal(Scenario.CALM, rate=None)
    verdicts = {
        path: (await audited(adapter, TASK, path, await written(adapter, TASK, path))).verdict
        for path in (CODE, TESTS, LEAF)
    }
    assert verdicts == {CODE: Verdict.ISSUES, TESTS: Verdict.PASS, LEAF: Verdict.PASS}
    await adapter.close()


async def test_storm_strikes_each_role_once_and_then_lets_it_through() -> None:
    adapter = build_rehearsal(Scenario.STORM, rate=None)
    plan = await ask(adapter, Role.ARCHITECT, TASK)
    with pytest.raises(ReplyRefused, match=r"\.\./outside\.py"):
        parse_plan(plan.text, plan.finish, known_checks=())
    with pytest.raises(RateLimited) as limited:
        await ask(adapter, Role.EXECUTOR, TASK, CODE)
    assert limited.value.retry_after == 1.0
    with pytest.raises(StreamCut) as cut:
        await ask(adapter, Role.EXECUTOR, TASK, TESTS)
    assert cut.value.partial.startswith("=== FILE")
    garbage = await ask(adapter, Role.AUDITOR, TASK, CODE, shown="x = 1\n")
    with pytest.raises(ReplyRefused):
        parse_audit(garbage.text, garbage.finish)
    again = await ask(adapter, Role.EXECUTOR, TASK, CODE, call=2)
    flawed = composed(parse_file_reply(again.text, again.finish, path=CODE), None)
    truncated = await ask(adapter, Role.CONSULTANT, TASK, CODE, shown=flawed)
    assert truncated.finish is FinishReason.LENGTH
    await adapter.close()


@pytest.mark.parametrize(("attempt", "call"), [(1, 2), (2, 1), (3, 4)])
async def test_after_its_first_call_storm_is_calm(attempt: int, call: int) -> None:
    adapter = build_rehearsal(Scenario.STORM, rate=None)

    async def again(role: Role, path: str | None, shown: str | None = None) -> Completion:
        return await ask(adapter, role, TASK, path, shown=shown, attempt=attempt, call=call)

    plan = await again(Role.ARCHITECT, None)
    assert isinstance(parse_plan(plan.text, plan.finish, known_checks=()), Plan)
    for path in (CODE, TESTS, LEAF):
        reply = await again(Role.EXECUTOR, path)
        assert parse_file_reply(reply.text, reply.finish, path=path)
        audit = await again(Role.AUDITOR, path, "x = 1\n")
        assert parse_audit(audit.text, audit.finish)
        fix = await again(Role.CONSULTANT, path, "x = 1\n")
        assert parse_file_reply(fix.text, fix.finish, path=path)
    await adapter.close()


async def test_stall_goes_silent_once_and_the_idle_clock_ends_it() -> None:
    adapter = build_rehearsal(Scenario.STALL, rate=None)
    with pytest.raises(IdleTimeout) as caught:
        await ask(adapter, Role.EXECUTOR, TASK, CODE)
    assert caught.value.partial.startswith(f"=== FILE {CODE}")
    assert (await ask(adapter, Role.EXECUTOR, TASK, CODE, call=2)).finish is FinishReason.STOP
    await adapter.close()


async def test_hopeless_never_gets_the_leaf_right() -> None:
    adapter = build_rehearsal(Scenario.HOPELESS, rate=None)
    leaf = await written(adapter, TASK, LEAF)
    assert (await audited(adapter, TASK, LEAF, leaf)).verdict is Verdict.ISSUES
    finishes = set()
    for attempt in (1, 2, 3):
        for call in (1, 2, 3):
            reply = await ask(
                adapter, Role.CONSULTANT, TASK, LEAF, shown=leaf, attempt=attempt, call=call
            )
            finishes.add(reply.finish)
            assert "=== END" not in reply.text
            with pytest.raises(ReplyRefused) as refused:
                parse_file_reply(reply.text, reply.finish, path=LEAF)
            assert refused.value.is_cut
    assert finishes == {FinishReason.LENGTH, FinishReason.STOP}
    code = await written(adapter, TASK, CODE)
    repaired = await fixed(adapter, TASK, CODE, code)
    assert (await audited(adapter, TASK, CODE, repaired)).verdict is Verdict.PASS
    assert (
        await audited(adapter, TASK, TESTS, await written(adapter, TASK, TESTS))
    ).verdict is Verdict.PASS
    await adapter.close()


async def test_tokens_are_counted_and_paced() -> None:
    fast = build_rehearsal(Scenario.CALM, rate=None)
    slow = build_rehearsal(Scenario.CALM, rate=400.0)
    loop = asyncio.get_running_loop()
    reply = await ask(fast, Role.AUDITOR, TASK, CODE, shown="x = 1\n")
    began = loop.time()
    same = await ask(slow, Role.AUDITOR, TASK, CODE, shown="x = 1\n")
    assert loop.time() - began >= (same.usage.output_tokens or 0) / 400.0 * 0.9
    assert reply == same
    assert reply.usage.input_tokens
    assert reply.usage.output_tokens
    await fast.close()
    await slow.close()


@every_scenario
async def test_many_at_once_do_not_disturb_each_other(scenario: Scenario) -> None:
    adapter = build_rehearsal(scenario, rate=None)
    alone = (await ask(adapter, Role.EXECUTOR, TASK, LEAF, call=2)).text
    replies = await asyncio.gather(
        *(ask(adapter, Role.EXECUTOR, TASK, LEAF, call=2) for _ in range(20))
    )
    assert {reply.text for reply in replies} == {alone}
    await adapter.close()


@pytest.mark.parametrize(
    ("text", "rate"), [("", DEFAULT_RATE), (" 50 ", 50.0), ("max", None), ("1e6", 1e6)]
)
def test_the_pace_can_be_set(text: str, rate: float | None) -> None:
    assert rehearsal_rate({"ORCHESTRA_REHEARSAL_RATE": text}) == rate


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "inf"])
def test_a_pace_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ORCHESTRA_REHEARSAL_RATE"):
        rehearsal_rate({"ORCHESTRA_REHEARSAL_RATE": text})
