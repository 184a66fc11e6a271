"""The agent programs: what each printed in a case, played to its adapter by a scripted program."""

import asyncio
from dataclasses import replace
from pathlib import Path

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AdapterKind
from orchestra_tui.engine.adapters.process.build import CLIENTS
from tests.engine.process_sandbox import ClientBench
from tests.stubs.scripted_client import RECORDINGS, Play, recorded
from tests.tables.cases import Outcome, outcome_of

KINDS = tuple(kind.value for kind in CLIENTS)
SHORT = 1.0
PATIENT = 8.0
"""Seconds that a program gets for its first word, where it says one: the machine may be busy."""
EDIT = "edit-refused"


async def ask(kind: str, case: str, folder: Path) -> Outcome | None:
    """What this adapter makes of this case; None if nobody recorded it."""
    bench = ClientBench(folder, AdapterKind(kind))
    if case == "cancel":
        call = asyncio.create_task(bench.ask(Play(exit_code=None, grandchild=True)))
        await bench.has_begun()
        call.cancel()
        outcome = await outcome_of(call)
    elif not (RECORDINGS / f"{kind}-{_recording(case)}.json").exists():
        return None
    else:
        play = recorded(kind, _recording(case))
        if case == EDIT:
            play = replace(play, writes={"hello.txt": "written all the same\n"})
        role = Role.AUDITOR if case == EDIT else Role.EXECUTOR
        asking = bench.ask(
            play,
            role=role,
            first={"hang": SHORT, "hang-stream": PATIENT}.get(case),
            seconds=SHORT if case == "hang-stream" else 20.0,
        )
        outcome = await outcome_of(asking)
    assert bench.left_running() == []
    return outcome


def _recording(case: str) -> str:
    return "edit" if case == EDIT else case
