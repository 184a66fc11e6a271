"""What a run leaves behind is searched for keys: output, journal, blobs, logs, folders, processes.

Six made-up keys lie in the environment, the key file and the keyring. Servers repeat them in their
errors and answers, programs print their environment, a package crashes with its key in its words,
and a screen of the app breaks. The real program runs in a real process.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.key_traces import (
    KEYS,
    Traces,
    configuration,
    telling,
    telling_package,
    telling_program,
)
from tests.e2e.program import environment, finish, make_repository, orchestra, start
from tests.e2e.terminal import Terminal
from tests.engine.key_places import keyring_environment
from tests.stubs.openai_server import StubServer
from tests.stubs.scripted_agents import AFTER, BEFORE, scripted_agents

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    pytest.mark.timeout(180),
]
RUN = ("run", "double numbers", "--headless", "--auto-approve")


@dataclass
class House:
    """A user with keys in every place, and a project."""

    folder: Path
    env: dict[str, str]
    traces: Traces
    got: list[str]

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def look(self, *said: str | bytes) -> None:
        """Everything that was said, written, or is still there."""
        for number, text in enumerate(said):
            data = text.encode() if isinstance(text, str) else text
            self.traces.found(data, f"output {number}")
        home = self.folder / "home"
        own = (home / "keyring.json", home / "config" / "orchestra" / "keys.env")
        for folder in (self.project, home, self.folder / "tmp", self.folder / "state"):
            self.traces.look_below(folder, but=own)
        for processes in self.folder.glob("bin/*.processes"):
            self.traces.found(processes.read_bytes(), f"arguments seen by {processes.stem}")
        self.traces.look_at_processes()
        assert self.traces.seen == []


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    traces, got = Traces(), []
    for name in ("home", "tmp", "state", "bin"):
        (tmp_path / name).mkdir()
    home = tmp_path / "home"
    base = {k: v for k, v in environment().items() if k not in KEYS}
    env = {
        **base,
        **keyring_environment(home),
        "PATH": base.get("PATH", os.defpath),
        "TMPDIR": str(tmp_path / "tmp"),
        "ORCHESTRA_STATE_HOME": str(tmp_path / "state"),
        "PYTHONPATH": os.pathsep.join(
            (base["PYTHONPATH"], str(telling_package(tmp_path / "package")))
        ),
        "ENV_KEY": KEYS["ENV_KEY"],
        "GOOD_KEY": KEYS["GOOD_KEY"],
    }
    env.pop("PYTHON_KEYRING_BACKEND", None)
    make_repository(tmp_path / "project", BEFORE)
    async with AsyncExitStack() as stack:
        urls = {}
        for name, how in (("env", "error"), ("file", "answer"), ("ring", "page")):
            server = await stack.enter_async_context(StubServer(telling(traces, got, how)))
            urls[name] = server.base_url
        good = await stack.enter_async_context(StubServer(scripted_agents()))
        urls["good"] = good.base_url
        programs = {
            "talker": telling_program(tmp_path / "bin", "talker", fails=False),
            "failer": telling_program(tmp_path / "bin", "failer", fails=True),
        }
        config = home / "config" / "orchestra" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(configuration(urls, programs))
        house = House(tmp_path, env, traces, got)
        await keep(house, "RING_KEY")
        for name in ("FILE_KEY", "CLIENT_KEY", "PLUGIN_KEY"):
            await keep(house, name, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
        yield house


async def keep(house: House, name: str, **more: str) -> None:
    """`orchestra keys set`, as a script would."""
    env = {**house.env, **more}
    process = await start("keys", "set", name, cwd=house.folder, env=env, has_stdin=True)
    kept = await finish(process, KEYS[name])
    assert kept.code == 0, kept.err
    house.look(kept.out, kept.err)


@pytest.mark.parametrize("words", [("--json",), ()], ids=["json", "lines"])
async def test_a_run_that_meets_every_leak_leaves_no_key(
    house: House, words: tuple[str, ...]
) -> None:
    finished = await orchestra(*RUN, *words, cwd=house.project, env=house.env)
    house.look(finished.out, finished.err)
    assert finished.code == 0, finished.out[-2000:] + finished.err
    for path, text in AFTER.items():
        assert (house.project / path).read_text(encoding="utf-8") == text
    # Each leak was really met, with the right key, and its words were told without it.
    for name in ("ENV_KEY", "FILE_KEY", "RING_KEY"):
        assert f"Bearer {KEYS[name]}" in house.got
    for program in ("talker", "failer"):
        told = (house.folder / "bin" / f"{program}.report").read_text()
        assert "ANTHROPIC_API_KEY" in told
        assert "PLUGIN_KEY" not in told
        assert "GOOD_KEY" not in told
    for name in ("env", "ring", "failer", "package"):
        assert f"{name}: " in finished.out
    assert finished.out.count("[secret]") >= 4
    assert "holds a key of yours" in finished.out
    log = next(house.project.rglob("orchestra.log")).read_text(encoding="utf-8")
    assert "a crash with [secret]" in log


async def test_the_app_and_its_crash_show_no_key(house: House) -> None:
    words = ("-m", "tests.e2e.failing_screen", "run", "double numbers", "--auto-approve")
    async with Terminal(*words, cwd=house.project, env=house.env) as app:
        await app.until(lambda text: "Orchestra's screen failed" in text)
        assert await app.ended(within=10) == 70
        raw = bytes(app.raw)
    house.look(raw, app.text)
    assert f"Bearer {KEYS['ENV_KEY']}" in house.got
    log = next(house.project.rglob("orchestra.log")).read_text(encoding="utf-8")
    assert "a defect in a screen" in log


async def test_doctor_and_lists_show_no_key(house: House) -> None:
    for words in (("doctor",), ("doctor", "--json"), ("keys",), ("keys", "list", "--json")):
        finished = await orchestra(*words, cwd=house.project, env=house.env)
        house.look(finished.out, finished.err)
        if words[0] == "keys":
            assert finished.out.count("_KEY") == len(KEYS)


async def test_a_package_that_cannot_be_built_shows_no_key(house: House) -> None:
    code = "def build(context): raise RuntimeError('with ' + context.api_key.get_secret_value())\n"
    (house.folder / "package" / "telling.py").write_text(code)
    finished = await orchestra(*RUN, cwd=house.project, env=house.env)
    house.look(finished.out, finished.err)
    assert finished.code == 2
    assert "cannot be built: RuntimeError: with [secret]" in finished.err


async def test_the_search_finds_a_key_where_one_stands(house: House) -> None:
    home = house.folder / "home"
    house.traces.look_below(home)
    assert any("keys.env" in hit and "CLIENT_KEY" in hit for hit in house.traces.seen)
    assert any("keyring.json" in hit and "RING_KEY" in hit for hit in house.traces.seen)
