"""The wrapping of a reply around a file: fences and chat lines.

The rule a reader must not break: fences and sentences are content in documents and in texts of
unknown kind; what the old text began or ended with is content everywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestra_tui.engine.validation.languages import Language
from orchestra_tui.engine.validation.prose import is_chat, is_sentence, is_to_the_reader
from orchestra_tui.engine.validation.report import Finding, ReportState, finding

_FENCE = re.compile(r"^(`{3,}|~{3,})[^`]*$")
_FILE_NAME = re.compile(
    r"^(?:#{1,6} )?(?:file(?:name)?: ?)?[*_`]{0,3}[\w./@+-]+\.\w{1,12}[*_`]{0,3}:?\s*$",
    re.IGNORECASE,
)
"""The name of the file above its fence."""
_LIST_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*])\s+\S")
_PAGE_BEGINS = re.compile(
    r"^\s*(?:<!doctype|<html|<template|<script|<\?xml|<\?php)\b", re.IGNORECASE
)
_MARKDOWN_FENCE = re.compile(r"^(`{3,}|~{3,})\s*(?:markdown|md|mdx)\s*$", re.IGNORECASE)
_FILE_ENDS = re.compile(r"^__(?:END|DATA)__\s*$|^=\w+", re.MULTILINE)
TAKES_PROSE = frozenset({"html", "php", "xml", "vue", "svelte", "make"})
"""Languages whose files may begin or end with a sentence: only words to the reader count there."""


@dataclass(frozen=True)
class Envelope:
    """What was around the file and, where it can be told, the file inside."""

    finding: Finding
    inner: str | None


def find_envelope(
    language: Language, new: str, old: str | None, *, is_valid: bool
) -> Envelope | None:
    """The wrapping around `new`, or None.

    `is_valid` says that the language's own parser accepts the text as it stands: then sentences
    at its ends are content (a docstring), and only fences count.
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
            if not is_chat(lines[index].strip()) and not _FILE_NAME.match(lines[index]):
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
    if language.name == "markdown":
        return _chat_around_document(lines, shown, old)
    if is_valid or language.is_prose:
        return None
    known = [line.strip() for line in (old or "").split("\n") if line.strip()]
    return _chat_before(language, lines, shown, known) or _chat_after(language, lines, shown, known)


def _chat_before(
    language: Language, lines: Sequence[str], shown: Sequence[int], known: Sequence[str]
) -> Envelope | None:
    first = lines[shown[0]]
    if first[:1].isspace() or first.strip() in known:
        return None
    after = shown[1] if len(shown) > 1 else len(lines)
    is_apart = after > shown[0] + 1
    # The old file begins right below: then any sentence above it is none of the file's.
    is_above_old = bool(known) and after < len(lines) and lines[after].strip() == known[0]
    is_above_page = after < len(lines) and _PAGE_BEGINS.match(lines[after]) is not None
    if is_above_old or is_above_page or (is_apart and language.name not in TAKES_PROSE):
        is_found = is_chat(first.strip())
    else:
        is_found = is_to_the_reader(first.strip())
    if not is_found:
        return None
    inner = "\n".join(lines[shown[0] + 1 :]).lstrip("\n")
    message = "the file begins with words to the reader"
    return Envelope(_wrapped("chat", message, shown[0], lines), inner)


def _chat_after(
    language: Language, lines: Sequence[str], shown: Sequence[int], known: Sequence[str]
) -> Envelope | None:
    start = _paragraph_start(lines, shown[-1])
    last, opening = lines[shown[-1]], lines[start]
    above = next((lines[index] for index in reversed(shown) if index < start), "")
    is_content = last.strip() in known or (
        language.name in {"perl", "ruby"} and _is_after_code(lines)
    )
    if opening[:1].isspace() or last[:1].isspace() or is_content or not above:
        return None
    is_below_old = bool(known) and above.strip() == known[-1]
    is_below_page = language.name == "html" and above.rstrip().endswith("</html>")
    is_talk = is_below_old or is_below_page or language.name not in TAKES_PROSE
    is_speech = is_sentence(opening) or _opens_list(opening)
    if not (is_speech if is_talk else is_to_the_reader(opening)):
        return None
    inner = "\n".join(lines[:start]).rstrip("\n") + "\n"
    return Envelope(
        _wrapped("chat", "the file ends with words to the reader", shown[-1], lines), inner
    )


def _chat_around_document(
    lines: Sequence[str], shown: Sequence[int], old: str | None
) -> Envelope | None:
    """Words to the reader of the reply right above or below what was the whole document.

    Of a new document only those above its first heading, and only if they speak of a file.
    """
    known = [line.strip() for line in (old or "").split("\n") if line.strip()]
    first, last = shown[0], _paragraph_start(lines, shown[-1])
    if len(shown) < 3:
        return None
    begins = lines[shown[1]].strip()
    is_begun = begins == known[0] if known else _is_announced(lines[first], begins)
    if is_begun and is_to_the_reader(lines[first].strip()):
        inner = "\n".join(lines[first + 1 :]).lstrip("\n")
        message = "the file begins with words to the reader"
        return Envelope(_wrapped("chat", message, first, lines), inner)
    above = next((lines[index].strip() for index in reversed(shown) if index < last), "")
    if known and above == known[-1] and is_to_the_reader(lines[last].strip()):
        inner = "\n".join(lines[:last]).rstrip("\n") + "\n"
        message = "the file ends with words to the reader"
        return Envelope(_wrapped("chat", message, last, lines), inner)
    return None


def _is_announced(line: str, below: str) -> bool:
    """True for "Here is the updated file:" above the first heading."""
    return (
        below.startswith("# ")
        and re.search(r"\b(?:file|content|version|document)\b", line) is not None
    )


def _is_after_code(lines: Sequence[str]) -> bool:
    """True if the text ends in data or in a manual: words are no talk there."""
    marks = _FILE_ENDS.findall("\n".join(lines))
    return bool(marks) and marks[-1] not in {"=end", "=cut"}


def _paragraph_start(lines: Sequence[str], last: int) -> int:
    start = last
    while start > 0 and lines[start - 1].strip():
        start -= 1
    above = next((index for index in range(start - 1, -1, -1) if lines[index].strip()), None)
    is_list = all(_LIST_ITEM.match(line) for line in lines[start : last + 1])
    return above if is_list and above is not None and _opens_list(lines[above]) else start


def _opens_list(line: str) -> bool:
    """True for "Key changes:": with the list below it one piece of talk."""
    return line[:1].isupper() and " " in line and line.endswith(":") and is_chat(line)


def _wrapped(kind: str, message: str, index: int, lines: Sequence[str]) -> Finding:
    return finding(
        ReportState.WRAPPED, kind, message, line=index + 1, evidence=lines[index].strip()
    )
