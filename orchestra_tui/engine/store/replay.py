"""Folding a stored log that may have holes.

The rule a reader must not break: a live log folds strictly (an event that does not fit is a
defect and is not stored); only what is read back may be skipped, and then it is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestra_tui.domain.events import Record
from orchestra_tui.domain.fold import apply
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.state import SessionState


@dataclass(frozen=True)
class Replayed:
    """The state a log gives, and a sentence for each record that did not fit."""

    state: SessionState
    warnings: tuple[str, ...]


def replay(session: SessionId, records: Iterable[Record]) -> Replayed:
    """Fold the records of a session; one whose ground was lost with an earlier row is skipped."""
    state = SessionState(id=session)
    warnings: list[str] = []
    for record in records:
        try:
            state = apply(state, record)
        except (LookupError, ValueError):
            warnings.append(
                f"session {session}: record {record.seq} ({record.event.type}) was skipped, "
                "because it speaks of something an earlier, unreadable record held"
            )
    return Replayed(state=state, warnings=tuple(warnings))
