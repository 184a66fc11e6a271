"""One turn with an agent: greet, open a session in the right mode, ask, and hear it out.

The rule a reader must not break: the result of the prompt ends a turn, nothing else does. When a
turn is broken off from here, the agent is told so first; it stops its request within moments.
"""

import asyncio
from contextlib import suppress

from acp.exceptions import RequestError
from acp.meta import AGENT_METHODS, PROTOCOL_VERSION
from acp.schema import (
    CancelNotification,
    ClientCapabilities,
    DeleteSessionRequest,
    FileSystemCapabilities,
    Implementation,
    InitializeRequest,
    NewSessionRequest,
    PromptRequest,
    SetSessionConfigOptionSelectRequest,
    SetSessionModeRequest,
    TextContentBlock,
)
from pydantic import BaseModel

from orchestra_tui import __version__
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.acp.agents import session_meta
from orchestra_tui.engine.adapters.acp.policy import Policy
from orchestra_tui.engine.adapters.acp.reader import AcpReader
from orchestra_tui.engine.adapters.acp.requests import Requests
from orchestra_tui.engine.adapters.acp.terms import Terms
from orchestra_tui.engine.adapters.acp.wire import Gone, Wire, refusal_of
from orchestra_tui.engine.adapters.base import AdapterError, ModelNotFound, RequestRefused
from orchestra_tui.engine.adapters.process.events import Event, at, items, text_at
from orchestra_tui.engine.adapters.process.talk import Turn

CANCEL_GRACE = 0.2
"""Seconds for an agent to answer that it stopped (0.03 s were seen)."""
SET_MODEL = "session/set_model"
"""Of the protocol's unstable part and so not in the package; gemini offers models this way."""
FORGET_GRACE = 1.0
_LATE = (TimeoutError, RequestError, AdapterError, Gone)
"""What no longer matters when the turn is over."""
_MAX_NAMED = 12
_NOT_OFFERED: dict[str, type[AdapterError]] = {"mode": RequestRefused, "model": ModelNotFound}


class _SetModel(BaseModel):
    sessionId: str
    modelId: str


async def hold(turn: Turn, terms: Terms) -> None:
    """Lead one turn to its end; the outcome is in the reader. Raises AdapterError."""
    reader = turn.reader
    if not isinstance(reader, AcpReader):
        raise TypeError("an ACP agent is read by an AcpReader")
    reader.root = turn.copy.root
    policy = Policy(turn.copy.root, may_write=turn.may_write, allow=terms.allow)
    requests = Requests(turn, reader, policy)
    wire = Wire(turn, requests)
    try:
        can_forget = await _open(turn, terms, reader, wire)
        await _ask(turn, reader, wire)
        if can_forget:
            await _forget(reader.session, wire)
    except RequestError as refusal:
        reader.failed(*refusal_of(refusal))
    except Gone:
        return
    finally:
        await requests.settled()
        await wire.close()
        turn.run.let_go()


async def _open(turn: Turn, terms: Terms, reader: AcpReader, wire: Wire) -> bool:
    """Greet the agent and open a session in the copy; true if it can be told to forget that."""
    files = FileSystemCapabilities(read_text_file=True, write_text_file=True)
    greeting = InitializeRequest(
        protocol_version=PROTOCOL_VERSION,
        client_capabilities=ClientCapabilities(fs=files),
        client_info=Implementation(name="orchestra-tui", version=__version__),
    )
    greeted = await wire.ask(AGENT_METHODS["initialize"], greeting)
    meta = session_meta(terms.agent, terms.allow, may_write=turn.may_write)
    wanted = NewSessionRequest(cwd=str(turn.copy.root), mcp_servers=[], field_meta=meta or None)
    opened = await wire.ask(AGENT_METHODS["session_new"], wanted)
    reader.model = text_at(opened, "models", "currentModelId")
    reader.session = text_at(opened, "sessionId")
    for choice in ("mode", "model"):
        value = terms.mode if choice == "mode" else terms.model
        if value and not await _choose(wire, reader.session, opened, choice=choice, value=value):
            _complain(turn, terms, opened, choice=choice, value=value)
    return at(greeted, "agentCapabilities", "sessionCapabilities", "delete") is not None


async def _ask(turn: Turn, reader: AcpReader, wire: Wire) -> None:
    """The prompt, and its result or error for the reader. A cancel is passed on to the agent."""
    block = TextContentBlock(type="text", text=turn.prompt)
    prompt = PromptRequest(session_id=reader.session, prompt=[block])
    asking = asyncio.ensure_future(wire.ask(AGENT_METHODS["session_prompt"], prompt))
    # How it ended after a cancel is nobody's business, and must not be reported as unseen.
    asking.add_done_callback(lambda task: task.cancelled() or task.exception())
    try:
        reader.finished(await asyncio.shield(asking))
    except RequestError as refusal:
        reader.failed(*refusal_of(refusal))
    except asyncio.CancelledError:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CANCEL_GRACE):
                    note = CancelNotification(session_id=reader.session)
                    await wire.tell(AGENT_METHODS["session_cancel"], note)
                    await asyncio.wait({asking})
        finally:
            asking.cancel()
        raise


async def _forget(session: str, wire: Wire) -> None:
    """Have the session taken out of the agent's history, which is the user's."""
    with suppress(*_LATE):
        async with asyncio.timeout(FORGET_GRACE):
            await wire.ask(
                AGENT_METHODS["session_delete"], DeleteSessionRequest(session_id=session)
            )


async def _choose(wire: Wire, session: str, opened: Event, *, choice: str, value: str) -> bool:
    """Choose a mode or a model in the way the agent offers it; False if it does not."""
    known, current = _offered(opened, choice)
    if current == value:
        return True
    if value in known:
        if choice == "mode":
            request: BaseModel = SetSessionModeRequest(session_id=session, mode_id=value)
            await wire.ask(AGENT_METHODS["session_set_mode"], request)
        else:
            await wire.ask(SET_MODEL, _SetModel(sessionId=session, modelId=value))
        return True
    for option in _options(opened, choice):
        if option.get("currentValue") == value:
            return True
        if value in {text_at(one, "value") for one in items(option.get("options"))}:
            chosen = SetSessionConfigOptionSelectRequest(
                session_id=session, config_id=text_at(option, "id"), value=value
            )
            await wire.ask(AGENT_METHODS["session_set_config_option"], chosen)
            return True
    return False


def _complain(turn: Turn, terms: Terms, opened: Event, *, choice: str, value: str) -> None:
    """Raise the error for what a person asked for and the agent does not offer."""
    if choice not in terms.required:
        return
    offered = list(_offered(opened, choice)[0])
    for option in _options(opened, choice):
        offered += [text_at(one, "value") for one in items(option.get("options"))]
    names = clean_line(", ".join(dict.fromkeys(offered[:_MAX_NAMED]))) or "none to choose"
    raise _NOT_OFFERED[choice](f"{turn.label}: it has no {choice} {value!r}; it offers {names}")


def _offered(opened: Event, choice: str) -> tuple[list[str], str]:
    """The ids of modes or models in the session's own lists, and the current one."""
    where, name = ("modes", "availableModes") if choice == "mode" else ("models", "availableModels")
    ids = [text_at(one, "id") or text_at(one, "modelId") for one in items(at(opened, where, name))]
    current = text_at(opened, where, f"current{choice.title()}Id")
    return ids, current


def _options(opened: Event, choice: str) -> list[Event]:
    """The session's options that choose this."""
    return [one for one in items(opened.get("configOptions")) if one.get("category") == choice]
