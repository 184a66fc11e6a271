"""An answer that was cut at its length: where it is continued, and whether the joint holds.

The rule a reader must not break: text is never joined on trust. The model is asked to begin with
the last words before the cut; unless it does, exactly and once, something is missing or twice, and
the continuation is refused.
"""

from dataclasses import dataclass

from orchestra_tui.engine.adapters.base import Message

MAX_CONTINUATIONS = 3
MIN_ANCHOR = 40
MAX_ANCHOR = 400


def anchor_of(head: str) -> str | None:
    """The end of `head` that names the cut: it stands nowhere else in it. None if there is none.

    It begins at the start of a line where that keeps it below MAX_ANCHOR characters.
    """
    if not head.strip():
        return None
    if len(head) <= MIN_ANCHOR:
        return head.lstrip()
    for length in range(MIN_ANCHOR, min(MAX_ANCHOR, len(head)) + 1, 20):
        start = _line_start(head, len(head) - length)
        anchor = head[start:].lstrip()
        if len(anchor) >= MIN_ANCHOR // 2 and head.find(anchor) == len(head) - len(anchor):
            return anchor
    return None


def continuation(messages: tuple[Message, ...], head: str, anchor: str) -> tuple[Message, ...]:
    """The question again, with the answer so far and the request to go on at its cut."""
    request = (
        "Your answer was cut off by a length limit. Go on exactly where it ends, in the same "
        "format, with no remark of yours and without starting again. Begin with these last "
        f"characters of it, repeated exactly, so that the parts can be joined:\n{anchor}"
    )
    return (*messages, Message("assistant", head), Message("user", request))


def joined(head: str, anchor: str, tail: str) -> str | None:
    """`head` and what `tail` adds to it; None if the joint does not hold.

    Blank space before the repeated words is allowed; missing words, other words, the words twice
    and the answer from its beginning are not.
    """
    tail = tail.lstrip()
    if not tail.startswith(anchor):
        return None
    rest = tail[len(anchor) :]
    opening = head[:MIN_ANCHOR].strip()
    is_again = len(anchor) >= MIN_ANCHOR // 2 and rest.lstrip().startswith(anchor)
    is_long = bool(opening) and len(head) > 2 * MIN_ANCHOR
    is_restart = is_long and rest.lstrip().startswith(opening)
    return None if is_again or is_restart else head + rest


@dataclass
class JointStream:
    """Takes the pieces of a continuation and gives those on that come after the repeated words."""

    anchor: str
    _seen: str = ""
    _is_past: bool = False

    def feed(self, piece: str) -> str:
        """What of this piece is new."""
        if self._is_past:
            return piece
        self._seen = (self._seen + piece).lstrip()
        if len(self._seen) < len(self.anchor) and self.anchor.startswith(self._seen):
            return ""
        self._is_past = True
        return self._seen.removeprefix(self.anchor)


def _line_start(text: str, at: int) -> int:
    found = text.rfind("\n", max(0, len(text) - MAX_ANCHOR), at) + 1
    return found or at
