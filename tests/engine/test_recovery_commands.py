"""What a person does about a file in trouble, through the whole engine."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryCause, RecoveryOutcome
from orchestra_tui.domain.state import RunState, StepState, StepStatus
from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine
from tests.engine.engine_house import House, house
from tests.engine.run_driver import settings_for
from tests.stubs.openai_server import DONE, EVENTS, delta
from tests.stubs.scripted_agents import (
    BEFORE,
    GOOD_CORE,
    answer,
    question,
    scripted_agents,
    whole_file,
)

PASSED = '{"verdict": "pass", "issues": [], "end": true}'
S1, S3 = StepId("s1"), StepId("s3")
BROKEN = GOOD_CORE.replace("number: int)", "number: int")
MINE = GOOD_CORE + "\n\ndef triple(number: int) -> int:\n    return number * 3\n"


@dataclass
class Stubborn:
    """Agents that damage the core file until `is_good`, and may be held in their answer."""

    is_good: bool = False
    prompts: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def script(self, body: bytes) -> str:
        step, prompt = question(body)
        if step == "s1" and "under review" not in prompt:
            self.prompts.append(prompt)
            return whole_file("app/core.py", GOOD_CORE if self.is_good else BROKEN)
        return answer(body)

    def app(self) -> App:
        """As `scripted_agents`, but the Consultant's answer about the core waits for `gate`."""
        usual = scripted_agents(self.script)

        async def app(request: AppRequest, reply: Reply) -> None:
            step, prompt = question(request.body) if request.body else ("", "")
            if step == "s1" and "DIAGNOSTICS" in prompt and not self.gate.is_set():
                self.waiting.set()
                await reply.start(200, EVENTS)
                await reply.send(delta("=== FILE"))
                await self.gate.wait()
                await reply.send(DONE)
                return
            await usual(request, reply)

        return app


def core(run: RunState) -> StepState:
    return run.steps[S1]


@asynccontextmanager
async def defeated(folder: Path, agents: Stubborn) -> AsyncIterator[House]:
    """A run whose core file could not be recovered."""
    async with house(folder, agents.script) as h:
        await h.to_review()
        assert core(h.run).status is StepStatus.FAILED
        assert h.run.needs_user == "recovery waits for you"
        assert h.run.steps[S3].status is StepStatus.BLOCKED
        yield h


async def test_a_text_of_the_user_is_validated_written_and_not_judged(tmp_path: Path) -> None:
    async with defeated(tmp_path, Stubborn()) as h:
        with pytest.raises(CommandRefused, match="Correct it, or accept it anyway"):
            await h.engine.submit(cmd.TakeOver(step=S1, text=BROKEN))
        assert core(h.run).status is StepStatus.FAILED, "a refusal changes nothing"
        audits = len([e for e in h.of(ev.AuditPassed) if e.step == S1])  # type: ignore[attr-defined]
        await h.engine.submit(cmd.TakeOver(step=S1, text=MINE))
        await h.until(lambda run: run.is_reviewing and core(run).status is StepStatus.ACCEPTED)
        assert h.text("app/core.py") == MINE
        written = [e for e in h.events if isinstance(e, ev.FileWritten) and e.step == S1]
        assert [event.why for event in written] == [ev.WriteReason.MANUAL]
        assert len([e for e in h.of(ev.AuditPassed) if e.step == S1]) == audits  # type: ignore[attr-defined]
        assert core(h.run).recoveries[-1].outcome is RecoveryOutcome.TAKEN_OVER
        assert h.run.needs_user == "diff waits for you"
        assert h.run.steps[S3].status is StepStatus.ACCEPTED, "what waited for it goes on"


async def test_a_damaged_text_needs_a_reason_and_is_then_written(tmp_path: Path) -> None:
    async with defeated(tmp_path, Stubborn()) as h:
        with pytest.raises(CommandRefused, match="say why"):
            await h.engine.submit(cmd.AcceptAnyway(step=S1, reason=" "))
        await h.engine.submit(cmd.AcceptAnyway(step=S1, reason="a template, not Python"))
        await h.until(lambda run: run.is_reviewing and core(run).status is StepStatus.ACCEPTED)
        assert h.text("app/core.py") == BROKEN
        taken = next(e for e in h.events if isinstance(e, ev.TextTaken))
        assert taken.is_anyway
        assert taken.reason == "a template, not Python"
        assert taken.diagnostics
        last = core(h.run).recoveries[-1]
        assert (last.outcome, last.reason) == (
            RecoveryOutcome.ACCEPTED_ANYWAY, "a template, not Python",
        )  # fmt: skip


