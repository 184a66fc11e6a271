"""What the plan says of one file's change, as far as the validator may lean on it.

The rule a reader must not break: a hint only excuses a loss that the plan speaks of. It never
makes a text that is cut, elided or wrapped acceptable, and it is read from the user's approved
plan alone, never from the reply that is being judged.
"""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.plan import ChangeKind

MAX_WORDS = 8_000
"""Characters of the plan's words that are read."""

_DELETING = re.compile(
    r"\b(?:remov|delet|drop(?:s|ped|ping)?\b|strip|prun|trim|eliminat|discard|purg|shorten"
    r"|simplif|slim|condens|dedup|clean(?:s|ed|ing)?[ -]?up|get(?:s|ting)? rid|mov(?:e|es|ed|ing)\b"
    r"|extract|split|inlin(?:e|es|ed|ing)\b|merg|consolidat|replac|rewrit|rewrote|unus|dead code"
    r"|obsolet|deprecat|no longer)\w*",
    re.IGNORECASE,
)
_STUBBING = re.compile(
    r"\b(?:stub|skeleton|scaffold|placeholder|boilerplate|not[ _-]?implemented|unimplemented|todo"
    r"|fixme|no-?op\b|dummy|dummies|interface only|signatures? only|abstract|protocol|empty bod"
    r"|to be filled|filled in later)\w*",
    re.IGNORECASE,
)
_RENAMING = re.compile(
    r"\brenam\w*|\bcall(?:ed)?\b|\binstead of\b|\bbecom\w*|\bturn\w*", re.IGNORECASE
)
_NEGATED = re.compile(
    r"(?:\bnot|n['\N{RIGHT SINGLE QUOTATION MARK}]t|\bnever|\bwithout|\bno|\bnor|\bavoid\w*"
    r"|\binstead of)\b"
    r"[^.;:,\n]{0,40}\Z",
    re.IGNORECASE,
)


class PlanHint(BaseModel):
    """What one step is meant to do to its file; `words` are its purpose and notes."""

    model_config = ConfigDict(frozen=True)

    change: ChangeKind = ChangeKind.MODIFY
    words: str = ""

    @property
    def may_delete(self) -> bool:
        """True if the plan speaks of taking something out of the file."""
        return any(True for _ in _affirmed(_DELETING, self.words))

    @property
    def may_stub(self) -> bool:
        """True if the plan speaks of bodies that are left to be written."""
        return any(True for _ in _affirmed(_STUBBING, self.words))

    def deletes(self, name: str) -> bool:
        """True if a sentence that speaks of taking something out names `name` as a whole word."""
        word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
        return any(
            word.search(_sentence(self.words[:MAX_WORDS], at))
            for at in _affirmed(_DELETING, self.words)
        )

    def takes_away(self, name: str) -> bool:
        """True if the step says that `name` goes: deleted, moved, or called something else."""
        word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
        words = self.words[:MAX_WORDS]
        return self.deletes(name) or any(
            word.search(_sentence(words, at)) for at in _affirmed(_RENAMING, words)
        )

    def names(self, name: str) -> bool:
        """True if the step's words hold `name` as a whole word."""
        word = rf"(?<![\w$]){re.escape(name)}(?![\w$])"
        return re.search(word, self.words[:MAX_WORDS]) is not None


def _affirmed(intent: re.Pattern[str], words: str) -> Iterator[int]:
    """Where the words speak of the intent and do not deny it ("without removing the old one")."""
    words = words[:MAX_WORDS]
    for found in intent.finditer(words):
        if not _NEGATED.search(words, max(0, found.start() - 60), found.start()):
            yield found.start()


def _sentence(words: str, at: int) -> str:
    """The sentence around a place; a dot inside a name (`a.b`) does not end one."""
    ends = [found.end() for found in re.finditer(r"[.;!?](?=\s)|\n", words)]
    start = max((end for end in ends if end <= at), default=0)
    stop = min((end for end in ends if end > at), default=len(words))
    return words[start:stop]
