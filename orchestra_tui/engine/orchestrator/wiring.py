"""The rooms of the engine, opened and wired for one project, and closed again.

The rule a reader must not break: what is opened here is closed in `close_rooms`, whatever else
fails; the store's thread would otherwise keep a crashed process alive.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_tui.domain.errors import GitError, NotConfigured, StorageError
from orchestra_tui.domain.ports import ResultCache, SettingsStore
from orchestra_tui.domain.settings import Scenario, Settings
from orchestra_tui.engine.adapters.breaker import Lanes
from orchestra_tui.engine.adapters.key_guard import secrets_near
from orchestra_tui.engine.adapters.local.models import LocalModels
from orchestra_tui.engine.adapters.prices import PriceBook
from orchestra_tui.engine.adapters.rehearsal import build_rehearsal
from orchestra_tui.engine.adapters.rehearsal.adapter import rehearsal_rate
from orchestra_tui.engine.adapters.transport import Transport
from orchestra_tui.engine.agents.architect import Architect
from orchestra_tui.engine.agents.auditor import Auditor
from orchestra_tui.engine.agents.consultant import Consultant
from orchestra_tui.engine.agents.executor import Executor
from orchestra_tui.engine.agents.prompts import PromptLibrary
from orchestra_tui.engine.apply import Applier
from orchestra_tui.engine.event_log import EventLog
from orchestra_tui.engine.git.blobs import BlobStore
from orchestra_tui.engine.git.repository import Repository, open_repository
from orchestra_tui.engine.keys.key_store import FoundKeys, open_keys
from orchestra_tui.engine.orchestrator.about import Project
from orchestra_tui.engine.orchestrator.agent_setup import AgentSetup
from orchestra_tui.engine.orchestrator.calls import Caller
from orchestra_tui.engine.orchestrator.chains import Chains, build_chains, rehearsal_chains
from orchestra_tui.engine.orchestrator.ledger import Ledger
from orchestra_tui.engine.orchestrator.open_chains import OpenChains
from orchestra_tui.engine.orchestrator.project_checks import ProjectChecks
from orchestra_tui.engine.orchestrator.queries import Answers
from orchestra_tui.engine.orchestrator.tools import Agents, Tools
from orchestra_tui.engine.store.cache import SqliteResultCache
from orchestra_tui.engine.store.folder import ClaimedFolder, claim
from orchestra_tui.engine.store.index import ProjectIndex
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from orchestra_tui.engine.store.state_home import cache_home
from orchestra_tui.engine.telemetry.log_file import LogFile
from orchestra_tui.engine.validation.gate import Gate
from orchestra_tui.engine.workspace.left_behind import remove_left_behind
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_view import PrivateViews
from orchestra_tui.engine.workspace.tree import open_tree

LABEL = "REHEARSAL - no AI"


@dataclass(frozen=True)
class EngineOptions:
    """What to open. `scenario` set means a rehearsal; `transport` replaces the network.

    Without `lanes` the engine learns the health of the adapters for itself alone.
    """

    root: Path
    settings: Settings
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    key_file: Path | None = None
    """The user's file of keys; None looks for keys in the environment alone."""
    scenario: Scenario | None = None
    is_scratch: bool = False
    transport: Transport | None = None
    lanes: Lanes | None = None
    """The health of the adapters, shared by every engine of the process."""
    use_cache: bool = False
    """Answers of earlier runs may be used again, and new ones are kept."""
    is_attended: bool = False
    """Somebody sees what is missing and can give it: a role without a usable adapter is told when
    it is needed, and is no reason not to open."""
    settings_store: SettingsStore | None = None
    """Where the user's choice of agents is saved; without it nothing can be saved."""


@dataclass(frozen=True)
class Rooms:
    """Everything that is open, for the runtime and for closing."""

    project: Project
    log: EventLog
    tools: Tools
    answers: Answers
    setup: AgentSetup
    close: contextlib.AsyncExitStack


