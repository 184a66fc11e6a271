"""Agent programs by configuration: what is refused, and a run in which they play every role."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings, Settings
from orchestra_tui.engine.adapters.detection import probe
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.tree import open_tree
from tests.e2e.program import git, make_repository
from tests.engine.greeting_run import GREETING, PLAN, VERDICT, greeting_run
from tests.stubs.scripted_client import Play, install, report

KINDS = ("codex", "claude", "gemini_cli", "opencode", "vibe")


def copies(root: Path) -> PrivateCopies:
    tree = open_tree(root)
    return PrivateCopies(tree, ProjectFiles(tree))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_alone_is_enough(tmp_path: Path, kind: str) -> None:
    settings = AdapterSettings(name="mine", kind=AdapterKind(kind))
    info = build_adapter(settings, {}, tree=copies(tmp_path)).info()
    assert (info.name, info.model) == ("mine", "its default")


def test_a_key_that_is_not_set_is_said(tmp_path: Path) -> None:
    settings = AdapterSettings(name="mine", kind=AdapterKind.CLAUDE, api_key_env="WORK_KEY")
    with pytest.raises(NotConfigured, match="WORK_KEY, which is not set"):
        build_adapter(settings, {"WORK_KEY": " "}, tree=copies(tmp_path))


def test_a_server_has_no_program() -> None:
    with pytest.raises(ValidationError, match="command is not for openai_compatible"):
        AdapterSettings(name="mine", base_url="http://x/v1", model="m", command="codex")
    with pytest.raises(ValidationError, match="needs base_url and model"):
        AdapterSettings(name="mine")


async def test_the_doctor_tells_a_client_from_a_missing_one(tmp_path: Path) -> None:
    there = program(tmp_path / "there", Play())
    gone = AdapterSettings(name="gone", kind=AdapterKind.VIBE, command="/nowhere/vibe")
    keyless = AdapterSettings(name="keyless", kind=AdapterKind.CLAUDE, api_key_env="WORK_KEY")
    settings = Settings(adapters=(there, gone, keyless))
    lines = await probe(settings, {"PATH": str(tmp_path)}, servers=())
    told = {line.name: (line.state, line.is_usable) for line in lines[:3]}
    assert told == {
        "there (codex)": ("found", True),
        "gone (vibe)": ("missing", False),
        "keyless (claude)": ("broken", False),
    }
    assert lines[0].detail == "1.2.3 (a stand-in); its login is not tried"


def says(text: str) -> list[str]:
    """The events of a codex run that ends with this message."""
    events = [
        {"type": "thread.started", "thread_id": "t"},
        {"type": "item.completed", "item": {"type": "agent_message", "text": text}},
        {"type": "turn.completed", "usage": {"input_tokens": 7, "output_tokens": 3}},
    ]
    return [json.dumps(event) for event in events]


def program(folder: Path, play: Play) -> AdapterSettings:
    """An adapter whose codex plays this."""
    folder.mkdir()
    return AdapterSettings(
        name=folder.name, kind=AdapterKind.CODEX, command=str(install(folder, play))
    )


async def test_agent_programs_play_every_role(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project", {"README.md": "# demo\n"})
    writes = {"hello.txt": GREETING, "README.md": "# not asked for\n"}
    plays = {
        Role.ARCHITECT: Play(stdout=says(PLAN)),
        Role.EXECUTOR: Play(stdout=says("Written."), writes=writes),
        Role.AUDITOR: Play(stdout=says(VERDICT)),
        Role.CONSULTANT: Play(exit_code=1),
    }
    adapters = {role: program(tmp_path / role.value, play) for role, play in plays.items()}
    settings = Settings(
        adapters=tuple(adapters.values()), chains={role: (role.value,) for role in adapters}
    )
    async with greeting_run(root, settings, tmp_path) as engine:
        assert (root / "hello.txt").read_text() == GREETING
        assert (root / "README.md").read_text() == "# demo\n"
        assert engine.state.run is not None
        assert engine.state.run.usage.input_tokens == 7 * len(engine.state.run.calls)
    assert git(root, "status", "--porcelain") == ""
    folders = [report(tmp_path / role.value).folder for role in (Role.ARCHITECT, Role.EXECUTOR)]
    assert not any(Path(folder).exists() for folder in folders)
    assert "greet" in report(tmp_path / "executor").prompt
