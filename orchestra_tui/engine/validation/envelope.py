"""The wrapping of a reply around a file: fences and chat lines.

The rule a reader must not break: fences and sentences are content in documents and in texts of
unknown kind; what the old text began or ended with is content everywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestra_tui.engine.validation.languages import Language
from orchestra_tui.engine.validation.report import Finding, ReportState, finding

_FENCE = re.compile(r"^(`{3,}|~{3,})[^`]*$")
_MARKDOWN_FENCE = re.compile(r"^(`{3,}|~{3,})\s*(?:markdown|md|mdx)\s*$", re.IGNORECASE)
_INTRO = re.compile(
    r"^(?:sure|certainly|of course|absolutely|okay|ok|great|alright|got it|no problem)\b[,!.:]"
    r"|^here(?:'s| is| are) (?:the|your|an?|my|what)\b.*[:.!]$"
    r"|^(?:i have|i've|i'll|i will|let me|below is|this is) .*\b(?:file|code|updated?|version|"
    r"implementation|change[sd]?|complete)\b.*[:.!]$"
    r"|^(?:the )?(?:updated|complete|full|modified|corrected|new) (?:file|code|version)\b.*[:.]$",
    re.IGNORECASE,
)
_OUTRO = re.compile(
    r"^(?:let me know|i hope|hope this|feel free|this (?:code|file|version|change|implementation|"
    r"update)\b|the (?:above|code above|changes?)\b|note that|key changes|changes made|"
    r"explanation|i(?:'ve| have) (?:added|updated|made|changed|fixed|implemented))",
    re.IGNORECASE,
)
_WORD = re.compile(r"^[A-Za-z][a-z']*[,.:;!?]*$")
_CODE_SIGNS = re.compile(r"[=;{}<>\\|@$`#]|\w\(|::|->")


TAKES_PROSE = frozenset({"yaml", "bash", "html", "php", "make", "dockerfile", "xml", "vue"})
"""Languages in which a sentence is good syntax: there an unmistakable opening still counts."""


@dataclass(frozen=True)
class Envelope:
    """What was around the file and, where it can be told, the file inside."""

    finding: Finding
    inner: str | None


def find_envelope(
    language: Language, new: str, old: str | None, *, is_valid: bool
) -> Envelope | None:
    """The wrapping around `new`, or None.

    `is_valid` says that the text as it stands is good syntax: then sentences at its ends are
    content (a docstring, a here-document), and only fences and unmistakable openings count.
    """
    lines = new.split("\n")
    shown = [index for index, line in enumerate(lines) if line.strip()]
    if not shown:
        return None
    if old is not None and _same_edges(lines, old):
        return None
    return (
        _opening_fence(language, lines, shown)
        or _closing_fence(language, lines, shown)
        or _chat(language, lines, shown, old, is_valid=is_valid)
    )


def _same_edges(lines: Sequence[str], old: str) -> bool:
    new_shown = [line.strip() for line in lines if line.strip()]
    old_shown = [line.strip() for line in old.split("\n") if line.strip()]
    return bool(old_shown) and (new_shown[0], new_shown[-1]) == (old_shown[0], old_shown[-1])


def _opening_fence(
    language: Language, lines: Sequence[str], shown: Sequence[int]
) -> Envelope | None:
    """A fence as the first line, or after a few lines of chat."""
    look = _MARKDOWN_FENCE if language.is_prose and language.name != "unknown" else _FENCE
    for position, index in enumerate(shown[:4]):
        match = look.match(lines[index].rstrip())
        if match is None:
            if not _is_chat(lines[index].strip()):
                return None
            continue
        if position and language.is_prose and language.name == "unknown":
            return None
        return _fenced(lines, index, match.group(1))
    return None


def _fenced(lines: Sequence[str], start: int, mark: str) -> Envelope:
    end = next(
        (i for i in range(len(lines) - 1, start, -1) if lines[i].strip().startswith(mark)), None
    )
    if end is None:
        return Envelope(
            finding(
                ReportState.INCOMPLETE,
                "fence",
                "the reply's code fence is opened here and never closed: its end is missing",
                line=start + 1,
                evidence=lines[start],
            ),
            None,
        )
    inner = "\n".join(lines[start + 1 : end]) + "\n"
    return Envelope(_wrapped("fence", "the file is wrapped in a code fence", start, lines), inner)


def _closing_fence(
    language: Language, lines: Sequence[str], shown: Sequence[int]
) -> Envelope | None:
    """A fence at the end that nothing opened."""
    last = shown[-1]
    if language.is_prose or not re.match(r"^(?:```|~~~)\s*$", lines[last]):
        return None
    fences = sum(1 for line in lines if re.match(r"^(?:```|~~~)", line))
    if fences % 2 == 0:
        return None
    inner = "\n".join(lines[:last]) + "\n"
    message = "a code fence of the reply is left at the end of the file"
    return Envelope(_wrapped("fence", message, last, lines), inner)


def _chat(
    language: Language,
    lines: Sequence[str],
    shown: Sequence[int],
    old: str | None,
    *,
    is_valid: bool,
) -> Envelope | None:
    if is_valid and language.name not in TAKES_PROSE:
        return None
    known = frozenset(line.strip() for line in (old or "").split("\n"))
    first, last = lines[shown[0]].strip(), lines[shown[-1]].strip()
    is_strict = is_valid or language.is_prose or language.is_weak
    if first not in known and (_INTRO.match(first) or (not is_strict and _is_sentence(first))):
        inner = "\n".join(lines[shown[0] + 1 :]).lstrip("\n")
        return Envelope(
            _wrapped("chat", "the file begins with words to the reader", shown[0], lines), inner
        )
    if last not in known and not is_strict and (_OUTRO.match(last) or _is_sentence(last)):
        inner = "\n".join(lines[: _paragraph_start(lines, shown[-1])]).rstrip("\n") + "\n"
        return Envelope(
            _wrapped("chat", "the file ends with words to the reader", shown[-1], lines), inner
        )
    return None


def _paragraph_start(lines: Sequence[str], last: int) -> int:
    start = last
    while start > 0 and lines[start - 1].strip():
        start -= 1
    return start


def _is_chat(line: str) -> bool:
    return _INTRO.match(line) is not None or _is_sentence(line)


def _is_sentence(line: str) -> bool:
    """True for a line of human language: a capital, several plain words, an end mark."""
    words = line.split()
    if len(words) < 4 or not line[0].isupper() or line[-1] not in ".:!?":
        return False
    if _CODE_SIGNS.search(line):
        return False
    plain = sum(1 for word in words if _WORD.match(word))
    return plain >= 0.7 * len(words)


def _wrapped(kind: str, message: str, index: int, lines: Sequence[str]) -> Finding:
    return finding(
        ReportState.WRAPPED, kind, message, line=index + 1, evidence=lines[index].strip()
    )