async def test_more_attempts_go_on_where_it_gave_up(tmp_path: Path) -> None:
    agents = Stubborn()
    async with defeated(tmp_path, agents) as h:
        agents.is_good = True
        await h.engine.submit(cmd.RaiseAttempts(step=S1, attempts=1))
        await h.until(lambda run: run.is_reviewing and core(run).status is StepStatus.ACCEPTED)
        assert h.text("app/core.py") == GOOD_CORE
        assert len(core(h.run).recoveries) == 1
        assert core(h.run).recoveries[0].outcome is RecoveryOutcome.RECOVERED


async def test_a_retry_takes_a_note_and_who_is_asked(tmp_path: Path) -> None:
    agents = Stubborn()
    async with defeated(tmp_path, agents) as h:
        with pytest.raises(CommandRefused, match="no adapter 'other'"):
            await h.engine.submit(cmd.RetryStep(step=S1, agents=("other",)))
        agents.is_good = True
        await h.engine.submit(cmd.RetryStep(step=S1, note="keep the name", agents=("stub",)))
        await h.until(lambda run: run.is_reviewing and core(run).status is StepStatus.ACCEPTED)
        assert "keep the name" in agents.prompts[-1]
        assert core(h.run).recoveries[0].outcome is RecoveryOutcome.RETRIED


async def test_skipping_answers_the_question(tmp_path: Path) -> None:
    async with defeated(tmp_path, Stubborn()) as h:
        await h.engine.submit(cmd.SkipStep(step=S1))
        await h.until(lambda run: core(run).status is StepStatus.SKIPPED)
        assert h.run.needs_user == "diff waits for you"
        assert not (h.root / "app").exists()


async def test_taking_over_ends_the_attempt_that_runs(tmp_path: Path) -> None:
    agents = Stubborn()
    async with house(tmp_path, app=agents.app()) as h:
        await h.start()
        await h.approve()
        await h.until(lambda run: core(run).status is StepStatus.RECOVERING)
        await agents.waiting.wait()
        with pytest.raises(CommandRefused, match="give the next attempt a note"):
            await h.engine.submit(cmd.RetryStep(step=S1))
        await h.engine.submit(cmd.RetryStep(step=S1, note="mind the brackets"))
        recovery = core(h.run).recovery
        assert recovery is not None
        assert recovery.note == "mind the brackets"
        await h.engine.submit(cmd.TakeOver(step=S1, text=MINE))
        await h.until(lambda run: run.is_reviewing)
        agents.gate.set()
        assert h.text("app/core.py") == MINE
        assert core(h.run).status is StepStatus.ACCEPTED
        abandoned = [e for e in h.events if isinstance(e, ev.ActivityAbandoned)]
        assert len(abandoned) == 1


async def test_checks_that_still_fail_lead_into_recovery(tmp_path: Path) -> None:
    """The round of fixes does not help; small pieces do, and the checks judge again."""
    tripled = GOOD_CORE.replace("* 2", "* 3  # BUG")

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if "under review" in prompt:
            return PASSED
        if step == "s1" and "small pieces" in prompt:
            block = "<<<<<<< SEARCH\n    return number * 4  # BUG\n=======\n    return number * 2\n"
            end = ">>>>>>> REPLACE\n=== END EDIT\n=== END REPLY\n"
            return f"=== EDIT app/core.py\n{block}{end}"
        if step == "s1":
            fixed = tripled.replace("* 3", "* 4")
            return whole_file("app/core.py", fixed if "checks fail" in prompt else tripled)
        return answer(body)

    telling = {**BEFORE, "Makefile": "test:\n\t! grep -q BUG app/core.py\n"}
    async with house(tmp_path, script, telling) as h:
        await h.to_review()
        assert h.text("app/core.py") == GOOD_CORE
        assert h.run.checks.verdict == "passed"
        in_recovery = [key for key, step in h.run.steps.items() if step.recoveries]
        assert in_recovery == [S1], "the output names this file alone"
        recovery = core(h.run).recoveries[-1]
        assert (recovery.cause, recovery.outcome) == (
            RecoveryCause.CHECKS, RecoveryOutcome.RECOVERED,
        )  # fmt: skip
        assert [attempt.outcome for attempt in recovery.attempts] == [
            AttemptOutcome.IMPOSSIBLE, AttemptOutcome.WRITTEN,
        ]  # fmt: skip


