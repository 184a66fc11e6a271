"""`orchestra sessions` and `orchestra doctor`: what was run, and what can work here."""

import asyncio
import json
import os
from datetime import datetime

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.top import DONE, PARTIAL
from orchestra_tui.config import config_path, key_file_path, load_settings
from orchestra_tui.domain.ports import DoctorLine, SessionSummary
from orchestra_tui.domain.settings import Settings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.detection import KEYS, probe
from orchestra_tui.engine.keys.key_store import open_keys
from orchestra_tui.engine.store.folder import find
from orchestra_tui.engine.store.index import IndexedProject, ProjectIndex, all_summaries

LIMIT = 200


def print_sessions(arguments: Arguments) -> int:
    """List the sessions of every project of this user, newest first."""
    summaries = asyncio.run(_summaries(arguments))
    if arguments.json:
        for summary in summaries:
            print(json.dumps(summary.model_dump(mode="json")))
        return DONE
    if not summaries:
        print("no session yet: `orchestra` opens the app, `orchestra run TASK` starts one")
        return DONE
    for summary in summaries:
        print(_session_line(summary))
    return DONE


def print_doctor(arguments: Arguments) -> int:
    """Say what can work on this machine; 0 if something real is configured, 1 if not."""
    settings = load_settings()
    lines = asyncio.run(_probe(settings))
    is_ready = bool(settings.adapters) and any(line.is_usable for line in lines)
    if arguments.json:
        report = {
            "config": str(config_path()),
            "is_configured": is_ready,
            "lines": [line.model_dump(mode="json") for line in lines],
        }
        print(json.dumps(report))
        return DONE if is_ready else PARTIAL
    print(f"configuration: {config_path()}{'' if config_path().exists() else ' (not there)'}")
    for line in lines:
        print(_doctor_line(line))
    if not is_ready:
        print("only the rehearsal works here: scripted agents, no AI, no network")
        print("connect something: set ORCHESTRA_BASE_URL and ORCHESTRA_MODEL (and")
        print("ORCHESTRA_API_KEY_ENV, the name of the variable that holds the key)")
    return DONE if is_ready else PARTIAL


async def _probe(settings: Settings) -> tuple[DoctorLine, ...]:
    store = open_keys(os.environ, key_file_path())
    found = await store.find((*settings.key_names, *KEYS))
    return await probe(settings, os.environ, keys=found.values)


async def _summaries(arguments: Arguments) -> tuple[SessionSummary, ...]:
    projects = list(await asyncio.to_thread(ProjectIndex().projects))
    here = find(arguments.path.resolve())
    if here is not None and all(project.project != here.project for project in projects):
        now = datetime.now().astimezone()
        projects.insert(
            0, IndexedProject(project=here.project, root=here.root, state=here.path, last_used=now)
        )
    return await all_summaries(projects, limit=LIMIT)


def _session_line(summary: SessionSummary) -> str:
    state = summary.outcome.value if summary.outcome else summary.phase.value
    hint = " (can be resumed)" if summary.can_resume else ""
    kind = "rehearsal " if summary.provider.value == "rehearsal" else ""
    return clean_line(
        f"{summary.id}  {summary.last_at.astimezone():%Y-%m-%d %H:%M}  "
        f"{summary.files_done}/{summary.files_total} files  {kind}{state}{hint}  "
        f"{summary.title}  [{summary.root}]"
    )


def _doctor_line(line: DoctorLine) -> str:
    sign = "*" if line.is_usable else "-"
    return clean_line(f"{sign} {line.name:<24} {line.state:<8} {line.detail}")
