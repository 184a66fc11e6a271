"""How many records the log held when it was last heard of, noted beside the database.

SQLite recovers silently from a write-ahead log that somebody deleted: committed rows are gone
and every check passes (measured: 212 of 2,000). This number is what notices it. It is not
flushed: it may lag behind after a power cut, it must never run ahead.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Self

NOTE_SECONDS = 1.0


class Waterline:
    """The open note. `count` is what it says now."""

    def __init__(self, handle: int, count: int) -> None:
        self._handle = handle
        self.count = count
        self._noted_at = -NOTE_SECONDS

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the note at `path`; an unreadable one counts as 0. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags, 0o600)
        text = os.read(handle, 32).strip()
        return cls(handle, int(text) if text.isdigit() else 0)

    def rise(self, by: int) -> bool:
        """Count `by` more committed records; True if it is time to note them.

        A second's worth may be missing from the note: it is there to notice a lost log, not a
        lost record.
        """
        self.count += by
        if time.monotonic() - self._noted_at < NOTE_SECONDS:
            return False
        self._noted_at = time.monotonic()
        return True

    def note(self) -> None:
        """Write the count down. A full disk is no error here."""
        with contextlib.suppress(OSError):
            os.lseek(self._handle, 0, os.SEEK_SET)
            # Always as wide, so that a shorter number never leaves digits of a longer one.
            os.write(self._handle, f"{self.count:020d}\n".encode())

    def close(self) -> None:
        """Write the count down and let go of the file."""
        self.note()
        os.close(self._handle)
