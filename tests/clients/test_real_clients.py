"""The real codex, claude and gemini, driven by our adapters against a server of this machine.

Run with `make test-clients`; nothing is sent anywhere else, and no key is a real one. A run in
which all tests passed writes the seconds that docs/adapters.md shows (`make docs-tables`).
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestra_tui.domain.calls import FinishReason, Usage
from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.workspace.overlay_probe import look_for_overlay
from tests.clients.programs import KINDS, installed
from tests.clients.real_client import RealClient
from tests.stubs.client_dialects import CACHED, CONTENT, HELLO, IN, OUT, WORDED
from tests.stubs.client_server import client_server

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1000)]

REPLY = f"=== FILE hello.txt\n{CONTENT}=== END FILE\n=== END REPLY\n"
ALL = pytest.mark.parametrize("kind", KINDS)
LATE = ("codex", "opencode", "vibe")
"""They say nothing before a message is whole."""

ERRORS: dict[str, type[base.AdapterError]] = {
    "401": base.AuthenticationFailed,
    "400": base.RequestRefused,
    "429": base.RateLimited,
    "429-date": base.RateLimited,
    "429-ms": base.RateLimited,
    "429-text": base.RateLimited,
    "429-bare": base.RateLimited,
    # Nobody waits for an hour, nor for three years.
    "429-long": base.RateLimited,
    "429-absurd": base.RateLimited,
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
WAITS = {
    ("claude", "429"): 1.0,
    ("gemini_cli", "429-text"): WORDED,
    ("opencode", "429-text"): WORDED,
    ("vibe", "429-text"): WORDED,
}
"""What a client passes on of the time that the server names, in seconds."""
QUICK = 25.0
"""Seconds within which a failure must be ours to decide on; alone they take minutes."""
TWO_SECONDS = 2.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with client_server() as url:
        yield url


@pytest.fixture
def client(
    kind: str,
    server: str,
    tmp_path: Path,
    stopwatch: dict[str, dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RealClient]:
    installed(kind)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    real = RealClient(kind, tmp_path, server)
    yield real
    real.assert_nothing_left()
    stopwatch.setdefault(kind, {}).update(real.took)


@ALL
async def test_it_is_found(client: RealClient) -> None:
    assert await client.adapter("plain").is_available()


@ALL
async def test_a_plain_answer(client: RealClient, kind: str) -> None:
    answer = await client.ask("plain")
    assert answer.text.strip() == HELLO
    assert answer.finish is FinishReason.STOP
    assert "".join(client.deltas).strip() == HELLO
    # Not every client tells these.
    untold = {
        name: getattr(answer.usage, name) for name in ("reasoning_tokens", "cache_write_tokens")
    }
    assert untold["cache_write_tokens"] in {0, None}
    assert answer.usage == Usage(input_tokens=IN, output_tokens=OUT, cached_tokens=CACHED, **untold)


@ALL
async def test_a_file_that_it_wrote_is_the_reply(client: RealClient) -> None:
    answer = await client.ask("edit")
    assert answer.text == REPLY
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2 * IN, 2 * OUT)


@ALL
async def test_a_reader_writes_nothing(client: RealClient) -> None:
    answer = await client.ask("edit", role=Role.AUDITOR, name="edit-refused")
    assert answer.text.strip() == HELLO


@ALL
@pytest.mark.parametrize("case", list(ERRORS))
async def test_a_failure_is_told_quickly(client: RealClient, kind: str, case: str) -> None:
    with pytest.raises(base.AdapterError) as caught:
        await client.ask(case)
    assert type(caught.value) is OTHERWISE.get((kind, case), ERRORS[case]), str(caught.value)
    if case.startswith("429"):
        wait = WAITS.get((kind, case))
        assert caught.value.retry_after == (wait and pytest.approx(wait, rel=0.25))
    assert client.took[case] < QUICK


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
    silence = base.FirstByteTimeout if kind in LATE else base.IdleTimeout
    with pytest.raises(silence):
        await client.ask("hang-stream", first=8.0, idle=3.0)


# The others are offered no shell.
@pytest.mark.parametrize(
    ("kind", "case"),
    [*((kind, case) for case in ("hang", "hang-stream") for kind in KINDS), ("codex", "shell")],
)
async def test_cancel_leaves_nothing(client: RealClient, case: str) -> None:
    asking = asyncio.create_task(client.ask(case, name="cancel"))
    await asyncio.sleep(6.0)
    began = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    client.took["cancel"] = time.monotonic() - began
    client.assert_nothing_left()
    assert time.monotonic() - began < TWO_SECONDS


@pytest.fixture
def overlaid(client: RealClient, tmp_path: Path) -> RealClient:
    (tmp_path / "other").mkdir()
    found = look_for_overlay(tmp_path / "other", os.environ)
    if isinstance(found, str):
        pytest.skip(f"no overlay here: {found}")
    client.is_overlaid = True
    return client


@ALL
@pytest.mark.parametrize("role", [Role.EXECUTOR, Role.AUDITOR])
async def test_it_works_in_an_overlay(overlaid: RealClient, role: Role) -> None:
    answer = await overlaid.ask("edit", role=role, name="in an overlay")
    assert answer.text.strip() == (REPLY if role is Role.EXECUTOR else HELLO).strip()


@pytest.mark.parametrize(
    ("kind", "case"), [*((kind, "hang-stream") for kind in KINDS), ("codex", "shell")]
)
async def test_cancel_leaves_nothing_in_an_overlay(overlaid: RealClient, case: str) -> None:
    asking = asyncio.create_task(overlaid.ask(case, name="in an overlay"))
    await asyncio.sleep(6.0)
    began = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    overlaid.assert_nothing_left()
    assert time.monotonic() - began < TWO_SECONDS
