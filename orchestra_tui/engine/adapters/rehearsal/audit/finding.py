"""How every rule words a finding."""

from orchestra_tui.domain.review import Issue, Severity


def issue(severity: Severity, line: int | None, message: str, suggestion: str) -> Issue:
    """An issue of the scripted Auditor; `line` counts from 1."""
    return Issue(severity=severity, line=line, message=message, suggestion=suggestion)
