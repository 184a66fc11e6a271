"""Texts that the user writes by hand, per file: in memory, and on disk in case of a crash.

The rule a reader must not break: a draft goes only when its text is in the file, or when the user
says so.
"""

import asyncio
from pathlib import Path
from typing import NamedTuple

from orchestra_tui.domain.ids import RunId, SessionId, StepId
from orchestra_tui.widgets.draft_file import DraftFile

LARGEST = 4_000_000
"""Characters of a draft that is kept on disk."""


class RunKey(NamedTuple):
    """Which run of which session: a step of the next run has the same id and another file."""

    session: SessionId
    run: RunId


class HandDrafts:
    """The drafts of one run."""

    def __init__(self, folder: Path | None, of: RunKey) -> None:
        """Without a `folder` they live as long as the app."""
        self.of = of
        self._folder = folder
        self._texts: dict[StepId, str] = {}
        self._turn = asyncio.Lock()

    async def get(self, step: StepId) -> str | None:
        """The draft of a step; None if there is none."""
        file = self._file(step)
        if step not in self._texts and file is not None:
            async with self._turn:
                text = await file.read()
            if text:
                # What was typed meanwhile is newer than what stood on disk.
                self._texts.setdefault(step, text)
        return self._texts.get(step)

    def known(self, step: StepId) -> str | None:
        """The draft if it is in memory."""
        return self._texts.get(step)

    def hold(self, step: StepId, text: str) -> None:
        """Keep the text in memory; nothing can go wrong here."""
        self._texts[step] = text

    async def save(self, step: StepId) -> None:
        """Put what is held on disk, one write after the other."""
        file = self._file(step)
        if file is None:
            return
        async with self._turn:
            if step in self._texts:
                await file.write(self._texts[step])

    def save_now(self, step: StepId, text: str) -> None:
        """Put a text on disk, for an app that ends. Blocks."""
        if (file := self._file(step)) is not None:
            file.write_now(text)

    async def drop(self, step: StepId) -> None:
        """Forget the draft."""
        self._texts.pop(step, None)
        if (file := self._file(step)) is not None:
            async with self._turn:
                await file.write("")

    def _file(self, step: StepId) -> DraftFile | None:
        if self._folder is None:
            return None
        return DraftFile(
            self._folder, f"draft-{self.of.session}-{self.of.run}-{step}.txt", limit=LARGEST
        )
