"""Names that the lost end of a file defined and the rest of it still uses.

The rule a reader must not break: only languages where a name of another file must be imported
count. Elsewhere the definition may have moved to a neighbour without a trace in this text.
"""

import re

from orchestra_tui.engine.validation.definitions import gone_names
from orchestra_tui.engine.validation.lines import LinePair
from orchestra_tui.engine.validation.report import Finding, ReportState, finding

LOST_FROM = 3
"""Lines; a shorter end is hardly a whole definition."""
_IMPORTING = frozenset({"python", "javascript", "typescript", "tsx", "rust", "lua"})
_COMMENT = re.compile(r"^\s*(?:#(?!\[)|//|--|/?\*)")


def lost_name_findings(
    language: str, path: str, lines: LinePair, *, new: str, old: str | None
) -> tuple[Finding, ...]:
    """The finding for an end that is gone and still needed, if there is one."""
    count, start = lines.lost_tail()
    if old is None or count < LOST_FROM or language not in _IMPORTING:
        return ()
    needed = [
        gone.name
        for gone in gone_names(path, new, old)
        if gone.line >= start and len(gone.name) > 2 and _is_used(gone.name, lines)
    ]
    if not needed:
        return ()
    return (
        finding(
            ReportState.INCOMPLETE,
            "lost-tail",
            f"the last {count} lines of the old file are gone, and {needed[0]}, "
            "which is defined there, is still used",
            line=len(lines.new),
            evidence="\n".join((lines.old or [])[start - 1 : start + 7]),
        ),
    )


def _is_used(name: str, lines: LinePair) -> bool:
    """True if old lines use it still and no new line speaks of it (an import does)."""
    use = re.compile(rf"(?<![\w.'\"$@-]){re.escape(name)}\b(?!['\"-]|\s*:(?!:))")
    using = [line for line in lines.new if use.search(line) and not _COMMENT.match(line)]
    return bool(using) and all(line.strip() in lines.known for line in using)
