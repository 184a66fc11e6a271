"""Who is asked, changed while the engine is open: refused whole, written once, used by the next."""

import stat
from decimal import Decimal
from pathlib import Path

import pytest

from orchestra_tui.cli.config_file import ConfigFile
from orchestra_tui.config import load_settings
from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.doctor import DoctorLine, Offer
from orchestra_tui.domain.errors import CommandRefused, NotConfigured, UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.money import Cost, CostBasis
from orchestra_tui.domain.ports import GetConfiguration, GetProject, ListProbes, Probe, TryLink
from orchestra_tui.domain.proposal import propose
from orchestra_tui.domain.settings import RunSettings, Scenario
from orchestra_tui.engine.adapters.rehearsal.transport import AppRequest, Reply
from tests.e2e.program import make_repository
from tests.engine.engine_house import House
from tests.engine.test_calls_chain import opened, two_servers
from tests.stubs.openai_server import StubServer, chat, raw, refusal
from tests.stubs.scripted_agents import AFTER, BEFORE, scripted_agents

FILE = """\
# two vendors
[adapters.one]
base_url = "{one}"
model = "m"

[adapters.two]
base_url = "{two}"
model = "m"

[chains]  # who does what
executor = ["one"]
"""


class Machine:
    """A project, a configuration file and what stands in the environment."""

    def __init__(self, folder: Path, text: str) -> None:
        self.root = make_repository(folder / "project", BEFORE)
        self.config = folder / "config.toml"
        self.config.write_text(text, encoding="utf-8")
        self.environ = {"ORCHESTRA_CONFIG": str(self.config), "PATH": str(folder / "bin")}

    def open(self, **more: object):  # noqa: ANN201 - an async context of a House
        file = ConfigFile(self.environ)
        options = {"environment": self.environ, "settings_store": file, **more}
        return opened(self.root, load_settings(self.environ), **options)


async def test_the_next_call_of_a_running_run_goes_to_the_new_chain(tmp_path: Path) -> None:
    async with two_servers(scripted_agents(), scripted_agents()) as (one, two):
        machine = Machine(tmp_path, FILE.format(one=one.base_url, two=two.base_url))
        async with machine.open() as h:
            await h.start()
            asked = len(one.requests)
            assert asked > 0
            assert len(two.requests) == 0
            chains = {role: ("two",) for role in Role}
            await h.engine.submit(cmd.ConfigureAgents(chains=chains))
            await h.approve()
            await h.until(lambda run: run.is_reviewing)
            assert len(one.requests) == asked, "nobody asks it any more"
            assert len(two.requests) > 0
            for path, text in AFTER.items():
                assert h.text(path) == text
            (changed,) = h.of(ev.ChainsChanged)
            assert isinstance(changed, ev.ChainsChanged)
            assert changed.chains == {role.value: ("two",) for role in Role}
            project = await h.engine.query(GetProject())
            assert project.chains == changed.chains
        text = machine.config.read_text(encoding="utf-8")
        assert text.startswith("# two vendors\n")
        assert "[chains]  # who does what" in text
        assert load_settings(machine.environ).chains == chains


