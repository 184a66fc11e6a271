"""The first run on a real terminal: what is there is found, confirmed, written, and used."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from orchestra_tui.domain.ids import Role
from tests.e2e.program import environment, make_repository, orchestra
from tests.e2e.terminal import Terminal
from tests.engine.test_process_build import PLAN, says
from tests.stubs.openai_server import StubServer, raw
from tests.stubs.scripted_client import Play, install, report

APP = ("-m", "orchestra_tui")
CTRL_Q, CTRL_S, F2, F9 = "\x11", "\x13", "\x1bOQ", "\x1b[20~"
JSON = {"content-type": "application/json"}


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A user without configuration and keys, and a codex that writes down how it was started."""
    programs = tmp_path / "bin"
    programs.mkdir()
    install(programs, Play(stdout=says(PLAN))).rename(programs / "codex")
    kept = environment(
        XDG_CONFIG_HOME=str(tmp_path / "config"),
        PATH=f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        OLLAMA_HOST="http://127.0.0.1:9",
    )
    return {name: value for name, value in kept.items() if not name.endswith("_API_KEY")}


def config_of(env: dict[str, str]) -> Path:
    return Path(env["XDG_CONFIG_HOME"]) / "orchestra" / "config.toml"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_found_confirmed_written_and_used(
    size: tuple[int, int], machine: dict[str, str], tmp_path: Path
) -> None:
    root = make_repository(tmp_path / "mine", {"README.md": "# Mine\n"})
    columns, rows = size
    config = config_of(machine)
    async with Terminal(*APP, cwd=root, env=machine, columns=columns, rows=rows) as app:
        await app.shows("connect something")
        assert "REHEARSAL - no AI" in app.text
        assert "Try one of these" in app.text
        await app.press_until(F9, lambda text: "What can work here?" in text)
        await app.shows("1.2.3 (a stand-in)")
        await app.shows("Architect  codex")
        await app.press_until("u", lambda text: "Use these agents?" in text)
        await app.shows('[adapters.codex] kind = "codex"')
        assert not config.exists(), "nothing is written before the confirmation"
        assert not (tmp_path / "bin" / "report.json").exists(), "and nobody was asked"
        await app.press_until(CTRL_S, lambda text: "Use these agents?" not in text)
        await app.until(lambda text: "edit" in text and "REHEARSAL" not in text, "the project")
        assert tomllib.loads(config.read_text(encoding="utf-8")) == {
            "adapters": {"codex": {"kind": "codex"}},
            "chains": {role.value: ["codex"] for role in Role},
        }
        app.press("greet people\r")
        await app.shows("plan waits for you")
        asked = report(tmp_path / "bin")
        assert "greet people" in asked.prompt
        assert asked.argv[0] == "exec"
        app.press(CTRL_Q)
        assert await app.ended(within=10) == 0


@pytest.mark.timeout(120)
async def test_a_task_that_was_being_typed_is_still_there(
    machine: dict[str, str], tmp_path: Path
) -> None:
    root = make_repository(tmp_path / "mine", {})
    async with Terminal(*APP, cwd=root, env=machine, columns=80, rows=24) as app:
        await app.shows("connect something")
        app.press("half a task")
        await app.shows("half a task")
        await app.press_until(F9, lambda text: "What can work here?" in text)
        await app.shows("Architect  codex")
        await app.press_until("u", lambda text: "Use these agents?" in text)
        await app.press_until(CTRL_S, lambda text: "Use these agents?" not in text)
        await app.until(lambda text: "edit" in text, "the project")
        await app.shows("half a task")


async def test_headless_says_where_to_look_and_doctor_writes_when_told(
    machine: dict[str, str], tmp_path: Path
) -> None:
    root = make_repository(tmp_path / "mine", {})
    refused = await orchestra("run", "greet", "--headless", cwd=root, env=machine)
    assert refused.code == 2
    assert "`orchestra doctor`" in refused.err
    unasked = await orchestra("doctor", "--write", cwd=root, env=machine)
    assert unasked.code == 2
    assert "--yes" in unasked.err
    assert not config_of(machine).exists()
    written = await orchestra("doctor", "--write", "--yes", "--json", cwd=root, env=machine)
    assert written.code == 0, written.err
    found = json.loads(written.out)
    assert found["is_written"] is True
    assert found["is_configured"] is False
    assert found["proposal"]["chains"]["architect"] == ["codex"]
    again = json.loads((await orchestra("doctor", "--json", cwd=root, env=machine)).out)
    assert again["is_configured"] is True
    assert again["proposal"]["is_new"] is False
    planned = await orchestra("plan", "greet people", cwd=root, env=machine)
    assert planned.code == 0, planned.err
    assert "greet people" in report(tmp_path / "bin").prompt


@pytest.mark.timeout(120)
async def test_doctor_asks_on_a_terminal(machine: dict[str, str], tmp_path: Path) -> None:
    words = (*APP, "doctor", "--write")
    async with Terminal(*words, cwd=tmp_path, env=machine) as app:
        await app.shows("[y/N]")
        app.press("n\n")
        assert await app.ended(within=10) == 0
    assert not config_of(machine).exists()
    async with Terminal(*words, cwd=tmp_path, env=machine) as app:
        await app.shows("[y/N]")
        app.press("y\n")
        assert await app.ended(within=10) == 0
        assert "written to" in app.text
    assert config_of(machine).exists()


async def test_doctor_tells_what_is_found_from_nothing(
    machine: dict[str, str], tmp_path: Path
) -> None:
    """0 if something real could work, and the proposal of each role; 1 for the rehearsal alone."""
    models = b'{"models": [{"name": "nomic-embed-text"}, {"name": "qwen2.5-coder:7b"}]}'
    async with StubServer(raw(models, headers=JSON)) as ollama:
        host = ollama.base_url.removesuffix("/v1")
        env = {**machine, "OLLAMA_HOST": host, "GEMINI_API_KEY": "hidden-0123456789"}
        found = await orchestra("doctor", "--json", cwd=tmp_path, env=env)
        text = await orchestra("doctor", cwd=tmp_path, env=env)
    assert found.code == 0
    proposal = json.loads(found.out)["proposal"]
    assert proposal["chains"] == {
        "architect": ["codex", "gemini", "ollama"],
        "executor": ["gemini", "codex", "ollama"],
        "auditor": ["gemini", "codex", "ollama"],
        "consultant": ["codex", "gemini", "ollama"],
    }
    assert proposal["adapters"]["ollama"] == {
        "preset": "ollama",
        "model": "qwen2.5-coder:7b",
        "base_url": f"{host}/v1",
    }
    assert "hidden" not in found.out + text.out
    assert "architect  codex > gemini > ollama" in text.out
    assert "orchestra doctor --write" in text.out
    assert not config_of(machine).exists()
    nothing = {**machine, "PATH": "/usr/bin:/bin"}
    alone = await orchestra("doctor", cwd=tmp_path, env=nothing)
    assert alone.code == 1
    assert "only the rehearsal works here" in alone.out
