"""The App: follows the engine, shows the session, jumps where something waits."""

from orchestra_tui.app import OrchestraApp
from tests.ui.stub_client import StubClient


async def test_app_starts_on_home() -> None:
    """With nothing configured and nothing open, Home is first."""
    app = OrchestraApp(StubClient())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.current_mode == "home"
        assert app.project is not None
        assert app.session is not None
        await pilot.press("ctrl+q")
    assert app.return_code == 0
