"""What a client is given, what it may do wrong, and that nothing of it is left."""

import asyncio
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AdapterKind
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.process.build import CLIENTS
from orchestra_tui.engine.adapters.process.failures import MAX_WORDS
from orchestra_tui.engine.adapters.process.transport import MAX_STDERR
from tests.engine.process_sandbox import FOREIGN, ClientBench, is_alive, until
from tests.stubs.scripted_client import Play, recorded, report

OWN_KEYS = {
    AdapterKind.CODEX: {"OPENAI_API_KEY"},
    AdapterKind.CLAUDE: {"ANTHROPIC_API_KEY"},
    AdapterKind.GEMINI_CLI: {"GEMINI_API_KEY"},
    AdapterKind.OPENCODE: set(),
    AdapterKind.VIBE: {"MISTRAL_API_KEY"},
}
ALL = pytest.mark.parametrize("kind", list(CLIENTS))
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
TWO_SECONDS = 2.0


@ALL
async def test_only_its_own_keys_are_in_its_environment(tmp_path: Path, kind: AdapterKind) -> None:
    bench = ClientBench(tmp_path, kind)
    await bench.ask(recorded(kind, "plain"))
    seen = report(tmp_path).environ
    assert seen.keys() & FOREIGN.keys() == OWN_KEYS[kind]
    others = {value for name, value in FOREIGN.items() if name not in OWN_KEYS[kind]}
    assert not [name for name, value in seen.items() if any(other in value for other in others)]


@ALL
async def test_the_prompt_is_on_standard_input_and_nowhere_else(
    tmp_path: Path, kind: AdapterKind
) -> None:
    bench = ClientBench(tmp_path, kind)
    await bench.ask(recorded(kind, "plain"))
    told = report(tmp_path)
    assert "You write files." in told.prompt
    assert told.prompt.rstrip().endswith("Say hello.")
    assert "Say hello." not in " ".join(told.argv)


@ALL
async def test_it_runs_in_a_copy_without_the_project(tmp_path: Path, kind: AdapterKind) -> None:
    bench = ClientBench(tmp_path, kind)
    bench.project.mkdir()
    (bench.project / ".env").write_text("KEY=secret\n")
    (bench.project / ".gitignore").write_text("built/\n")
    (bench.project / "built").mkdir()
    (bench.project / "built" / "x.o").write_text("x")
    (bench.project / ".claude").mkdir()
    (bench.project / ".claude" / "settings.json").write_text("{}")
    await bench.ask(recorded(kind, "plain"))
    told = report(tmp_path)
    assert told.files == [".gitignore", "README.md"]
    assert not told.folder.startswith(str(tmp_path))


@ALL
async def test_what_it_leaves_among_temporary_files_is_removed(
    tmp_path: Path, kind: AdapterKind
) -> None:
    bench = ClientBench(tmp_path, kind)
    await bench.ask(recorded(kind, "plain"))
    place = Path(report(tmp_path).temporary)
    assert place.parent.name.startswith("orchestra-client-")
    assert not place.exists()


@LINUX
@ALL
async def test_a_process_in_a_session_of_its_own_is_not_left(
    tmp_path: Path, kind: AdapterKind
) -> None:
    bench = ClientBench(tmp_path, kind)
    await bench.ask(replace(recorded(kind, "plain"), grandchild=True))
    assert len(report(tmp_path).pids) == 2
    assert bench.left_running() == []


@LINUX
@ALL
@pytest.mark.parametrize("is_deaf", [False, True])
async def test_cancel_leaves_nothing_after_two_seconds(
    tmp_path: Path, kind: AdapterKind, is_deaf: bool
) -> None:
    bench = ClientBench(tmp_path, kind)
    play = Play(exit_code=None, is_deaf=is_deaf, grandchild=True)
    asking = asyncio.create_task(bench.ask(play))
    await bench.has_begun()
    began = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert time.monotonic() - began < TWO_SECONDS
    assert bench.left_running() == []


@LINUX
async def test_further_cancels_do_not_cut_the_ending_short(tmp_path: Path) -> None:
    bench = ClientBench(tmp_path, AdapterKind.CLAUDE)
    asking = asyncio.create_task(bench.ask(Play(exit_code=None, is_deaf=True, grandchild=True)))
    await bench.has_begun()
    for _ in range(5):
        # As a person who cancels, quits, and has it quit again.
        asking.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert bench.left_running() == []


@LINUX
async def test_nothing_outlives_the_engine_when_it_is_killed(tmp_path: Path) -> None:
    bench = ClientBench(tmp_path, AdapterKind.CODEX)
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from orchestra_tui.domain.settings import AdapterKind\n"
        "from tests.engine.process_sandbox import ClientBench\n"
        "from tests.stubs.scripted_client import Play\n"
        "bench = ClientBench(Path(sys.argv[1]), AdapterKind.CODEX)\n"
        "asyncio.run(bench.ask(Play(exit_code=None, is_deaf=True, grandchild=True)))\n"
    )
    engine = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(tmp_path)),
        # What a killed engine cannot clean up stays in the folder of this test.
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    await bench.has_begun()
    engine.kill()
    await engine.wait()
    pids = report(tmp_path).pids
    await until(lambda: not any(is_alive(pid) for pid in pids))


