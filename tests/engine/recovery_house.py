"""The whole engine below its runtime, in memory but for the files: log, loop, runner, gate, apply.

Agents are functions of the request, so a repeated request is a repeated reply. `Killable` ends the
process in the only way that matters to the log: nothing is stored any more.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.calls import AdapterInfo, FinishReason, Usage
from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.ids import BlobHash, Role, SessionId, blob_hash
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import RunState
from orchestra_tui.engine.adapters.base import Completion, CompletionRequest, OnDelta
from orchestra_tui.engine.adapters.fallback import Link
from orchestra_tui.engine.adapters.prices import PriceBook
from orchestra_tui.engine.agents.architect import Architect
from orchestra_tui.engine.agents.auditor import Auditor
from orchestra_tui.engine.agents.consultant import Consultant
from orchestra_tui.engine.agents.executor import Executor
from orchestra_tui.engine.agents.prompts import PromptLibrary
from orchestra_tui.engine.apply import Applier
from orchestra_tui.engine.event_log import EventLog
from orchestra_tui.engine.orchestrator.calls import Caller
from orchestra_tui.engine.orchestrator.chains import Chains
from orchestra_tui.engine.orchestrator.command_rules import Surroundings, decide
from orchestra_tui.engine.orchestrator.ledger import Ledger
from orchestra_tui.engine.orchestrator.loop import Loop
from orchestra_tui.engine.orchestrator.open_chains import OpenChains
from orchestra_tui.engine.orchestrator.project_checks import ProjectChecks
from orchestra_tui.engine.orchestrator.runner import Runner
from orchestra_tui.engine.orchestrator.tools import Agents, Tools
from orchestra_tui.engine.store.memory import MemoryEventStore
from orchestra_tui.engine.validation.gate import Gate
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.tree import open_tree

SESSION = SessionId("s")
START = datetime(2026, 1, 1, tzinfo=UTC)
PASS = '{"verdict": "pass", "issues": [], "end": true}'


@dataclass(frozen=True)
class Said:
    """What an agent says: its text, and how it ends."""

    text: str
    finish: FinishReason = FinishReason.STOP


Agent = Callable[[CompletionRequest], Said]


class FunctionAdapter:
    """Answers by a function of the request, and remembers what it was asked."""

    def __init__(self, name: str, agent: Agent) -> None:
        self._info = AdapterInfo(name=name, model=f"{name}-1", provider=name)
        self._agent = agent
        self.requests: list[CompletionRequest] = []

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        self.requests.append(request)
        said = self._agent(request)
        on_delta(said.text)
        usage = Usage(input_tokens=10, output_tokens=len(said.text) // 4)
        return Completion(said.text, said.finish, usage, self._info.model)

    async def is_available(self) -> bool:
        return True

    def info(self) -> AdapterInfo:
        return self._info

    async def close(self) -> None:
        """Nothing is open."""


class MemoryBlobs:
    """A content store that is a dictionary."""

    def __init__(self) -> None:
        self._data: dict[BlobHash, bytes] = {}

    def put(self, data: bytes) -> BlobHash:
        key = blob_hash(data)
        self._data[key] = data
        return key

    def get(self, blob: BlobHash) -> bytes:
        return self._data[blob]

    def has(self, blobs: Iterable[BlobHash]) -> bool:
        return all(blob in self._data for blob in blobs)


class Killable(MemoryEventStore):
    """Stores `left` records and then no more, as for a process that is dead; None stores all."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None

    async def append(
        self, records: Sequence[ev.Record], summary: SessionSummary | None = None
    ) -> None:
        if self.left is not None:
            self.left -= len(records)
            if self.left < 0:
                raise StorageError("the process is dead")
        await super().append(records, summary)


@dataclass
class Workshop:
    """A project folder with its agents; what it holds survives a crash of the engine in it."""

    root: Path
    adapters: tuple[FunctionAdapter, ...]
    gate: Gate
    store: Killable = field(default_factory=Killable)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)

    def write(self, files: Mapping[str, str]) -> None:
        """Put these files into the project, as the user."""
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(text.encode())

    def read(self, path: str) -> str | None:
        """What stands on disk; None is no file."""
        file = self.root / path
        return file.read_bytes().decode() if file.exists() else None

    async def records(self) -> list[ev.Record]:
        """The whole log."""
        return list(await self.store.read(SESSION))


@dataclass
class Site:
    """The engine at work in a workshop."""

    workshop: Workshop
    log: EventLog
    loop: Loop
    tools: Tools

    @property
    def run(self) -> RunState:
        run = self.log.state.run
        assert run is not None
        return run

    async def start(self, plan: Plan, settings: RunSettings) -> None:
        """Give the task with its plan, and approve it."""
        command = cmd.StartRun(task="the task", settings=settings, plan=plan)
        await self.log.append(*decide(command, self.log.state, Surroundings()))
        approve = cmd.ApprovePlan(plan=plan)
        await self.log.append(*decide(approve, self.log.state, Surroundings()))

    async def work(self, *, until: Callable[[RunState], bool] | None = None) -> None:
        """Drive the loop until the run is reviewed or over. Raises StorageError when killed."""
        is_there = until or (lambda run: run.is_reviewing or run.outcome is not None)
        working = asyncio.create_task(self.loop.run_forever())
        following = asyncio.create_task(self._follow(is_there))
        self.loop.wake()
        try:
            async with asyncio.timeout(120):
                await asyncio.wait({working, following}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            following.cancel()
            working.cancel()
            await asyncio.gather(following, return_exceptions=True)
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _follow(self, is_there: Callable[[RunState], bool]) -> None:
        async for _ in self.log.subscribe():
            if is_there(self.run):
                return


@contextlib.asynccontextmanager
async def site(workshop: Workshop) -> AsyncIterator[Site]:
    """An engine on the workshop: new, or resumed where its log stands."""
    log = EventLog(workshop.store, project="p", clock=lambda: START)
    await log.open(SESSION)
    tree = open_tree(workshop.root)
    files = ProjectFiles(tree)
    prompts = PromptLibrary()
    links = tuple(Link(adapter) for adapter in workshop.adapters)
    chains = Chains(dict.fromkeys(Role, links), {link.name: link for link in links})
    tools = Tools(
        journal=log,
        blobs=workshop.blobs,
        tree=tree,
        files=files,
        applier=Applier(tree=tree, blobs=workshop.blobs, journal=log),
        caller=Caller(
            log, workshop.blobs, OpenChains(chains), ledger=Ledger(lambda: log.state, PriceBook({}))
        ),
        agents=Agents(
            Architect(files, prompts),
            Executor(files, prompts),
            Auditor(files, prompts),
            Consultant(files, prompts),
        ),
        gate=workshop.gate,
        checks=ProjectChecks(workshop.root, workshop.blobs, timeout=60),
        repository=None,
    )
    loop = Loop(log, Runner(tools))
    if log.state.run is not None:
        await loop.abandon_running()
        await tools.applier.recover(log.state.run)
    try:
        yield Site(workshop, log, loop, tools)
    finally:
        with contextlib.suppress(StorageError):
            await loop.stop_work()
        await log.close()


@contextlib.asynccontextmanager
async def workshop(root: Path, *agents: Agent) -> AsyncIterator[Workshop]:
    """A project folder with one adapter per agent, in the order of their chain: `a`, `b`, ..."""
    root.mkdir(parents=True, exist_ok=True)
    adapters = tuple(FunctionAdapter(chr(97 + at), agent) for at, agent in enumerate(agents))
    async with Gate() as gate:
        yield Workshop(root, adapters, gate)
