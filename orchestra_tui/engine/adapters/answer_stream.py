"""What the readers of every provider's event stream share.

The rule a reader must not break: a reader is fed one event at a time and holds all that came, so
that a call which breaks off still knows its partial text. Only answer text is kept; thinking is a
sign of life and nothing else.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping

from orchestra_tui.domain.calls import FinishReason, Usage, token_count
from orchestra_tui.engine.adapters.base import InvalidResponse, StreamCut
from orchestra_tui.engine.adapters.origin import Origin
from orchestra_tui.engine.adapters.refusals import Classifier, stream_error


class AnswerStream(ABC):
    """The answer as it grows. Feed it the `data` of each event, then ask for `finish`."""

    def __init__(self, origin: Origin, classify: Classifier | None = None) -> None:
        self._origin = origin
        self._classify = classify
        self._pieces: list[str] = []
        self._reason: FinishReason | None = None
        self.usage = Usage()
        self.model: str | None = None
        self.is_done = False
        """True after the event that nothing can follow."""

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._pieces)

    @property
    def has_reason(self) -> bool:
        """True once the server said why it ended: nothing but usage can follow."""
        return self._reason is not None

    def feed(self, data: str) -> tuple[str, bool]:
        """Take one event: (new answer text, whether the model gave a sign of life).

        Raises InvalidResponse for garbage and the fitting AdapterError for an error object.
        """
        event = self._event(data)
        if error := event.get("error"):
            raise stream_error(error, origin=self._origin, classify=self._classify)
        text, is_alive = self._take(event)
        if text:
            self._pieces.append(text)
        return text, is_alive or bool(text)

    def finish(self) -> FinishReason:
        """Why the answer ended. Raises StreamCut if the stream ended before it said so."""
        if self._reason is not None:
            return self._reason
        if self.is_done:
            return FinishReason.UNKNOWN
        raise StreamCut(self._origin.sentence("the stream ended before the answer did"))

    @abstractmethod
    def _take(self, event: Mapping[str, object]) -> tuple[str, bool]:
        """Read one event that is no error: (answer text, whether the model lives)."""

    def _event(self, data: str) -> Mapping[str, object]:
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise InvalidResponse(self._origin.sentence("the stream is not JSON", data[:200]))
        return event

    def _wrong_shape(self) -> InvalidResponse:
        return InvalidResponse(self._origin.sentence("a piece of the stream has a wrong shape"))


def count(source: object, name: str) -> int | None:
    """A token count of the server; None unless it is a whole number >= 0."""
    return token_count(source.get(name)) if isinstance(source, Mapping) else None


def total(*counts: int | None) -> int | None:
    """The sum of what is known; None if nothing is."""
    known = [one for one in counts if one is not None]
    return sum(known) if known else None