async def test_a_change_without_a_run_is_no_event(tmp_path: Path) -> None:
    async with StubServer(scripted_agents()) as server:
        machine = Machine(tmp_path, FILE.format(one=server.base_url, two=server.base_url))
        async with machine.open() as h:
            await h.engine.submit(cmd.ConfigureAgents(chains={Role.EXECUTOR: ("two", "one")}))
            assert h.engine.state.seq == 0
            found = await h.engine.query(GetConfiguration())
            assert found.chains == {Role.EXECUTOR: ("two", "one")}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (cmd.ConfigureAgents(chains={Role.EXECUTOR: ("nobody",)}), "no adapter 'nobody'"),
        (
            cmd.ConfigureAgents(offers=(Offer(name="x", fields={"kind": "telepathy"}),)),
            "no kind 'telepathy'",
        ),
        (
            cmd.ConfigureAgents(
                offers=(Offer(name="far", fields={"preset": "gemini", "model": "m"}),),
                chains={Role.AUDITOR: ("far",)},
            ),
            "GEMINI_API_KEY",
        ),
    ],
)
async def test_a_change_that_cannot_work_changes_nothing(
    command: cmd.ConfigureAgents, words: str, tmp_path: Path
) -> None:
    """Neither the file nor who is asked; a key that is missing everywhere is told before."""
    async with StubServer(scripted_agents()) as server:
        machine = Machine(tmp_path, FILE.format(one=server.base_url, two=server.base_url))
        before = machine.config.read_bytes()
        async with machine.open() as h:
            with pytest.raises(UsageError, match=words):
                await h.engine.submit(command)
            project = await h.engine.query(GetProject())
            assert project.chains["executor"] == ("one",)
            await h.to_review()
        assert machine.config.read_bytes() == before
        assert not list(tmp_path.glob("*.bak*"))


async def test_a_rehearsal_takes_no_real_agents_and_keeps_its_script(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "")
    program(tmp_path / "bin" / "codex", "echo codex 1.0")
    async with machine.open(scenario=Scenario.CALM) as h:
        codex = Offer(name="codex", fields={"kind": "codex"})
        command = cmd.ConfigureAgents(offers=(codex,), chains={r: ("codex",) for r in Role})
        await h.engine.submit(command)
        project = await h.engine.query(GetProject())
        assert set(project.chains.values()) == {("rehearsal",)}
        found = await h.engine.query(GetConfiguration())
        assert [adapter.name for adapter in found.adapters] == ["codex"]


async def test_without_a_place_to_save_nothing_is_changed(tmp_path: Path) -> None:
    async with StubServer(scripted_agents()) as server:
        machine = Machine(tmp_path, FILE.format(one=server.base_url, two=server.base_url))
        async with machine.open(settings_store=None) as h:
            with pytest.raises(CommandRefused, match="no configuration file"):
                await h.engine.submit(cmd.ConfigureAgents(chains={Role.EXECUTOR: ("two",)}))


