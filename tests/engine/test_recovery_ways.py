"""Each damage, and each way back, through the whole engine."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.budget import Budget, Limits
from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import Role, StepId
from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.recovery import (
    AttemptOutcome,
    RecoveryApproach,
    RecoveryCause,
    RecoveryOutcome,
)
from orchestra_tui.domain.recovery_metrics import recovery_counts
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.adapters.base import AuthenticationFailed, CompletionRequest
from orchestra_tui.engine.orchestrator.command_rules import Surroundings, decide
from tests.engine.damage import ALL_DAMAGE, Damager, stubbed
from tests.engine.damage_samples import Sample, sample
from tests.engine.recovery_house import PASS, Agent, Said, Site, site, workshop
from tests.stubs.scripted_agents import whole_file

S1, S2 = StepId("s1"), StepId("s2")
ALONE = RunSettings(run_checks=False, unattended=True)
PY = sample(random.Random(1), 7)
"""A Python file that is there before the run."""
NEW = sample(random.Random(2), 21)
"""A Python file that is not."""


def plan_of(one: Sample, *, with_dependent: bool = False) -> Plan:
    change = ChangeKind.CREATE if one.old is None else ChangeKind.MODIFY
    steps = [PlanStep(id=S1, path=one.path, change=change, purpose="other figures")]
    if with_dependent:
        after = PlanStep(
            id=S2, path="notes.md", change=ChangeKind.CREATE, purpose="tell", depends_on=(S1,)
        )
        steps.append(after)
    return Plan(summary="figures", steps=tuple(steps))


def told(*replies: Said, audits: Sequence[str] = (PASS,)) -> Agent:
    """Writers get the replies in turn, the last again and again; Auditors the verdicts."""
    writing, auditing = list(replies), list(audits)

    def agent(request: CompletionRequest) -> Said:
        queue = auditing if request.role is Role.AUDITOR else writing
        said = queue.pop(0) if len(queue) > 1 else queue[0]
        return said if isinstance(said, Said) else Said(said)

    return agent


async def ran(here: Site, one: Sample, settings: RunSettings = ALONE) -> None:
    if one.old is not None:
        here.workshop.write({one.path: one.old})
    await here.start(plan_of(one, with_dependent=False), settings)
    await here.work()


def good(one: Sample) -> Said:
    return Said(whole_file(one.path, one.new))


@pytest.mark.parametrize("one", [PY, NEW], ids=["modified", "new"])
@pytest.mark.parametrize("damage", ALL_DAMAGE, ids=lambda damage: damage.__name__)
async def test_a_damaged_reply_and_then_a_good_one(
    damage: Damager, one: Sample, tmp_path: Path
) -> None:
    damaged = damage(random.Random(7), one.path, one.new)
    async with workshop(tmp_path / "p", told(damaged, good(one))) as shop, site(shop) as here:
        await ran(here, one)
        step = here.run.steps[S1]
        assert step.status is StepStatus.ACCEPTED
        assert "".join((shop.read(one.path) or "").split()) == "".join(one.new.split())
        recovery = step.recoveries[-1]
        assert recovery.outcome is RecoveryOutcome.RECOVERED
        assert recovery.attempts[-1].outcome is AttemptOutcome.WRITTEN
        assert recovery_counts([here.run]).rate == 1.0


@pytest.mark.parametrize("seed", range(6))
async def test_a_body_that_became_a_stub_is_never_written(seed: int, tmp_path: Path) -> None:
    bad = stubbed(random.Random(seed), PY.path, PY.new)
    async with workshop(tmp_path / "project", told(bad, good(PY))) as shop, site(shop) as here:
        await ran(here, PY)
        assert shop.read(PY.path) == PY.new
        assert [call.refused for call in here.run.calls.values() if call.refused]
        attempts = [
            r.event for r in await shop.records() if isinstance(r.event, ev.RecoveryAttempted)
        ]
        assert {attempt.cause for attempt in attempts} == {RecoveryCause.ELIDED}


@pytest.mark.parametrize("one", [PY, NEW], ids=["modified", "new"])
@pytest.mark.parametrize("damage", ALL_DAMAGE, ids=lambda damage: damage.__name__)
async def test_a_model_that_always_damages_leaves_the_file_as_it_was(
    damage: Damager, one: Sample, tmp_path: Path
) -> None:
    damaged = damage(random.Random(7), one.path, one.new)
    async with workshop(tmp_path / "p", told(damaged), told(damaged)) as shop, site(shop) as here:
        await ran(here, one)
        step = here.run.steps[S1]
        on_disk = shop.read(one.path)
        if step.status is StepStatus.ACCEPTED:
            # Repaired without a model: nobody could have done it better.
            assert on_disk is not None
            assert "".join(on_disk.split()) == "".join(one.new.split())
            approaches = [a.approach for a in step.recoveries[-1].attempts]
            assert approaches == [RecoveryApproach.REPAIR]
            return
        assert on_disk == one.old
        assert step.is_defeated
        assert here.run.needs_user == "recovery waits for you"
        asked = [a.approach for a in step.recoveries[-1].attempts if a.asked]
        assert set(asked) >= {RecoveryApproach.CONSULT, RecoveryApproach.OTHER_ADAPTER}
        assert not [event for event in await events(here) if isinstance(event, ev.FileWritten)]


async def events(here: Site) -> list[ev.Event]:
    return [record.event for record in await here.workshop.records()]


async def test_a_cut_reply_is_continued_by_the_adapter_that_began_it(tmp_path: Path) -> None:
    whole = whole_file(PY.path, PY.new)
    half = len(whole) // 2

    def agent(request: CompletionRequest) -> Said:
        if request.role is Role.AUDITOR:
            return Said(PASS)
        if request.messages[-2].author == "assistant":
            anchor = request.messages[-1].text.rpartition("joined:\n")[2]
            return Said(anchor + whole[half:])
        return Said(whole[:half])

    never = told(Said("not asked"))
    async with workshop(tmp_path / "p", agent, never) as shop, site(shop) as here:
        await ran(here, PY)
        assert shop.read(PY.path) == PY.new
        attempt = here.run.steps[S1].recoveries[-1].attempts[0]
        assert (attempt.approach, attempt.asked) == (RecoveryApproach.CONTINUE, "a")
        assert not shop.adapters[1].requests


async def test_what_is_certain_is_repaired_and_nobody_is_asked(tmp_path: Path) -> None:
    fenced = whole_file(PY.path, f"```python\n{PY.new}```\n")
    async with workshop(tmp_path / "p", told(Said(fenced))) as shop, site(shop) as here:
        await ran(here, PY)
        assert shop.read(PY.path) == PY.new
        writers = [r for r in shop.adapters[0].requests if r.role is not Role.AUDITOR]
        assert len(writers) == 1
        counts = recovery_counts([here.run])
        assert counts.by_approach == {RecoveryApproach.REPAIR: (1, 1)}
        assert counts.by_cause == {RecoveryCause.WRAPPED: (1, 1)}


async def test_the_consultant_sees_findings_and_both_texts(tmp_path: Path) -> None:
    broken = PY.new.replace("return", "return (", 1)
    damaged = Said(whole_file(PY.path, broken))
    async with workshop(tmp_path / "p", told(damaged, good(PY))) as shop, site(shop) as here:
        await ran(here, PY)
        prompt = shop.adapters[0].requests[1].messages[-1].text
        assert shop.adapters[0].requests[1].role is Role.CONSULTANT
        assert "=== DIAGNOSTICS" in prompt
        assert f"=== DAMAGED {PY.path}" in prompt
        assert broken in prompt
        assert PY.old is not None
        assert f"=== FILE {PY.path}\n{PY.old}" in prompt


async def test_the_same_failure_again_goes_to_another_adapter_then_into_pieces(
    tmp_path: Path,
) -> None:
    words = Said("I have updated the file for you.")
    assert PY.old is not None
    line = next(line for line in PY.old.split("\n") if line.startswith("SCALE"))
    edit = (
        f"=== EDIT {PY.path}\n<<<<<<< SEARCH\n{line}\n=======\nSCALE = []\n>>>>>>> REPLACE\n"
        "=== END EDIT\n=== END REPLY\n"
    )

    def agent(request: CompletionRequest) -> Said:
        if request.role is Role.AUDITOR:
            return Said(PASS)
        return Said(edit) if "small pieces" in request.messages[-1].text else words

    async with workshop(tmp_path / "p", agent, agent) as shop, site(shop) as here:
        await ran(here, PY)
        recovery = here.run.steps[S1].recoveries[-1]
        assert [(a.approach.value, a.asked) for a in recovery.attempts] == [
            ("repair", ""),
            ("consult", "a"),
            ("other_adapter", "b"),
            ("pieces", "a"),
        ]
        assert shop.read(PY.path) == PY.old.replace(line, "SCALE = []")
        assert recovery.outcome is RecoveryOutcome.RECOVERED


async def test_another_adapter_whose_key_is_refused_ends_its_attempt_and_not_the_run(
    tmp_path: Path,
) -> None:
    words = Said("I have updated the file for you.")

    def refused(request: CompletionRequest) -> Said:
        raise AuthenticationFailed("b: the key is refused")

    def agent(request: CompletionRequest) -> Said:
        if request.role is Role.AUDITOR:
            return Said(PASS)
        return good(PY) if "small pieces" in request.messages[-1].text else words

    async with workshop(tmp_path / "p", agent, refused) as shop, site(shop) as here:
        await ran(here, PY)
        recovery = here.run.steps[S1].recoveries[-1]
        ways = [(a.approach.value, a.outcome.value) for a in recovery.attempts]
        assert ("other_adapter", "failed") in ways
        assert ways[-1] == ("pieces", "written")
        assert shop.read(PY.path) == PY.new
        assert here.run.is_reviewing


async def test_an_adapter_of_the_users_choice_that_is_refused_ends_attempts_and_not_the_run(
    tmp_path: Path,
) -> None:
    words = Said("I have updated the file for you.")
    of_b = [words]

    def refused(request: CompletionRequest) -> Said:
        if not of_b:
            raise AuthenticationFailed("b: the key is refused")
        return of_b.pop()

    async with workshop(tmp_path / "p", told(words), refused) as shop, site(shop) as here:
        await ran(here, PY)
        assert here.run.steps[S1].is_defeated
        of_b[:] = [words]
        retry = cmd.RetryStep(step=S1, agents=("b",))
        await here.log.append(*decide(retry, here.log.state, Surroundings()))
        await here.work()
        outcomes = {a.outcome for a in here.run.steps[S1].recoveries[-1].attempts}
        assert AttemptOutcome.FAILED in outcomes
        assert here.run.outcome is None, "the others of the run go on"
        assert here.run.is_reviewing


async def test_a_new_file_is_completed_piece_by_piece_from_what_came(tmp_path: Path) -> None:
    head, _, tail = NEW.new.rpartition("\n\n\n")
    begun = f"=== FILE {NEW.path}\n{head}\n\nhalf a li"
    last = head.split("\n")[-1]
    before = head.split("\n")[-2]
    edit = (
        f"=== EDIT {NEW.path}\n<<<<<<< SEARCH\n{before}\n{last}\n=======\n{before}\n{last}\n\n\n"
        f"{tail}>>>>>>> REPLACE\n=== END EDIT\n=== END REPLY\n"
    )

    def agent(request: CompletionRequest) -> Said:
        if request.role is Role.AUDITOR:
            return Said(PASS)
        is_pieces = "small pieces" in request.messages[-1].text
        return Said(edit) if is_pieces else Said(begun, FinishReason.LENGTH)

    async with workshop(tmp_path / "p", agent) as shop, site(shop) as here:
        await ran(here, NEW)
        approaches = [a.approach for a in here.run.steps[S1].recoveries[-1].attempts]
        assert approaches[-1] is RecoveryApproach.PIECES, here.run.steps[S1].last_error
        assert (shop.read(NEW.path) or "").replace("\n", "") == NEW.new.replace("\n", "")


async def test_no_attempts_allowed_means_none_is_made(tmp_path: Path) -> None:
    damaged = Said("no file at all")
    settings = ALONE.model_copy(update={"max_recovery_attempts": 0})
    async with workshop(tmp_path / "p", told(damaged)) as shop, site(shop) as here:
        await ran(here, PY, settings)
        assert shop.read(PY.path) == PY.old
        assert len(shop.adapters[0].requests) == 1


ISSUES = (
    '{"verdict": "issues", "issues": [{"severity": "error", "line": 1, "message": "wrong"}],'
    ' "end": true}'
)


async def test_a_file_that_its_auditor_never_accepts_goes_back(tmp_path: Path) -> None:
    agent = told(good(PY), audits=(ISSUES,))
    async with workshop(tmp_path / "p", agent, told(good(PY))) as shop, site(shop) as here:
        shop.write({PY.path: PY.old or ""})
        await here.start(plan_of(PY, with_dependent=True), ALONE)
        await here.work()
        step = here.run.steps[S1]
        assert step.status is StepStatus.REVERTED
        assert shop.read(PY.path) == PY.old
        recovery = step.recoveries[-1]
        assert recovery.cause is RecoveryCause.AUDIT
        assert {a.outcome for a in recovery.attempts} == {AttemptOutcome.ISSUES}
        assert here.run.steps[S2].status is StepStatus.BLOCKED
        await here.log.append(ev.CommitRequested(run=here.run.id, message=None))
        await here.work(until=lambda run: run.outcome is not None)
        finished = [e for e in await events(here) if isinstance(e, ev.RunFinished)][-1]
        assert finished.recoveries[0].tried == (
            "other adapter (b): issues", "pieces (a): issues",
        )  # fmt: skip


async def test_what_the_user_had_broken_is_not_blamed_on_the_agent(tmp_path: Path) -> None:
    broken = (PY.old or "").replace("import math", "import math (", 1)
    reply = Said(whole_file(PY.path, broken.replace("SCALE = [", "SCALE = [1, ")))
    async with workshop(tmp_path / "p", told(reply)) as shop, site(shop) as here:
        shop.write({PY.path: broken})
        await here.start(plan_of(PY), ALONE)
        await here.work()
        assert here.run.steps[S1].recoveries == ()
        assert shop.read(PY.path) == broken.replace("SCALE = [", "SCALE = [1, ")


async def test_a_budget_that_is_reached_holds_the_attempt_and_nothing_else(tmp_path: Path) -> None:
    """A repair costs nothing and is made; the Consultant waits, without asking again and again."""
    broken = Said(whole_file(PY.path, PY.new.replace("return", "return (", 1)))
    nothing_left = Budget(consultant=Limits(tokens=1))
    settings = ALONE.model_copy(update={"budget": nothing_left})
    async with workshop(tmp_path / "p", told(broken, good(PY))) as shop, site(shop) as here:
        shop.write({PY.path: PY.old or ""})
        await here.start(plan_of(PY), settings)
        await here.work(until=lambda run: bool(run.budget_stops) and not run.running)
        started = [e for e in await events(here) if isinstance(e, ev.ActivityStarted)]
        approaches = [e.activity.approach for e in started if e.activity.approach]
        assert approaches == [RecoveryApproach.REPAIR, RecoveryApproach.CONSULT]
        assert shop.read(PY.path) == PY.old
        assert here.run.steps[S1].status is StepStatus.NEEDS_RECOVERY
        await here.log.append(ev.BudgetRaised(run=here.run.id, budget=Budget()))
        await here.work()
        assert shop.read(PY.path) == PY.new
        assert here.run.steps[S1].recoveries[-1].outcome is RecoveryOutcome.RECOVERED


async def test_line_ends_and_mark_of_the_file_outlive_its_recovery(tmp_path: Path) -> None:
    old = "\ufeff" + (PY.old or "").replace("\n", "\r\n")
    fenced = Said(whole_file(PY.path, f"```python\n{PY.new}```\n"))
    async with workshop(tmp_path / "p", told(fenced)) as shop, site(shop) as here:
        shop.write({PY.path: old})
        await here.start(plan_of(PY), ALONE)
        await here.work()
        assert shop.read(PY.path) == "\ufeff" + PY.new.replace("\n", "\r\n")
