"""The agents over ACP: what each said to our adapter in a case, said again by a scripted agent."""

import asyncio
from pathlib import Path

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import AcpAgent
from tests.engine.acp_sandbox import AcpBench
from tests.stubs.scripted_acp import recorded_case
from tests.tables.cases import Outcome, outcome_of

AGENTS = tuple(agent.value for agent in AcpAgent)
SHORT, PATIENT = 1.0, 8.0


async def ask(agent: str, case: str, folder: Path) -> Outcome | None:
    """What the adapter makes of this agent in this case; None if nobody recorded it."""
    bench = AcpBench(folder)
    play = recorded_case(agent, "hang-stream" if case == "cancel" else case)
    if play is None:
        return None
    call = asyncio.create_task(
        bench.ask(
            play,
            agent=agent,
            role=Role.AUDITOR if case == "edit-refused" else Role.EXECUTOR,
            first=SHORT if case == "hang" else PATIENT,
            idle=SHORT if case == "hang-stream" else 20.0,
        )
    )
    if case == "cancel":
        await bench.has_asked()
        call.cancel()
    outcome = await outcome_of(call)
    assert bench.left_running() == []
    return outcome
