"""Budget and metrics as a person meets them: chips, the bar, the dialog, the figures."""

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from orchestra_tui.app import AppOptions, OrchestraApp
from orchestra_tui.dialogs.base import GuardedDialog
from orchestra_tui.dialogs.budget import BudgetDialog
from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.budget import Budget, BudgetKind, Limits, OnUnknownPrice
from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.errors import CommandRefused
from orchestra_tui.domain.ids import Role, call_key
from orchestra_tui.domain.metrics import metrics_of
from orchestra_tui.domain.money import Money
from orchestra_tui.domain.ports import GetMetrics, ListSessions
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import SessionState
from orchestra_tui.widgets.budget_chip import BudgetChip
from orchestra_tui.widgets.status_line import status_content
from tests.ui.budget_story import BUDGET, STOP, asked, cost, spending, stopped
from tests.ui.stories import summary, waiting_client
from tests.ui.stub_client import START, StubClient
from tests.ui.waiting import until
from tests.ui.work_story import GLM, R1, Story, WorkApp, agree

OPTIONS = AppOptions(clock=lambda: START)


def text_of(app: OrchestraApp, selector: str) -> str:
    return str(app.screen.query_one(selector).render())


def screen_text(app: OrchestraApp) -> str:
    """Everything that is drawn, as text."""
    svg = app.export_screenshot(simplify=True)
    found = re.findall(r">([^<]*)</text>", svg)
    return html.unescape("".join(found)).replace("\xa0", " ")


def raised(command: cmd.Command, _state: SessionState) -> tuple[ev.Event, ...]:
    if isinstance(command, cmd.RaiseBudget):
        return (ev.BudgetRaised(run=R1, budget=command.budget),)
    return ()


async def opened(pilot: Pilot[Any]) -> BudgetDialog:
    """The dialog, once it takes keys."""
    await pilot.press("b")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, GuardedDialog) and app.screen.is_open)
    assert isinstance(app.screen, BudgetDialog)
    return app.screen


async def test_a_run_at_its_limit_says_so_everywhere_and_goes_on() -> None:
    client, _ = stopped()
    client.on_command = raised
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.session is not None)
        await pilot.pause()
        assert "next call may cost $0.094" in text_of(app, "#run-budget")
        assert "budget reached" in text_of(app, "StatusLine")
        assert "$1.93 + ? of $2.00" in text_of(app, "StatusLine")
        assert "cache 1" in text_of(app, "StatusLine")
        dialog = await opened(pilot)
        assert dialog.query_one("#usd", Input).value == "4.00", "twice the limit is proposed"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(client.commands))
        [sent] = client.commands
        assert sent == cmd.RaiseBudget(budget=Budget(usd=Decimal("4.00")))
        await until(pilot, lambda: not app.screen.query_one("#run-budget").display)
        assert "$1.93 + ? of $4.00" in text_of(app, "StatusLine")


async def test_the_dialog_can_stop_the_run() -> None:
    client, _ = stopped()
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.session is not None)
        dialog = await opened(pilot)
        dialog.query_one("#stop", Button).press()
        await until(pilot, lambda: bool(client.commands))
        assert client.commands == [cmd.CancelRun()]


async def test_what_cannot_be_read_changes_nothing() -> None:
    client, _ = stopped()
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session is not None)
        dialog = await opened(pilot)
        for text, says in (("much", "much is no amount"), ("-3", "no amount")):
            dialog.query_one("#usd", Input).value = text
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert says in text_of(app, "#problem")
        dialog.query_one("#usd", Input).value = ""
        dialog.query_one("#tokens", Input).value = "1.5"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "whole numbers" in text_of(app, "#problem")
        assert client.commands == []
        dialog.query_one("#tokens", Input).value = "90000"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(client.commands))
        assert client.commands == [cmd.RaiseBudget(budget=Budget(tokens=90_000))]


async def test_limits_that_are_refused_are_still_there_to_be_mended() -> None:
    """The engine knows what was used meanwhile; nobody types three numbers twice."""
    client, _ = stopped()
    client.on_command = raised
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.session is not None)
        first = await opened(pilot)
        first.query_one("#usd", Input).value = "1.00"
        first.query_one("#tokens", Input).value = "700000"
        client.refusal = CommandRefused("the session has used $1.93 already")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is not first)
        await until(pilot, lambda: isinstance(app.screen, GuardedDialog) and app.screen.is_open)
        assert app.screen.query_one("#usd", Input).value == "1.00"
        assert app.screen.query_one("#tokens", Input).value == "700000"
        app.screen.query_one("#usd", Input).value = "3"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not isinstance(app.screen, GuardedDialog))
        wanted = [each for each in client.commands if isinstance(each, cmd.RaiseBudget)]
        assert [each.budget.usd for each in wanted] == [Decimal("1.00"), Decimal(3)]
        assert wanted[-1].budget.tokens == 700_000


async def test_a_role_at_its_limit_gets_more_without_the_others() -> None:
    budget = Budget(usd=Decimal(9), auditor=Limits(tokens=500))
    client, story = spending(budget)
    activity = story.begun("s4")
    stop = STOP.model_copy(update={"kind": BudgetKind.TOKENS, "role": Role.AUDITOR})
    client.emit(
        ev.BudgetReached(run=R1, activity=activity.key, stop=stop),
        ev.ActivityAbandoned(run=R1, activity=activity),
    )
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.session is not None)
        dialog = await opened(pilot)
        assert dialog.title_text() == "Budget of the auditor is reached"
        await agree(pilot)
        await until(pilot, lambda: bool(client.commands))
        assert client.commands == [
            cmd.RaiseBudget(budget=Budget(usd=Decimal(9), auditor=Limits(tokens=1000)))
        ]


