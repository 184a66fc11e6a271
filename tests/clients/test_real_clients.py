"""The real codex, claude and gemini, driven by our adapters against a server of this machine.

Run with `make test-clients`; nothing is sent anywhere else, and no key is a real one.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterKind
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.process.adapter import ProcessAdapter
from orchestra_tui.engine.adapters.process.build import CLIENTS
from orchestra_tui.engine.adapters.process.client import ClientSettings
from orchestra_tui.engine.adapters.process.warden import descendants
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_tree import PrivateCopies
from orchestra_tui.engine.workspace.tree import open_tree
from tests.clients.programs import KINDS, installed
from tests.stubs.client_dialects import CACHED, CONTENT, HELLO, IN, OUT
from tests.stubs.client_server import client_server

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1000)]

SUFFIX = {"codex": "/v1", "claude": "", "gemini_cli": ""}
MODEL = {"codex": "gpt-5.5", "claude": "claude-opus-4-8", "gemini_cli": "gemini-2.5-pro"}
REPLY = f"=== FILE hello.txt\n{CONTENT}=== END FILE\n=== END REPLY\n"
ALL = pytest.mark.parametrize("kind", KINDS)

ERRORS: dict[str, type[base.AdapterError]] = {
    "401": base.AuthenticationFailed,
    "400": base.RequestRefused,
    "429": base.RateLimited,
    "429-quota": base.QuotaExhausted,
    "500": base.ServerFailed,
    "cut": base.StreamCut,
    "malformed": base.InvalidResponse,
    "empty": base.EmptyResponse,
    "down": base.ConnectionFailed,
}
OTHERWISE = {
    # Its sentence for every 5xx is "high demand".
    ("codex", "500"): base.Overloaded,
    # It tells a broken event from a broken line not at all.
    ("codex", "malformed"): base.StreamCut,
    # Its retry notice says "rate_limit" for both.
    ("claude", "429-quota"): base.RateLimited,
}
QUICK = 15.0
"""Seconds within which a failure must be ours to decide on; alone they take minutes."""


@dataclass
class RealClient:
    """One program with a project and a home of its own."""

    kind: str
    folder: Path
    server: str
    deltas: list[str] = field(default_factory=list)

    def adapter(self, case: str) -> ProcessAdapter:
        project, home = self.folder / "project", self.folder / "home"
        project.mkdir()
        home.mkdir()
        (project / "README.md").write_text("# demo\n")
        tree = open_tree(project)
        server = "http://127.0.0.1:9" if case == "down" else self.server
        settings = ClientSettings(
            name=self.kind,
            command=str(installed(self.kind)),
            model=MODEL[self.kind],
            base_url=f"{server}/s/{case}{SUFFIX[self.kind]}",
            key="no-real-key-0001",
        )
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        copies = PrivateCopies(tree, ProjectFiles(tree))
        client = CLIENTS[AdapterKind(self.kind)]()
        return ProcessAdapter(client, settings, environ, copies, own_pace=False)

    async def ask(
        self, case: str, *, role: Role = Role.EXECUTOR, first: float = 60.0, idle: float = 30.0
    ) -> base.Completion:
        request = base.CompletionRequest(
            key=CallKey("r1/s1/execute/1/call/1"),
            role=role,
            path="hello.txt",
            task="greet",
            messages=(base.Message("user", "Create hello.txt."),),
            first_byte_timeout=first,
            idle_timeout=idle,
            total_timeout=120.0,
        )
        return await self.adapter(case).execute(request, self.deltas.append)

    def assert_nothing_changed(self) -> None:
        assert [path.name for path in (self.folder / "project").iterdir()] == ["README.md"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with client_server() as url:
        yield url


@pytest.fixture
def client(kind: str, server: str, tmp_path: Path) -> Iterator[RealClient]:
    installed(kind)
    real = RealClient(kind, tmp_path, server)
    yield real
    assert descendants(os.getpid()) == set(), "a process of the client is left"
    real.assert_nothing_changed()


@ALL
async def test_it_is_found(client: RealClient) -> None:
    assert await client.adapter("plain").is_available()


@ALL
async def test_a_plain_answer(client: RealClient) -> None:
    answer = await client.ask("plain")
    assert answer.text.strip() == HELLO
    assert answer.finish is FinishReason.STOP
    assert "".join(client.deltas).strip() == HELLO
    thought = answer.usage.reasoning_tokens
    assert answer.usage == Usage(
        input_tokens=IN, output_tokens=OUT, cached_tokens=CACHED, reasoning_tokens=thought
    )


@ALL
async def test_a_file_that_it_wrote_is_the_reply(client: RealClient) -> None:
    answer = await client.ask("edit")
    assert answer.text == REPLY
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2 * IN, 2 * OUT)


@ALL
async def test_a_reader_writes_nothing(client: RealClient) -> None:
    answer = await client.ask("edit", role=Role.AUDITOR)
    assert answer.text.strip() == HELLO


@ALL
@pytest.mark.parametrize("case", list(ERRORS))
async def test_a_failure_is_told_quickly(client: RealClient, kind: str, case: str) -> None:
    began = time.monotonic()
    with pytest.raises(base.AdapterError) as caught:
        await client.ask(case)
    assert type(caught.value) is OTHERWISE.get((kind, case), ERRORS[case]), str(caught.value)
    assert time.monotonic() - began < QUICK


@ALL
async def test_a_rate_limit_of_an_hour_is_not_waited_out(client: RealClient) -> None:
    began = time.monotonic()
    with pytest.raises(base.RateLimited):
        await client.ask("429-long")
    assert time.monotonic() - began < QUICK


@ALL
async def test_a_cut_answer(client: RealClient, kind: str) -> None:
    answer = await client.ask("length")
    # gemini says nothing of it; the missing end is found when the reply is read.
    expected = FinishReason.STOP if kind == "gemini_cli" else FinishReason.LENGTH
    assert answer.finish is expected


@ALL
async def test_silence_before_headers(client: RealClient) -> None:
    with pytest.raises(base.FirstByteTimeout):
        await client.ask("hang", first=8.0)


@ALL
async def test_silence_in_mid_stream(client: RealClient, kind: str) -> None:
    # codex says nothing before a message is whole.
    silence = base.FirstByteTimeout if kind == "codex" else base.IdleTimeout
    with pytest.raises(silence):
        await client.ask("hang-stream", first=10.0, idle=3.0)


# The others are offered no shell.
@pytest.mark.parametrize(
    ("kind", "case"), [*((kind, "hang-stream") for kind in KINDS), ("codex", "shell")]
)
async def test_cancel_leaves_nothing(client: RealClient, case: str) -> None:
    asking = asyncio.create_task(client.ask(case))
    await asyncio.sleep(6.0)
    began = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert time.monotonic() - began < 2.0
