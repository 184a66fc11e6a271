"""Scripted adapters, a journal in memory and a clock that nobody waits for, for tests of chains."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind, Usage
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    Completion,
    CompletionRequest,
    Message,
    OnDelta,
    RateLimited,
)
from orchestra_tui.engine.adapters.breaker import Lanes
from orchestra_tui.engine.adapters.fallback import (
    Earlier,
    FallbackAdapter,
    Link,
    Try,
    error_class,
)
from orchestra_tui.engine.adapters.fallback_course import ChainLimits, Stay
from orchestra_tui.engine.adapters.fallback_joint import continuation
from orchestra_tui.engine.adapters.timing import RateHint

T = TypeVar("T")


class _Jump(selectors.DefaultSelector):
    """Never waits: the time that would be waited for is added up."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits and nothing will ever come"
        self.passed += max(0.0, timeout)
        return super().select(0)


class _TimelessLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return 1000.0 + self._jump.passed


def run_timeless(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a clock that jumps over every wait; `now()` reads it."""
    with asyncio.Runner(loop_factory=_TimelessLoop) as runner:
        return runner.run(work)


def now() -> float:
    """The time of the running loop, which is the clock of `run_timeless`."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Says:
    """An answer, or with `error` a failure after `text` was streamed; it takes `seconds`."""

    text: str = "fine"
    error: AdapterError | None = None
    finish: FinishReason = FinishReason.STOP
    seconds: float = 1.0
    hint: RateHint | None = None


def failure(kind: str, message: str = "a: no", retry_after: float | None = None) -> Says:
    """Breaks off with an error of this kind after half an answer."""
    cls = error_class(kind)
    return Says(error=cls(message, retry_after=retry_after, partial="half an ans"))


def limited(seconds: float | None, name: str = "a") -> Says:
    """A rate limit, with the seconds that the provider says."""
    return Says(error=RateLimited(f"{name}: 429", retry_after=seconds))


class ScriptedAdapter:
    """Answers as told, in turn; the last line of the script is repeated."""

    def __init__(self, name: str, *script: Says, kind: ProviderKind = ProviderKind.REAL) -> None:
        self._info = AdapterInfo(name=name, model=f"{name}-1", provider=f"{name}.test", kind=kind)
        self._script = list(script) or [Says()]
        self.requests: list[CompletionRequest] = []
        self.began: list[float] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        self.requests.append(request)
        self.began.append(now())
        says = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(says.seconds)
            if says.error is not None:
                if says.error.partial:
                    on_delta(says.error.partial)
                raise says.error
            on_delta(says.text)
            return Completion(says.text, says.finish, Usage(), self._info.model, says.hint)
        finally:
            self.in_flight -= 1

    async def is_available(self) -> bool:
        return True

    def info(self) -> AdapterInfo:
        return self._info

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Notes:
    """What was journaled, as short tuples in their order; makes the calls (`fallback.Tries`)."""

    known: Sequence[Earlier] = ()
    lines: list[tuple[object, ...]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    waited: float = 0.0
    """Seconds of waiting for a time to be over, not for calls of our own."""
    _since: float | None = None

    async def earlier(self) -> Sequence[Earlier]:
        return self.known

    async def perform(self, attempt: Try, on_answering: Callable[[], None]) -> Completion:
        self.end_wait()
        for passed in attempt.passed:
            self.lines.append(("hop", passed.left, attempt.link.name, passed.kind))
        self.lines.append(("call", attempt.link.name))
        messages: tuple[Message, ...] = (Message("user", "write it"),)
        if attempt.head:
            messages = continuation(messages, attempt.head, attempt.anchor)
        request = CompletionRequest(
            key=CallKey("r1/plan/1/call/1"),
            role=Role.EXECUTOR,
            path=None,
            task="",
            messages=messages,
        )

        def take(piece: str) -> None:
            on_answering()
            self.pieces.append(piece)

        return await attempt.link.adapter.execute(request, take)

    async def failed(
        self, error: AdapterError, *, retry_in: float | None, cooling_for: float | None
    ) -> None:
        self.lines.append(("failed", error.kind, retry_in))

    async def delayed(self, stay: Stay) -> None:
        self.end_wait()
        self.lines.append(("wait", stay.name, round(stay.seconds, 3)))
        self._since = None if stay.is_turn else now()

    def end_wait(self) -> None:
        """The wait that was told last is over."""
        self.waited += now() - self._since if self._since is not None else 0.0
        self._since = None

    @property
    def calls(self) -> list[object]:
        """Who was called, in order."""
        return [line[1] for line in self.lines if line[0] == "call"]


def chain_of(
    *adapters: ScriptedAdapter, lanes: Lanes | None = None, limits: ChainLimits | None = None
) -> FallbackAdapter:
    """A chain for one question on the clock of the running loop."""
    links = [Link(adapter) for adapter in adapters]
    return FallbackAdapter(links, lanes or Lanes(), limits or ChainLimits(), clock=now)
