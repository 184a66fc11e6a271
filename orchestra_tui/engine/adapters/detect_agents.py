"""ACP agents on this machine: those that are configured, and those of known names on PATH.

The rule a reader must not break: some agents know no `--version` and would begin to serve, so
they are looked for and not started. Neither is the package loaded, only looked up.
"""

import asyncio
from collections.abc import Mapping

from orchestra_tui.domain.doctor import DoctorLine, Offer
from orchestra_tui.domain.errors import NotConfigured, UsageError
from orchestra_tui.domain.settings import AcpAgent, AdapterKind, AdapterSettings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.acp.agents import AGENTS, Agent
from orchestra_tui.engine.adapters.acp.build import agent_of, require_package
from orchestra_tui.engine.adapters.detect_programs import NOT_TRIED, PROGRAMS, look_for_program
from orchestra_tui.engine.adapters.process.build import client_key
from orchestra_tui.engine.adapters.process.environment import find_program

ACP_PROGRAMS: Mapping[AcpAgent, str] = {
    name: agent.program for name, agent in AGENTS.items() if agent.program not in PROGRAMS
}
"""Programs that only serve ACP; the others have a line as agent programs already."""


async def configured_agent(
    name: str, settings: AdapterSettings, environ: Mapping[str, str], keys: Mapping[str, str]
) -> DoctorLine:
    """A configured agent: it is there, so is the package, and so is its key."""
    try:
        require_package(settings.name)
        client_key(settings, keys)
        agent = agent_of(settings)
    except UsageError as error:
        return DoctorLine(name=name, state="broken", detail=clean_line(str(error)))
    line = await _look(agent, environ)
    return line.model_copy(update={"name": name, "is_usable": line.state == "found"})


async def look_for_agent(name: AcpAgent, environ: Mapping[str, str]) -> DoctorLine:
    """A known agent on PATH, and what it could become."""
    line = await _look(AGENTS[name], environ)
    label = f"{AGENTS[name].program} (ACP)"
    if line.state != "found":
        return line.model_copy(update={"name": label})
    offered = f"{name}-acp"
    try:
        require_package(offered)
    except NotConfigured as error:
        return line.model_copy(update={"name": label, "detail": f"{line.detail}; {error}"})
    fields = {"kind": AdapterKind.ACP.value, "agent": name.value}
    return line.model_copy(update={"name": label, "offer": Offer(name=offered, fields=fields)})


async def _look(agent: Agent, environ: Mapping[str, str]) -> DoctorLine:
    if agent.answers_version:
        line = await look_for_program(agent.program, environ)
        return line.model_copy(update={"offer": None})
    path = await asyncio.to_thread(find_program, agent.program, environ)
    if path is None:
        return DoctorLine(name=agent.program, state="missing", detail="not on PATH")
    detail = f"{clean_line(path)}; {NOT_TRIED}"
    return DoctorLine(name=agent.program, state="found", detail=detail)
