"""What the Auditor and the validator found, worst first, each with its line."""

from collections.abc import Sequence

from orchestra_tui.domain.review import Diagnostic, Issue, Severity
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import PickList, PickRow

_STYLES = {
    Severity.INFO: MUTED,
    Severity.WARNING: "$text-warning",
    Severity.ERROR: "$text-error",
    Severity.CRITICAL: "$text-error bold",
}
_WORD = 9


class IssueList(PickList):
    """One row per finding; its key ends in the line it speaks of (0 is the whole file)."""

    def show_findings(
        self, issues: Sequence[Issue], diagnostics: Sequence[Diagnostic] = ()
    ) -> None:
        """Show the validator's findings, then the Auditor's issues."""
        rows = [_diagnostic_row(at, found) for at, found in enumerate(diagnostics)]
        ordered = sorted(issues, key=lambda issue: -issue.severity.rank)
        rows += [_issue_row(at, issue) for at, issue in enumerate(ordered)]
        self.show_rows(rows)

    @property
    def line(self) -> int:
        """The line that the finding under the cursor speaks of; 0 if it names none."""
        return int(self.key.rsplit(":", 1)[-1] or 0) if self.key else 0


def _diagnostic_row(at: int, found: Diagnostic) -> PickRow:
    left = _left(clean_line(found.kind), "$text-error", found.line, found.message)
    return PickRow(key=f"d{at}:{found.line or 0}", left=left)


def _issue_row(at: int, issue: Issue) -> PickRow:
    text = issue.message
    if issue.suggestion:
        text += f" → {issue.suggestion}"
    left = _left(issue.severity.value, _STYLES[issue.severity], issue.line, text)
    return PickRow(key=f"i{at}:{issue.line or 0}", left=left)


def _left(word: str, style: str, line: int | None, text: str) -> tuple[Span, ...]:
    place = f"line {line:>4} " if line else "          "
    return (f"{word:<{_WORD}} ", style), (place, MUTED), (clean_line(text), "")
