r"""What each agent is asked: one frozen value per kind of work, and what comes back.

The rule a reader must not break: a job holds everything that decides the answer except the
other files, which are read through the view. Texts have `\n` line ends and no BOM.
`refusals` are the reasons why earlier replies to the same question could not be used.
"""

from dataclasses import dataclass, replace

from orchestra_tui.domain.activities import FixReason
from orchestra_tui.domain.plan import Plan, PlanStep
from orchestra_tui.domain.review import Diagnostic, Issue, Verdict


@dataclass(frozen=True, kw_only=True)
class PlanJob:
    """Draft a plan, or a better one: `feedback` says what was wrong with `previous_plan`."""

    task: str
    feedback: str = ""
    previous_plan: Plan | None = None
    earlier_runs: str = ""
    checks: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExecuteJob:
    """Write the file of one step.

    `base` is its text now, for a rename the text of the old path, None if there is none.
    `note` is what the user added when approving. A step that deletes needs no agent.
    """

    task: str
    plan: Plan
    step: PlanStep
    base: str | None
    note: str = ""
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AuditJob:
    """Judge the new `text` of a step's file; `old` is its text before the run."""

    plan: Plan
    step: PlanStep
    text: str
    old: str | None = None
    task: str = ""
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FixJob:
    """Repair the file of one step.

    `text` is what is on disk now and what edits are applied to (None if nothing is there),
    `old` what was there before the run, `damaged` a reply that could not be used as it came.
    `last_good` is the last accepted text where that is another. With `in_pieces` only edits are
    asked for; `lost` are the first lines of definitions that the damaged attempt does not hold.
    """

    plan: Plan
    step: PlanStep
    text: str | None
    reason: FixReason
    old: str | None = None
    issues: tuple[Issue, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    check_output: str = ""
    damaged: str | None = None
    task: str = ""
    note: str = ""
    refusals: tuple[str, ...] = ()
    last_good: str | None = None
    in_pieces: bool = False
    lost: tuple[str, ...] = ()

    def but(
        self,
        *,
        in_pieces: bool,
        lost: tuple[str, ...] = (),
        text: str | None = None,
        damaged: str | None = None,
    ) -> "FixJob":
        """The same job asked for in pieces; with `text` that is what the edits are made to."""
        job = replace(self, in_pieces=in_pieces, lost=lost)
        return job if text is None else replace(job, text=text, damaged=damaged)


@dataclass(frozen=True)
class Proposal:
    """The whole new text of a file, edits already composed against their base."""

    path: str
    text: str


@dataclass(frozen=True)
class Audit:
    """What the Auditor says of a file."""

    verdict: Verdict
    issues: tuple[Issue, ...]
