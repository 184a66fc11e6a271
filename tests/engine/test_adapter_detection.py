"""The doctor's probe, against programs and servers that tell the truth, lie, or hang."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from orchestra_tui.domain.doctor import DoctorLine, Offer
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.settings import AdapterSettings, Settings
from orchestra_tui.engine.adapters.detect_programs import look_for_program
from orchestra_tui.engine.adapters.detect_servers import (
    LocalServer,
    llama_cpp_models,
    lm_studio_models,
    local_servers,
    look_for_server,
    ollama_models,
)
from orchestra_tui.engine.adapters.detection import Probes, probe
from orchestra_tui.engine.adapters.rehearsal.transport import App
from tests.stubs.openai_server import JSON, StubServer, raw, stall_after

KEY = "sk-do-not-show-this-0123456789"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="the doubles are shell scripts")


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment in which `name` is this shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed orphan may wait for its parent to look at it.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


async def ends(pid: int) -> None:
    """A signal was sent: the kernel may need a moment to deliver it."""
    async with asyncio.timeout(20):
        while is_alive(pid):
            await asyncio.to_thread(os.sched_yield)


@posix_only
async def test_a_program_that_starts_shows_its_version(tmp_path: Path) -> None:
    environ = program(tmp_path, "codex", "printf 'codex 0.44.0\\033[31m\\nmore\\n'")
    line = await look_for_program("codex", environ)
    assert line.state == "found"
    assert line.detail.startswith("codex 0.44.0")
    assert "\x1b" not in line.detail
    assert line.offer == Offer(name="codex", fields={"kind": "codex"})
    assert not line.is_usable


@posix_only
async def test_a_program_that_breaks_says_how(tmp_path: Path) -> None:
    environ = program(tmp_path, "claude", "echo boom >&2; exit 3")
    line = await look_for_program("claude", environ)
    assert (line.state, line.detail) == ("broken", "exit status 3: boom")


@posix_only
async def test_a_file_that_is_no_program_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "gemini"
    path.write_bytes(b"\x7fELF not really")
    path.chmod(0o755)
    line = await look_for_program("gemini", {"PATH": str(tmp_path)})
    assert line.state == "broken"


async def test_a_program_that_is_not_there_is_missing(tmp_path: Path) -> None:
    assert (await look_for_program("vibe", {"PATH": str(tmp_path)})).state == "missing"


@posix_only
async def test_a_program_in_a_relative_folder_is_never_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "codex", "touch started")
    monkeypatch.chdir(tmp_path)
    assert (await look_for_program("codex", {"PATH": "."})).state == "missing"
    assert not (tmp_path / "started").exists()


@posix_only
async def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    environ = program(tmp_path, "codex", f"sleep 300 & echo $! > {pids}; sleep 300")
    loop = asyncio.get_running_loop()
    began = loop.time()
    line = await look_for_program("codex", environ, seconds=1.0)
    assert line.state == "silent"
    assert loop.time() - began < 20
    await ends(int(pids.read_text()))


@posix_only
async def test_what_a_program_leaves_behind_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    environ = program(tmp_path, "codex", f"sleep 300 & echo $! > {pids}; echo codex 1")
    line = await look_for_program("codex", environ, seconds=5.0)
    assert (line.state, line.detail[:7]) == ("found", "codex 1")
    await ends(int(pids.read_text()))


@pytest.mark.parametrize(
    ("kind", "body", "state", "words"),
    [
        ("Ollama", b'{"models": [{"name": "qwen2.5-coder:7b"}]}', "found", "qwen2.5-coder:7b"),
        ("Ollama", b'{"models": []}', "found", "no model yet"),
        ("Ollama", b"Ollama is running", "foreign", "something else"),
        ("LM Studio", b'{"data": [{"id": "a"}, {"id": "b\\u001b[31m"}]}', "found", "a, b"),
        ("LM Studio", b'{"data": [{"id": "a", "owned_by": "llamacpp"}]}', "foreign", ""),
        ("llama.cpp", b'{"data": [{"id": "a", "owned_by": "llamacpp"}]}', "found", "a"),
        ("llama.cpp", b'{"data": [{"id": "a", "owned_by": "me"}]}', "foreign", ""),
        ("llama.cpp", b"<html>my site</html>", "foreign", ""),
        ("llama.cpp", b'{"data": [1]}', "foreign", ""),
        ("llama.cpp", b"[" * 100_000, "foreign", ""),
    ],
)
async def test_a_server_is_known_by_its_shape(
    kind: str, body: bytes, state: str, words: str
) -> None:
    line = await look(kind, raw(body, headers=JSON))
    assert line.state == state
    assert words in line.detail
    assert "\x1b" not in line.detail
    assert not line.is_usable


PRESETS = {"Ollama": "ollama", "LM Studio": "lmstudio", "llama.cpp": "llamacpp"}


async def look(kind: str, app: App, *, seconds: float = 5.0) -> DoctorLine:
    readers = {
        "Ollama": ollama_models,
        "LM Studio": lm_studio_models,
        "llama.cpp": llama_cpp_models,
    }
    async with StubServer(app) as stub:
        server = LocalServer(
            kind, stub.base_url, "models", readers[kind], stub.base_url, PRESETS[kind]
        )
        return await look_for_server(server, seconds=seconds)


async def test_a_server_that_hangs_is_silent() -> None:
    assert (await look("Ollama", stall_after(b"{"), seconds=0.3)).state == "silent"


async def test_a_port_where_nobody_listens_is_missing() -> None:
    server = LocalServer("Ollama", "http://127.0.0.1:9", "api/tags", ollama_models, "", "ollama")
    assert (await look_for_server(server)).state == "missing"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - a setting that is read, not bound
        ("0.0.0.0:1234", "http://127.0.0.1:1234"),
        ("http://box:99/", "http://box:99"),
        ("https://box", "https://box:11434"),
        ("box", "http://box:11434"),
    ],
)
def test_ollama_is_looked_for_where_it_was_put(host: str, url: str) -> None:
    assert local_servers({"OLLAMA_HOST": host})[0].url == url


async def test_a_host_that_is_none_is_broken_and_not_a_crash() -> None:
    server = local_servers({"OLLAMA_HOST": "http://[::bad"})[0]
    assert (await look_for_server(server)).state == "broken"


async def test_only_what_is_configured_is_usable(tmp_path: Path) -> None:
    async with StubServer(raw(b'{"data": []}', headers=JSON)) as stub:
        settings = Settings(
            adapters=(
                AdapterSettings(name="local", base_url=stub.base_url, model="m"),
                AdapterSettings(name="gone", base_url="http://127.0.0.1:9/v1", model="m"),
                AdapterSettings(
                    name="far", base_url="https://far.invalid/v1", model="m", api_key_env="K"
                ),
                AdapterSettings(
                    name="keyless", base_url="https://far.invalid/v1", model="m", api_key_env="NO"
                ),
            )
        )
        environ = {"PATH": str(tmp_path), "K": KEY, "OPENAI_API_KEY": KEY}
        lines = await probe(settings, environ, servers=())
        asked = len(stub.requests)
    states = {line.name: (line.state, line.is_usable) for line in lines}
    assert states["local (m)"] == ("found", True)
    assert states["gone (m)"] == ("silent", False)
    assert states["far (m)"] == ("found", True)
    assert states["keyless (m)"] == ("broken", False)
    assert states["OPENAI_API_KEY"] == ("found", False)
    assert states["codex CLI"] == ("missing", False)
    wanted = {line.name: (line.adapter, line.key_variable, line.is_free) for line in lines}
    assert wanted["keyless (m)"] == ("keyless", "NO", False)
    assert wanted["far (m)"] == ("far", "", False)
    assert wanted["local (m)"] == ("local", "", True)
    assert states["rehearsal"] == ("found", False)
    assert asked == 1
    assert KEY not in repr(lines)
    assert f"{len(KEY)} characters" in next(ln for ln in lines if ln.name == "far (m)").detail


async def test_with_nothing_there_it_still_says_what_it_looked_for(tmp_path: Path) -> None:
    lines = await probe(Settings(), {"PATH": str(tmp_path)}, servers=())
    assert not any(line.is_usable for line in lines)
    openai = next(line for line in lines if line.name == "OPENAI_API_KEY")
    assert (openai.state, openai.key_variable) == ("missing", "OPENAI_API_KEY")
    assert openai.is_minor
    assert not any(line.offer for line in lines)
    assert lines[-1].name == "rehearsal"


async def test_an_address_that_is_none_is_broken_and_not_a_crash(tmp_path: Path) -> None:
    settings = Settings(adapters=(AdapterSettings(name="odd", base_url="ftp://x", model="m"),))
    lines = await probe(settings, {"PATH": str(tmp_path)}, servers=())
    assert (lines[0].adapter, lines[0].state) == ("odd", "broken")


async def test_a_probe_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not look for"):
        await Probes(Settings(), {"PATH": str(tmp_path)}).look("program:rm")


@pytest.mark.parametrize(
    ("names", "offered"),
    [
        (["nomic-embed-text", "qwen2.5-coder:7b"], "qwen2.5-coder:7b"),
        (["nomic-embed-text"], None),
        (["", "a\nb", "c\u001b[31m", "\ud800", "x" * 300, "good"], "good"),
        ([], None),
    ],
)
async def test_a_model_is_offered_that_can_write_and_has_a_name(
    names: list[str], offered: str | None
) -> None:
    body = json.dumps({"models": [{"name": name} for name in names]}).encode()
    line = await look("Ollama", raw(body, headers=JSON))
    assert (line.offer.fields["model"] if line.offer else None) == offered


async def test_a_kept_key_can_be_replaced_and_one_of_the_environment_cannot(tmp_path: Path) -> None:
    """The environment goes before what is kept: a pasted key would not count."""
    far = AdapterSettings(name="far", base_url="https://far.invalid/v1", model="m", api_key_env="K")

    async def kept() -> dict[str, str]:
        return {"K": KEY, "OPENAI_API_KEY": KEY}

    environ = {"PATH": str(tmp_path), "OPENAI_API_KEY": KEY}
    lines = await probe(Settings(adapters=(far,)), environ, keys=kept, servers=())
    wanted = {line.name: (line.state, line.key_variable) for line in lines}
    assert wanted["far (m)"] == ("found", "K")
    assert wanted["OPENAI_API_KEY"] == ("found", "")
