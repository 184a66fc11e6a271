"""A local model behind its child, played by a stand-in that speaks the same protocol.

The real engine with a real tiny model is in `test_local_real_model.py`.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.doctor import DoctorLine
from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AdapterSettings, Settings, StructuredOutput
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    EmptyResponse,
    FirstByteTimeout,
    IdleTimeout,
    InvalidResponse,
    ModelNotFound,
    ProcessFailed,
    ServerFailed,
)
from orchestra_tui.engine.adapters.detection import probe
from orchestra_tui.engine.adapters.local import adapter as local
from orchestra_tui.engine.adapters.local import models
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.orchestrator.chains import build_chains
from tests.engine.local_sandbox import PROGRAM, LocalBench, asked
from tests.engine.process_sandbox import is_alive, until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
async def bench(tmp_path: Path) -> Any:  # noqa: ANN401 - an async generator
    bench = LocalBench(tmp_path)
    yield bench
    await bench.models.close()
    assert [pid for pid in bench.pids if is_alive(pid)] == []


async def test_it_is_loaded_by_the_first_call_and_shared_by_all(bench: LocalBench) -> None:
    bench.file()
    one, other = bench.adapter(), bench.adapter(name="other")
    assert bench.notes == []
    heard: list[str] = []
    answers = await asyncio.gather(
        one.execute(asked(), heard.append), other.execute(asked(), lambda _: None)
    )
    assert {(a.text, a.finish, a.usage.output_tokens) for a in answers} == {
        ("Hello there ", FinishReason.STOP, 2)
    }
    assert "".join(heard) == "Hello there "
    assert len(bench.pids) == 1
    await one.close()
    await other.execute(asked(), lambda _: None)
    assert len(bench.pids) == 1


async def test_key_and_path_are_in_no_argument_and_no_environment(bench: LocalBench) -> None:
    bench.file()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GEMINI_API_KEY", "of-another-0123456789")
        await bench.adapter().execute(asked(), lambda _: None)
    (child, *_) = bench.notes
    told = json.dumps([child["argv"], child["env"]])
    assert child["asked"]["key"] not in told
    assert str(bench.path) not in told
    assert "of-another-0123456789" not in told
    assert len(child["asked"]["key"]) > 30


async def test_context_threads_and_schema_reach_it(bench: LocalBench) -> None:
    bench.file()
    adapter = bench.adapter(context=1024, threads=3)
    await adapter.execute(asked(schema={"type": "object"}), lambda _: None)
    child, request = bench.notes
    assert (child["asked"]["context"], child["asked"]["threads"]) == (1024, 3)
    assert request["body"]["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert request["body"]["model"] == adapter.info().model == "tiny"


@posix_only
@pytest.mark.parametrize(
    ("play", "error", "says"),
    [
        ({"die": "start", "signal": "SIGILL"}, ProcessFailed, "needs AVX2"),
        ({"die": "start", "signal": "SIGKILL"}, ProcessFailed, "too little memory"),
        ({"die": "answer", "signal": "SIGILL"}, ProcessFailed, "needs AVX2"),
        ({"die": "answer", "signal": "SIGSEGV"}, ProcessFailed, "crashed (signal 11)"),
        ({"error": {"error": "load", "detail": "bad\x1b[2J"}}, ModelNotFound, "cannot load"),
        ({"error": {"error": "missing", "detail": "no .so"}}, ProcessFailed, "pip install"),
        ({"garbage": "Segmentation fault"}, InvalidResponse, "another language"),
        ({"garbage": "[1]"}, InvalidResponse, "another language"),
    ],
)
async def test_a_child_that_fails_is_a_sentence_and_the_next_call_tries_again(
    bench: LocalBench, play: dict[str, object], error: type[AdapterError], says: str
) -> None:
    bench.file(**play)
    adapter = bench.adapter()
    with pytest.raises(error) as caught:
        await adapter.execute(asked(), lambda _: None)
    assert says in str(caught.value)
    assert str(caught.value).startswith("mine: ")
    assert "\x1b" not in str(caught.value)
    if play.get("die") == "answer":
        assert caught.value.partial == "Hello there "
    bench.file(say="Back again")
    answer = await adapter.execute(asked(), lambda _: None)
    assert answer.text == "Back again "
    assert len(bench.pids) == 2


@pytest.mark.parametrize(
    ("play", "error"),
    [
        ({"say": ""}, EmptyResponse),
        ({"status": 500}, ServerFailed),
        ({"stall": True}, IdleTimeout),
    ],
)
async def test_an_error_of_a_child_that_lives_is_its_own(
    bench: LocalBench,
    monkeypatch: pytest.MonkeyPatch,
    play: dict[str, object],
    error: type[AdapterError],
) -> None:
    """Nobody waits for an end of the child, as after a broken connection."""
    monkeypatch.setattr(models, "END_WAIT", 3600.0)
    bench.file(**play)
    with pytest.raises(error):
        await asyncio.wait_for(bench.adapter().execute(asked(idle=0.5), lambda _: None), 60)
    assert all(map(is_alive, bench.pids))


@pytest.mark.parametrize(
    ("data", "says"),
    [(None, "cannot be read: No such file"), (b"", "no GGUF file"), (b"GIF89a", "no GGUF file")],
)
async def test_a_file_that_is_none_starts_nothing(
    bench: LocalBench, data: bytes | None, says: str
) -> None:
    if data is not None:
        bench.path.write_bytes(data)
    with pytest.raises(ModelNotFound, match=says):
        await bench.adapter().execute(asked(), lambda _: None)
    assert bench.pids == []


async def test_a_child_that_does_not_get_ready_is_ended_in_time(bench: LocalBench) -> None:
    bench.file(hang=True)
    with pytest.raises(FirstByteTimeout, match="was not loaded within 1 s"):
        await bench.adapter().execute(asked(first_byte=1.0), lambda _: None)
    assert not any(map(is_alive, bench.pids))


async def test_a_call_that_is_cancelled_while_loading_leaves_nothing(bench: LocalBench) -> None:
    bench.file(hang=True)
    call = asyncio.create_task(bench.adapter().execute(asked(), lambda _: None))
    await until(lambda: bool(bench.pids))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not any(map(is_alive, bench.pids))


async def test_a_cancelled_answer_keeps_the_model_loaded(bench: LocalBench) -> None:
    bench.file(stall=True)
    begun = asyncio.Event()
    adapter = bench.adapter()
    call = asyncio.create_task(adapter.execute(asked(), lambda _: begun.set()))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert list(map(is_alive, bench.pids)) == [True]


@posix_only
async def test_nothing_is_left_when_we_are_killed(bench: LocalBench, tmp_path: Path) -> None:
    bench.file()
    code = f"""
        import asyncio, os
        from pathlib import Path
        from orchestra_tui.engine.adapters.local.models import LocalModels, ModelFile

        async def main():
            models = LocalModels(os.environ, program={PROGRAM!r})
            await models.server(ModelFile(Path({str(bench.path)!r}), 512, 1)).serving(30)
            print("loaded", flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    with process.stdout:
        assert await asyncio.to_thread(process.stdout.readline) == b"loaded\n"
        (child,) = bench.pids
        assert is_alive(child)
        process.send_signal(signal.SIGKILL)
        process.wait()
    await until(lambda: not is_alive(child))


async def test_a_key_in_its_answer_is_not_let_out(
    bench: LocalBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard stands before it as before every other adapter."""
    monkeypatch.setattr(local, "PACKAGE", "json")
    key = "sk-local-0123456789abcdef"
    bench.file(say=f"the file says {key}")
    settings = AdapterSettings.model_validate(
        {"name": "mine", "kind": "local", "model_path": str(bench.path)}
    )
    adapter = build_adapter(settings, {"OPENAI_API_KEY": key}, models=bench.models)
    with pytest.raises(InvalidResponse, match="holds a key of yours") as caught:
        await adapter.execute(asked(), lambda _: None)
    assert key not in str(caught.value)
    await adapter.close()


def test_without_the_package_the_sentence_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "PACKAGE", "no_such_package_here")
    settings = AdapterSettings.model_validate(
        {"name": "mine", "kind": "local", "model_path": str(tmp_path / "x.gguf")}
    )
    with pytest.raises(NotConfigured, match="pip install 'orchestra-tui\\[local\\]'"):
        build_adapter(settings, {})


async def test_the_doctor_looks_at_the_file_and_loads_nothing(
    bench: LocalBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "PACKAGE", "json")
    bench.file()
    adapters = [
        AdapterSettings.model_validate({"name": name, "kind": "local", "model_path": str(path)})
        for name, path in (("there", bench.path), ("gone", bench.path.with_name("gone.gguf")))
    ]
    found = await probe(Settings(adapters=tuple(adapters)), {}, servers=())
    assert [(line.state, line.is_usable, line.is_free) for line in found[:2]] == [
        ("found", True, True),
        ("broken", False, True),
    ]
    assert "check model_path" in found[1].detail
    assert "model_path" in _gguf(found).detail
    monkeypatch.setattr(local, "PACKAGE", "no_such_package_here")
    found = await probe(Settings(adapters=tuple(adapters)), {}, servers=())
    assert found[0].state == "broken"
    assert _gguf(found).detail == 'pip install "orchestra-tui[local]", then choose a .gguf file'
    assert bench.notes == []


def _gguf(lines: tuple[DoctorLine, ...]) -> DoctorLine:
    return next(line for line in lines if line.key == "gguf")


def test_a_chain_asks_it_one_call_at_a_time(
    bench: LocalBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "PACKAGE", "json")
    settings = {"name": "mine", "kind": "local", "model_path": str(bench.path)}
    adapters = (AdapterSettings.model_validate(settings),)
    chains = build_chains(Settings(adapters=adapters), {}, models=bench.models)
    assert [link.at_once for link in chains.links(Role.EXECUTOR)] == [1]


def test_its_settings() -> None:
    found = AdapterSettings.model_validate(
        {"name": "x", "kind": "local", "model_path": "~/models/x.gguf"}
    )
    assert found.structured_output is StructuredOutput.JSON_SCHEMA
    assert found.first_byte_timeout == 300.0
    file = local.model_file(found)
    assert file.path == Path.home() / "models" / "x.gguf"
    assert (file.context, file.threads) == (8192, max(1, (os.cpu_count() or 2) // 2))
    nobody = found.model_copy(update={"model_path": "~no-such-user/x.gguf"})
    with pytest.raises(ModelNotFound, match=r"~no-such-user/x\.gguf cannot be read"):
        models.look_at(local.model_file(nobody).path)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "local"}, "local needs model_path"),
        ({"kind": "local", "model_path": "x", "context": 1}, "context"),
        ({"kind": "codex", "model_path": "x"}, "model_path is not for codex"),
        ({"kind": "local", "model_path": "x\0y"}, "a NUL character"),
        ({"kind": "codex", "command": "x\0y"}, "a NUL character"),
        ({"kind": "acp", "command": ["x", "\0"]}, "a NUL character"),
    ],
)
def test_settings_that_do_not_fit_are_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AdapterSettings.model_validate({"name": "x", **fields})
