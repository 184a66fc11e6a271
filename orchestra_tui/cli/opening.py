"""What to open for a command: the folder, the provider, and the settings of the run.

The rule a reader must not break: a rehearsal runs in a scratch repository of its own unless the
user said `--here`, and it is never chosen silently without a terminal.
"""

import asyncio
import contextlib
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.config_file import ConfigFile
from orchestra_tui.cli.run_settings import run_settings
from orchestra_tui.config import config_path, key_file_path, load_settings
from orchestra_tui.domain.errors import NotConfigured, StorageError, UsageError
from orchestra_tui.domain.fold import fold
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.plan_markdown_reader import from_markdown
from orchestra_tui.domain.settings import RunSettings, Scenario, Settings
from orchestra_tui.domain.state import SessionState
from orchestra_tui.engine.git.repository import create_repository
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.store.folder import find
from orchestra_tui.engine.store.index import (
    IndexedProject,
    ProjectIndex,
    find_session,
    with_folder,
)
from orchestra_tui.engine.store.sqlite import SqliteEventStore
from orchestra_tui.engine.store.state_home import rehearsal_home


@dataclass(frozen=True)
class Opening:
    """What to open, and with `session` what to go on with."""

    options: EngineOptions
    run_settings: RunSettings
    session: SessionId | None = None
    plan: Plan | None = None
    """A plan the user brought, instead of the Architect's."""


def open_for_run(arguments: Arguments, *, has_terminal: bool) -> Opening:
    """The project for a new task. Raises NotConfigured without provider, terminal or --rehearse."""
    settings = load_settings()
    chosen = run_settings(arguments, settings)
    plan = load_plan(arguments.plan) if arguments.plan else None
    if arguments.rehearse is None and settings.adapters:
        options = EngineOptions(
            arguments.path,
            settings,
            os.environ,
            key_file=key_file_path(),
            use_cache=arguments.cache,
            settings_store=ConfigFile(os.environ),
        )
        return Opening(options, chosen, plan=plan)
    if arguments.rehearse is None and not has_terminal:
        raise NotConfigured(
            "no provider is configured and there is no terminal to ask on: `orchestra doctor` says "
            "what is here, `orchestra doctor --write` configures it (or set "
            f"ORCHESTRA_BASE_URL and ORCHESTRA_MODEL, write {config_path()}, add --rehearse calm)"
        )
    scenario = Scenario(arguments.rehearse or Scenario.CALM)
    root = arguments.path if arguments.here else make_scratch(arguments.path)
    options = EngineOptions(
        root,
        settings,
        os.environ,
        key_file=key_file_path(),
        scenario=scenario,
        is_scratch=not arguments.here,
        settings_store=ConfigFile(os.environ),
    )
    return Opening(options, chosen, plan=plan)


def open_for_resume(arguments: Arguments) -> Opening:
    """The project of the session to go on with. Raises UsageError if there is none."""
    return asyncio.run(_open_for_resume(arguments, arguments.path.resolve()))


def open_session(root: Path, session: SessionId) -> Opening:
    """The project at `root` for one of its sessions, rehearsed if the session was."""
    return asyncio.run(_opening_of(root, session, load_settings(), None))


def load_plan(path: Path) -> Plan:
    """A plan from a Markdown or JSON file. Raises UsageError with what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not text.lstrip().startswith("{"):
        try:
            return from_markdown(text)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
    try:
        return Plan.model_validate_json(text)
    except ValueError as error:
        first = str(error).splitlines()
        raise UsageError(f"{path}: {' '.join(first[1:3]) or first[0]}") from None


def make_scratch(origin: Path) -> Path:
    """A new scratch repository for a rehearsal, named after the folder it was started from."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", origin.resolve().name).strip("-.") or "rehearsal"
    folder = f"{name}-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    root = rehearsal_home() / folder
    create_repository(root)
    return root


def discard_unused_scratch(options: EngineOptions) -> None:
    """Remove a scratch repository in which nothing was ever begun."""
    if not options.is_scratch:
        return
    state = find(options.root)
    if state is not None and asyncio.run(_has_sessions(state.database)):
        return
    shutil.rmtree(options.root, ignore_errors=True)


async def _has_sessions(database: Path) -> bool:
    store = await SqliteEventStore.open_readonly(database)
    try:
        return bool(await store.summaries(1))
    finally:
        await store.close()


async def _open_for_resume(arguments: Arguments, root: Path) -> Opening:
    settings = load_settings()
    projects = ProjectIndex().projects()
    here = find(root)
    if arguments.session is None:
        place, session = await _newest_resumable(root, projects)
        return await _opening_of(place, session, settings, arguments)
    if here is not None:
        projects = with_folder(projects, here)
    found = await find_session(projects, arguments.session)
    if found is None:
        raise UsageError(
            f"there is no session {arguments.session}: `orchestra sessions` lists what there is"
        )
    project, session = found
    return await _opening_of(project.root, session, settings, arguments)


async def _newest_resumable(
    root: Path, projects: tuple[IndexedProject, ...]
) -> tuple[Path, SessionId]:
    """In this project first, then among the rehearsals' scratch repositories."""
    here = find(root)
    if here is not None and (session := await _resumable(here.database)):
        return root, session
    for project in projects:
        if not project.is_scratch:
            continue
        # A rehearsal whose log is damaged must not stand before the others.
        with contextlib.suppress(StorageError):
            if session := await _resumable(project.database):
                return project.root, session
    raise UsageError("there is nothing to resume here: `orchestra sessions` lists what there is")


async def _resumable(database: Path) -> SessionId | None:
    store = await SqliteEventStore.open_readonly(database)
    try:
        summaries = await store.summaries(50)
    finally:
        await store.close()
    return next((summary.id for summary in summaries if summary.can_resume), None)


async def _opening_of(
    root: Path, session: SessionId, settings: Settings, arguments: Arguments | None
) -> Opening:
    folder = find(root)
    if folder is None:
        raise UsageError(f"{root}: there is no session in this folder")
    store = await SqliteEventStore.open_readonly(folder.database)
    try:
        state = fold(SessionState(id=session), await store.read(session))
    finally:
        await store.close()
    is_scratch = any(
        p.is_scratch and p.project == folder.project for p in ProjectIndex().projects()
    )
    options = EngineOptions(
        root,
        settings,
        os.environ,
        key_file=key_file_path(),
        scenario=state.scenario,
        is_scratch=is_scratch,
        use_cache=arguments.cache if arguments else True,
        settings_store=ConfigFile(os.environ),
    )
    chosen = run_settings(arguments, settings) if arguments else settings.run
    plan = load_plan(arguments.plan) if arguments and arguments.plan else None
    return Opening(options, chosen, session, plan)