async def open_rooms(options: EngineOptions) -> Rooms:
    """Open and wire everything; what was opened is closed again if something fails."""
    async with contextlib.AsyncExitStack() as stack:
        claimed: ClaimedFolder = await asyncio.to_thread(claim, options.root.resolve())
        stack.callback(claimed.release)
        folder = claimed.folder
        keys = open_keys(options.environment, options.key_file, folder.root)
        found = await keys.find(options.settings.key_names)
        log_file, log_problem = _open_log_file(stack, folder.logs, options, found)
        store = await SqliteEventStore.open(folder.database)
        stack.push_async_callback(store.close)
        log = EventLog(store, project=folder.project)
        stack.push_async_callback(log.close)
        await asyncio.to_thread(remove_left_behind)
        tree = await asyncio.to_thread(open_tree, folder.root)
        files = ProjectFiles(tree)
        copies = PrivateViews(tree, files, options.environment)
        models = LocalModels(options.environment)
        stack.push_async_callback(models.close)
        # In a thread, because an adapter of another package is imported there.
        chains = await asyncio.to_thread(_chains, options, copies, found, models)
        open_chains = OpenChains(chains)
        stack.push_async_callback(open_chains.close)
        gate = Gate()
        stack.push_async_callback(gate.close)
        repository, git_problem = await asyncio.to_thread(_repository, folder.root)
        blobs = await asyncio.to_thread(BlobStore, folder.path)
        tools = Tools(
            journal=log,
            blobs=blobs,
            tree=tree,
            files=files,
            applier=Applier(tree=tree, blobs=blobs, journal=log),
            caller=Caller(
                journal=log,
                blobs=blobs,
                open_chains=open_chains,
                ledger=Ledger(lambda: log.state, PriceBook(options.settings.prices)),
                lanes=_lanes(options),
                cache=_cache(options),
            ),
            agents=_agents(files),
            gate=gate,
            checks=ProjectChecks(folder.root, blobs, timeout=options.settings.checks_timeout),
            repository=repository,
        )
        index = ProjectIndex()
        index_note = await asyncio.to_thread(_note, index, claimed, is_scratch=options.is_scratch)
        project = Project(
            folder=folder,
            settings=options.settings,
            environment=options.environment,
            keys=keys,
            hide=log_file.hide if log_file else _hide_nothing,
            scenario=options.scenario,
            git_problem=git_problem,
            warnings=tuple(
                filter(
                    None,
                    (
                        folder.note,
                        log_problem,
                        index_note,
                        git_problem,
                        *found.problems,
                    ),
                )
            ),
        )
        setup = AgentSetup(
            project=project,
            caller=tools.caller,
            copies=copies,
            store=options.settings_store,
            transport=options.transport,
            models=models,
        )
        answers = Answers(
            tools=tools,
            project=project,
            files=files,
            store=store,
            log=log,
            index=index,
            setup=setup,
        )
        return Rooms(project, log, tools, answers, setup, stack.pop_all())
    raise AssertionError("unreachable")


async def close_rooms(rooms: Rooms) -> None:
    """Close everything in the reverse order."""
    await rooms.close.aclose()


def _open_log_file(
    stack: contextlib.AsyncExitStack, folder: Path, options: EngineOptions, keys: FoundKeys
) -> tuple[LogFile | None, str]:
    """Begin the log file; why there is none if it cannot be written. Work goes on without it."""
    try:
        log_file = LogFile.open(folder, secrets=_secrets(options, keys), label=_label(options))
    except StorageError as error:
        return None, str(error)
    stack.callback(log_file.close)
    return log_file, ""


def _secrets(options: EngineOptions, keys: FoundKeys) -> set[str]:
    """Every key that could reach the log, also those that agent programs find by themselves."""
    near = (
        secrets_near(adapter, options.environment, keys.values)
        for adapter in options.settings.adapters
    )
    return {secret for secrets in near for secret in secrets}


def _hide_nothing(secret: str) -> None:
    """There is no log."""


def _repository(root: Path) -> tuple[Repository | None, str]:
    try:
        return open_repository(root), ""
    except GitError as error:
        return None, str(error)


def _note(index: ProjectIndex, claimed: ClaimedFolder, *, is_scratch: bool) -> str:
    try:
        index.note(claimed.folder, is_scratch=is_scratch)
    except StorageError as error:
        return str(error)
    return ""


def _agents(files: ProjectFiles) -> Agents:
    prompts = PromptLibrary()
    return Agents(
        architect=Architect(files, prompts),
        executor=Executor(files, prompts),
        auditor=Auditor(files, prompts),
        consultant=Consultant(files, prompts),
    )


def _chains(
    options: EngineOptions, copies: PrivateViews, keys: FoundKeys, models: LocalModels
) -> Chains:
    if options.scenario is not None:
        rate = rehearsal_rate(options.environment)
        return rehearsal_chains(build_rehearsal(options.scenario, rate=rate))
    try:
        return build_chains(
            options.settings,
            options.environment,
            options.transport,
            copies,
            keys=keys.values,
            models=models,
            may_lack=options.is_attended,
        )
    except NotConfigured as error:
        # Why a key was not taken from where the user had put it.
        raise NotConfigured("; ".join((str(error), *keys.problems))) from None


def _lanes(options: EngineOptions) -> Lanes:
    # What a rehearsal goes through says nothing of any provider.
    return options.lanes if options.lanes is not None and options.scenario is None else Lanes()


def _cache(options: EngineOptions) -> ResultCache | None:
    settings = options.settings.cache
    if not options.use_cache or not settings.enabled or options.scenario is not None:
        return None
    return SqliteResultCache(
        cache_home() / "results.db",
        max_age=settings.max_age,
        max_bytes=int(settings.max_megabytes * 1_000_000),
    )


def _label(options: EngineOptions) -> str:
    return LABEL if options.scenario else ""
