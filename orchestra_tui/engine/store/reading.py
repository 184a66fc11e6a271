"""From stored rows to records: which rows can be believed, read and passed on.

The rule a reader must not break: a row that fails is skipped and named, and the others go on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestra_tui.domain.events import Record
from orchestra_tui.engine.store.schema import StoredEvent
from orchestra_tui.engine.store.upcast import Unreadable, read_event


@dataclass(frozen=True)
class ReadRows:
    """The records that could be read, in order, and a sentence for each that could not."""

    records: tuple[Record, ...]
    warnings: tuple[str, ...]


def read_rows(rows: Iterable[StoredEvent]) -> ReadRows:
    """Read the whole log of one session, checking that no row was changed or is missing."""
    records: list[Record] = []
    warnings: list[str] = []
    expected = 1
    previous = {b""}
    for row in rows:
        if row.seq > expected:
            missing = row.seq - expected
            warnings.append(f"session {row.session}: {missing} record(s) before {row.seq} are gone")
        links = {row.chained(hash_before) for hash_before in previous}
        is_ours = row.hash in links
        # After a changed row the next one fits either to the hash that is stored there or, if
        # that is what was changed, to the hash that should be.
        previous = {row.hash} if is_ours else {row.hash, *links}
        # Nothing can be said of a row whose neighbour is gone; its own text must speak for it.
        result = read_event(row) if is_ours or row.seq > expected else _changed(row)
        expected = row.seq + 1
        if isinstance(result, Unreadable):
            warnings.append(
                f"session {row.session}: record {result.seq} ({result.type}) was skipped, "
                f"because {result.reason}"
            )
        else:
            records.append(result)
    return ReadRows(records=tuple(records), warnings=tuple(warnings))


def _changed(row: StoredEvent) -> Unreadable:
    return Unreadable(row.seq, row.type, "its bytes are not the ones that were written")