async def test_an_unknown_price_is_let_pass_by_one_answer() -> None:
    client, story = spending()
    activity = story.begun("s4")
    stop = STOP.model_copy(update={"kind": BudgetKind.UNKNOWN_PRICE})
    client.emit(
        ev.BudgetReached(run=R1, activity=activity.key, stop=stop),
        ev.ActivityAbandoned(run=R1, activity=activity),
    )
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.session is not None)
        await opened(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(client.commands))
        [sent] = client.commands
        assert isinstance(sent, cmd.RaiseBudget)
        assert sent.budget.on_unknown_price is OnUnknownPrice.ALLOW
        assert sent.budget.usd == Decimal("2.00")


async def test_home_and_the_approval_choose_a_budget() -> None:
    options = AppOptions(clock=lambda: START, run_settings=RunSettings(budget=BUDGET))
    app = OrchestraApp(StubClient(), options=options)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.project is not None)
        chip = app.screen.query_one(BudgetChip)
        assert "budget $2.00" in str(chip.render())
        chip.action_turn(1)
        await pilot.press(*"fix", "ctrl+s")
        client = app._client  # noqa: SLF001 - the double of this test
        assert isinstance(client, StubClient)
        await until(pilot, lambda: bool(client.commands))
        [sent] = client.commands
        assert isinstance(sent, cmd.StartRun)
        assert sent.settings.budget.usd == Decimal(5)


async def test_an_approval_may_take_the_budget_away() -> None:
    client = waiting_client()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, GuardedDialog) and app.screen.is_open)
        app.screen.query_one(BudgetChip).action_turn(1)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(isinstance(c, cmd.ApprovePlan) for c in client.commands))
        sent = client.commands[-1]
        assert isinstance(sent, cmd.ApprovePlan)
        assert sent.budget == Budget(usd=Decimal("0.50"))


@pytest.mark.parametrize(
    ("budget", "is_rehearsal", "says"),
    [
        (BUDGET, False, "$1.93 + ? of $2.00"),
        (Budget(), False, "$1.93 + ?"),
        (Budget(tokens=50_000), False, "12.4k of 50.0k tokens"),
        (Budget(), True, "5.0k tokens"),
    ],
)
def test_the_status_line_shows_money_or_tokens(
    budget: Budget, is_rehearsal: bool, says: str
) -> None:
    client, _ = spending(budget, is_rehearsal=is_rehearsal)
    shown = status_content(client.state, None).plain
    assert says in shown
    assert is_rehearsal == ("$" not in shown)


async def test_the_lists_show_what_sessions_cost() -> None:
    sessions = (
        summary("a1", "Slugify", cost=Money(usd=Decimal("0.11"))),
        summary("b2", "Config", cost=Money(usd=Decimal("0.63"), unknown=2), cache_hits=3),
        summary("c3", "Old", cost=None),
        summary("d4", "Free", cost=Money()),
    )
    app = OrchestraApp(StubClient(answers={ListSessions: sessions}), options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.project is not None)
        await pilot.press("f7", "down")
        await pilot.pause()
        shown = screen_text(app)
        for text in ("$0.11", "$0.63+?", "12.3k", "$0.63 + ?, cache 3"):
            assert text in shown


async def test_metrics_of_this_session_and_of_all() -> None:
    client, _ = spending()
    both = metrics_of([client.state, client.state])
    client.answers[GetMetrics] = both
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.session is not None)
        await pilot.press("f8")
        await until(pilot, lambda: "codex/gpt-5" in screen_text(app))
        shown = screen_text(app)
        for text in ("By adapter and model", "By role", "What went wrong", "1 rate limited"):
            assert text in shown
        assert "this session" in shown
        await pilot.press("a")
        await until(pilot, lambda: "2 sessions" in screen_text(app))
        await pilot.press("a")
        await until(pilot, lambda: "this session" in screen_text(app))


async def test_metrics_before_the_first_call_say_what_to_do() -> None:
    app = OrchestraApp(StubClient(), options=OPTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.project is not None)
        await pilot.press("f8")
        await until(pilot, lambda: "No model has been asked yet" in screen_text(app))


async def test_a_pane_shows_what_its_call_cost_and_what_a_kept_answer_saved() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    paid = story.begun("s1")
    asked(story, paid, 1, GLM)
    story.answered(paid, cost=cost("0.22"))
    app = WorkApp(client, options=OPTIONS)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "$0.22" in screen_text(app))
        kept = story.begun("s2")
        asked(story, kept, 1, GLM)
        client.emit(
            ev.CacheHit(
                run=R1,
                call=call_key(kept.key, 1),
                activity=kept.key,
                saved=Usage(input_tokens=3_000, output_tokens=80),
                saved_cost=cost("0.051"),
            )
        )
        await until(pilot, lambda: "nobody was asked, $0.051 saved" in screen_text(app))
        assert "cache 1" in text_of(app, "StatusLine")
