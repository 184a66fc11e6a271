"""Doctor: looking costs nothing, a test is one key, and what is used was shown before."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest
from textual.pilot import Pilot

from orchestra_tui.app import AppOptions, OrchestraApp, Reopen
from orchestra_tui.dialogs.chains import ChainDialog
from orchestra_tui.dialogs.confirm import ConfirmDialog
from orchestra_tui.dialogs.paste_key import PasteKeyDialog
from orchestra_tui.domain.commands import ConfigureAgents
from orchestra_tui.domain.doctor import Configuration, DoctorLine, LinkTrial
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.keys import KeySource, KnownKey
from orchestra_tui.domain.money import Cost, CostBasis
from orchestra_tui.domain.ports import (
    GetConfiguration,
    ListProbes,
    Probe,
    ProjectInfo,
    Query,
    StoreKey,
    TryLink,
)
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.widgets.pick_list import PickList
from tests.ui.doctor_samples import CODEX, GEMINI, LINES, OLLAMA, PLACE, looking
from tests.ui.hostile import HOSTILE
from tests.ui.stories import proposed
from tests.ui.stub_client import PROJECT, REHEARSAL_PROJECT, START, StubClient
from tests.ui.waiting import until

OPTIONS = AppOptions(clock=lambda: START)
SPENT = Cost(usd=Decimal("0.0042"), basis=CostBasis.LISTED)
READY = LinkTrial(seconds=1.23, answer="ready", tokens=12, cost=SPENT)


def client_of(
    lines: Sequence[DoctorLine] = LINES,
    *,
    project: ProjectInfo = PROJECT,
    configured: Configuration | None = None,
    trial: LinkTrial | Exception = READY,
) -> StubClient:
    by_key = {line.key: line for line in lines}
    answers: dict[type[Query[object]], object] = {
        ListProbes: tuple(looking(line) for line in lines),
        Probe: lambda query: by_key[query.key],
        GetConfiguration: configured or Configuration(place=PLACE),
        TryLink: trial if isinstance(trial, Exception) else lambda query: trial,
        StoreKey: lambda query: KnownKey(
            name=query.name, source=KeySource.FILE, length=39, place="/k/keys.env"
        ),
    }
    return StubClient(answers=answers, project=project)


async def opened(pilot: Pilot[Reopen]) -> PickList:
    """The doctor in front, everything probed."""
    await pilot.press("f9")
    await until(pilot, lambda: len(pilot.app.screen.query("#lines")) == 1)
    lines = pilot.app.screen.query_one("#lines", PickList)
    await until(pilot, lambda: bool(lines.rows) and "looking" not in text_of(lines))
    return lines


def text_of(lines: PickList) -> str:
    return "\n".join("".join(text for text, _ in (*row.left, *row.right)) for row in lines.rows)


def shown(pilot: Pilot[Reopen], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector).render())


def asked(client: StubClient, kind: type[Query[object]]) -> list[Query[object]]:
    return [query for query in client.queries if isinstance(query, kind)]


async def test_each_line_appears_when_it_is_probed_and_all_are_probed_at_once() -> None:
    """The slowest keeps no other waiting; what it finds is put in its place."""
    client = client_of()
    gate = asyncio.Event()
    answer = client.query

    async def slow(query: Query[object]) -> object:
        if isinstance(query, Probe) and query.key == "program:codex":
            await gate.wait()
        return await answer(query)

    client.query = slow  # type: ignore[method-assign]
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f9")
        await until(pilot, lambda: "Ollama" in shown_lines(pilot))
        await until(pilot, lambda: "qwen2.5-coder" in shown_lines(pilot))
        lines = app.screen.query_one("#lines", PickList)
        assert [row for row in text_of(lines).splitlines() if "looking" in row] == [
            row for row in text_of(lines).splitlines() if "codex CLI" in row
        ]
        assert "codex" not in shown(pilot, "#chains")
        gate.set()
        await until(pilot, lambda: "0.44.0" in text_of(lines))
        assert "Architect  codex" in shown(pilot, "#chains")


def shown_lines(pilot: Pilot[Reopen]) -> str:
    found = pilot.app.screen.query("#lines")
    return text_of(found.first(PickList)) if found else ""


async def test_looking_sends_nothing_and_says_what_would_spend() -> None:
    """Every probe once, no prompt, no command; the price stands before the key is pressed."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        text = text_of(await opened(pilot))
        assert asked(client, TryLink) == []
        assert client.commands == []
        assert sorted(query.key for query in client.queries if isinstance(query, Probe)) == sorted(
            line.key for line in LINES
        )
        rows = {line.split("  ")[0][2:].strip(): line for line in text.splitlines()}
        assert "t test (spends)" in rows["codex CLI"]
        assert "t test (free)" in rows["Ollama"]
        assert "k paste a key" in rows["ZAI_API_KEY"]
        assert "OPENAI_API_KEY, vibe CLI" in rows["not here"]
        await pilot.press("end", "enter")
        await pilot.pause()
        assert "vibe CLI" in text_of(app.screen.query_one("#lines", PickList))


