"""Many answers at once through one adapter of each dialect: no piece is lost, a cancel ends all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import Adapter
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.rehearsal.transport import App, AppRequest, Reply
from tests.engine.adapter_wires import question
from tests.stubs.dialects import ALL
from tests.stubs.openai_server import EVENTS, StubServer

STREAMS = 64
PIECES = [f"{number} " for number in range(60)]
BY_KIND = {dialect.kind: dialect for dialect in ALL}


def answering(*, ends: bool) -> App:
    """Numbered pieces in the dialect that the path names, all streams in step."""

    async def app(request: AppRequest, reply: Reply) -> None:
        dialect = BY_KIND[request.path.split("/")[2]]
        await reply.start(200, EVENTS)
        await reply.send(dialect.begin)
        for piece in PIECES:
            await reply.send(dialect.said(piece))
            await asyncio.sleep(0)
        if not ends:
            await asyncio.Event().wait()
        await reply.send(dialect.end("stop"))

    return app


@asynccontextmanager
async def adapters_of(server: StubServer) -> AsyncIterator[list[Adapter]]:
    """One adapter of each dialect."""
    adapters = [
        build_adapter(
            AdapterSettings.model_validate(
                {"name": kind, "kind": kind, "base_url": f"{server.base_url}/{kind}", "model": "m"}
            ),
            {},
        )
        for kind in BY_KIND
    ]
    try:
        yield adapters
    finally:
        await asyncio.gather(*(adapter.close() for adapter in adapters))


async def test_no_piece_is_lost_among_many_streams() -> None:
    async def one(adapter: Adapter) -> tuple[str, list[str]]:
        heard: list[str] = []
        completion = await adapter.execute(question(), heard.append)
        return completion.text, heard

    async with StubServer(answering(ends=True)) as server, adapters_of(server) as adapters:
        asked = [one(adapters[number % len(adapters)]) for number in range(STREAMS)]
        answers = await asyncio.gather(*asked)
    whole = "".join(PIECES)
    assert [text for text, _ in answers] == [whole] * STREAMS
    assert ["".join(heard) for _, heard in answers] == [whole] * STREAMS


async def test_a_cancel_ends_every_stream_on_both_sides() -> None:
    waiting = asyncio.Semaphore(0)

    async def one(adapter: Adapter) -> None:
        count = 0

        def hear(_piece: str) -> None:
            nonlocal count
            count += 1
            if count == len(PIECES):
                waiting.release()

        await adapter.execute(question(), hear)

    async with StubServer(answering(ends=False)) as server, adapters_of(server) as adapters:
        tasks = [
            asyncio.create_task(one(adapters[number % len(adapters)])) for number in range(STREAMS)
        ]
        for _ in tasks:
            await waiting.acquire()
        for task in tasks:
            task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks, return_exceptions=True)
            while server.hung_up < STREAMS:
                server.client_left.clear()
                await server.client_left.wait()
    assert all(task.cancelled() for task in tasks)
