"""ACP agents by configuration: what is refused, how each is started, and what the doctor says."""

import json
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestra_tui.domain.errors import NotConfigured, UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AcpAgent, AdapterSettings, Permission, Settings
from orchestra_tui.engine.adapters.acp.agents import AGENTS, AcpClient
from orchestra_tui.engine.adapters.acp.build import agent_of
from orchestra_tui.engine.adapters.detection import probe
from orchestra_tui.engine.adapters.process.client import ClientSettings, Job
from orchestra_tui.engine.adapters.registry import build_adapter
from tests.e2e.program import git, make_repository
from tests.engine.acp_sandbox import AcpBench
from tests.engine.greeting_run import GREETING, PLAN, VERDICT, greeting_run
from tests.stubs.scripted_acp import FOLDER, AcpPlay, asks, does, ends, heard, install, says, turn
from tests.stubs.scripted_client import report

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the agent is a shell script")
BASE = "http://127.0.0.1:9/v1"


def acp(**fields: object) -> AdapterSettings:
    return AdapterSettings.model_validate({"name": "mine", "kind": "acp", **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, r"acp needs agent \(gemini, claude, codex, opencode, vibe\) or command"),
        ({"agent": "grok"}, "Input should be 'gemini', 'claude', 'codex', 'opencode' or 'vibe'"),
        ({"agent": "codex", "allow": ["everything"]}, "'shell', 'network' or 'outside'"),
        ({"agent": "codex", "thinking": True}, "thinking is not for acp"),
    ],
)
def test_settings_that_cannot_be_meant(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        acp(**fields)


@pytest.mark.parametrize(
    "field", [{"agent": "codex"}, {"mode": "x"}, {"allow": ["shell"]}, {"command": ["a", "b"]}]
)
def test_they_are_for_acp_only(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"is not for codex|only acp takes a list"):
        AdapterSettings.model_validate({"name": "mine", "kind": "codex", **field})


def test_a_preset_is_an_agent_here() -> None:
    assert acp(preset="gemini").agent is AcpAgent.GEMINI
    assert acp(preset="gemini").base_url == ""


@pytest.mark.parametrize(
    ("fields", "program", "arguments"),
    [
        ({"agent": "gemini"}, "gemini", ("--acp", "--skip-trust")),
        ({"agent": "gemini", "command": "~/bin/g"}, "~/bin/g", ("--acp", "--skip-trust")),
        ({"agent": "gemini", "command": "node g.js --acp"}, "node", ("g.js", "--acp")),
        ({"command": "my-agent 'a b'"}, "my-agent", ("a b",)),
        ({"command": ["my-agent", "a b"]}, "my-agent", ("a b",)),
    ],
)
def test_the_command_of_an_agent(
    fields: dict[str, object], program: str, arguments: tuple[str, ...]
) -> None:
    agent = agent_of(acp(**fields))
    assert (agent.program, agent.arguments) == (program, arguments)


def test_a_command_that_cannot_be_read_is_said() -> None:
    with pytest.raises(UsageError, match="the command of the adapter mine: No closing quotation"):
        agent_of(acp(command="agent 'x"))


def test_a_key_or_a_project_that_is_missing_is_said() -> None:
    with pytest.raises(NotConfigured, match="WORK_KEY, which is not set"):
        build_adapter(acp(agent="claude", api_key_env="WORK_KEY"), {})
    with pytest.raises(NotConfigured, match="needs a project"):
        build_adapter(acp(agent="claude"), {})


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where the package would be found is looked at: nothing of ours is replaced.
    empty = [place for place in sys.path if not list(Path(place).glob("agent_client_protocol-*"))]
    monkeypatch.setattr(sys, "path", empty)
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.distribution("agent-client-protocol")
    with pytest.raises(NotConfigured, match=r"pip install 'orchestra-tui\[acp\]'"):
        build_adapter(acp(agent="claude"), {})


@pytest.mark.parametrize("agent", list(AcpAgent))
def test_a_server_and_its_key_are_passed_on(agent: AcpAgent, tmp_path: Path) -> None:
    settings = ClientSettings(name="mine", model="m-1", base_url=BASE, key="key-0001")
    job = Job(tmp_path, tmp_path / "scratch", may_write=True)
    launch = AcpClient(AGENTS[agent], agent).launch(settings, job)
    told = json.dumps([*launch.environment.values(), *launch.files.values()])
    assert BASE in told
    assert "key-0001" in told
    assert "key-0001" not in " ".join(launch.arguments)


@pytest.mark.parametrize(
    ("may_write", "allow", "permission"),
    [
        (True, (), {"edit": "ask", "bash": "deny", "webfetch": "deny"}),
        (False, ("shell", "network"), {"edit": "deny", "bash": "ask", "webfetch": "ask"}),
    ],
)
def test_opencode_asks_for_what_may_be_and_is_not_offered_the_rest(
    tmp_path: Path, may_write: bool, allow: tuple[str, ...], permission: dict[str, str]
) -> None:
    granted = frozenset(map(Permission, allow))
    client = AcpClient(AGENTS[AcpAgent.OPENCODE], AcpAgent.OPENCODE, allow=granted)
    job = Job(tmp_path, tmp_path, may_write)
    launch = client.launch(ClientSettings(name="m", model="x/y"), job)
    config = json.loads(launch.environment["OPENCODE_CONFIG_CONTENT"])
    assert config["permission"] == permission
    assert config["model"] == "x/y"


@POSIX
@pytest.mark.parametrize(
    ("role", "allow", "tools"),
    [
        (Role.EXECUTOR, [], "Read Grep Glob Write Edit"),
        (Role.AUDITOR, [], "Read Grep Glob"),
        (Role.EXECUTOR, ["shell", "network"], "Read Grep Glob Write Edit Bash WebFetch WebSearch"),
    ],
)
async def test_claude_gets_the_tools_that_it_may_use(
    tmp_path: Path, role: Role, allow: list[str], tools: str
) -> None:
    """It starts programs that it takes for harmless without asking."""
    bench = AcpBench(tmp_path)
    play = AcpPlay(script=turn(says("Hi."), ends()))
    await bench.ask(play, agent="claude", role=role, allow=allow)
    opening = next(m for m in heard(tmp_path) if m["method"] == "session/new")
    options = opening["params"]["_meta"]["claudeCode"]["options"]
    assert " ".join(options["tools"]) == tools
    assert options["settingSources"] == ["user"]


def test_codex_is_told_as_a_tree(tmp_path: Path) -> None:
    client = AcpClient(AGENTS[AcpAgent.CODEX], AcpAgent.CODEX)
    launch = client.launch(ClientSettings(name="m", base_url=BASE), Job(tmp_path, tmp_path, True))
    config = json.loads(launch.environment["CODEX_CONFIG"])
    assert config["model_providers"]["orchestra"]["base_url"] == BASE
    assert config["model_providers"]["orchestra"]["stream_max_retries"] == 0
    assert config["features"]["goals"] is False


def test_codex_is_never_logged_in_with_a_key(tmp_path: Path) -> None:
    """It would write the key into the user's own settings; so it is an address with a key."""
    client = AcpClient(AGENTS[AcpAgent.CODEX], AcpAgent.CODEX)
    launch = client.launch(ClientSettings(name="m", key="k-1"), Job(tmp_path, tmp_path, True))
    provider = json.loads(launch.environment["CODEX_CONFIG"])["model_providers"]["orchestra"]
    assert provider["base_url"] == "https://api.openai.com/v1"
    assert launch.environment[provider["env_key"]] == "k-1"
    assert "k-1" not in launch.environment["CODEX_CONFIG"]


@POSIX
async def test_a_command_with_arguments_is_started_with_them(tmp_path: Path) -> None:
    bench = AcpBench(tmp_path)
    play = AcpPlay(script=turn(says("Hi."), ends()))
    bench.adapter(play)
    await bench.ask(play, command=[str(tmp_path / "agent"), "--serve", "a b"])
    assert report(tmp_path).argv == ["--serve", "a b"]


@POSIX
async def test_it_is_available_if_it_is_there(tmp_path: Path) -> None:
    bench = AcpBench(tmp_path)
    for agent in ("gemini", "codex"):
        adapter = bench.adapter(AcpPlay(), agent=agent)
        assert await adapter.is_available()
        (tmp_path / "agent").unlink()
        assert not await adapter.is_available()


@POSIX
async def test_the_doctor_tells_them_apart(tmp_path: Path) -> None:
    for name in ("vibe-acp", "codex-acp"):
        shutil.copy("/bin/sh", tmp_path / name)
    settings = Settings(
        adapters=(
            acp(name="there", agent="codex"),
            acp(name="gone", command="/nowhere/agent --acp"),
            acp(name="keyless", agent="vibe", api_key_env="WORK_KEY"),
        )
    )
    environ = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"}
    lines = await probe(settings, environ, servers=())
    told = {line.name: (line.state, line.is_usable) for line in lines}
    assert told["there (acp)"] == ("found", True)
    assert told["gone (acp)"] == ("missing", False)
    assert told["keyless (acp)"] == ("broken", False)
    agents = {line.name: line for line in lines if line.name.endswith("(ACP)")}
    assert {name for name, line in agents.items() if line.state == "found"} == {
        "vibe-acp (ACP)",
        "codex-acp (ACP)",
    }
    assert all(line.is_minor for line in agents.values())
    offer = agents["codex-acp (ACP)"].offer
    assert offer is not None
    assert offer.settings() == acp(name="codex-acp", agent="codex")


@POSIX
async def test_acp_agents_play_every_role(tmp_path: Path) -> None:
    """One writes by itself and one through us; what they were not asked for is not taken."""
    root = make_repository(tmp_path / "project", {"README.md": "# demo\n"})
    write = asks("fs/write_text_file", path=f"{FOLDER}/hello.txt", content=GREETING)
    plays = {
        Role.ARCHITECT: turn(says(PLAN), ends()),
        Role.EXECUTOR: turn(does("write", files={"README.md": "# no\n"}), write, says("."), ends()),
        Role.AUDITOR: turn(says(VERDICT), ends()),
    }
    adapters = []
    for role, script in plays.items():
        (tmp_path / role.value).mkdir()
        command = str(install(tmp_path / role.value, AcpPlay(script=script)))
        adapters.append(acp(name=role.value, command=command))
    settings = Settings(
        adapters=tuple(adapters),
        chains={role: (role.value,) for role in plays} | {Role.CONSULTANT: ("architect",)},
    )
    async with greeting_run(root, settings, tmp_path):
        assert (root / "hello.txt").read_text() == GREETING
        assert (root / "README.md").read_text() == "# demo\n"
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "show", "HEAD:hello.txt") == GREETING
