"""What a client says in its event stream, in one normal form; one reader per client.

The rule a reader must not break: the *final event* says whether a run succeeded. An exit code of 0
comes after failures as well (gemini after SIGTERM, claude after SIGINT), and a retry notice is
neither: only `finish` without `failure` is an answer.
"""

from collections.abc import Mapping
from pathlib import Path

from orchestra_tui.domain.calls import FinishReason, Usage, token_count
from orchestra_tui.domain.money import Cost
from orchestra_tui.engine.adapters.process.failures import Failure

Event = Mapping[str, object]


class EventReader:
    """Reads the events of one run. All fields are what was said so far.

    `text` is the last message, `shown` everything that was shown; `cost` is what the client says
    that it cost; `alive` counts the events
    that show the model at work, so that a watchdog can tell them from mere notices.
    """

    def __init__(self) -> None:
        self.text = ""
        self.usage = Usage()
        self.cost: Cost | None = None
        self.model = ""
        self.finish: FinishReason | None = None
        self.failure: Failure | None = None
        self.alive = 0
        self.is_over = False
        """The final event was read; whatever follows does not matter."""
        self.notices: list[Failure] = []
        self.excuse: Failure | None = None
        """Why there may be no answer although the run succeeded."""

    def feed(self, event: Event) -> str:
        """Take one event; the piece of text in it that may be shown."""
        raise NotImplementedError

    def hear(self, line: str) -> None:
        """Take one line of standard error; only some clients say there what they retry."""

    def close(self, exit_code: int, stderr: str, scratch: Path) -> None:
        """The client ended; clients without a final event tell here how."""

    def hopeless(self) -> Failure | None:
        """The failure, once the client only repeats what the chain decides better.

        A rate limit or a refusal at once, anything else when it is met for the second time.
        """
        for number, notice in enumerate(self.notices):
            if number or notice.is_for_the_chain:
                return notice
        return None


def text_at(source: object, *names: str) -> str:
    """The string at the end of a path of member names; empty if there is none."""
    value = at(source, *names)
    return value if isinstance(value, str) else ""


def count_at(source: object, *names: str) -> int | None:
    """The number of tokens at the end of a path of member names; None if there is none."""
    return token_count(at(source, *names))


def at(source: object, *names: str) -> object:
    """What stands at the end of a path of member names; None if there is nothing."""
    for name in names:
        source = source.get(name) if isinstance(source, Mapping) else None
    return source


def items(source: object) -> list[Event]:
    """The objects in a list; nothing if it is no list."""
    found = source if isinstance(source, list) else []
    return [item for item in found if isinstance(item, Mapping)]


def total(*counts: int | None) -> int | None:
    """The sum; None if one of them is not known."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
