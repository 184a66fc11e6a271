"""`orchestra sessions`: what was run."""

import asyncio
import json

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.top import DONE
from orchestra_tui.domain.money import money_text
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.store.folder import find
from orchestra_tui.engine.store.index import ProjectIndex, all_summaries, with_folder

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


async def _summaries(arguments: Arguments) -> tuple[SessionSummary, ...]:
    known = await asyncio.to_thread(ProjectIndex().projects)
    projects = with_folder(known, find(arguments.path.resolve()))
    return await all_summaries(projects, limit=LIMIT)


def _session_line(summary: SessionSummary) -> str:
    state = summary.outcome.value if summary.outcome else summary.phase.value
    hint = " (can be resumed)" if summary.can_resume else ""
    cost = f"{money_text(summary.cost)}  " if summary.cost is not None else ""
    kind = "rehearsal " if summary.provider.value == "rehearsal" else ""
    return clean_line(
        f"{summary.id}  {summary.last_at.astimezone():%Y-%m-%d %H:%M}  "
        f"{summary.files_done}/{summary.files_total} files  {cost}{kind}{state}{hint}  "
        f"{summary.title}  [{summary.root}]"
    )
