"""Tags that are opened and never closed, counted by name.

The rule a reader must not break: HTML lets many end tags out, and a template is half a page by
nature: optional tags never count, and in a template only what the old text had balanced does.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestra_tui.engine.validation.report import Finding, ReportState, finding
from orchestra_tui.engine.validation.tree import Mark

MARKUP = frozenset({"html", "vue", "svelte"})
SHOWN = 3
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "command",
        "keygen",
        "!doctype",
        "frame",
        "basefont",
        "isindex",
    ]
)
_OPTIONAL = frozenset(
    [
        "p",
        "li",
        "dt",
        "dd",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "option",
        "optgroup",
        "colgroup",
        "rp",
        "rt",
        "head",
        "body",
        "html",
    ]
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_RAW = re.compile(r"<(script|style|textarea)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(
    r"<(/?)([a-zA-Z][\w:.-]*)((?:\"[^\"]{0,5000}\"|'[^']{0,5000}'|\{[^{}]{0,2000}\}|[^'\"<>])*?)(/?)>"
)
_TEMPLATE = re.compile(
    r"\{[{%#]|<%|<\?php|\{/|\$\{|<%|@(?:if|foreach|section)\b|^---\n", re.MULTILINE
)


def is_template(text: str) -> bool:
    """True for a text with the tags of a template language: half a page, often."""
    return _TEMPLATE.search(text) is not None


@dataclass(frozen=True)
class Tags:
    """The tags without a partner: openers by place, closers by name."""

    unclosed: tuple[Mark, ...]
    strays: Counter[str]
    is_template: bool
    is_page: bool
    has_end: bool


def markup_findings(language: str, new: str, old: str | None) -> tuple[Finding, ...]:
    """The tags that the new text leaves open, and closers that lost their opener."""
    if language not in MARKUP:
        return ()
    tags = read_tags(new, language)
    before = None if old is None else read_tags(old, language)
    return (*_lost_end(tags, before, new), *_unclosed(tags, before))


def _lost_end(tags: Tags, before: Tags | None, new: str) -> tuple[Finding, ...]:
    if not tags.is_page or tags.has_end or (before is not None and not before.has_end):
        return ()
    if before is None and re.search(r"</body\b[^<]*\Z", new, re.IGNORECASE):
        # HTML lets `</html>` out, and so do some generators of pages.
        return ()
    line = new.rstrip().count("\n") + 1
    message = "the page has no </html>: its end is missing"
    return (finding(ReportState.INCOMPLETE, "unclosed", message, line=line),)


def _unclosed(tags: Tags, before: Tags | None) -> tuple[Finding, ...]:
    if before is None and tags.is_template:
        return ()
    known = Counter(mark.text for mark in before.unclosed) if before is not None else Counter()
    fresh: list[Mark] = []
    for mark in reversed(tags.unclosed):
        if known[mark.text] > 0:
            known[mark.text] -= 1
        else:
            fresh.append(mark)
    found = [
        finding(
            ReportState.INCOMPLETE,
            "unclosed",
            f"<{mark.text}> is opened here and never closed",
            line=mark.line,
            column=mark.column,
        )
        for mark in fresh[:SHOWN]
    ]
    strays = tags.strays - (before.strays if before is not None else Counter())
    if not found and strays and before is not None and sum(before.strays.values()) == 0:
        name = next(iter(strays))
        found.append(finding(ReportState.BROKEN, "unclosed", f"</{name}> closes nothing", line=1))
    return tuple(found)


def read_tags(text: str, language: str) -> Tags:
    """Match the tags of a page; scripts, styles and comments are passed over."""
    bare = _without_raw(without_comments(text))
    stack: list[tuple[str, int]] = []
    lost: list[tuple[str, int]] = []
    strays: Counter[str] = Counter()
    for match in _TAG.finditer(bare):
        is_closer, name, _, is_single = match.groups()
        key = name if language != "html" else name.lower()
        if key.lower() in _VOID or key.lower() in _OPTIONAL or is_single:
            continue
        if not is_closer:
            stack.append((key, match.start()))
        elif any(opened == key for opened, _ in stack):
            while stack[-1][0] != key:
                lost.append(stack.pop())
            stack.pop()
        else:
            strays[key] += 1
    marks = sorted(lost + stack, key=lambda item: item[1])
    low = bare.lower()
    return Tags(
        unclosed=_placed(text, marks),
        strays=strays,
        is_template=language == "html" and is_template(text),
        is_page=language == "html" and re.search(r"<html\b", low) is not None,
        has_end="</html" in low,
    )


def _without_raw(text: str) -> str:
    """The text with scripts and styles blanked; one that is never closed stays as it is."""
    pieces: list[str] = []
    at = 0
    for match, end in raw_elements(text, _RAW):
        pieces += [text[at : match.end()], _blank(text[match.end() : end])]
        at = end
    return "".join(pieces) + text[at:]


def raw_elements(text: str, opener: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int]]:
    """The elements whose opening tag `opener` matches (its first group is the name), each with the
    place of its end tag; in time that grows with the text, also where none is ever closed."""
    at, low = 0, text.lower()
    endless: set[str] = set()
    for match in opener.finditer(text):
        name = match.group(1).lower()
        if match.start() < at or name in endless:
            continue
        end = low.find(f"</{name}", match.end())
        if end < 0:
            endless.add(name)
            continue
        yield match, end
        at = end


def without_comments(text: str) -> str:
    """The text with its comments blank, at equal length."""
    return _COMMENT.sub(lambda match: _blank(match.group(0)), text)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _placed(text: str, tags: Sequence[tuple[str, int]]) -> tuple[Mark, ...]:
    """The tags as marks; the lines are counted once, or a page of tags takes for ever."""
    ends = [-1, *(found.start() for found in re.finditer("\n", text))]
    rows = [(bisect_left(ends, at), name, at) for name, at in tags]
    return tuple(Mark(row, at - ends[row - 1], name) for row, name, at in rows)
