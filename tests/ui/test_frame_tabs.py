"""Where the app goes by itself, where it marks a tab, what the status line says first."""

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.fold import fold
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.state import SessionState
from orchestra_tui.widgets.status_line import status_content
from orchestra_tui.widgets.tabs import badges, landing_screen, wanted_screen
from tests.ui.stories import PLAN, RUN, approved, begun, executed, proposed
from tests.ui.stub_client import PROJECT, StubClient


def state_after(*events: ev.Event) -> SessionState:
    client = StubClient()
    client.emit(*events)
    return client.state


PLANNING = state_after(*begun())
WAITING = state_after(*proposed())
RUNNING = state_after(*proposed(), approved())
ALL_WRITTEN = tuple(e for s in PLAN.enabled_steps for e in executed(s.id))
REVIEWING = state_after(*proposed(), approved(), *ALL_WRITTEN)
DONE = state_after(
    *proposed(),
    approved(),
    *ALL_WRITTEN,
    ev.RunFinished(run=RUN, outcome=ev.Outcome.DONE, counts=ev.Counts(accepted=4)),
)


def test_each_change_of_phase_suggests_its_screen() -> None:
    """A plan that waits is looked at, then the run, then the diff; the end moves nobody."""
    assert wanted_screen(None, PLANNING) == "run"
    assert wanted_screen(PLANNING, WAITING) == "plan"
    assert wanted_screen(WAITING, RUNNING) == "run"
    assert wanted_screen(RUNNING, REVIEWING) == "diff"
    assert wanted_screen(REVIEWING, DONE) is None
    assert wanted_screen(WAITING, WAITING) is None
    assert wanted_screen(None, SessionState(id=SessionId("s9"))) is None


def test_another_session_in_the_same_phase_is_a_change() -> None:
    """Runs are numbered per session: r1 of one is not r1 of the other."""
    other = WAITING.model_copy(update={"id": SessionId("s2")})
    assert wanted_screen(WAITING, other) == "plan"


def test_a_tab_is_marked_where_something_waits() -> None:
    """And only there."""
    assert badges(None) == frozenset()
    assert badges(PLANNING) == frozenset()
    assert badges(WAITING) == {"plan"}
    assert badges(RUNNING) == frozenset()
    assert badges(REVIEWING) == {"diff"}
    assert badges(DONE) == frozenset()


def test_an_opened_session_lands_where_it_stands() -> None:
    """A finished run without changes is looked at on Run."""
    assert landing_screen(SessionState(id=SessionId("s9"))) == "home"
    assert landing_screen(WAITING) == "plan"
    assert landing_screen(REVIEWING) == "diff"
    assert landing_screen(DONE) == "run"


def test_what_waits_for_the_user_comes_first() -> None:
    """The eye finds the demand at the left, then the facts."""
    assert status_content(None, PROJECT).plain == "● ready"
    assert status_content(WAITING, PROJECT).plain.startswith("⚑ plan waits for you")
    assert "4/4 files" in status_content(REVIEWING, PROJECT).plain
    assert status_content(DONE, PROJECT).plain.startswith("✔ done")


def test_warnings_of_the_project_are_shown_when_nothing_runs() -> None:
    """And a hostile warning is only text."""
    warned = PROJECT.model_copy(update={"warnings": ("state is in [/tmp]\x1b[2J",)})
    shown = status_content(fold(SessionState(id=SessionId("s")), ()), warned).plain
    assert shown == "⚑ state is in [/tmp]␛[2J"
