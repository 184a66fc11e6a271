"""Panes that go never take the keys with them."""

import pytest
from textual.widget import Widget

from orchestra_tui.domain.commands import PauseRun
from orchestra_tui.widgets.pane_grid import PaneGrid
from tests.ui.stub_client import StubClient
from tests.ui.test_run_screen import settle
from tests.ui.work_story import Story, WorkApp


def three_at_work() -> StubClient:
    """A run in which three agents work, each in its pane."""
    client = StubClient()
    story = Story(client).started().approved()
    for step in ("s1", "s2", "s3"):
        story.called(story.begun(step))
    return client


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("is_pending", [False, True])
async def test_keys_work_after_all_panes_went(at: int, is_pending: bool) -> None:
    """Whichever pane had the focus, or was about to get it."""
    client = three_at_work()
    app = WorkApp(client)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(pilot)
        grid = app.screen.query_one(PaneGrid)
        assert len(grid.panes) == 3
        if not is_pending:
            app.screen.set_focus(grid.panes[at].reply)
            await pilot.pause()
        else:
            grid.panes[at].focus_body()
        gone: tuple[Widget, ...] = grid.panes
        grid.clear()
        await pilot.pause()
        assert app.focused is None or not set(gone) & set(app.focused.ancestors_with_self)
        await pilot.press("p")
        await settle(pilot)
        assert client.commands == [PauseRun()]


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_keys_work_after_panes_went_behind_another_screen(at: int) -> None:
    """The run went on while the user looked elsewhere."""
    client = three_at_work()
    app = WorkApp(client)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(pilot)
        grid = app.screen.query_one(PaneGrid)
        app.screen.set_focus(grid.panes[at].reply)
        await pilot.press("f5")
        await settle(pilot)
        assert app.current_mode == "diff"
        grid.clear()
        await pilot.pause()
        await pilot.press("f4")
        await settle(pilot)
        await pilot.press("p")
        await settle(pilot)
        assert client.commands == [PauseRun()]
