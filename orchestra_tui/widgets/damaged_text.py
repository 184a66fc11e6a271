"""What a reply that could not be used says of its file, and where it broke off. Pure.

The rule a reader must not break: this is for the eye and for a user who goes on by hand. What
counts as a reply is decided by the engine's parser, never here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestra_tui.domain.review import Diagnostic, Issue

_END = ("=== END FILE", "=== END REPLY")
_CUT_KIND = "cut"


@dataclass(frozen=True)
class FileText:
    """The text of a file as far as a reply holds it."""

    text: str
    is_from_reply: bool = False
    """The marker lines of a reply were taken off."""
    is_edits: bool = False
    """It holds edits to the file, so it is shown as it came."""
    is_open: bool = False
    """It broke off: the file has no end."""


def file_text(stored: str, path: str) -> FileText:
    """The file's own text in what was stored of an attempt: a text of the file, or a reply."""
    lines = stored.replace("\r\n", "\n").split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return FileText(stored)
    opening = lines[first].rstrip()
    if opening == f"=== EDIT {path}":
        is_open = "=== END EDIT" not in (line.rstrip() for line in lines)
        return FileText(stored, is_edits=True, is_open=is_open)
    if opening != f"=== FILE {path}":
        return FileText(stored)
    body = lines[first + 1 :]
    ends = [at for at, line in enumerate(body) if line.rstrip().startswith(_END)]
    text = "\n".join([*body[: ends[0]], ""] if ends else body)
    return FileText(text, is_from_reply=True, is_open=not ends)


def with_cut(found: Sequence[Diagnostic], shown: FileText, message: str) -> tuple[Diagnostic, ...]:
    """The findings, and where a text that broke off ends, with the words it was refused with."""
    if not shown.is_open:
        return tuple(found)
    last = len(shown.text.rstrip("\n").split("\n"))
    cut = Diagnostic(kind=_CUT_KIND, line=last, message=message or "the reply ends here")
    return (*found, cut)


def as_findings(issues: Iterable[Issue]) -> tuple[Diagnostic, ...]:
    """The Auditor's issues in the form of findings, worst first."""
    ordered = sorted(issues, key=lambda issue: -issue.severity.rank)
    return tuple(
        Diagnostic(
            kind=issue.severity.value,
            line=issue.line,
            message=f"{issue.message} ({issue.suggestion})" if issue.suggestion else issue.message,
        )
        for issue in ordered
    )
