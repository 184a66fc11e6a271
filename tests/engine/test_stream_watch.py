"""Whole calls under watch: a runaway is stopped and asked again, a doubt is told, no more."""

import asyncio
import json
from pathlib import Path

from orchestra_tui.domain import commands as cmd
from orchestra_tui.domain import events as ev
from orchestra_tui.domain.calls import AdapterInfo, FinishReason, Usage
from orchestra_tui.domain.ids import CallKey, Role, StepId
from orchestra_tui.domain.prompt_blocks import block
from orchestra_tui.domain.settings import Mode
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.adapters.base import (
    Cancelled,
    Completion,
    CompletionRequest,
    Message,
    OnDelta,
)
from orchestra_tui.engine.adapters.rehearsal.transport import AppRequest, Reply
from orchestra_tui.engine.agents.runaway import STEP, WINDOW
from orchestra_tui.engine.orchestrator.watched_call import Watch, file_before
from orchestra_tui.engine.validation.growing import Doubt
from tests.engine.engine_house import house
from tests.stubs.openai_server import DONE, EVENTS, delta, usage
from tests.stubs.scripted_agents import question, scripted_agents, whole_file

LINES = [f"def f{n}(x):\n    return x + {n}\n\n\n" for n in range(200)]
SOUND = "".join(LINES)
PLAN = {
    "summary": "s",
    "steps": [{"id": "s1", "path": "a.py", "change": "create", "purpose": "functions"}],
    "checks": [],
    "commit_message": "m",
    "end": True,
}
PASS = {"verdict": "pass", "issues": [], "end": True}


async def test_a_runaway_is_stopped_recorded_and_asked_again(tmp_path: Path) -> None:
    """The first reply never ends by itself; the next one, told why, is good."""
    asked: list[str] = []
    ended = asyncio.Event()

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if not step:
            return json.dumps(PLAN)
        return json.dumps(PASS) if "under review" in prompt else whole_file("a.py", SOUND)

    whole = scripted_agents(script)

    async def app(request: AppRequest, reply: Reply) -> None:
        step, prompt = question(request.body)
        if not step or "under review" in prompt:
            return await whole(request, reply)
        asked.append(prompt)
        if len(asked) > 1:
            return await whole(request, reply)
        await reply.start(200, EVENTS)
        await reply.send(delta("=== FILE a.py\n"))
        try:
            while True:
                await reply.send(delta("x = 1\ny = 2\n" * 20))
        finally:
            ended.set()

    async with house(tmp_path, app=app) as h:
        await h.to_review(mode=Mode.SEQUENTIAL)
        await ended.wait()
        [refused] = [one for one in h.events if isinstance(one, ev.ReplyRefused)]
        assert "ran away and was stopped: the same 12 characters" in refused.reason
        call = h.run.calls[refused.call]
        assert (call.finish, call.usage) == (FinishReason.RUNAWAY, Usage())
        assert "ran away" in asked[1]
        assert h.text("a.py") == SOUND
        assert h.run.steps[StepId("s1")].status is StepStatus.ACCEPTED


async def test_a_doubt_is_told_while_the_reply_comes_in(tmp_path: Path) -> None:
    told = asyncio.Event()

    def script(body: bytes) -> str:
        step, prompt = question(body)
        if not step:
            return json.dumps(PLAN)
        return json.dumps(PASS) if "under review" in prompt else whole_file("a.py", SOUND)

    whole = scripted_agents(script)

    async def app(request: AppRequest, reply: Reply) -> None:
        step, prompt = question(request.body)
        if not step or "under review" in prompt or told.is_set():
            await whole(request, reply)
            return
        await reply.start(200, EVENTS)
        await reply.send(delta("=== FILE a.py\n" + "".join(LINES[:20])))
        await reply.send(delta("# ... existing code ...\n" + "".join(LINES[21:30])))
        await told.wait()
        await reply.send(delta("=== END FILE\n=== END REPLY\n"))
        await reply.send(delta(None, finish="stop"))
        await reply.send(usage(1, 1))
        await reply.send(DONE)

    async with house(tmp_path, app=app) as h:
        await h.start(mode=Mode.SEQUENTIAL)
        await h.approve()
        await h.until(lambda run: any(call.doubt for call in run.calls.values()))
        [doubted] = [one for one in h.events if isinstance(one, ev.ReplyDoubted)]
        assert doubted.line == 81
        assert h.run.calls[doubted.call].doubt.startswith("looks damaged at line 81: ")
        told.set()
        await h.until(lambda run: run.is_reviewing)
        assert h.text("a.py") == SOUND


