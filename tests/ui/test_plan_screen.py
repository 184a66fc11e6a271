"""Plan: every field can be edited, every edit is kept, and only a sound plan is approved."""

import asyncio
from collections.abc import Callable

from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from orchestra_tui.app import OrchestraApp, Reopen
from orchestra_tui.dialogs.approve import Approval, ApproveDialog
from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.commands import ApprovePlan, Command, EditPlan, RejectPlan
from orchestra_tui.domain.plan import ChangeKind, Plan
from orchestra_tui.domain.settings import Mode, RunSettings
from orchestra_tui.domain.state import SessionState
from orchestra_tui.screens.plan import PlanScreen
from orchestra_tui.widgets.chip import Chip
from orchestra_tui.widgets.plan_editor import StepForm
from orchestra_tui.widgets.step_table import StepTable
from tests.ui.stories import PLAN, RUN, approved, begun, proposed, step, waiting_client
from tests.ui.stub_client import StubClient
from tests.ui.waiting import until


def keeping(command: Command, state: SessionState) -> tuple[ev.Event, ...]:
    """The engine's answer to edits and approvals."""
    match command:
        case EditPlan():
            return (ev.PlanEdited(run=RUN, plan=command.plan),)
        case ApprovePlan():
            return (approved(command.plan),)
        case RejectPlan():
            return (ev.PlanRejected(run=RUN, feedback=command.feedback),)
        case _:
            return ()


def plan_client(plan: Plan = PLAN) -> StubClient:
    client = waiting_client(plan)
    client.on_command = keeping
    return client


async def saved(pilot: Pilot[Reopen], client: StubClient, count: int = 1) -> Plan:
    """The plan of the newest edit, when `count` edits have reached the engine."""
    while len(client.commands) < count:
        await pilot.pause(0.02)
    command = client.commands[-1]
    assert isinstance(command, EditPlan)
    return command.plan


def ids(plan: Plan) -> list[str]:
    """The steps in their order."""
    return [step.id for step in plan.steps]


async def saved_as(pilot: Pilot[Reopen], client: StubClient, is_it: Callable[[Plan], bool]) -> Plan:
    """The plan of the newest edit when it is so; edits may reach the engine one by one."""
    async with asyncio.timeout(30):
        while not (client.commands and is_it(await saved(pilot, client))):
            await pilot.pause(0.02)
    return await saved(pilot, client)


async def open_dialog(pilot: Pilot[Reopen]) -> GuardedDialog[object]:
    """The dialog in front, when it takes keys."""
    while not (isinstance(pilot.app.screen, GuardedDialog) and pilot.app.screen.is_open):
        await pilot.pause(0.02)
    return pilot.app.screen


