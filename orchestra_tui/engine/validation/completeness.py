"""Texts that end too early although their syntax may be whole.

The rule a reader must not break: a lost tail alone is soft, because real edits delete too. A line
cut in its middle is hard, and so is an end that takes the rest of a block and what followed it.
"""

from orchestra_tui.engine.validation.fences import fence_left_open
from orchestra_tui.engine.validation.languages import Language
from orchestra_tui.engine.validation.lines import LinePair
from orchestra_tui.engine.validation.report import Finding, ReportState, finding

EMPTIED_FROM = 5
"""An old text of at least so many lines that becomes empty was lost, not edited."""

HALF_FROM = 3
"""Lines; of a shorter end it is not said that it began inside a block."""


def completeness_findings(language: Language, lines: LinePair) -> tuple[Finding, ...]:
    """Signs that the end of the text is missing."""
    if not any(lines.new):
        return _emptied(lines)
    found = [*_cut_line(lines), *_lost_tail(lines)]
    if language.name == "markdown":
        found += _open_fence(lines)
    return tuple(found)


def _emptied(lines: LinePair) -> tuple[Finding, ...]:
    before = sum(1 for line in lines.old or () if line)
    if before == 0:
        return ()
    state = ReportState.INCOMPLETE if before >= EMPTIED_FROM else ReportState.SUSPECT
    return (finding(state, "emptied", f"all {before} lines of the file are gone", line=1),)


def _cut_line(lines: LinePair) -> list[Finding]:
    """The last line is the beginning of the old line that followed the same line."""
    if lines.old is None:
        return []
    last = max(index for index, line in enumerate(lines.new) if line)
    text = lines.new[last]
    at = _line_cut_short(lines, last)
    if at is None:
        return []
    is_hard = any(lines.old[at + 1 :])
    return [
        finding(
            ReportState.INCOMPLETE if is_hard else ReportState.SUSPECT,
            "cut-line",
            "the text stops in the middle of a line",
            line=last + 1,
            column=len(text) + 1,
            evidence=lines.old[at],
        )
    ]


def _line_cut_short(lines: LinePair, last: int) -> int | None:
    """The index of the old line whose beginning is the last new line, after the same line."""
    old = lines.old or []
    text = lines.new[last]
    if lines.new[:last] == old[:last]:
        # Everything before is the old text itself: then even one character is a sign.
        is_cut = last < len(old) and old[last].startswith(text) and old[last] != text
        return last if is_cut else None
    if last == 0 or len(text.strip()) < 2 or text.strip() in lines.known:
        return None
    above = lines.new[last - 1]
    for index in range(1, len(old)):
        if old[index - 1] == above and old[index].startswith(text) and old[index] != text:
            return index
    return None


def _lost_tail(lines: LinePair) -> list[Finding]:
    count, start = lines.lost_tail()
    if count == 0:
        return []
    old = lines.old or []
    gone = "\n".join(old[start - 1 : start + 7])
    plural = "line" if count == 1 else "lines"
    # Where the text did not get shorter, the end has moved up.
    is_shorter = sum(map(bool, old)) - sum(map(bool, lines.new)) > count // 2
    is_half = count >= HALF_FROM and is_shorter and _starts_inside_a_block(old, start - 1)
    where = ", from the middle of a block on" if is_half else ""
    return [
        finding(
            ReportState.INCOMPLETE if is_half else ReportState.SUSPECT,
            "lost-tail",
            f"the last {count} {plural} of the old file have nothing in their place{where}",
            line=len(lines.new),
            evidence=gone,
        )
    ]


def _starts_inside_a_block(old: list[str], start: int) -> bool:
    """True if a cut before `old[start]` leaves half a block, and whole ones after it are gone too.

    Who deletes, deletes from one border to another; a cut falls where it falls.
    """
    first = next((at for at in range(start, len(old)) if old[at]), len(old))
    if start == 0 or first == len(old) or not old[start - 1]:
        return False
    depth = _depth(old[first])
    # A border shows two of these: an empty line, no indentation, a smaller one than above.
    if (first > start) + (depth == 0) + (depth < _depth(old[start - 1])) >= 2:
        return False
    rest = range(first + 1, len(old))
    return any(
        old[at] and (_depth(old[at]) < depth or (not old[at - 1] and _depth(old[at]) == depth == 0))
        for at in rest
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _open_fence(lines: LinePair) -> list[Finding]:
    opened = fence_left_open(lines.new)
    if opened is None or (lines.old is not None and fence_left_open(lines.old) is not None):
        return []
    return [
        finding(
            ReportState.INCOMPLETE,
            "open-fence",
            "the code block that begins here is never closed",
            line=opened,
            evidence=lines.new[opened - 1],
        )
    ]