async def test_cancelling_the_run_ends_a_watched_call_as_any_other(tmp_path: Path) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def app(request: AppRequest, reply: Reply) -> None:
        step, _ = question(request.body)
        if not step:
            return await scripted_agents(lambda _: json.dumps(PLAN))(request, reply)
        await reply.start(200, EVENTS)
        begun.set()
        try:
            number = 0
            while True:
                number += 1
                await reply.send(delta(f"x{number} = {number}\n"))
                # Writing alone gives the loop, which the engine shares, to nobody.
                await asyncio.sleep(0.001)
        finally:
            gone.set()

    async with house(tmp_path, app=app) as h:
        await h.start(mode=Mode.SEQUENTIAL)
        await h.approve()
        await begun.wait()
        await h.engine.submit(cmd.CancelRun())
        await h.until(lambda run: run.outcome is not None)
        assert h.run.outcome is ev.Outcome.CANCELLED
        await gone.wait()
        assert not h.of(ev.ReplyRefused)


class Speaker:
    """An adapter that says its pieces, and has an error of its own for a call that is stopped."""

    def __init__(self, *pieces: str, until: asyncio.Event | None = None) -> None:
        self.pieces = pieces
        self.until = until

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        try:
            for piece in self.pieces:
                on_delta(piece)
                await asyncio.sleep(0)
            if self.until is not None:
                await self.until.wait()
        except asyncio.CancelledError:
            raise Cancelled("stopped") from None
        return Completion("".join(self.pieces), FinishReason.STOP, Usage(), "m")

    async def is_available(self) -> bool:
        return True

    def info(self) -> AdapterInfo:
        return AdapterInfo(name="speaker", model="m", provider="p")

    async def close(self) -> None:
        """Nothing to close."""


def request_of(*messages: Message) -> CompletionRequest:
    return CompletionRequest(
        key=CallKey("r1/s1/execute/1/call/1"),
        role=Role.EXECUTOR,
        path="a.py",
        task="t",
        messages=messages,
    )


async def watched(
    adapter: Speaker, request: CompletionRequest
) -> tuple[Completion, list[Doubt], str]:
    told: list[Doubt] = []
    seen: list[str] = []

    async def tell(doubt: Doubt) -> None:
        told.append(doubt)
        if adapter.until is not None:
            adapter.until.set()

    watch = Watch(Role.EXECUTOR, "a.py", file_before(request), tell)
    completion = await watch.execute(adapter, request, seen.append)
    return completion, told, "".join(seen)


async def test_an_adapter_with_an_error_for_being_stopped_is_a_runaway_all_the_same() -> None:
    speaker = Speaker(*["again and again\n"] * 5_000)
    completion, _, seen = await watched(speaker, request_of(Message("user", "write")))
    assert completion.finish is FinishReason.RUNAWAY
    assert completion.text == seen
    assert WINDOW <= len(seen) < WINDOW + 2 * STEP


async def test_the_rest_of_a_cut_reply_is_not_judged_by_its_beginning() -> None:
    rest = "    return 1\n" + SOUND[:3_000] + "=== END FILE\n=== END REPLY\n"
    asked = Message("user", "write")
    speaker = Speaker(rest, until=asyncio.Event())
    _, told, _ = await watched(speaker, request_of(asked))
    assert told == [Doubt(None, "the reply does not begin with its file")]
    head = (asked, Message("assistant", "=== FILE a.py\ndef f():\n"), Message("user", "go on"))
    completion, told, seen = await watched(Speaker(rest), request_of(*head))
    assert (completion.text, told, seen) == (rest, [], rest)


def test_the_file_before_is_the_one_that_the_prompt_shows() -> None:
    prompt = block("FILE", "b.py", "other\n") + block("FILE", "a.py", "x = 1\n=== no marker\n")
    assert file_before(request_of(Message("user", prompt))) == "x = 1\n=== no marker\n"
    assert file_before(request_of(Message("user", "a.py does not exist yet"))) is None