async def test_every_field_of_a_step_can_be_edited() -> None:
    """What the form shows becomes the plan, and the plan reaches the engine."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        form = app.screen.query_exactly_one(StepForm)
        await pilot.press("down", "e")
        await pilot.pause()
        assert app.focused is form.query_one("#path")
        form.query_one("#path", Input).value = "app/new.py"
        form.query_one("#after", Input).value = "s4, s1"
        form.query_one("#agents", Input).value = "codex glm"
        form.query_one("#step-id", Input).value = "store"
        form.query_one("#purpose", TextArea).text = "two\nlines"
        form.query_one("#notes", TextArea).text = "a note"
        change, enabled = form.query_one("#change", Chip), form.query_one("#enabled", Chip)
        change.action_turn(-1)
        enabled.action_turn(1)
        await pilot.pause()
        form.query_one("#from", Input).value = "app/old.py"
        plan = await saved_as(pilot, client, lambda p: p.steps[1].from_path == "app/old.py")
        assert plan.steps[1] == step(
            "store",
            "app/new.py",
            "rename",
            ("s4", "s1"),
            agents=("codex", "glm"),
            purpose="two\nlines",
            notes="a note",
            enabled=False,
            **{"from": "app/old.py"},
        )
        assert plan.steps[2].depends_on == ("s1", "store"), "dependents follow the new name"
        await until(pilot, lambda: app.session == client.state)


async def test_typed_letters_stay_in_the_form() -> None:
    """`d`, `x` and `a` delete, reject and approve outside of text fields only."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("end", *"xdaumnJ")
        typed = "app/limits.pyxdaumnJ"
        plan = await saved_as(pilot, client, lambda plan: plan.steps[0].path == typed)
        assert len(plan.steps) == len(PLAN.steps)
        assert isinstance(app.screen, PlanScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert app.focused is app.screen.query_one("#steps")
        assert app.current_mode == "plan"


async def test_add_delete_move_toggle_and_undo() -> None:
    """The keys of the table, each one an edit of its own."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("down", "K")
        await saved_as(pilot, client, lambda p: ids(p) == ["s2", "s1", "s3", "s4", "s5"])
        await pilot.press("space")
        await saved_as(pilot, client, lambda p: not p.steps[0].enabled)
        await pilot.press("d")
        await saved_as(pilot, client, lambda p: ids(p) == ["s1", "s3", "s4", "s5"])
        await pilot.press("u", "u", "u")
        await saved_as(pilot, client, lambda plan: plan == PLAN)
        await pilot.press("ctrl+r")
        await saved_as(pilot, client, lambda plan: plan.steps[0].id == "s2")
        await pilot.press("n")
        added = await saved_as(pilot, client, lambda plan: len(plan.steps) == 6)
        assert len(added.steps) == 6
        await pilot.pause()
        assert app.focused is app.screen.query_one("#path")


async def test_undo_is_offered_while_there_is_something_to_undo() -> None:
    """A hint for a key that does nothing misleads."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        bindings = lambda: app.screen.active_bindings  # noqa: E731
        await until(pilot, lambda: "d" in bindings())
        assert not bindings()["u"].enabled
        await pilot.press("d")
        await until(pilot, lambda: bindings()["u"].enabled)
        await pilot.press("u")
        await until(pilot, lambda: not bindings()["u"].enabled)


async def test_quick_edits_are_not_overwritten_by_their_own_records() -> None:
    """The record of an older edit comes back while the user is further on."""
    client = waiting_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        screen = app.screen
        await pilot.press("space")
        first = await saved(pilot, client)
        await pilot.press("down", "space")
        second = await saved(pilot, client, 2)
        client.emit(ev.PlanEdited(run=RUN, plan=first))
        await pilot.pause()
        assert isinstance(screen, PlanScreen)
        assert screen.plan == second
        client.emit(ev.PlanProposed(run=RUN, activity=None, plan=PLAN))
        await pilot.pause()
        assert screen.plan == PLAN, "a plan from somewhere else is taken"


async def test_an_edit_right_before_leaving_is_kept() -> None:
    """No delay is long enough to lose what was just typed."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        await pilot.pause()
        await pilot.press("space", "ctrl+q")
    (command,) = client.commands
    assert isinstance(command, EditPlan)
    assert command.plan.steps[0].enabled is False


async def test_problems_block_approval() -> None:
    """They are said, and no dialog opens."""
    client = plan_client(PLAN.model_copy(update={"steps": (step("s1", "../x.py", "create"),)}))
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "leaves the project" in str(app.screen.query_one("#problems").render())
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, PlanScreen)
        assert client.commands == []


async def test_approve_with_mode_agents_and_note() -> None:
    """The dialog's values go into the command; then the app shows the run."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("a")
        dialog = await open_dialog(pilot)
        await pilot.press(*"be kind")
        dialog.query_one("#mode", Chip).action_turn(-1)
        dialog.query_one("#many", Chip).action_turn(1)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert client.commands == [
            ApprovePlan(
                plan=PLAN,
                note="be kind",
                mode=Mode.SEQUENTIAL,
                max_concurrency=6,
                budget=Budget(),
            )
        ]
        await pilot.press("f3")
        await pilot.pause()
        await pilot.press("d", "space", "e")
        assert len(client.commands) == 1, "an approved plan is for reading"
    assert app.session == client.state


async def test_keys_of_the_first_half_second_approve_nothing() -> None:
    """Somebody who types on when the dialog opens has approved nothing, but may leave."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        dialog = StillGuarded(PLAN, RunSettings())
        answers: list[Approval | None] = []
        await app.push_screen(dialog, answers.append)
        await pilot.press("enter", "space", "ctrl+s", "y", "tab", "enter")
        await pilot.click("#approve")
        assert app.screen is dialog
        assert answers == []
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, PlanScreen)
        assert answers == [None]


class StillGuarded(ApproveDialog):
    """A dialog whose first half second lasts for the whole test."""

    GUARD_SECONDS = 3600.0


async def test_reject_needs_words() -> None:
    """Empty feedback sends nothing; words go to the Architect and the plan leaves."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert client.commands == []
        await pilot.press(*"too big", "ctrl+s")
        await pilot.pause()
        assert client.commands == [RejectPlan(feedback="too big")]
        await pilot.press("f3")
        await pilot.pause()
        assert app.screen.has_class("-empty")


async def test_an_id_that_cannot_be_one_is_said_and_not_kept() -> None:
    """The plan keeps the last good id."""
    client = plan_client()
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        form = app.screen.query_exactly_one(StepForm)
        form.query_one("#step-id", Input).value = "-bad id"
        await pilot.pause()
        assert "an id is" in str(form.query_one("#form-error").render())
        assert app.screen.query_exactly_one(StepForm) is form
        assert client.commands == []


async def test_hidden_characters_of_a_field_nobody_edits_are_kept() -> None:
    """Shown cleaned, stored raw: reading a plan never changes it."""
    raw = "a\x1b]52;c;x\x07 \u202e b"
    client = plan_client(
        PLAN.model_copy(update={"steps": (step("s1", "a.py", purpose=raw, notes=raw),)})
    )
    app = OrchestraApp(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        form = app.screen.query_exactly_one(StepForm)
        assert "\x1b" not in form.query_one("#purpose", TextArea).text
        form.query_one("#change", Chip).action_turn(1)
        plan = await saved(pilot, client)
        assert plan.steps[0].change is ChangeKind.DELETE
        assert plan.steps[0].purpose == raw
        assert plan.steps[0].notes == raw


async def test_the_screen_says_what_it_waits_for() -> None:
    """No task, then a plan that is being written, then the plan."""
    client = StubClient()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f3")
        await pilot.pause()
        assert "No plan yet" in str(app.screen.query_one("#empty").render())
        client.emit(*begun())
        await pilot.pause()
        await pilot.press("f3")
        await pilot.pause()
        assert "Architect" in str(app.screen.query_one("#empty").render())
        client.emit(proposed()[-1])
        await pilot.pause()
        assert app.current_mode == "plan"
        assert not app.screen.has_class("-empty")


async def test_without_a_plan_the_screen_says_whether_one_comes() -> None:
    """Nobody is at work in a run that is paused or over."""
    client = StubClient()
    app = OrchestraApp(client)
    async with app.run_test(size=(80, 24)) as pilot:
        client.emit(*begun())
        await pilot.press("f3")
        await until(pilot, lambda: len(app.screen.query("#empty")) == 1)
        empty = app.screen.query_one("#empty")
        client.emit(ev.RunPaused(run=RUN))
        await until(pilot, lambda: "the run is paused" in str(empty.render()))
        reason = "every adapter of the chain failed"
        outcome = ev.Outcome.UNAVAILABLE
        client.emit(ev.RunFinished(run=RUN, outcome=outcome, counts=ev.Counts(), reason=reason))
        await until(pilot, lambda: "the run is over (unavailable)" in str(empty.render()))


async def test_rows_fit_the_table_at_every_size() -> None:
    """At the first paint, after a resize and after the layout changes with the width."""
    app = OrchestraApp(plan_client())
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        table = app.screen.query_exactly_one(StepTable)
        for width in (100, 80, 160, 99, 101, 60):
            await pilot.resize_terminal(width, 30)
            await until(pilot, lambda: row_width(table) == table.scrollable_content_region.width)


def row_width(table: StepTable) -> int:
    """Cells of the first row as drawn."""
    prompt = table.get_option_at_index(0).prompt
    assert isinstance(prompt, Content)
    return prompt.cell_length
