"""What the validator says of one proposed text.

The rule a reader must not break: a text whose report `is_hard` is never applied.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.review import Diagnostic


class ReportState(StrEnum):
    """The worst thing found. `suspect` is soft: worth a look, no reason to refuse the text."""

    FINE = "fine"
    SUSPECT = "suspect"
    BROKEN = "broken"
    INCOMPLETE = "incomplete"
    ELIDED = "elided"
    WRAPPED = "wrapped"

    @property
    def is_hard(self) -> bool:
        """True for the states that start recovery."""
        return self not in {ReportState.FINE, ReportState.SUSPECT}


PRECEDENCE = (
    ReportState.FINE,
    ReportState.SUSPECT,
    ReportState.BROKEN,
    ReportState.INCOMPLETE,
    ReportState.ELIDED,
    ReportState.WRAPPED,
)
"""Later wins when a text has several findings: the later ones explain the earlier ones."""


class Finding(BaseModel):
    """One diagnostic with the state it puts the text in."""

    model_config = ConfigDict(frozen=True)

    state: ReportState
    diagnostic: Diagnostic


class GoneName(BaseModel):
    """A name that the old text defined in `line` (from 1) and the new one does not know."""

    model_config = ConfigDict(frozen=True)

    name: str
    line: int


class Report(BaseModel):
    """The verdict on one text.

    `language` is the grammar's name or None for a text of unknown kind. `unwrapped` holds the
    text without its fence or chat lines when the state is `wrapped` and they could be told apart.
    `gone` holds the top-level names that the new text lost, where somebody asked for them.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    language: str | None = None
    state: ReportState = ReportState.FINE
    diagnostics: tuple[Diagnostic, ...] = ()
    unwrapped: str | None = None
    gone: tuple[GoneName, ...] = ()

    @property
    def is_hard(self) -> bool:
        """True if the text must not be applied."""
        return self.state.is_hard

    @property
    def summary(self) -> str:
        """One line for a person or for the next prompt."""
        if not self.diagnostics:
            return f"{self.path}: {self.state.value}"
        first = self.diagnostics[0]
        where = f":{first.line}" if first.line is not None else ""
        return f"{self.path}{where}: {self.state.value}: {first.message}"


def worst(findings: tuple[Finding, ...]) -> ReportState:
    """The state of a text with these findings."""
    states = {finding.state for finding in findings} | {ReportState.FINE}
    return max(states, key=PRECEDENCE.index)


def finding(
    state: ReportState,
    kind: str,
    message: str,
    *,
    line: int | None = None,
    column: int | None = None,
    evidence: str = "",
) -> Finding:
    """A finding at a place that counts from 1; `evidence` is cut to 400 characters."""
    return Finding(
        state=state,
        diagnostic=Diagnostic(
            kind=kind, line=line, column=column, message=message, evidence=evidence[:400]
        ),
    )
