"""Old rows read with today's words: an event of an earlier schema becomes one of this release.

The rule a reader must not break: a step, once released, is never changed; a new schema adds one.
What cannot be read is reported and left where it is, never a reason to refuse the session.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from orchestra_tui.domain.events import EVENT, SCHEMA_VERSION, Record
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.engine.store.schema import StoredEvent

Fields = dict[str, object]
UPCASTS: Mapping[int, Callable[[Fields], Fields]] = {}
"""Schema version -> what makes an event of that version one of the next."""


@dataclass(frozen=True)
class Unreadable:
    """A row that was skipped, and why in a few words."""

    seq: int
    type: str
    reason: str


def read_event(stored: StoredEvent) -> Record | Unreadable:
    """The record a row holds, upcast to this release; Unreadable if it does not hold one."""
    try:
        fields = json.loads(stored.data)
        at = datetime.fromisoformat(stored.at)
    except ValueError:
        return Unreadable(stored.seq, stored.type, "it is damaged")
    if not isinstance(fields, dict):
        return Unreadable(stored.seq, stored.type, "it is damaged")
    try:
        event = EVENT.validate_python(_upcast(fields, stored.schema_version), strict=False)
    except (ValidationError, KeyError):
        newer = stored.schema_version > SCHEMA_VERSION
        reason = "a newer release wrote it" if newer else "its content is not known here"
        return Unreadable(stored.seq, stored.type, reason)
    return Record(
        seq=stored.seq,
        at=at,
        session=SessionId(stored.session),
        project=stored.project,
        event=event,
    )


def _upcast(fields: Fields, version: int) -> Fields:
    for step in range(version, SCHEMA_VERSION):
        fields = UPCASTS[step](fields)
    return fields
