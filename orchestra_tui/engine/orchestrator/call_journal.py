"""The calls of one question with their journal: each try is recorded before it starts and before
its reply is used.

The rule a reader must not break: a finished call is never repeated. After a crash its reply is
taken from the journal by its structural key, so nothing is paid for twice.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.budget import Reserve
from orchestra_tui.domain.calls import CallPatience, ContextItem, FinishReason, Usage
from orchestra_tui.domain.events import (
    CacheHit,
    CallDelayed,
    CallFailed,
    CallFinished,
    CallStarted,
    Event,
    HopTaken,
    ReplyDoubted,
)
from orchestra_tui.domain.ids import BlobHash, Role, call_key
from orchestra_tui.domain.money import Cost
from orchestra_tui.domain.ports import BlobStore, KeptResult
from orchestra_tui.domain.state import CallState, CallStatus, SessionState
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    Completion,
    CompletionRequest,
    Message,
    OnDelta,
)
from orchestra_tui.engine.adapters.fallback import Earlier, Link, Try
from orchestra_tui.engine.adapters.fallback_course import Passed, Stay
from orchestra_tui.engine.adapters.fallback_joint import JointStream, continuation
from orchestra_tui.engine.adapters.patience import adapted
from orchestra_tui.engine.orchestrator.call_timing import Stopwatch, size_of
from orchestra_tui.engine.orchestrator.ledger import Asked, Ledger
from orchestra_tui.engine.orchestrator.watched_call import Watch, file_before
from orchestra_tui.engine.validation.growing import Doubt


class Journal(Protocol):
    """What a call needs of the event log."""

    @property
    def state(self) -> SessionState:
        """The folded state."""
        ...

    async def append(self, *events: Event) -> SessionState:
        """Store, fold and publish; the state with the events folded in."""
        ...

    def publish_text(self, stream: str, text: str) -> None:
        """Pass on a piece of a running call or check; it may be lost."""
        ...


@dataclass(frozen=True)
class Question:
    """What is asked: the messages, what they hold of the project, and the shape of the answer.

    `chain` names adapters that are asked instead of the role's own; `files` are the contents the
    prompt was made of, by path.
    """

    role: Role
    path: str | None
    task: str
    messages: tuple[Message, ...]
    context: tuple[ContextItem, ...] = ()
    json_schema: Mapping[str, object] | None = None
    chain: tuple[str, ...] = ()
    files: Mapping[str, BlobHash] | None = None


class JournaledTries:
    """Makes the calls of one question and journals them (`fallback.Tries`)."""

    def __init__(
        self,
        journal: Journal,
        blobs: BlobStore,
        activity: Activity,
        question: Question,
        ledger: Ledger,
        *,
        max_output_tokens: int | None = None,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._activity = activity
        self._question = question
        self._ledger = ledger
        self._max_output_tokens = max_output_tokens
        self._next = 1
        self.key = call_key(activity.key, 1)
        """The newest call."""
        self.link: Link | None = None
        """Who was asked last by this process."""

    async def earlier(self) -> Sequence[Earlier]:
        """The calls that had ended before a crash, in their order."""
        found = []
        while (known := self._known()) is not None:
            found.append(await self._earlier(known))
            self._advance()
        return found

    async def perform(self, attempt: Try, on_answering: Callable[[], None]) -> Completion:
        """Call, once. Raises AdapterError, BudgetStopped, StorageError."""
        self._advance()
        key, link = self.key, attempt.link
        self.link = link
        request, patience = await self._patiently(attempt)
        text = as_json(request).encode()
        asked = Asked(self._activity.run, key, self._question.role, link, len(text))
        reserve = await self._ledger.admit(asked, partial(self._wait_for_room, link))
        try:
            await self._started(link, text, attempt.passed, reserve, patience)
            watch = await self._watch(request)
            stopwatch = Stopwatch(on_answering)
            on_delta = self._text_to_pane(attempt, stopwatch.answering)
            completion = await watch.execute(link.adapter, request, on_delta)
            seconds = stopwatch.stop(attempt.speed, len(completion.text))
            cost = await self._ledger.cost(
                link, completion.usage, model=completion.model, said=completion.cost
            )
            await self._finished(completion, seconds, cost)
        finally:
            self._ledger.release(key)
        return completion

    async def failed(
        self, error: AdapterError, *, retry_in: float | None, cooling_for: float | None
    ) -> None:
        """Record that the newest call broke off."""
        usage, cost = error.usage or Usage(), error.cost
        if self.link is not None:
            cost = await self._ledger.cost(self.link, usage, said=cost)
        await self._journal.append(
            CallFailed(
                run=self._activity.run,
                call=self.key,
                activity=self._activity.key,
                kind=error.kind,
                message=str(error),
                retry_in=retry_in,
                cooling_for=cooling_for,
                usage=usage,
                cost=cost,
            )
        )

    async def delayed(self, stay: Stay) -> None:
        """Record that the next call waits."""
        await self._journal.append(
            CallDelayed(
                run=self._activity.run,
                activity=self._activity.key,
                adapter=stay.name,
                reason=stay.reason,
                seconds=round(stay.seconds, 3),
            )
        )

    async def take_kept(self, link: Link, kept: KeptResult) -> Completion:
        """Record an answer that was known already as the call it saves."""
        self._advance()
        text = as_json(self.request(Try(link))).encode()
        await self._started(link, text, (), Reserve(), None)
        self._journal.publish_text(self.key, kept.text)
        hit = CacheHit(
            run=self._activity.run,
            call=self.key,
            activity=self._activity.key,
            saved=kept.usage,
            saved_cost=await self._ledger.cost(link, kept.usage, model=kept.model),
        )
        nothing = Usage(input_tokens=0, output_tokens=0)
        completion = Completion(kept.text, FinishReason.STOP, nothing, kept.model)
        await self._journal.append(hit)
        await self._finished(completion, 0.0, None)
        return completion

    def request(self, attempt: Try) -> CompletionRequest:
        """The request of the newest call."""
        question = self._question
        messages, schema = question.messages, question.json_schema
        if attempt.head:
            # The rest of a JSON object is none, so it cannot be held to the schema.
            messages, schema = continuation(messages, attempt.head, attempt.anchor), None
        timeouts = attempt.link.timeouts
        return CompletionRequest(
            key=self.key,
            role=question.role,
            path=question.path,
            task=question.task,
            messages=messages,
            json_schema=schema,
            max_output_tokens=self._max_output_tokens,
            first_byte_timeout=timeouts.first_byte,
            idle_timeout=timeouts.idle,
            total_timeout=timeouts.total,
        )

    async def _patiently(self, attempt: Try) -> tuple[CompletionRequest, CallPatience]:
        """The request of the newest call with the time that it may take."""
        request = self.request(attempt)
        size = await asyncio.to_thread(size_of, request)
        patience = adapted(attempt.link.timeouts, size, attempt.speed)
        request = replace(
            request,
            first_byte_timeout=patience.first_byte,
            idle_timeout=patience.idle,
            total_timeout=patience.total,
        )
        return request, patience

    def _advance(self) -> None:
        self.key = call_key(self._activity.key, self._next)
        self._next += 1

    def _known(self) -> CallState | None:
        """The call of the next number, if it has ended."""
        key = call_key(self._activity.key, self._next)
        for run in self._journal.state.runs:
            if run.id == self._activity.run:
                known = run.calls.get(key)
                ended = {CallStatus.FINISHED, CallStatus.FAILED}
                return known if known is not None and known.status in ended else None
        raise KeyError(self._activity.run)

    async def _earlier(self, call: CallState) -> Earlier:
        name = call.adapter.name
        if call.status is CallStatus.FAILED:
            return Earlier(name, kind=call.error_kind, message=call.error)
        if call.reply is None or call.finish is None:
            raise KeyError(call.key)
        data = await asyncio.to_thread(self._blobs.get, call.reply)
        completion = Completion(data.decode(), call.finish, call.usage, call.adapter.model)
        return Earlier(name, completion)

    async def _wait_for_room(self, link: Link, why: str, seconds: float) -> None:
        """Record that the next call waits until calls in flight have ended."""
        reason = f"the calls in flight may use up the budget: {why}"
        await self.delayed(Stay(name=link.name, reason=reason, seconds=seconds))

    async def _started(
        self,
        link: Link,
        request: bytes,
        passed: Sequence[Passed],
        reserve: Reserve,
        patience: CallPatience | None,
    ) -> None:
        blob = await asyncio.to_thread(self._blobs.put, request)
        started = CallStarted(
            run=self._activity.run,
            call=self.key,
            activity=self._activity.key,
            role=self._question.role,
            path=self._question.path,
            adapter=link.adapter.info(),
            request=blob,
            context=self._question.context,
            reserve=reserve,
            patience=patience,
        )
        await self._journal.append(started, *(self._hop(each, link.name) for each in passed))

    def _hop(self, passed: Passed, to: str) -> HopTaken:
        return HopTaken(
            run=self._activity.run,
            call=self.key,
            activity=self._activity.key,
            left=passed.left,
            to=to,
            kind=passed.kind,
            cause=passed.cause,
            cooling_for=passed.cooling_for,
        )

    def _text_to_pane(self, attempt: Try, on_answering: Callable[[], None]) -> OnDelta:
        key = self.key
        joint = JointStream(attempt.anchor) if attempt.head else None
        if attempt.head:
            self._journal.publish_text(key, attempt.head)

        def pass_on(piece: str) -> None:
            on_answering()
            text = joint.feed(piece) if joint else piece
            if text:
                self._journal.publish_text(key, text)

        return pass_on

    async def _watch(self, request: CompletionRequest) -> Watch:
        key = self.key

        async def doubted(doubt: Doubt) -> None:
            event = ReplyDoubted(
                run=self._activity.run,
                call=key,
                activity=self._activity.key,
                line=doubt.line,
                message=doubt.message,
            )
            await self._journal.append(event)

        old = await asyncio.to_thread(file_before, request)
        role, path = self._question.role, self._question.path
        return Watch(role, path, old, on_doubt=doubted)

    async def _finished(self, completion: Completion, seconds: float, cost: Cost | None) -> None:
        reply = await asyncio.to_thread(self._blobs.put, completion.text.encode())
        await self._journal.append(
            CallFinished(
                run=self._activity.run,
                call=self.key,
                activity=self._activity.key,
                usage=completion.usage,
                finish=completion.finish,
                reply=reply,
                seconds=seconds,
                cost=cost,
            )
        )


def as_json(request: CompletionRequest) -> str:
    """What is asked, as one text: for the journal and for the cache's key."""
    return json.dumps(
        {
            "messages": [{"role": m.author, "content": m.text} for m in request.messages],
            "json_schema": request.json_schema,
            "max_output_tokens": request.max_output_tokens,
        },
        ensure_ascii=False,
    )
