"""The size of what a call asks, and the time that it took: what its waits are made of."""

from collections.abc import Callable
from time import monotonic

from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.adapters.base import CompletionRequest
from orchestra_tui.engine.adapters.patience import Size, Speed, complexity_of
from orchestra_tui.engine.orchestrator.watched_call import file_before

_ANSWERS = {Role.ARCHITECT: 6_000, Role.AUDITOR: 2_000}
"""Characters of a usual answer, where no file tells more."""
_NEW_FILE = 6_000
_LEAST = 2_000


def size_of(request: CompletionRequest) -> Size:
    """How much is asked. Looks through the prompt: call it in a thread."""
    prompt = sum(len(message.text) for message in request.messages)
    usual = _ANSWERS.get(request.role)
    text = file_before(request)
    if text is None:
        return Size(prompt, usual or _NEW_FILE)
    return Size(prompt, usual or max(_LEAST, len(text) * 6 // 5), complexity_of(text))


class Stopwatch:
    """Times one call from now on; `answering` passes on that a piece has come."""

    def __init__(self, on_answering: Callable[[], None]) -> None:
        self._on_answering = on_answering
        self._began = monotonic()
        self._first: float | None = None

    def answering(self) -> None:
        """A piece has come."""
        if self._first is None:
            self._first = monotonic() - self._began
        self._on_answering()

    def stop(self, speed: Speed | None, characters: int) -> float:
        """The seconds it took; a whole answer of so many characters is told to `speed`."""
        seconds = monotonic() - self._began
        if speed is not None and self._first is not None:
            speed.took(first=self._first, seconds=seconds, characters=characters)
        return round(seconds, 3)
