"""The tables of the event log, and the chain of hashes that makes a changed row visible.

The rule a reader must not break: a released table is only added to. `FORMAT` counts changes of
the tables; changes of an event's own fields are counted by `domain.events.SCHEMA_VERSION`.
"""

import hashlib
from dataclasses import dataclass

FORMAT = 1
APPLICATION_ID = 0x4F726368
"""`Orch`: says what the file is to `file` and to a release that finds it."""

# Before anything is believed: a repository can bring a database of its own, and trusted_schema=OFF
# keeps its triggers and views from calling functions. These change nothing in the file.
CAREFUL = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA busy_timeout = 30000",
)
# The journal is the one truth, so every commit waits for the disk.
DURABLE = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # Only macOS has the stronger flush; elsewhere these do nothing.
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
)

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS event (
        id INTEGER PRIMARY KEY,
        session TEXT NOT NULL,
        seq INTEGER NOT NULL CHECK (seq > 0),
        at TEXT NOT NULL,
        project TEXT NOT NULL,
        type TEXT NOT NULL,
        schema_version INTEGER NOT NULL,
        data TEXT NOT NULL,
        hash BLOB NOT NULL,
        UNIQUE (session, seq)
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS session (
        id TEXT PRIMARY KEY,
        last_at TEXT NOT NULL,
        data TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS session_newest ON session (last_at DESC, id DESC)",
)

INSERT_EVENT = (
    "INSERT INTO event (session, seq, at, project, type, schema_version, data, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
READ_EVENTS = (
    "SELECT session, seq, at, project, type, schema_version, data, hash FROM event "
    "WHERE session = ? ORDER BY seq"
)
LAST_EVENT = "SELECT seq, hash FROM event WHERE session = ? ORDER BY seq DESC LIMIT 1"
SAVE_SESSION = "INSERT OR REPLACE INTO session (id, last_at, data) VALUES (?, ?, ?)"
NEWEST_SESSIONS = "SELECT id, data FROM session ORDER BY last_at DESC, id DESC LIMIT ?"
NEXT_SESSIONS = (
    "SELECT id, data FROM session WHERE (last_at, id) < (?, ?) "
    "ORDER BY last_at DESC, id DESC LIMIT ?"
)

Row = tuple[str, int, str, str, str, int, str, bytes]


@dataclass(frozen=True)
class StoredEvent:
    """One row of the log as it lies in the file; `data` is the event as JSON, unread."""

    session: str
    seq: int
    at: str
    project: str
    type: str
    schema_version: int
    data: str
    hash: bytes = b""

    def chained(self, previous: bytes) -> bytes:
        """The hash of this row after a row with the hash `previous` (empty for the first)."""
        # A length before each part: no two different rows can give the same bytes.
        digest = hashlib.sha256(previous)
        for part in (
            self.session,
            str(self.seq),
            self.at,
            self.project,
            self.type,
            str(self.schema_version),
            self.data,
        ):
            raw = part.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "big") + raw)
        return digest.digest()

    def row(self, previous: bytes) -> Row:
        """The values of INSERT_EVENT, chained to the row before."""
        return (
            self.session,
            self.seq,
            self.at,
            self.project,
            self.type,
            self.schema_version,
            self.data,
            self.chained(previous),
        )
