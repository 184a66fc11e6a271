"""The chain of one role: asks the first adapter that may be asked, and goes on when it fails.

The rule a reader must not break: one question, one answer from one adapter. What an adapter had
written when it failed is thrown away; nothing of it reaches the next one's answer. And a rehearsal
is never a link of a chain that leads to a model.

```
choose ──> wait, visibly, with a deadline ──> choose again
   │
   └─> try ──> whole ──> the answer
         ├──> cut at its length ──> continue with the same adapter, at most MAX_CONTINUATIONS times
         └──> failed ──> decisions.RULES ──> choose
```
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from orchestra_tui.domain.calls import FinishReason, ProviderKind
from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.engine.adapters.base import Adapter, AdapterError, Completion, OutputTruncated
from orchestra_tui.engine.adapters.breaker import Lane, Lanes, Permit, Readiness
from orchestra_tui.engine.adapters.decisions import Move, rule_for
from orchestra_tui.engine.adapters.fallback_course import (
    ChainLimits,
    Course,
    Exhausted,
    Go,
    Passed,
    Stay,
)
from orchestra_tui.engine.adapters.fallback_joint import MAX_CONTINUATIONS, anchor_of, joined
from orchestra_tui.engine.adapters.patience import Speed, Timeouts
from orchestra_tui.engine.adapters.prices import Tariff

Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], float]


NOTICEABLE = 1.0
"""Seconds by which a wait must grow before it is told anew."""


class ChainExhausted(AdapterError):
    """No adapter of the chain may be asked now; `retry_after` is when the first may be."""

    kind = "chain_exhausted"


_NO_TARIFF = Tariff("")
_USUAL = Timeouts()


@dataclass(frozen=True)
class Link:
    """One adapter of a chain. `cache_tag` says how it is set up, where its answer depends on that
    and the prompt alone; empty for one whose answers cannot be kept. `tariff`, the limit of its
    answers and whether a program works behind it tell what a call may cost."""

    adapter: Adapter
    timeouts: Timeouts = _USUAL
    cache_tag: str = ""
    tariff: Tariff = _NO_TARIFF
    max_output_tokens: int | None = None
    runs_program: bool = False
    at_once: int | None = None
    """How many calls it can take at once, where that is known."""

    @property
    def name(self) -> str:
        """How chains and screens call it."""
        return self.adapter.info().name


@dataclass(frozen=True)
class Try:
    """One call to make. With `head` it continues an answer that was cut after it."""

    link: Link
    passed: tuple[Passed, ...] = ()
    head: str = ""
    anchor: str = ""
    speed: Speed | None = None
    """How fast its adapter was so far; who makes the call adds to it."""


@dataclass(frozen=True)
class Earlier:
    """A call of this question before a crash: its answer, or the kind of its error."""

    name: str
    completion: Completion | None = None
    kind: str = ""
    message: str = ""


class Tries(Protocol):
    """Makes the calls of one question and journals them: the orchestrator."""

    async def earlier(self) -> Sequence[Earlier]:
        """The calls that ended before this process, in their order."""
        ...

    async def perform(self, attempt: Try, on_answering: Callable[[], None]) -> Completion:
        """Call, once. `on_answering` is called at the first piece. Raises AdapterError."""
        ...

    async def failed(
        self, error: AdapterError, *, retry_in: float | None, cooling_for: float | None
    ) -> None:
        """The call broke off."""
        ...

    async def delayed(self, stay: Stay) -> None:
        """A wait begins."""
        ...


class FallbackAdapter:
    """An ordered chain of adapters for one question. Raises NotConfigured for an empty chain, or
    one in which a rehearsal stands beside a model."""

    def __init__(
        self,
        links: Sequence[Link],
        lanes: Lanes,
        limits: ChainLimits,
        *,
        clock: Clock = monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        refuse_mixed(links)
        self._links = {link.name: link for link in links}
        self._lanes = lanes
        self._lane: dict[str, Lane] = {
            name: lanes.lane(link.adapter.info(), link.at_once)
            for name, link in self._links.items()
        }
        self._course = Course(tuple(self._links), limits)
        self._draft = _Draft(self._course)
        self._clock = clock
        self._sleep = sleep

    async def answer(self, tries: Tries) -> Completion:
        """The answer of the first adapter that gave one.

        Raises ChainExhausted, or the error of the last adapter when it is to blame and none
        may answer later; its message holds what each adapter said.
        """
        for earlier in await tries.earlier():
            if (answer := self._replay(earlier)) is not None:
                return answer
        while True:
            permit, attempt = await self._next(tries)
            if permit is None or attempt is None:
                return self._end()
            try:
                completion = await self._try(tries, permit, attempt)
            finally:
                permit.leave()
            if completion is not None:
                answer = self._draft.take(attempt.link.name, completion, self._clock())
                if answer is not None:
                    return answer

    async def _try(self, tries: Tries, permit: Permit, attempt: Try) -> Completion | None:
        name = attempt.link.name
        try:
            completion = await tries.perform(attempt, permit.answering)
        except AdapterError as error:
            return await self._failed(tries, permit, name, error)
        permit.answered(completion.hint, self._clock())
        return completion

    async def _failed(
        self, tries: Tries, permit: Permit, name: str, error: AdapterError
    ) -> Completion | None:
        now = self._clock()
        rule = rule_for(error.kind, is_retryable=error.is_retryable)
        cooling = permit.lane.failed(error, rule, began=permit.began, now=now)
        permit.leave()
        if rule.move is Move.GO_ON and self._draft.take_partial(name, error, now):
            retry_in: float | None = 0.0
        else:
            self._course.failed(name, error, rule, now)
            retry_in = None if rule.move is Move.STOP else self._retry_in(now)
        await tries.failed(error, retry_in=retry_in, cooling_for=cooling)
        if rule.move is Move.STOP:
            raise error
        return None

    def _retry_in(self, now: float) -> float | None:
        match self._course.choose(now, self._readiness(now)):
            case Go():
                return 0.0
            case Stay(seconds=seconds):
                return seconds
            case Exhausted():
                return None

    async def _next(self, tries: Tries) -> tuple[Permit, Try] | tuple[None, None]:
        """The next call with its permit, after the waits it needs; None when there is none."""
        told: tuple[str, str] | None = None
        until = 0.0
        while True:
            now = self._clock()
            readiness = self._readiness(now)
            match self._course.choose(now, readiness):
                case Exhausted():
                    return None, None
                case Stay() as stay:
                    # Told again when somebody else's failure made it longer.
                    if told != (stay.name, stay.reason) or now + stay.seconds > until + NOTICEABLE:
                        await tries.delayed(stay)
                        told, until = (stay.name, stay.reason), now + stay.seconds
                    await self._wait(stay)
                case Go(name=name):
                    passed = self._course.passed_for(name, readiness)
                    head, anchor = self._draft.start(name)
                    attempt = Try(self._links[name], passed, head, anchor, self._lane[name].speed)
                    return self._lane[name].enter(now), attempt

    async def _wait(self, stay: Stay) -> None:
        """Until its time is over or something became free, whichever is first."""
        began = self._clock()
        waits = {
            asyncio.ensure_future(self._sleep(stay.seconds)),
            asyncio.ensure_future(self._lanes.change()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            # Nothing is suppressed: what could come out of here is a cancel of our own.
            await asyncio.gather(*waits, return_exceptions=True)
        self._course.count_wait(stay, self._clock() - began)

    def _readiness(self, now: float) -> dict[str, Readiness]:
        return {name: lane.readiness(now) for name, lane in self._lane.items()}

    def _replay(self, earlier: Earlier) -> Completion | None:
        """Take what was journaled before a crash as if it had happened now, but for its waits."""
        if earlier.name not in self._links:
            return earlier.completion if _is_whole(earlier.completion) else None
        if earlier.completion is not None:
            self._draft.start(earlier.name)
            return self._draft.take(earlier.name, earlier.completion, self._clock())
        error = error_class(earlier.kind)(earlier.message)
        self._course.failed(earlier.name, error, rule_for(earlier.kind), self._clock())
        return None

    def _end(self) -> Completion:
        """The cut answer if that is all that is wrong with the chain. Raises AdapterError."""
        kind, message, seconds = self._course.exhausted(self._readiness(self._clock()))
        if kind == "output_truncated" and self._draft.best is not None:
            return self._draft.best
        raise error_class(kind, ChainExhausted)(message, retry_after=seconds)


@dataclass
class _Draft:
    """An answer that takes more than one call of one adapter."""

    course: Course
    best: Completion | None = None
    """The longest cut answer so far."""
    name: str = ""
    text: str = ""
    anchor: str = ""
    count: int = 0

    def start(self, name: str) -> tuple[str, str]:
        """What a call to this adapter continues; another one starts anew."""
        if name != self.name:
            self._drop()
        return self.text, self.anchor

    def take(self, name: str, completion: Completion, now: float) -> Completion | None:
        """The whole answer, or None: it must be continued, or its adapter has failed."""
        text: str | None = completion.text
        if self.text:
            text = joined(self.text, self.anchor, completion.text)
        if text is None:
            self._fail(name, "the continuation of a cut answer does not fit its cut", now)
            return None
        whole = replace(completion, text=text)
        if completion.finish is not FinishReason.LENGTH:
            return whole
        if self.best is None or len(self.best.text) < len(text):
            self.best = whole
        if not self._keep(name, text, is_longer=len(text) > len(self.text)):
            self._fail(name, "the answer was cut off by a length limit", now)
        return None

    def take_partial(self, name: str, error: AdapterError, now: float) -> bool:
        """True if the text that came with a length error can be continued."""
        if not error.partial or self.text:
            return False
        return self._keep(name, error.partial, is_longer=True)

    def _keep(self, name: str, text: str, *, is_longer: bool) -> bool:
        anchor = anchor_of(text)
        if anchor is None or not is_longer or self.count >= MAX_CONTINUATIONS:
            return False
        self.name, self.text, self.anchor = name, text, anchor
        self.count += 1
        self.course.keep_to(name)
        return True

    def _fail(self, name: str, why: str, now: float) -> None:
        self._drop()
        kind = "output_truncated"
        self.course.failed(name, OutputTruncated(f"{name}: {why}"), rule_for(kind), now)

    def _drop(self) -> None:
        self.name, self.text, self.anchor, self.count = "", "", "", 0


def refuse_mixed(links: Sequence[Link]) -> None:
    """Raises NotConfigured if there is no link, or a rehearsal among links that lead to a model."""
    if not links:
        raise NotConfigured("the chain holds no adapter: name one in [chains]")
    kinds = {link.adapter.info().kind for link in links}
    if ProviderKind.REHEARSAL in kinds and len(links) > 1:
        raise NotConfigured("a rehearsal cannot be part of a chain: it is no model")


def error_class(kind: str, unknown: type[AdapterError] = AdapterError) -> type[AdapterError]:
    """The class of the error tree for a journaled kind; `unknown` if there is none."""
    waiting = [AdapterError]
    while waiting:
        found = waiting.pop()
        if found.kind == kind and found is not AdapterError:
            return found
        waiting += found.__subclasses__()
    return unknown


def _is_whole(completion: Completion | None) -> bool:
    return completion is not None and completion.finish is not FinishReason.LENGTH
