"""Asking the rehearsal as the engine does: ordinary requests, ordinary prompts."""

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.plan import Plan
from orchestra_tui.domain.prompt_blocks import block
from orchestra_tui.engine.adapters.base import Adapter, Completion, CompletionRequest, Message
from orchestra_tui.engine.agents.file_replies import composed, parse_file_reply
from orchestra_tui.engine.agents.jobs import Audit
from orchestra_tui.engine.agents.parsing import parse_audit, parse_plan

VERBS = {
    Role.ARCHITECT: "plan",
    Role.EXECUTOR: "execute",
    Role.AUDITOR: "audit",
    Role.CONSULTANT: "fix",
}


async def ask(
    adapter: Adapter,
    role: Role,
    task: str,
    path: str | None = None,
    *,
    shown: str | None = None,
    prompt: str = "",
    attempt: int = 1,
    call: int = 1,
) -> Completion:
    """One call of one role; `shown` is the text of `path` in the prompt."""
    step = "" if role is Role.ARCHITECT else "s1/"
    told = prompt if shown is None else prompt + block("FILE", path or "", shown)
    request = CompletionRequest(
        key=CallKey(f"r1/{step}{VERBS[role]}/{attempt}/call/{call}"),
        role=role,
        path=path,
        task=task,
        messages=(Message("system", "You are one of four."), Message("user", told)),
    )
    return await adapter.execute(request, lambda _: None)


async def plan_for(adapter: Adapter, task: str, *, attempt: int = 1, prompt: str = "") -> Plan:
    """The plan, through the parser of the agents."""
    reply = await ask(adapter, Role.ARCHITECT, task, attempt=attempt, prompt=prompt)
    return parse_plan(reply.text, reply.finish, known_checks=())


async def written(adapter: Adapter, task: str, path: str, *, base: str | None = None) -> str:
    """What the Executor makes of `path`."""
    reply = await ask(adapter, Role.EXECUTOR, task, path, shown=base)
    return composed(parse_file_reply(reply.text, reply.finish, path=path), base)


async def audited(adapter: Adapter, task: str, path: str, shown: str) -> Audit:
    """What the Auditor says of this text."""
    reply = await ask(adapter, Role.AUDITOR, task, path, shown=shown)
    assert reply.finish is FinishReason.STOP
    verdict, issues = parse_audit(reply.text, reply.finish)
    return Audit(verdict, issues)


async def fixed(adapter: Adapter, task: str, path: str, shown: str, *, attempt: int = 1) -> str:
    """What the Consultant makes of this text."""
    reply = await ask(adapter, Role.CONSULTANT, task, path, shown=shown, attempt=attempt)
    return composed(parse_file_reply(reply.text, reply.finish, path=path), shown)