@ALL
async def test_silence_before_the_first_event(tmp_path: Path, kind: AdapterKind) -> None:
    bench = ClientBench(tmp_path, kind)
    with pytest.raises(base.FirstByteTimeout):
        await bench.ask(Play(exit_code=None), first=0.8)
    assert bench.left_running() == []


@ALL
async def test_garbage_is_no_answer_whatever_the_exit_code(
    tmp_path: Path, kind: AdapterKind
) -> None:
    bench = ClientBench(tmp_path, kind)
    play = Play(stdout=["<html>", "[1, 2]", '{"type":', "null", '{"type": 7}'], exit_code=0)
    with pytest.raises(base.AdapterError) as caught:
        await bench.ask(play)
    assert isinstance(caught.value, base.ProcessFailed | base.EmptyResponse)


@ALL
async def test_a_flood_is_bounded(tmp_path: Path, kind: AdapterKind) -> None:
    bench = ClientBench(tmp_path, kind)
    with pytest.raises(base.InvalidResponse):
        await bench.ask(Play(flood=1))
    assert bench.left_running() == []


@ALL
async def test_much_on_standard_error_does_not_block(tmp_path: Path, kind: AdapterKind) -> None:
    bench = ClientBench(tmp_path, kind)
    play = recorded(kind, "plain")
    answer = await bench.ask(replace(play, stderr=["x" * 1000] * 2000))
    assert answer.text


async def test_a_client_that_reads_no_prompt_is_no_trouble(tmp_path: Path) -> None:
    bench = ClientBench(tmp_path, AdapterKind.CODEX)
    answer = await bench.ask(replace(recorded("codex", "plain"), reads_prompt=False))
    assert answer.text


@ALL
async def test_its_key_is_in_no_message(tmp_path: Path, kind: AdapterKind) -> None:
    bench = ClientBench(tmp_path, kind)
    keys = [FOREIGN[name] for name in OWN_KEYS[kind]]
    play = Play(stderr=[f"Error: bad key {key}" for key in keys] or ["Error: x"], exit_code=2)
    with pytest.raises(base.ProcessFailed) as caught:
        await bench.ask(play)
    assert not [key for key in keys if key in str(caught.value)]


async def test_a_secret_that_it_was_given_is_taken_out_before_words_are_cut(
    tmp_path: Path,
) -> None:
    token = FOREIGN["GITHUB_TOKEN"]
    begin = "exit code 2: "
    bench = ClientBench(tmp_path, AdapterKind.CODEX, keep=("GITHUB_TOKEN",))
    filler = "x" * (MAX_WORDS - len(begin) - len(token) // 2)
    with pytest.raises(base.ProcessFailed) as caught:
        await bench.ask(Play(stderr=[f"{filler}{token}"], exit_code=2))
    assert filler in str(caught.value)
    assert token[:6] not in str(caught.value)


@pytest.mark.parametrize("ending", ["", " and that is all"])
async def test_a_key_that_is_cut_at_the_limit_of_what_is_kept_is_in_no_message(
    tmp_path: Path, ending: str
) -> None:
    """The end of one long line is kept: it begins in the middle of the key."""
    key = FOREIGN["ANTHROPIC_API_KEY"]
    filler = "x" * (MAX_STDERR - len(key) // 2 - len(ending) - 1)
    bench = ClientBench(tmp_path, AdapterKind.CLAUDE)
    play = Play(stderr=[f"{key}{ending}{filler}"], exit_code=1)
    with pytest.raises(base.ProcessFailed) as caught:
        await bench.ask(play)
    assert key[len(key) // 2 + 1 :] not in str(caught.value)


async def test_availability_is_an_answer_to_version(tmp_path: Path) -> None:
    bench = ClientBench(tmp_path, AdapterKind.CODEX)
    adapter = bench.adapter(Play())
    assert await adapter.is_available()
    assert (adapter.info().name, adapter.info().model) == ("mine", "m-1")
    (tmp_path / "client").unlink()
    assert not await adapter.is_available()


async def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    bench = ClientBench(tmp_path, AdapterKind.CODEX)
    adapter = bench.adapter(Play())
    (tmp_path / "client").unlink()
    request = base.CompletionRequest(key="k", role=Role.AUDITOR, path=None, task="", messages=())
    with pytest.raises(
        base.ModelNotFound, match="is not there; install it or set `command`"
    ) as caught:
        await adapter.execute(request, bench.deltas.append)
    assert caught.value.usage == Usage(input_tokens=0, output_tokens=0)
