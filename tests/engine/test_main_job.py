"""The main job in one process, with what a user does to it on the way."""

import json
from pathlib import Path

import pytest

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.ports import GetBlob, GetDiff, GetReply, GetRequest
from orchestra_tui.domain.state import Phase, StepStatus
from orchestra_tui.engine.orchestrator.review_work import WHOLE_FILE
from tests.engine.engine_house import house
from tests.stubs.scripted_agents import (
    AFTER,
    BEFORE,
    GOOD_CORE,
    README_AFTER,
    answer,
    question,
    whole_file,
)

S1, S2 = StepId("s1"), StepId("s2")


async def test_task_plan_edit_approve_write_audit_fix_test_diff_commit(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.start()
        plan = h.run.plan
        assert plan is not None
        edited = plan.model_copy(update={"commit_message": "feat(core): double numbers"})
        await h.engine.submit(cmd.EditPlan(plan=edited))
        plan_file = h.root / ".orchestra" / "plan.md"
        await h.engine.submit(cmd.ApprovePlan(plan=edited, note="be brief"))
        await h.until(lambda run: run.is_reviewing)
        assert "double numbers" in plan_file.read_text(encoding="utf-8")
        report = await h.engine.query(GetDiff())
        assert {file.path for file in report.files} == {
            "app/core.py", "README.md", "docs/guide.md", "new_name.txt", "gone.txt",
        }  # fmt: skip
        assert report.message.startswith("feat(core): double numbers")
        assert report.has_git
        assert report.refused == {}
        await h.engine.submit(cmd.CommitChanges(message=report.message))
        await h.until(lambda run: run.outcome is not None)
        assert h.run.outcome is ev.Outcome.DONE
        assert h.git("status", "--porcelain") == ""
        assert set(h.git("ls-files").split()) == set(AFTER)
        labels = [point.label for point in h.run.checkpoints]
        assert labels[0] == "before the run"
        assert "app/core.py accepted" in labels
        assert labels[-1] == "before the commit"
        notes = [body for body in h.server.bodies if "be brief" in json.dumps(body)]
        assert notes, "the last note reaches the agents"


async def test_a_call_can_be_looked_at_afterwards(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review()
        call = next(call for call in h.run.calls.values() if call.path == "app/core.py")
        request = await h.engine.query(GetRequest(call=call.key))
        reply = await h.engine.query(GetReply(call=call.key))
        assert request is not None
        assert "double a number" in request
        assert reply is not None
        assert reply.endswith("=== END REPLY\n")
        assert call.usage.input_tokens
        base = h.run.base or {}
        assert await h.engine.query(GetBlob(blob=base["README.md"] or "")) == BEFORE["README.md"]


async def test_a_rejected_hunk_leaves_the_file_and_the_commit(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review()
        checks_before = h.run.checks.runs
        report = await h.engine.query(GetDiff())
        readme = next(file for file in report.files if file.path == "README.md")
        await h.engine.submit(cmd.DecideHunks(path="README.md", rejected=(readme.hunks[0].id,)))
        await h.engine.submit(cmd.DecideHunks(path="docs/guide.md", rejected=(WHOLE_FILE,)))
        assert h.text("README.md") == README_AFTER, "deciding alone changes nothing"
        await h.engine.submit(cmd.CommitChanges(message="feat: double"))
        await h.until(lambda run: run.outcome is not None)
        assert h.text("README.md") == BEFORE["README.md"]
        assert not (h.root / "docs").exists(), "a folder made for a rejected file goes too"
        committed = h.git("show", "--name-only", "--format=").split()
        assert set(committed) == {"app/core.py", "gone.txt", "new_name.txt", "old_name.txt"} or (
            set(committed) == {"app/core.py", "gone.txt", "new_name.txt"}
        )
        assert h.run.checks.runs == checks_before + 1, "the checks are run again"
        assert "hunks rejected" in [point.label for point in h.run.checkpoints]
        assert h.git("status", "--porcelain") == ""


async def test_a_user_who_saves_in_between_keeps_his_bytes(tmp_path: Path) -> None:
    users = "# Project\n\nMine now.\n"
    holder: list[Path] = []

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if step == "s2" and "under review" not in prompt and "Mine now" not in prompt:
            (holder[0] / "README.md").write_text(users, encoding="utf-8")
        if step == "s2" and "Mine now" in prompt and "under review" not in prompt:
            return whole_file("README.md", users + "It doubles numbers.\n")
        return answer(body)

    async with house(tmp_path, script) as h:
        holder.append(h.root)
        await h.start()
        await h.approve()
        others = (StepStatus.ACCEPTED, StepStatus.CONFLICT)
        await h.until(lambda run: all(step.status in others for step in run.ordered_steps))
        assert h.run.needs_user
        assert h.text("README.md") == users
        assert h.run.steps[S2].status is StepStatus.CONFLICT
        await h.engine.submit(cmd.RetryStep(step=S2, note="keep my line"))
        await h.until(lambda run: run.is_reviewing)
        assert h.text("README.md") == users + "It doubles numbers.\n"
        await h.engine.submit(cmd.RevertFile(step=S2))
        await h.until(lambda run: run.steps[S2].status is StepStatus.REVERTED)
        assert h.text("README.md") == users, "a revert brings the user's own version back"


async def test_reverting_the_run_gives_the_tree_back(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review()
        await h.engine.submit(cmd.RevertRun())
        await h.until(lambda run: run.is_reviewing and not run.changed_files)
        assert h.git("status", "--porcelain") == ""
        assert {path: h.text(path) for path in BEFORE} == BEFORE
        assert not (h.root / "docs").exists(), "folders made for the run go too"


async def test_a_file_the_user_changed_since_is_not_reverted(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review()
        (h.root / "app" / "core.py").write_text("# mine\n", encoding="utf-8")
        await h.engine.submit(cmd.RevertFile(step=S1))
        await h.until(lambda run: run.steps[S1].status is StepStatus.FAILED)
        assert h.text("app/core.py") == "# mine\n"
        assert "changed since" in h.run.steps[S1].last_error


@pytest.mark.parametrize(
    "damaged",
    [
        GOOD_CORE[: len(GOOD_CORE) // 2],
        GOOD_CORE.replace("number: int)", "number: int"),
        "Here is the file you asked for:\n```python\n" + GOOD_CORE,
        '"""The core."""\n\n# ... rest of the code unchanged\n',
    ],
)
async def test_damaged_code_never_reaches_the_tree(damaged: str, tmp_path: Path) -> None:
    def script(body: bytes) -> str:
        step, prompt = question(body)
        if step == "s1" and "under review" not in prompt:
            return whole_file("app/core.py", damaged.rstrip("\n") + "\n")
        return answer(body)

    async with house(tmp_path, script) as h:
        await h.to_review()
        assert not (h.root / "app").exists()
        assert h.run.steps[S1].status is StepStatus.FAILED
        assert h.run.steps[StepId("s3")].status is StepStatus.BLOCKED
        assert h.text("README.md") == README_AFTER, "the others are kept"
        refused = [event for event in h.events if isinstance(event, ev.ReplyRefused)]
        assert len(refused) == h.run.settings.max_attempts
        assert all(event.text for event in refused), "the damaged text can be looked at"
        prompts = [question(request.body)[1] for request in h.server.requests]
        assert any(refused[0].reason[:60] in prompt for prompt in prompts), "it is told why"


async def test_what_the_user_had_broken_is_not_blamed_on_the_agent(tmp_path: Path) -> None:
    broken = "def f(:\n    pass\n"

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if step == "s2" and "under review" not in prompt:
            return whole_file("README.md", README_AFTER)
        return answer(body)

    files = {**BEFORE, "app/core.py": broken}
    async with house(tmp_path, script, files) as h:
        await h.to_review()
        assert h.text("app/core.py") == GOOD_CORE


async def test_failing_checks_go_back_into_one_round_of_fixes(tmp_path: Path) -> None:
    def script(body: bytes) -> str:
        step, prompt = question(body)
        if "under review" in prompt:
            return json.dumps({"verdict": "pass", "issues": [], "end": True})
        if step == "s1":
            text = GOOD_CORE if "checks fail" in prompt else GOOD_CORE.replace("2", "3  # BUG")
            return whole_file("app/core.py", text)
        return answer(body)

    async with house(tmp_path, script) as h:
        await h.to_review()
        assert h.text("app/core.py") == GOOD_CORE
        assert h.run.checks.verdict == "passed"
        assert h.run.checks.fix_rounds == 1
        finished = [event for event in h.events if isinstance(event, ev.ChecksFinished)]
        assert [outcome.state.value for e in finished for outcome in e.outcomes] == [
            "failed", "passed",
        ]  # fmt: skip


async def test_hostile_characters_pass_byte_identical(tmp_path: Path) -> None:
    text = "a \x1b]52;c;ZXZpbA==\x07 \u202e zwj \u200d [@click=app.quit] [/] \ufeff\n"

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if step == "s3" and "under review" not in prompt:
            return whole_file("docs/guide.md", text)
        return answer(body)

    async with house(tmp_path, script) as h:
        await h.to_review()
        assert (h.root / "docs" / "guide.md").read_bytes() == text.encode()


async def test_a_follow_up_is_the_next_run_and_knows_the_first(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.to_review()
        await h.engine.submit(cmd.FinishRun())
        await h.until(lambda run: run.outcome is not None)
        settings = h.run.settings
        await h.engine.submit(cmd.StartRun(task="and now triple", settings=settings))
        await h.until(lambda run: run.phase is Phase.AWAITING_APPROVAL)
        assert [run.id for run in h.engine.state.runs] == ["r1", "r2"]
        last = json.dumps(h.server.bodies[-1])
        assert "double numbers" in last
        assert "app/core.py" in last


async def test_a_plan_sent_back_comes_with_what_was_wrong(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.start()
        await h.engine.submit(cmd.RejectPlan(feedback="no guide please"))
        await h.until(lambda run: run.phase is Phase.AWAITING_APPROVAL and run.plan_attempt == 2)
        assert "no guide please" in json.dumps(h.server.bodies[-1])


async def test_pause_lets_what_runs_end_and_starts_nothing_new(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.start()
        await h.engine.submit(cmd.PauseRun())
        with pytest.raises(CommandRefused):
            await h.engine.submit(cmd.PauseRun())
        await h.approve()
        assert h.run.phase is Phase.PAUSED
        assert h.run.running == {}
        await h.engine.submit(cmd.ContinueRun())
        await h.until(lambda run: run.is_reviewing)


async def test_commands_that_do_not_fit_are_refused_with_a_reason(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        with pytest.raises(CommandRefused, match="give a task first"):
            await h.engine.submit(cmd.PauseRun())
        await h.start()
        plan = h.run.plan
        assert plan is not None
        with pytest.raises(CommandRefused, match="still at work"):
            await h.engine.submit(cmd.CommitChanges(message="feat: x"))
        bad = plan.model_copy(update={"steps": plan.steps[:1] * 2})
        with pytest.raises(CommandRefused, match="used twice"):
            await h.engine.submit(cmd.ApprovePlan(plan=bad))
        with pytest.raises(CommandRefused, match="say what is wrong"):
            await h.engine.submit(cmd.RejectPlan(feedback=" "))
        with pytest.raises(CommandRefused, match="at work"):
            await h.engine.submit(cmd.StartRun(task="another", settings=h.run.settings))
        with pytest.raises(CommandRefused, match="no session"):
            await h.engine.submit(cmd.OpenSession(session=h.engine.state.id[:-1] + "x"))


async def test_a_follow_up_commits_what_the_run_before_it_only_kept(tmp_path: Path) -> None:
    tripled = GOOD_CORE + "\n\ndef triple(number: int) -> int:\n    return number * 3\n"
    step = {"id": "t1", "path": "app/core.py", "change": "modify", "purpose": "triple too"}
    plan = {
        "summary": "Triple", "steps": [step], "checks": [],
        "commit_message": "feat: triple", "end": True,
    }  # fmt: skip

    def script(body: bytes) -> str:
        step_id, prompt = question(body)
        if not step_id and "and now triple" in prompt:
            return json.dumps(plan)
        if step_id == "t1" and "under review" not in prompt:
            return whole_file("app/core.py", tripled)
        return answer(body)

    async with house(tmp_path, script) as h:
        await h.to_review()
        await h.engine.submit(cmd.FinishRun())
        await h.until(lambda run: run.outcome is not None)
        settings = h.run.settings
        await h.engine.submit(cmd.StartRun(task="and now triple", settings=settings))
        await h.until(lambda run: run.phase is Phase.AWAITING_APPROVAL)
        await h.approve()
        await h.until(lambda run: run.is_reviewing)
        report = await h.engine.query(GetDiff())
        assert report.refused == {}
        assert report.git_problem == ""
        await h.engine.submit(cmd.CommitChanges(message="feat: triple"))
        await h.until(lambda run: run.outcome is not None)
        assert h.git("show", "HEAD:app/core.py") == tripled
        assert h.git("show", "--name-only", "--format=").split() == ["app/core.py"]
        status = h.git("status", "--porcelain")
        assert "app/core.py" not in status
        assert "README.md" in status, "what the first run only kept elsewhere stays uncommitted"