def program(path: Path, body: str) -> None:
    """A program that writes each of its starts down."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$@" >> {path.parent}/starts\n{body}\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


async def probed(h: House) -> list[DoctorLine]:
    return [
        await h.engine.query(Probe(key=line.key)) for line in await h.engine.query(ListProbes())
    ]


async def test_nothing_is_sent_before_the_user_confirms(tmp_path: Path) -> None:
    """Programs are asked for their version, local servers for their models, and that is all."""
    models = b'{"models": [{"name": "qwen2.5-coder:7b"}]}'
    async with StubServer(raw(models, headers={"content-type": "application/json"})) as ollama:
        machine = Machine(tmp_path, "")
        machine.environ |= {
            "OLLAMA_HOST": ollama.base_url.removesuffix("/v1"),
            "GEMINI_API_KEY": "not-a-key-0123456789",
            "PATH": f"{machine.environ['PATH']}:/usr/bin:/bin",
        }
        program(tmp_path / "bin" / "codex", "echo codex 1.0")
        async with machine.open(scenario=Scenario.CALM) as h:
            lines = await probed(h)
            await h.engine.query(GetProject())
            configured = await h.engine.query(GetConfiguration())
            proposal = propose(lines, configured)
        assert proposal.chains[Role.ARCHITECT] == ("codex", "gemini", "ollama")
        assert (tmp_path / "bin" / "starts").read_text(encoding="utf-8") == "--version\n"
        assert [(r.method, r.path) for r in ollama.requests] == [("GET", "/api/tags")]
        assert machine.config.read_text(encoding="utf-8") == ""
        assert "not-a-key" not in repr(lines)


async def test_a_link_is_tried_with_one_small_prompt(tmp_path: Path) -> None:
    """Offered or configured; its answer, time and tokens come back, and its errors by class."""
    async with two_servers(chat("ready\x1b[31m\n"), refusal(401, {"message": "no"})) as (one, two):
        machine = Machine(tmp_path, FILE.format(one=one.base_url, two=two.base_url))
        async with machine.open() as h:
            good = await h.engine.query(TryLink(name="one"))
            assert (good.answer, good.error) == ("ready␛[31m", "")
            assert good.seconds >= 0
            assert good.cost == Cost(usd=Decimal(0), basis=CostBasis.FREE)
            bad = await h.engine.query(TryLink(name="two"))
            assert bad.error == "authentication_failed"
            assert bad.detail
            assert bad.cost is None
            fields = {"base_url": one.base_url, "model": "other"}
            await h.engine.query(TryLink(name="", offer=Offer(name="new", fields=fields)))
            with pytest.raises(UsageError, match="no adapter 'nobody'"):
                await h.engine.query(TryLink(name="nobody"))
            keyless = Offer(name="g", fields={"preset": "gemini", "model": "m"})
            with pytest.raises(NotConfigured, match="GEMINI_API_KEY"):
                await h.engine.query(TryLink(name="", offer=keyless))
            assert h.engine.state.seq == 0, "a test is no part of any session"
        assert len(one.requests) == 2
        assert len(two.requests) == 1
        (message,) = one.bodies[0]["messages"]  # type: ignore[misc]
        assert len(message["content"]) < 60


async def test_a_program_is_tried_in_an_empty_folder(tmp_path: Path) -> None:
    """Nothing of the project goes along, and nothing is left."""
    machine = Machine(tmp_path, "")
    machine.environ["PATH"] = f"{machine.environ['PATH']}:/usr/bin:/bin"
    program(tmp_path / "bin" / "codex", f"ls -A > {tmp_path}/seen; pwd > {tmp_path}/where")
    async with machine.open(scenario=Scenario.CALM) as h:
        offer = Offer(name="codex", fields={"kind": "codex"})
        trial = await h.engine.query(TryLink(name="", offer=offer))
    assert trial.error == "process_failed"
    assert (tmp_path / "seen").read_text(encoding="utf-8") == ""
    assert not Path((tmp_path / "where").read_text(encoding="utf-8").strip()).exists()


async def test_a_file_that_was_damaged_meanwhile_is_told(tmp_path: Path) -> None:
    async with StubServer(scripted_agents()) as server:
        machine = Machine(tmp_path, FILE.format(one=server.base_url, two=server.base_url))
        async with machine.open() as h:
            machine.config.write_text("adapters = [", encoding="utf-8")
            for ask in (
                lambda: h.engine.query(GetConfiguration()),
                lambda: h.engine.submit(cmd.ConfigureAgents(chains={Role.EXECUTOR: ("two",)})),
            ):
                with pytest.raises(UsageError, match="cannot be read"):
                    await ask()
            assert (await h.engine.query(GetProject())).chains["executor"] == ("one",)


async def test_a_refused_key_is_tried_again_when_the_user_has_changed_something(
    tmp_path: Path,
) -> None:
    """Not when its rest of minutes is over: he has just put it right."""
    is_right = False
    refused = refusal(401, {"message": "expired"})

    async def app(request: AppRequest, reply: Reply) -> None:
        await (scripted_agents() if is_right else refused)(request, reply)

    async with two_servers(app, scripted_agents()) as (one, two):
        text = FILE.format(one=one.base_url, two=two.base_url)
        machine = Machine(tmp_path, text.replace('["one"]', '["one", "two"]'))
        async with machine.open() as h:
            await h.start()
            asked = len(one.requests)
            is_right = True
            await h.engine.submit(cmd.ConfigureAgents())
            await h.approve()
            await h.until(lambda run: run.is_reviewing)
            assert len(one.requests) > asked
            # While one call tries, the others may pass it.
            hops = [hop for hop in h.of(ev.HopTaken) if hop.activity.startswith("r1/s")]
            assert {hop.kind for hop in hops} <= {"busy"}


KEYED = """\
[adapters.one]
base_url = "{one}"
model = "m"
api_key_env = "LATER_KEY"
"""


async def test_a_project_opens_for_somebody_who_can_give_the_missing_key(tmp_path: Path) -> None:
    """Nothing is asked before; with the key there, the same engine does the work."""
    async with StubServer(scripted_agents()) as server:
        machine = Machine(tmp_path, KEYED.format(one=server.base_url))
        async with machine.open(is_attended=True) as h:
            project = await h.engine.query(GetProject())
            assert any("LATER_KEY" in warning for warning in project.warnings)
            with pytest.raises(NotConfigured, match=r"architect has nobody to ask: .*LATER_KEY"):
                await h.start()
            await h.engine.submit(cmd.ConfigureAgents())
            assert server.requests == []
            machine.environ["LATER_KEY"] = "a-made-up-key-0001"
            await h.engine.submit(cmd.ConfigureAgents())
            await h.to_review()
            assert server.requests
        del machine.environ["LATER_KEY"]
        with pytest.raises(NotConfigured, match="LATER_KEY"):
            async with machine.open():
                pass


async def test_a_file_edited_while_the_project_is_open_is_what_the_doctor_shows(
    tmp_path: Path,
) -> None:
    """An adapter added by hand can be tried at once, and is asked when the user takes it."""
    async with two_servers(chat("ready"), chat("ready")) as (one, two):
        text = f'[adapters.one]\nbase_url = "{one.base_url}"\nmodel = "m"\n'
        machine = Machine(tmp_path, text)
        async with machine.open() as h:
            assert (await h.engine.query(GetConfiguration())).is_in_use
            more = f'\n[adapters.two]\nbase_url = "{two.base_url}"\nmodel = "m"\n'
            machine.config.write_text(text + more, encoding="utf-8")
            lines = await h.engine.query(ListProbes())
            found = [await h.engine.query(Probe(key=line.key)) for line in lines]
            assert {"one", "two"} <= {line.adapter for line in found if line.is_usable}
            assert (await h.engine.query(TryLink(name="two"))).answer == "ready"
            assert not (await h.engine.query(GetConfiguration())).is_in_use
            assert "two" not in (await h.engine.query(GetProject())).chains["executor"]
            await h.engine.submit(cmd.ConfigureAgents())
            assert (await h.engine.query(GetConfiguration())).is_in_use
            assert (await h.engine.query(GetProject())).chains["executor"] == ("one", "two")


async def test_what_providers_say_of_their_limits_is_no_refusal_of_a_plan(tmp_path: Path) -> None:
    """The chain was exhausted: whoever is asked when the run goes on hears nothing of it."""
    is_full = True
    limited = refusal(429, {"message": "a limit of one vendor"}, {"retry-after": "600"})

    async def app(request: AppRequest, reply: Reply) -> None:
        await (limited if is_full else scripted_agents())(request, reply)

    async with two_servers(app, scripted_agents()) as (one, two):
        text = FILE.format(one=one.base_url, two=two.base_url)
        machine = Machine(tmp_path, text + 'architect = ["one"]\n')
        async with machine.open() as h:
            await h.engine.submit(cmd.StartRun(task="double numbers", settings=RunSettings()))
            await h.until(lambda run: run.outcome is ev.Outcome.UNAVAILABLE)
            is_full = False
            await h.engine.submit(cmd.ConfigureAgents(chains={role: ("two",) for role in Role}))
            await h.engine.submit(cmd.ContinueRun())
            await h.until(lambda run: run.plan is not None)
            body = two.requests[0].body.decode()
            assert "double numbers" in body
            assert "a limit of one vendor" not in body
