"""What the Auditor finds in a file and what the validator finds in a text."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """How much an issue matters, mildest first."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 3 for critical, to compare with a floor."""
        return list(Severity).index(self)


class Issue(BaseModel):
    """One finding of the Auditor. `line` counts from 1; None speaks of the whole file."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    severity: Severity
    line: int | None = None
    message: str
    suggestion: str = ""


class Verdict(StrEnum):
    """What the Auditor says of a file."""

    PASS = "pass"
    ISSUES = "issues"


class Diagnostic(BaseModel):
    """One finding of the validator in a proposed text; `line` and `column` count from 1."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: str
    line: int | None = None
    column: int | None = None
    message: str
    evidence: str = ""


def at_or_above(issues: Iterable[Issue], floor: Severity) -> tuple[Issue, ...]:
    """The issues that reach the floor, in their order."""
    return tuple(issue for issue in issues if issue.severity.rank >= floor.rank)
