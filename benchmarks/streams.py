"""Many answers at once over HTTP: is every piece there, does memory stay, is a cancel quick?

    python -m benchmarks.streams [--streams 64] [--minutes 10]

The adapters of all four dialects stream from a server in another process on this machine. Each
stream is as long as a long answer and is followed by the next one, until the time is over; then
all that run are cancelled. What is shown is set against its limit: memory against 50 MB, the
cancel against 2 seconds; of the pieces none may be missing.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import Adapter, CompletionRequest, Message
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.rehearsal.transport import AppRequest, Reply
from tests.stubs.dialects import ALL, WireDialect
from tests.stubs.openai_server import EVENTS, StubServer

PIECES = 400
EVERY = 0.05
"""Seconds between two pieces of one answer: 20 a second, as a quick model writes."""
MAX_GROWTH_MB = 50
MAX_CANCEL = 2.0
WARM = 0.1
"""The part of the time after which memory is first read: pools and caches are full by then."""
WHOLE = "".join(f"{number} " for number in range(PIECES))


@dataclass
class Source:
    """The server's side: numbered pieces in the dialect that the path names."""

    dialects: Mapping[str, WireDialect]
    running: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def app(self, request: AppRequest, reply: Reply) -> None:
        """One answer; at `/idle` an answer as soon as no other is being sent."""
        if request.path == "/v1/idle":
            async with self.changed:
                await self.changed.wait_for(lambda: self.running == 0)
            await reply.start(200, {"content-type": "text/plain"})
            return
        dialect = self.dialects[request.path.split("/")[2]]
        self.running += 1
        try:
            await reply.start(200, EVENTS)
            await reply.send(dialect.begin)
            for number in range(PIECES):
                await reply.send(dialect.said(f"{number} "))
                await asyncio.sleep(EVERY)
            await reply.send(dialect.end("stop"))
        finally:
            self.running -= 1
            async with self.changed:
                self.changed.notify_all()


async def serve() -> None:
    """Serve until standard input ends."""
    source = Source({dialect.kind: dialect for dialect in ALL})
    async with StubServer(source.app) as server:
        print(server.base_url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


@dataclass
class Tally:
    """What came of the streams."""

    answers: int = 0
    pieces: int = 0
    damaged: list[str] = field(default_factory=list)


async def keep_asking(adapter: Adapter, number: int, tally: Tally) -> None:
    """One answer after the other, each compared with what was sent."""
    request = CompletionRequest(
        key=CallKey(f"r1/s{number}/execute/1/call/1"),
        role=Role.EXECUTOR,
        path=None,
        task="",
        messages=(Message("user", "write"),),
    )
    while True:
        heard: list[str] = []
        completion = await adapter.execute(request, heard.append)
        tally.answers += 1
        tally.pieces += len(heard)
        if not completion.text == "".join(heard) == WHOLE:
            tally.damaged.append(adapter.info().name)


def memory_mb() -> float:
    """What this process holds in memory now (Linux)."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def seconds_to_cancel(tasks: list[asyncio.Task[None]], base_url: str) -> float:
    """How long until our side is done and the server sends to nobody any more."""
    began = time.perf_counter()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{base_url}/idle", timeout=10 * MAX_CANCEL)
    return time.perf_counter() - began


async def measure(base_url: str, streams: int, minutes: float) -> None:
    """Stream, look, cancel, tell."""
    adapters = [
        build_adapter(
            AdapterSettings.model_validate(
                {
                    "name": dialect.kind,
                    "kind": dialect.kind,
                    "base_url": f"{base_url}/{dialect.kind}",
                    "model": "m",
                }
            ),
            {},
        )
        for dialect in ALL
    ]
    tally = Tally()
    tasks = [
        asyncio.create_task(keep_asking(adapters[number % len(adapters)], number, tally))
        for number in range(streams)
    ]
    await asyncio.wait(tasks, timeout=minutes * 60 * WARM)
    before = memory_mb()
    done, _ = await asyncio.wait(tasks, timeout=minutes * 60 * (1 - WARM))
    growth = memory_mb() - before
    cancel = await seconds_to_cancel(tasks, base_url)
    for adapter in adapters:
        await adapter.close()
    print(f"{streams} streams at once, {minutes:g} minutes, {len(adapters)} dialects")
    print(f"answers {tally.answers}, pieces {tally.pieces}, damaged {len(tally.damaged)} (limit 0)")
    print(f"streams that ended with an error: {len(done)} (limit 0)")
    print(f"memory growth / limit: {growth / MAX_GROWTH_MB:.2f} ({growth:.1f} MB)")
    print(f"cancel / limit: {cancel / MAX_CANCEL:.2f} ({cancel:.2f} s)")


def main() -> None:
    """Start the server and measure against it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    command = [sys.executable, "-m", "benchmarks.streams", "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            asyncio.run(measure(server.stdout.readline().strip(), options.streams, options.minutes))
        finally:
            server.stdin.close()


if __name__ == "__main__":
    main()
