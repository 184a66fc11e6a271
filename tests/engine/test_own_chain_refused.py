"""A step that names its own adapters, which refuse their key: it fails, and the run goes on."""

from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.ids import Role, StepId
from orchestra_tui.domain.settings import Settings
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.adapters.rehearsal.transport import App
from tests.e2e.program import make_repository
from tests.engine.engine_house import House
from tests.engine.test_calls_chain import adapter, opened, two_servers
from tests.stubs.openai_server import refusal
from tests.stubs.scripted_agents import AFTER, BEFORE, scripted_agents

S1, S2, S3 = StepId("s1"), StepId("s2"), StepId("s3")
NO_KEY = refusal(401, {"message": "no such key", "code": "invalid_api_key"})
BUSY = refusal(429, {"message": "slow down"}, headers={"retry-after": "600"})


async def approved(h: House, step: StepId) -> None:
    """The plan with `two` as the only adapter of this step."""
    await h.start()
    assert h.run.plan is not None
    steps = tuple(
        each.model_copy(update={"agents": ("two",)}) if each.id == step else each
        for each in h.run.plan.steps
    )
    await h.engine.submit(cmd.ApprovePlan(plan=h.run.plan.model_copy(update={"steps": steps})))


def settings(one: object, two: object) -> Settings:
    adapters = (adapter("one", one), adapter("two", two))  # type: ignore[arg-type]
    return Settings(adapters=adapters, chains={role: ("one",) for role in Role})


async def test_its_dependents_are_blocked_and_the_others_are_done(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", BEFORE)
    async with (
        two_servers(scripted_agents(), NO_KEY) as (one, two),
        opened(root, settings(one, two)) as h,
    ):
        await approved(h, S1)
        await h.until(lambda run: run.is_reviewing)
        core = h.run.steps[S1]
        assert core.status is StepStatus.FAILED
        assert "two: " in core.last_error
        assert h.run.steps[S3].status is StepStatus.BLOCKED
        assert h.run.steps[S2].status is StepStatus.ACCEPTED
        assert h.text("README.md") == AFTER["README.md"]
        assert h.run.halted == ""
        assert len(two.requests) == 1, "a key that was refused is not tried again and again"
        # Another choice of agents, and all of the run comes through.
        await h.engine.submit(cmd.RetryStep(step=S1, agents=("one",)))
        await h.until(lambda run: run.is_reviewing and run.counts.accepted == len(run.steps))
        assert h.text("app/core.py") == AFTER["app/core.py"]


async def test_a_key_of_the_role_s_chain_stops_the_run_as_before(tmp_path: Path) -> None:
    """Nothing could go on: no step and no attempt is to blame."""
    await halted(tmp_path, NO_KEY, step=None, expected=ev.Outcome.MISCONFIGURED)


async def test_one_that_is_only_busy_stops_the_run_so_that_it_can_be_resumed(
    tmp_path: Path,
) -> None:
    await halted(tmp_path, BUSY, step=S1, expected=ev.Outcome.UNAVAILABLE)


async def halted(folder: Path, app: App, *, step: StepId | None, expected: ev.Outcome) -> None:
    root = make_repository(folder / "project", BEFORE)
    async with two_servers(scripted_agents(), app) as (one, two):
        chosen = settings(one, two)
        if step is None:
            chains = {**chosen.chains, Role.EXECUTOR: ("two",)}
            chosen = chosen.model_copy(update={"chains": chains})
        async with opened(root, chosen) as h:
            await (h.start() if step is None else approved(h, step))
            if step is None:
                await h.approve()
            await h.until(lambda run: run.outcome is not None)
            assert h.run.outcome is expected
            assert h.run.steps[S1].status is StepStatus.WAITING
