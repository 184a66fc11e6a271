"""Doctor: a key is pasted, kept as a secret, and used from then on."""

from textual import events
from textual.widgets import Input

from orchestra_tui.app import OrchestraApp
from orchestra_tui.dialogs.paste_key import PasteKeyDialog
from orchestra_tui.domain.commands import ConfigureAgents
from orchestra_tui.domain.doctor import Configuration, DoctorLine, LinkTrial
from orchestra_tui.domain.ports import ListProbes, StoreKey
from orchestra_tui.domain.settings import AdapterSettings
from tests.ui.doctor_samples import PLACE
from tests.ui.test_doctor_screen import OPTIONS, asked, client_of, opened, shown, text_of
from tests.ui.waiting import until


async def test_a_key_is_pasted_and_never_shown() -> None:
    """It goes to the store as a secret; everything is looked for again."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await opened(pilot)
        lines.show_key("key:ZAI_API_KEY")
        await pilot.press("k")
        await until(pilot, lambda: isinstance(app.screen, PasteKeyDialog))
        field = app.screen.query_one(Input)
        field.value = "sk-hidden-0123456789"
        await pilot.pause()
        assert "sk-hidden" not in "".join(
            str(strip.text) for strip in field.render_lines(field.region.reset_offset)
        )
        await pilot.press("enter")
        await until(pilot, lambda: bool(asked(client, StoreKey)))
        (query,) = asked(client, StoreKey)
        assert isinstance(query, StoreKey)
        assert query.value.get_secret_value() == "sk-hidden-0123456789"
        assert "sk-hidden" not in repr(query)
        assert client.commands == []
        await until(pilot, lambda: len(asked(client, ListProbes)) == 2)


async def test_a_key_copied_with_empty_lines_is_taken_and_an_empty_field_is_said() -> None:
    """Nothing closes as if a key were kept."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await opened(pilot)
        lines.show_key("key:ZAI_API_KEY")
        await pilot.press("k")
        await until(pilot, lambda: isinstance(app.screen, PasteKeyDialog))
        await pilot.press("enter")
        await until(pilot, lambda: "nothing is in the field" in shown(pilot, "#problem"))
        app.post_message(events.Paste("\n  sk-hidden-0123456789\n"))
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: bool(asked(client, StoreKey)))
        (query,) = asked(client, StoreKey)
        assert isinstance(query, StoreKey)
        assert query.value.get_secret_value() == "sk-hidden-0123456789"


async def test_a_key_of_a_configured_adapter_opens_the_adapters_anew() -> None:
    """They hold the keys they were opened with."""
    glm = AdapterSettings.model_validate({"name": "glm", "preset": "zai", "model": "m"})
    client = client_of(configured=Configuration(place=PLACE, adapters=(glm,)))
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await opened(pilot)
        lines.show_key("key:ZAI_API_KEY")
        await pilot.press("k")
        await until(pilot, lambda: isinstance(app.screen, PasteKeyDialog))
        app.screen.query_one(Input).value = "sk-hidden-0123456789"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(client.commands))
        assert client.commands == [ConfigureAgents()]


async def test_a_key_that_was_refused_can_be_pasted_again() -> None:
    """A wrong one is no dead end: the line says which key takes another."""
    line = DoctorLine(
        key="adapter:glm", name="glm", adapter="glm", state="found", detail="set",
        is_usable=True, key_variable="ZAI_API_KEY",
    )  # fmt: skip
    client = client_of([line], trial=LinkTrial(seconds=0.1, error="authentication_failed"))
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await opened(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "k another key" in text_of(lines))
        await pilot.press("k")
        await until(pilot, lambda: isinstance(app.screen, PasteKeyDialog))
        assert "ZAI_API_KEY" in shown(pilot, "#title")
