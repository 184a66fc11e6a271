"""Model calls with a journal: each try is recorded before it starts and before its reply is used.

The rule a reader must not break: a finished call is never repeated. After a crash its reply is
taken from the journal by its structural key, so nothing is paid for twice.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.calls import ContextItem, FinishReason
from orchestra_tui.domain.events import CallFailed, CallFinished, CallStarted, Event
from orchestra_tui.domain.ids import CallKey, Role, call_key
from orchestra_tui.domain.ports import BlobStore
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.domain.state import CallState, CallStatus, RunState, SessionState
from orchestra_tui.engine.adapters.base import (
    Adapter,
    AdapterError,
    Completion,
    CompletionRequest,
    Message,
    RateLimited,
)

BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 8.0
"""Doubling from the first to the second, as the OpenAI and Anthropic clients do."""


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
    """What is asked: the messages, what they hold of the project, and the shape of the answer."""

    role: Role
    path: str | None
    task: str
    messages: tuple[Message, ...]
    context: tuple[ContextItem, ...] = ()
    json_schema: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Answer:
    """A finished call's reply, fresh or from the journal."""

    call: CallKey
    text: str
    finish: FinishReason


@dataclass
class Timeouts:
    """Seconds a call may wait: for the first piece, between pieces, and in all."""

    first_byte: float = 60.0
    idle: float = 30.0
    total: float = 600.0


@dataclass
class Caller:
    """Asks the adapter of a role, repeats what may pass, and journals every try."""

    journal: Journal
    blobs: BlobStore
    adapters: dict[Role, Adapter]
    timeouts: dict[Role, Timeouts] = field(default_factory=dict)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    max_output_tokens: int | None = None

    async def ask(self, activity: Activity, question: Question) -> Answer:
        """The reply to `question`. Raises AdapterError when no try succeeded."""
        settings = self._run(activity).settings
        number = 1
        retries = 0
        while True:
            key = call_key(activity.key, number)
            known = self._run(activity).calls.get(key)
            if known is not None and known.status is CallStatus.FINISHED:
                return await self._known_answer(known)
            if known is not None and known.status is CallStatus.FAILED:
                number, retries = number + 1, retries + 1
                continue
            try:
                return await self._try(activity, key, question)
            except AdapterError as error:
                wait = _wait_before_retry(error, retries, settings)
                await self._record_failure(activity, key, error, wait)
                if wait is None:
                    raise
                await self.sleep(wait)
                number, retries = number + 1, retries + 1

    def _run(self, activity: Activity) -> RunState:
        for run in self.journal.state.runs:
            if run.id == activity.run:
                return run
        raise KeyError(activity.run)

    async def _known_answer(self, call: CallState) -> Answer:
        if call.reply is None or call.finish is None:
            raise KeyError(call.key)
        data = await asyncio.to_thread(self.blobs.get, call.reply)
        return Answer(call.key, data.decode(), call.finish)

    async def _try(self, activity: Activity, key: CallKey, question: Question) -> Answer:
        adapter = self.adapters[question.role]
        request = self._request(key, question)
        request_blob = await asyncio.to_thread(self.blobs.put, _as_json(request).encode())
        await self.journal.append(
            CallStarted(
                run=activity.run,
                call=key,
                activity=activity.key,
                role=question.role,
                path=question.path,
                adapter=adapter.info(),
                request=request_blob,
                context=question.context,
            )
        )
        began = monotonic()

        def pass_on(piece: str) -> None:
            self.journal.publish_text(key, piece)

        completion = await adapter.execute(request, pass_on)
        await self._record_reply(activity, key, completion, monotonic() - began)
        return Answer(key, completion.text, completion.finish)

    def _request(self, key: CallKey, question: Question) -> CompletionRequest:
        timeouts = self.timeouts.get(question.role, Timeouts())
        return CompletionRequest(
            key=key,
            role=question.role,
            path=question.path,
            task=question.task,
            messages=question.messages,
            json_schema=question.json_schema,
            max_output_tokens=self.max_output_tokens,
            first_byte_timeout=timeouts.first_byte,
            idle_timeout=timeouts.idle,
            total_timeout=timeouts.total,
        )

    async def _record_reply(
        self, activity: Activity, key: CallKey, completion: Completion, seconds: float
    ) -> None:
        reply = await asyncio.to_thread(self.blobs.put, completion.text.encode())
        await self.journal.append(
            CallFinished(
                run=activity.run,
                call=key,
                activity=activity.key,
                usage=completion.usage,
                finish=completion.finish,
                reply=reply,
                seconds=round(seconds, 3),
            )
        )

    async def _record_failure(
        self, activity: Activity, key: CallKey, error: AdapterError, wait: float | None
    ) -> None:
        await self.journal.append(
            CallFailed(
                run=activity.run,
                call=key,
                activity=activity.key,
                kind=error.kind,
                message=str(error),
                retry_in=wait,
            )
        )


def _wait_before_retry(error: AdapterError, retries: int, settings: RunSettings) -> float | None:
    """Seconds to wait before the same call is tried again; None to give it up."""
    if not error.is_retryable or retries >= settings.max_call_retries:
        return None
    backoff = min(BACKOFF_SECONDS * float(2**retries), MAX_BACKOFF_SECONDS)
    if error.retry_after is None:
        return backoff
    if error.retry_after > settings.max_retry_wait:
        return None
    # A server that says "at once" on every 429 would be hammered without the backoff.
    return max(error.retry_after, backoff) if isinstance(error, RateLimited) else error.retry_after


def _as_json(request: CompletionRequest) -> str:
    return json.dumps(
        {
            "messages": [{"role": m.author, "content": m.text} for m in request.messages],
            "json_schema": request.json_schema,
            "max_output_tokens": request.max_output_tokens,
        },
        ensure_ascii=False,
    )
