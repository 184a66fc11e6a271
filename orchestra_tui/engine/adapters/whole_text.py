"""Answer text as characters: programs that count in halves of them also cut them in two.

The rule a reader must not break: text with half a character can be neither stored nor sent, so no
adapter gives it out.
"""


def whole_text(text: str) -> str | None:
    """The text with characters joined that were split in two; None if half of one is left."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


def with_marks(text: str) -> str:
    """The same for text that is only looked at or continued: what is left of a half is marked."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