async def test_a_fix_that_its_auditor_refuses_is_taken_back_to_the_accepted_text(
    tmp_path: Path,
) -> None:
    tripled = GOOD_CORE.replace("* 2", "* 3  # BUG")
    worse = GOOD_CORE.replace("* 2", "* 5  # BUG, and worse")
    telling = {**BEFORE, "Makefile": "test:\n\t! grep -q BUG app/core.py\n"}

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if "under review" in prompt and "and worse" in prompt:
            issue = {"severity": "error", "line": 5, "message": "it is worse"}
            return json.dumps({"verdict": "issues", "issues": [issue], "end": True})
        if "under review" in prompt:
            return PASSED
        if step == "s1":
            return whole_file("app/core.py", worse if "checks fail" in prompt else tripled)
        return answer(body)

    async with house(tmp_path, script, telling) as h:
        await h.to_review()
        assert h.text("app/core.py") == tripled
        assert core(h.run).status is StepStatus.ACCEPTED
        assert core(h.run).recoveries[0].outcome is RecoveryOutcome.KEPT
        reverted = [e for e in h.events if isinstance(e, ev.FileReverted)]
        assert [event.is_good for event in reverted] == [True]
        assert h.run.steps[S3].status is StepStatus.ACCEPTED, "what waits for it is not blocked"


async def test_looking_at_a_session_in_trouble_starts_nothing(tmp_path: Path) -> None:
    """A defeat waits for the user and other files could go on: opening it to look is no resume."""
    agents = Stubborn()
    release, held = asyncio.Event(), asyncio.Event()
    usual = scripted_agents(agents.script)

    async def app(request: AppRequest, reply: Reply) -> None:
        step, prompt = question(request.body) if request.body else ("", "")
        if step == "s2" and "under review" not in prompt:
            held.set()
            await release.wait()
        await usual(request, reply)

    async with house(tmp_path, app=app) as h:
        await h.start()
        await h.approve()
        await h.until(lambda run: core(run).status is StepStatus.FAILED)
        await held.wait()
        session = h.engine.state.id
        await h.engine.close()
        release.set()
        again = await Engine.open(EngineOptions(h.root, settings_for(h.server.base_url), {}))
        try:
            state = await again.submit(cmd.OpenSession(session=session))
            assert state.run is not None
            assert state.run.is_paused
            assert state.run.running == {}
        finally:
            await again.close()


async def test_a_fix_that_damages_a_good_file_costs_only_the_fix(tmp_path: Path) -> None:
    """Accepted, then sent back by the checks; the fix never parses: the accepted text stays."""
    tripled = GOOD_CORE.replace("* 2", "* 3  # BUG")

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if "under review" in prompt:
            return PASSED
        if step == "s1":
            is_first = "checks fail" not in prompt
            return whole_file("app/core.py", tripled if is_first else BROKEN)
        return answer(body)

    async with house(tmp_path, script) as h:
        await h.to_review()
        assert h.text("app/core.py") == tripled
        assert core(h.run).status is StepStatus.ACCEPTED
        assert core(h.run).recoveries[0].outcome is RecoveryOutcome.KEPT
        assert h.run.checks.verdict == "failed"
        assert h.text("Makefile") == BEFORE["Makefile"]


@pytest.mark.parametrize("command", [cmd.RevertRun(), cmd.RevertFile(step=S1)], ids=["run", "file"])
@pytest.mark.parametrize("status", [StepStatus.FIXING, StepStatus.RECOVERING])
async def test_taking_files_back_ends_what_agents_do_with_them(
    status: StepStatus, command: cmd.Command, tmp_path: Path
) -> None:
    """A fix or an attempt that is under way would find, and change, what has just gone back."""
    release, waiting = asyncio.Event(), asyncio.Event()

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if step == "s1" and "The Auditor found issues" in prompt:
            return whole_file("app/core.py", BROKEN)
        return answer(body)

    usual = scripted_agents(script)

    async def app(request: AppRequest, reply: Reply) -> None:
        step, prompt = question(request.body) if request.body else ("", "")
        held = "DIAGNOSTICS" if status is StepStatus.RECOVERING else "The Auditor found issues"
        if step == "s1" and held in prompt:
            waiting.set()
            await release.wait()
        await usual(request, reply)

    async with house(tmp_path, app=app) as h:
        await h.start()
        await h.approve()
        await waiting.wait()
        others = (StepId("s2"), StepId("s4"), StepId("s5"))
        await h.until(lambda run: all(run.steps[o].status is StepStatus.ACCEPTED for o in others))
        assert core(h.run).status is status
        assert (h.root / "app/core.py").exists()
        await h.engine.submit(command)
        await h.until(lambda run: run.is_reviewing and core(run).status is StepStatus.REVERTED)
        release.set()
        assert not (h.root / "app").exists()
        assert not h.of(ev.ConflictFound)
        assert len(h.of(ev.ActivityAbandoned)) == 1
        if isinstance(command, cmd.RevertRun):
            assert h.git("status", "--porcelain") == ""
