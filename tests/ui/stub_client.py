"""An EngineClient double: scripted records over the real fold, commands kept for the test.

It decides nothing by itself: `on_command` of a test says which events a command leads to.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.commands import Command
from orchestra_tui.domain.doctor import Configuration
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.fold import apply
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.ports import (
    CompletePath,
    Delta,
    DiffReport,
    GetBlob,
    GetConfiguration,
    GetDiff,
    GetProject,
    GetReply,
    GetRequest,
    Lagged,
    ListProbes,
    ListSessions,
    ProjectInfo,
    Query,
    Snapshot,
    Update,
    ValidateText,
)
from orchestra_tui.domain.state import SessionState

R = TypeVar("R")
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OnCommand = Callable[[Command, SessionState], Iterable[ev.Event]]

PROJECT = ProjectInfo(
    root="/home/ada/src/shop",
    branch="main",
    is_dirty=True,
    state_folder="/home/ada/src/shop/.orchestra",
    provider=ProviderKind.REAL,
    adapters={
        "architect": "codex gpt-5",
        "executor": "glm glm-4.7",
        "auditor": "gemini gemini-3",
        "consultant": "codex gpt-5",
    },
    chains={
        "architect": ("codex", "gemini"),
        "executor": ("glm", "gemini"),
        "auditor": ("gemini",),
        "consultant": ("codex",),
    },
    checks=("pytest",),
    checks_why="pyproject.toml has [tool.pytest.ini_options]",
    file_count=214,
)
REHEARSAL_PROJECT = PROJECT.model_copy(
    update={
        "root": "/home/ada/.local/state/orchestra/rehearsals/r1",
        "provider": ProviderKind.REHEARSAL,
        "is_dirty": False,
        "adapters": {"architect": "rehearsal", "executor": "rehearsal"},
    }
)


class StubClient:
    """Answers queries from `answers` (by query type), folds what `emit` is given."""

    def __init__(
        self,
        state: SessionState | None = None,
        *,
        on_command: OnCommand | None = None,
        answers: dict[type[Query[object]], object] | None = None,
        project: ProjectInfo = PROJECT,
    ) -> None:
        self.state = state or SessionState(id=SessionId("s1"))
        self.commands: list[Command] = []
        self.queries: list[Query[object]] = []
        self.refusal: OrchestraError | None = None
        """Raised by the next submit."""
        self.on_command = on_command
        self.answers: dict[type[Query[object]], object] = {
            GetProject: project,
            ListSessions: (),
            GetDiff: DiffReport(),
            GetBlob: None,
            GetRequest: None,
            GetReply: None,
            GetConfiguration: Configuration(place="/home/ada/.config/orchestra/config.toml"),
            ListProbes: (),
            CompletePath: (),
            ValidateText: (),
        } | (answers or {})
        self._queues: list[asyncio.Queue[Update | Lagged | None]] = []

    async def submit(self, command: Command) -> SessionState:
        """Keep the command, emit what the test says it leads to."""
        self.commands.append(command)
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        if self.on_command is not None:
            self.emit(*self.on_command(command, self.state))
        return self.state

    async def subscribe(self) -> AsyncIterator[Update]:
        """A snapshot, then what is emitted."""
        queue: asyncio.Queue[Update | Lagged | None] = asyncio.Queue()
        queue.put_nowait(Snapshot(state=self.state))
        self._queues.append(queue)
        try:
            while (update := await queue.get()) is not None:
                if isinstance(update, Lagged):
                    raise update
                yield update
        finally:
            self._queues.remove(queue)

    async def query(self, query: Query[R]) -> R:
        """The answer for the query's type; a callable is called, an exception raised."""
        self.queries.append(query)
        answer = self.answers[type(query)]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(query)
        return cast("R", answer)

    # --- what tests do ------------------------------------------------------------------------

    def emit(self, *events: ev.Event) -> None:
        """Append events to the log: fold them and publish their records."""
        for event in events:
            seq = self.state.seq + 1
            record = ev.Record(
                seq=seq,
                at=START + timedelta(seconds=seq),
                session=self.state.id,
                project="p1",
                event=event,
            )
            self.state = apply(self.state, record)
            self._publish(record)

    def stream(self, key: str, offset: int, text: str) -> None:
        """Publish a piece of a running call's text."""
        self._publish(Delta(stream=key, offset=offset, text=text))

    def open(self, state: SessionState) -> None:
        """Change to another session."""
        self.state = state
        self._publish(Snapshot(state=state))

    def lag(self) -> None:
        """End the subscriptions as a slow reader sees it."""
        self._publish(Lagged())

    def _publish(self, update: Update | Lagged) -> None:
        for queue in self._queues:
            queue.put_nowait(update)
