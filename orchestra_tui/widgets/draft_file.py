"""What is being typed, kept in a small file so that a crash does not lose it."""

import asyncio
import os
from pathlib import Path

MAX_CHARACTERS = 200_000


class DraftFile:
    """A file in the project's state folder; a folder that cannot be written keeps nothing.

    `limit` is how many characters are kept: the task's by default.
    """

    def __init__(
        self, folder: Path, name: str = "draft.txt", *, limit: int = MAX_CHARACTERS
    ) -> None:
        self._path = folder / name
        self._limit = limit

    async def read(self) -> str:
        """The draft; empty if there is none."""
        return await asyncio.to_thread(self._read)

    async def write(self, text: str) -> None:
        """Keep `text`; empty removes the file."""
        await asyncio.to_thread(self.write_now, text)

    def _read(self) -> str:
        try:
            # As bytes: reading as text would turn the line ends of Windows into ours.
            return self._path.read_bytes().decode(errors="replace")[: self._limit]
        except OSError:
            return ""

    def write_now(self, text: str) -> None:
        """Keep `text`, for an app that ends. Blocks."""
        part = self._path.with_suffix(".part")
        try:
            if not text.strip():
                self._path.unlink(missing_ok=True)
            elif self._path.parent.is_dir():
                part.write_bytes(text[: self._limit].encode(errors="replace"))
                os.replace(part, self._path)
        except OSError:
            # A draft is a convenience: a full or read-only disk must not stop the typing.
            return
