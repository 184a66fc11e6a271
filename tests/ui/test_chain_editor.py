"""The editor of chains: out, in, earlier, later, by key and by mouse."""

from orchestra_tui.app import AppOptions, OrchestraApp
from orchestra_tui.dialogs.chains import ChainDialog
from orchestra_tui.domain.commands import ConfigureAgents
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.ports import TryLink
from orchestra_tui.widgets.pick_list import PickList
from tests.ui.doctor_samples import OLLAMA
from tests.ui.stub_client import START
from tests.ui.test_doctor_screen import asked, client_of, opened, shown
from tests.ui.waiting import until

OPTIONS = AppOptions(clock=lambda: START)


async def test_the_chains_are_edited_by_keys() -> None:
    """Out, in, earlier, later, another role, one link tested; then saved as they stand."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ChainDialog))
        links = app.screen.query_one("#links", PickList)
        assert [row.key for row in links.rows] == ["codex", "gemini", "ollama"]
        await pilot.press("J", "down", "space", "t")
        assert [row.key for row in links.rows] == ["gemini", "codex", "", "ollama"]
        await until(pilot, lambda: "answered 'ready'" in shown(pilot, "#result"))
        assert asked(client, TryLink) == [TryLink(name="ollama", offer=OLLAMA)]
        await pilot.press("right", "right", "up", "space")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(client.commands))
        (command,) = client.commands
        assert isinstance(command, ConfigureAgents)
        assert command.chains == {
            Role.ARCHITECT: ("gemini", "codex"),
            Role.EXECUTOR: ("gemini", "codex", "ollama"),
            Role.AUDITOR: ("gemini", "ollama"),
            Role.CONSULTANT: ("codex", "gemini", "ollama"),
        }
        assert {offer.name for offer in command.offers} == {"gemini", "codex", "ollama"}


async def test_the_chains_are_edited_with_the_mouse() -> None:
    """Every key has its button."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot)
        await pilot.click("#edit")
        await until(pilot, lambda: isinstance(app.screen, ChainDialog))
        await pilot.click("#down")
        await pilot.click("#toggle")
        await pilot.click("#save")
        await until(pilot, lambda: bool(client.commands))
        (command,) = client.commands
        assert isinstance(command, ConfigureAgents)
        assert command.chains[Role.ARCHITECT] == ("gemini", "ollama")
