"""Texts that the user writes by hand, per file: in memory, and on disk in case of a crash.

The rule a reader must not break: a draft goes only when its text is in the file, or when the user
says so.
"""

from pathlib import Path

from orchestra_tui.domain.ids import SessionId, StepId
from orchestra_tui.widgets.draft_file import DraftFile

LARGEST = 4_000_000
"""Characters of a draft that is kept on disk."""


class HandDrafts:
    """The drafts of one session."""

    def __init__(self, folder: Path | None, session: SessionId) -> None:
        """Without a `folder` they live as long as the app."""
        self.session = session
        self._folder = folder
        self._texts: dict[StepId, str] = {}

    async def get(self, step: StepId) -> str | None:
        """The draft of a step; None if there is none."""
        if step in self._texts:
            return self._texts[step]
        text = await file.read() if (file := self._file(step)) is not None else ""
        if text:
            self._texts[step] = text
        return text or None

    def known(self, step: StepId) -> str | None:
        """The draft if it is in memory."""
        return self._texts.get(step)

    def hold(self, step: StepId, text: str) -> None:
        """Keep the text in memory; nothing can go wrong here."""
        self._texts[step] = text

    async def save(self, step: StepId) -> None:
        """Put what is held on disk."""
        file = self._file(step)
        if file is not None and step in self._texts:
            await file.write(self._texts[step])

    async def drop(self, step: StepId) -> None:
        """Forget the draft."""
        self._texts.pop(step, None)
        if (file := self._file(step)) is not None:
            await file.write("")

    def _file(self, step: StepId) -> DraftFile | None:
        if self._folder is None:
            return None
        return DraftFile(self._folder, f"draft-{self.session}-{step}.txt", limit=LARGEST)
