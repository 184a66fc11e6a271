"""Answers to what the state does not hold: diffs, texts, lists. Pure data, read when asked.

The rule a reader must not break: an answer changes nothing of the project (`StoreKey` keeps a key
of the user's), and everything that touches the disk runs in a thread.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from orchestra_tui.domain import ports
from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.domain.commit_message import draft_message
from orchestra_tui.domain.errors import GitError, StorageError
from orchestra_tui.domain.ids import BlobHash, CallKey
from orchestra_tui.domain.plan_markdown_reader import from_markdown
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import CallState, RunState
from orchestra_tui.engine.adapters.fallback import Link
from orchestra_tui.engine.event_log import EventLog
from orchestra_tui.engine.git.diff import diff_bytes
from orchestra_tui.engine.git.plumbing import CommitRefused
from orchestra_tui.engine.git.prepare import prepare_commit
from orchestra_tui.engine.orchestrator.about import Project
from orchestra_tui.engine.orchestrator.agent_setup import AgentSetup
from orchestra_tui.engine.orchestrator.judging import judge
from orchestra_tui.engine.orchestrator.review_work import changes_of, renames_of
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.store.figures import newest_sessions, stored_metrics
from orchestra_tui.engine.store.index import ProjectIndex, all_summaries
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.text import Text, decode

R = TypeVar("R")


@dataclass(frozen=True)
class Answers:
    """Answers every query of `domain.ports` for one open project."""

    tools: Tools
    project: Project
    files: ProjectFiles
    store: ports.EventStore
    log: EventLog
    index: ProjectIndex
    setup: AgentSetup

    async def answer(self, query: ports.Query[R]) -> R:
        """The answer to `query`. Raises OrchestraError, TypeError for an unknown query."""
        return cast(R, await self._answer(query))

    async def _answer(self, query: ports.Query[Any]) -> object:
        match query:
            case ports.ListSessions():
                return await self._sessions(query)
            case ports.GetMetrics():
                return await stored_metrics(
                    self.store, await newest_sessions(self.store, query.limit)
                )
            case ports.GetDiff():
                return await self._diff()
            case ports.GetBlob():
                return await self._text_or_binary(query.blob)
            case ports.GetRequest():
                call = self._call(query.call)
                return await self._text(call.request) if call else None
            case ports.GetReply():
                call = self._call(query.call)
                return await self._text(call.reply) if call and call.reply else None
            case (
                ports.ListProbes()
                | ports.Probe()
                | ports.GetConfiguration()
                | ports.TryLink()
                | ports.GetKeys()
                | ports.StoreKey()
            ):
                return await self.setup.answer(query)
            case ports.CompletePath():
                return await self._complete(query)
            case ports.ValidateText():
                return await self._validate(query)
            case ports.ParsePlan():
                return from_markdown(query.markdown)
            case ports.GetProject():
                return await self._project()
        raise TypeError(f"no answer to {type(query).__name__}")

    async def _sessions(self, query: ports.ListSessions) -> tuple[ports.SessionSummary, ...]:
        own = tuple(await self.store.summaries(query.limit))
        if not query.all_projects:
            return own
        projects = await asyncio.to_thread(self.index.projects)
        others = [p for p in projects if p.project != self.project.folder.project]
        found = [*own, *await all_summaries(others, limit=query.limit)]
        found.sort(key=lambda summary: summary.last_at, reverse=True)
        return tuple(found[: query.limit])

    async def _diff(self) -> ports.DiffReport:
        run = self.tools.journal.state.run
        if run is None:
            return ports.DiffReport()
        files = await asyncio.to_thread(_diffs, self.tools, run)
        message = draft_message(run.plan, [file.path for file in files]) if run.plan else ""
        refused, problem = await asyncio.to_thread(_commit_obstacles, self.tools, run, message)
        return ports.DiffReport(
            files=files,
            message=message,
            has_git=self.tools.repository is not None,
            git_problem=self.project.git_problem or problem,
            refused=refused,
        )

    async def _text_or_binary(self, blob: BlobHash) -> str | ports.BinaryContent | None:
        data = await self._bytes(blob)
        if data is None:
            return None
        decoded = decode(data)
        return decoded.text if isinstance(decoded, Text) else ports.BinaryContent(size=len(data))

    async def _text(self, blob: BlobHash) -> str | None:
        """What was sent or answered: a text, whatever characters stand in it."""
        data = await self._bytes(blob)
        return None if data is None else data.decode("utf-8", "replace")

    async def _bytes(self, blob: BlobHash) -> bytes | None:
        try:
            return await asyncio.to_thread(self.tools.blobs.get, blob)
        except StorageError:
            return None

    def _call(self, key: CallKey) -> CallState | None:
        for run in self.tools.journal.state.runs:
            if key in run.calls:
                return run.calls[key]
        return None

    async def _complete(self, query: ports.CompletePath) -> tuple[str, ...]:
        listing = await self.files.listing()
        wanted = query.text.casefold()
        found = [path for path in listing if wanted in path.casefold()]
        found.sort(key=lambda path: (not _begins(path, wanted), len(path), path))
        return tuple(found[: query.limit])

    async def _validate(self, query: ports.ValidateText) -> tuple[Diagnostic, ...]:
        run = self.tools.journal.state.run
        plan = run.plan if run else None
        report = await judge(self.tools, plan, query.path, query.text, query.old)
        return report.diagnostics

    async def _project(self) -> ports.ProjectInfo:
        listing = await self.files.listing()
        detected = await self.tools.checks.detect()
        repository = self.tools.repository
        head = await asyncio.to_thread(repository.head) if repository else None
        is_dirty = await asyncio.to_thread(repository.is_dirty) if repository else False
        return ports.ProjectInfo(
            root=str(self.project.folder.root),
            branch=head.branch if head else None,
            is_dirty=is_dirty,
            state_folder=str(self.project.folder.path),
            provider=self.project.provider,
            adapters={
                role.value: _chain(links)
                for role, links in self.tools.caller.chains.by_role.items()
            },
            chains=self.setup.chain_names(),
            checks=detected.names,
            checks_why=detected.why,
            file_count=len(listing),
            warnings=(
                *self.project.warnings,
                *self.tools.caller.chains.left_out.values(),
                *self.log.warnings,
            ),
        )


def _chain(links: tuple[Link, ...]) -> str:
    """Who answers, and who does when that fails."""
    infos = [link.adapter.info() for link in links]
    return " > ".join(f"{info.name} · {info.model}" for info in infos)


def _begins(path: str, wanted: str) -> bool:
    return path.rsplit("/", 1)[-1].casefold().startswith(wanted)


def _diffs(tools: Tools, run: RunState) -> tuple[FileDiff, ...]:
    renames = renames_of(run, run.proposed_files)
    files = []
    for path, (before, after) in run.proposed_files.items():
        if path in renames.values() and after is None:
            continue
        old_path = renames.get(path)
        base = (run.base or {}).get(old_path) if old_path else before
        files.append(diff_bytes(path, tools.blob(base), tools.blob(after), old_path=old_path))
    return tuple(files)


def _commit_obstacles(tools: Tools, run: RunState, message: str) -> tuple[dict[str, str], str]:
    """What would keep the run from being committed now: per path, and as a whole. Blocks.

    Preparing writes unreferenced objects only, so it can be tried before the user asks for it.
    """
    if tools.repository is None or not run.changed_files or run.commit is not None:
        return {}, ""
    try:
        intent = prepare_commit(tools.repository, changes_of(tools, run), message)
    except CommitRefused as refusal:
        return {note.path: note.message for note in refusal.problems}, ""
    except GitError as error:
        return {}, str(error)
    return {note.path: note.message for note in intent.left_out}, ""
