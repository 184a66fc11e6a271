"""The example package, installed as a user would, answers a whole run of the real program."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.program import REPOSITORY, environment, make_repository, orchestra
from tests.stubs.scripted_agents import AFTER, BEFORE

EXAMPLE = REPOSITORY / "examples" / "orchestra-pipe"
RUN = ("run", "double numbers", "--headless", "--auto-approve", "--json")
AGENTS = f"""
import json, os, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.stubs.scripted_agents import answer
assert "SECRET_OF_ANOTHER" not in os.environ
question = sys.stdin.buffer.read().decode()
sys.stdout.write(answer(json.dumps({{"messages": [{{"content": question}}]}}).encode()))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the example, without network."""
    folder = tmp_path_factory.mktemp("site")
    words = ("install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, "--target", folder, EXAMPLE],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def configured(
    folder: Path, installed: Path | None, options: Mapping[str, object]
) -> dict[str, str]:
    """The environment of a user with this one adapter."""
    path = folder / "config.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    head = '[run]\nmax_call_retries = 0\n[adapters.mine]\nkind = "pipe"\n[adapters.mine.options]\n'
    path.write_text(head + "\n".join(lines))
    paths = (str(installed) if installed else "", environment()["PYTHONPATH"])
    return environment(
        ORCHESTRA_CONFIG=str(path),
        PYTHONPATH=os.pathsep.join(filter(None, paths)),
        SECRET_OF_ANOTHER="not for this program",
    )


async def test_a_whole_run_through_it(tmp_path: Path, installed: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    agents = tmp_path / "agents.py"
    agents.write_text(AGENTS)
    env = configured(tmp_path, installed, {"argv": [sys.executable, str(agents)]})
    finished = await orchestra(*RUN, cwd=root, env=env)
    assert finished.code == 0, finished.err
    for path, text in AFTER.items():
        assert (root / path).read_text(encoding="utf-8") == text
    assert {call["adapter"]["provider"] for call in finished.of_type("CallStarted")} == {"pipe"}


async def test_a_program_that_fails_is_named_with_what_it_said(
    tmp_path: Path, installed: Path
) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    words = [sys.executable, "-c", "import sys; sys.exit('no such model: gpt-99')"]
    finished = await orchestra(*RUN, cwd=root, env=configured(tmp_path, installed, {"argv": words}))
    assert finished.code == 1
    assert "mine: no such model: gpt-99" in finished.out
    assert "Traceback" not in finished.out + finished.err


async def test_the_doctor_lists_it(tmp_path: Path, installed: Path) -> None:
    env = configured(tmp_path, installed, {"argv": ["llm", "-m", "x"]})
    finished = await orchestra("doctor", cwd=tmp_path, env=env)
    assert finished.code == 0
    assert "from orchestra-pipe 0.1.0" in finished.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "options.argv is missing"),
        ({"argv": "llm -m x"}, "write options.argv as a list of words"),
        ({"argv": ["llm"], "model": "x"}, "there is no option model"),
    ],
)
async def test_options_that_are_wrong_are_a_sentence(
    tmp_path: Path, installed: Path, options: dict[str, object], says: str
) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    finished = await orchestra(*RUN, cwd=root, env=configured(tmp_path, installed, options))
    assert finished.code == 2
    assert finished.err.startswith("orchestra: the adapter mine (pipe, from orchestra-pipe 0.1.0)")
    assert says in finished.err


async def test_without_the_package_the_sentence_says_what_there_is(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    finished = await orchestra(*RUN, cwd=root, env=configured(tmp_path, None, {"argv": ["llm"]}))
    assert finished.code == 2
    assert "there is no kind 'pipe'" in finished.err
    assert "is the package installed where orchestra is?" in finished.err