async def test_t_tests_the_one_link_under_the_cursor() -> None:
    """One prompt, its answer and its time in the line; details on enter."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await opened(pilot)
        lines.show_key("program:codex")
        await pilot.press("t")
        await until(pilot, lambda: "answered 'ready' in 1.2 s" in text_of(lines))
        assert asked(client, TryLink) == [TryLink(name="", offer=CODEX)]
        await pilot.press("enter")
        await pilot.pause()
        assert "12 tokens, $0.004" in shown(pilot, "#details")
        assert app.screen.query_one("#detail-box").display


async def test_a_test_that_fails_says_how() -> None:
    """The class in the line, the sentence in the details; a refusal too."""
    failed = LinkTrial(seconds=2, error="authentication_failed", detail="the key is wrong")
    client = client_of(trial=failed)
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await opened(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "authentication failed after 2.0 s" in text_of(lines))
        assert "the key is wrong" in shown(pilot, "#details")
        client.answers[TryLink] = UsageError("there is no such adapter")
        await pilot.press("t")
        await until(pilot, lambda: "not asked" in text_of(lines))


async def test_t_does_nothing_where_there_is_nothing_to_test() -> None:
    """Nor does k where no key is missing."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        lines = await opened(pilot)
        for key in ("program:claude", "rehearsal", "server:llama.cpp"):
            lines.show_key(key)
            await pilot.press("t", "k")
            await pilot.pause()
        assert asked(client, TryLink) == []
        assert not isinstance(app.screen, PasteKeyDialog)


async def test_the_proposal_is_used_after_it_was_confirmed() -> None:
    """The dialog shows what is written and where; esc leaves everything as it is."""
    client = client_of()
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot)
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        text = "\n".join(str(found.render()) for found in app.screen.query("PlainStatic"))
        assert '[adapters.gemini] preset = "gemini"' in text
        assert "codex > gemini > ollama" in text
        assert PLACE in text
        await pilot.press("escape")
        await pilot.pause()
        assert client.commands == []
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await until(pilot, lambda: app.screen.query_one("#yes").disabled is False)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(client.commands))
        (command,) = client.commands
        assert isinstance(command, ConfigureAgents)
        assert command.offers == (GEMINI, CODEX, OLLAMA)
        assert command.chains[Role.EXECUTOR] == ("gemini", "codex", "ollama")
        assert app.is_running


async def confirm(pilot: Pilot[Reopen]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmDialog))
    await until(pilot, lambda: pilot.app.screen.query_one("#yes").disabled is False)
    await pilot.press("ctrl+s")


async def test_from_a_rehearsal_the_project_is_opened_with_the_agents() -> None:
    """The scripts are left for the real thing."""
    client = client_of(project=REHEARSAL_PROJECT)
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot)
        await pilot.press("u")
        await confirm(pilot)
        await until(pilot, lambda: not app.is_running)
    assert app.return_value == Reopen(rehearse=False)
    assert [type(command) for command in client.commands] == [ConfigureAgents]


async def test_a_rehearsal_at_work_is_only_left_when_asked() -> None:
    """What was saved stays saved."""
    client = client_of(project=REHEARSAL_PROJECT)
    client.emit(*proposed())
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "plan")
        await opened(pilot)
        await pilot.press("u")
        await confirm(pilot)
        await until(pilot, lambda: bool(client.commands))
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running


