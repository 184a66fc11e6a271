"""The two ways an app reaches the adapter in tests: a loopback socket, and inside the process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from pydantic import SecretStr

from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings
from orchestra_tui.engine.adapters.base import Adapter, AdapterError, CompletionRequest, Message
from orchestra_tui.engine.adapters.openai_compatible import OpenAICompatibleAdapter
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.rehearsal.transport import App, InProcessTransport
from tests.stubs.dialects import WireDialect
from tests.stubs.openai_server import StubServer

Wire = Callable[[App], AbstractAsyncContextManager[OpenAICompatibleAdapter]]


def question(
    *, first_byte: float = 20.0, idle: float = 20.0, total: float = 30.0
) -> CompletionRequest:
    """A request with generous timeouts; a test that wants one to fire makes that one short."""
    return CompletionRequest(
        key=CallKey("r1/s1/execute/1/call/1"),
        role=Role.EXECUTOR,
        path="a.py",
        task="write a",
        messages=(Message("system", "be brief"), Message("user", "hello")),
        first_byte_timeout=first_byte,
        idle_timeout=idle,
        total_timeout=total,
    )


@asynccontextmanager
async def over_socket(app: App) -> AsyncIterator[OpenAICompatibleAdapter]:
    """An adapter that talks to `app` through a real connection."""
    async with StubServer(app) as server:
        adapter = OpenAICompatibleAdapter("stub", server.base_url, "m")
        try:
            yield adapter
        finally:
            await adapter.close()


@asynccontextmanager
async def in_process(app: App) -> AsyncIterator[OpenAICompatibleAdapter]:
    """An adapter that talks to `app` through the transport of the rehearsal."""
    transport = InProcessTransport(app)
    adapter = OpenAICompatibleAdapter("stub", "http://stub.invalid/v1", "m", transport=transport)
    try:
        yield adapter
    finally:
        await adapter.close()


KEY = SecretStr("k-very-secret-0123456789")

both_wires = pytest.mark.parametrize("wire", [over_socket, in_process])


@asynccontextmanager
async def adapter_for(
    dialect: WireDialect, app: App, **fields: str
) -> AsyncIterator[tuple[Adapter, StubServer]]:
    """An adapter of this kind that talks to `app` unless told otherwise, and the server."""
    async with StubServer(app) as server:
        written = {"base_url": server.base_url, "model": "m", "api_key_env": "KEY", **fields}
        settings = AdapterSettings(name="stub", kind=AdapterKind(dialect.kind), **written)
        adapter = build_adapter(settings, {"KEY": KEY.get_secret_value()})
        try:
            yield adapter, server
        finally:
            await adapter.close()


async def failure(wire: Wire, app: App, request: CompletionRequest | None = None) -> AdapterError:
    """The error that the adapter raises for this app."""
    async with wire(app) as adapter:
        with pytest.raises(AdapterError) as caught:
            await adapter.execute(request or question(), lambda _: None)
    return caught.value