@pytest.mark.parametrize("project", [PROJECT, REHEARSAL_PROJECT])
async def test_rehearse_first(project: ProjectInfo) -> None:
    """In a rehearsal that is Home; else the folder is opened in rehearsal."""
    app = OrchestraApp(client_of(project=project), options=OPTIONS)
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot)
        await pilot.press("h")
        await until(pilot, lambda: not app.is_running or app.current_mode == "home")
    assert app.return_value == (Reopen(rehearse=True) if project is PROJECT else None)


async def test_a_file_that_was_edited_elsewhere_is_taken_on_a_key() -> None:
    """Until then the doctor does not call those of the file the ones that are asked."""
    glm = AdapterSettings.model_validate({"name": "glm", "preset": "zai", "model": "m"})
    chains = {role: ("glm",) for role in Role}
    edited = Configuration(place=PLACE, adapters=(glm,), chains=chains, is_in_use=False)
    line = DoctorLine(key="adapter:glm", name="glm", adapter="glm", state="found", detail="set")
    client = client_of([line], configured=edited)
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        assert "the file was edited, u takes it" in shown(pilot, "#title")
        client.answers[GetConfiguration] = edited.model_copy(update={"is_in_use": True})
        await pilot.press("u")
        await until(pilot, lambda: "Who is asked" in shown(pilot, "#title"))
        assert client.commands == [ConfigureAgents()]


async def test_a_refused_change_is_said_and_nothing_is_left() -> None:
    """A file that cannot be changed safely, for one."""
    client = client_of(project=REHEARSAL_PROJECT)
    client.refusal = UsageError("config.toml: add by hand [/]")
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("u")
        await confirm(pilot)
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        assert "add by hand [/]" in shown(pilot, "Toast")
        assert app.is_running


@pytest.mark.parametrize("project", [PROJECT, REHEARSAL_PROJECT])
async def test_with_everything_configured_nothing_is_proposed(project: ProjectInfo) -> None:
    """The chains are shown as they are; from a rehearsal they are one key away."""
    codex = AdapterSettings.model_validate({"name": "codex", "kind": "codex"})
    chains = {role: ("codex",) for role in Role}
    configured = Configuration(place=PLACE, adapters=(codex,), chains=chains)
    line = DoctorLine(
        name="codex (codex)",
        state="found",
        detail="1.0",
        key="adapter:codex",
        adapter="codex",
        is_usable=True,
    )
    client = client_of((line, *LINES[1:3], LINES[-1]), configured=configured, project=project)
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        assert shown(pilot, "#title").startswith("Who is asked")
        assert app.screen.query_one("#use").display is (project is REHEARSAL_PROJECT)
        await pilot.press("u")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmDialog)
        await until(pilot, lambda: app.is_running is (project is PROJECT))
    assert app.return_value == (None if project is PROJECT else Reopen(rehearse=False))
    assert client.commands == []


async def test_with_nothing_found_it_says_what_to_do() -> None:
    """No chain, no proposal, no editor."""
    lines = (*(line for line in LINES if line.offer is None),)
    app = OrchestraApp(client_of(lines, project=REHEARSAL_PROJECT), options=OPTIONS)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "Nothing yet but the rehearsal" in shown(pilot, "#title")
        assert "paste a key" in shown(pilot, "#title")
        await pilot.press("u", "e")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmDialog | ChainDialog)


async def test_hostile_words_of_programs_and_servers_do_nothing() -> None:
    """A version is whatever a program likes to print."""
    lines = tuple(line.model_copy(update={"detail": HOSTILE, "name": HOSTILE}) for line in LINES)
    trial = LinkTrial(seconds=1, answer=HOSTILE, detail=HOSTILE)
    client = client_of(lines, trial=trial)
    app = OrchestraApp(client, options=OPTIONS)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("t", "enter", "end", "enter", "e")
        await until(pilot, lambda: isinstance(app.screen, ChainDialog))
        await pilot.press("escape", "u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        svg = app.export_screenshot()
        assert "\x1b" not in svg
        assert "\u202e" not in svg
        assert app.is_running
