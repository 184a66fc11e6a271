"""Signs and colours: one sign per state, one colour per agent role, the same on every screen.

The rule a reader must not break: a state is told by sign *and* colour, never by colour alone.
Colours are theme variables (see `themes`): `$role-executor` in a style, `theme_variables` in a
line widget.
"""

from dataclasses import dataclass

from textual.app import App
from textual.content import Content

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.domain.state import Phase, StepStatus


@dataclass(frozen=True)
class Signs:
    """The characters that stand for states; every one is one cell wide."""

    waiting: str = "○"
    writing: str = "◐"
    auditing: str = "◑"
    fixing: str = "✎"
    needs_user: str = "⚑"
    recovering: str = "✚"
    accepted: str = "✔"
    failed: str = "✖"
    reverted: str = "↩"
    blocked: str = "⊘"
    paused: str = "⏸"
    partial: str = "◪"
    ready: str = "●"
    cooling: str = "◌"
    cursor: str = "▸"
    arrow: str = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
    dot: str = "·"
    bar_full: str = "█"
    bar_empty: str = "░"
    caret: str = "▌"


UNICODE = Signs()
ASCII = Signs(
    waiting="o",
    writing="w",
    auditing="a",
    fixing="f",
    needs_user="!",
    recovering="+",
    accepted="v",
    failed="x",
    reverted="<",
    blocked="-",
    paused="=",
    partial="/",
    ready="*",
    cooling="~",
    cursor=">",
    arrow=">",
    dot="-",
    bar_full="#",
    bar_empty=".",
    caret="_",
)

_STEP_SIGNS = {
    StepStatus.WAITING: ("waiting", "$muted"),
    StepStatus.WRITING: ("writing", "$role-executor"),
    StepStatus.WRITTEN: ("writing", "$role-executor"),
    StepStatus.AUDITING: ("auditing", "$role-auditor"),
    StepStatus.NEEDS_FIX: ("fixing", "$role-consultant"),
    StepStatus.FIXING: ("fixing", "$role-consultant"),
    StepStatus.NEEDS_RECOVERY: ("recovering", "$text-warning"),
    StepStatus.RECOVERING: ("recovering", "$text-warning"),
    StepStatus.TAKEN_OVER: ("writing", "$text-warning"),
    StepStatus.ACCEPTED: ("accepted", "$text-success"),
    StepStatus.CONFLICT: ("needs_user", "$text-warning"),
    StepStatus.NEEDS_REVERT: ("recovering", "$text-warning"),
    StepStatus.REVERTING: ("recovering", "$text-warning"),
    StepStatus.REVERTED: ("reverted", "$text-error"),
    StepStatus.FAILED: ("failed", "$text-error"),
    StepStatus.BLOCKED: ("blocked", "$text-error"),
    StepStatus.SKIPPED: ("blocked", "$muted"),
}
_PHASE_SIGNS = {
    Phase.PLANNING: ("writing", "$role-architect"),
    Phase.AWAITING_APPROVAL: ("needs_user", "$text-warning"),
    Phase.EXECUTING: ("writing", "$role-executor"),
    Phase.AUDITING: ("auditing", "$role-auditor"),
    Phase.FIXING: ("fixing", "$role-consultant"),
    Phase.RECOVERING: ("recovering", "$text-warning"),
    Phase.TESTING: ("auditing", "$role-auditor"),
    Phase.REVIEWING: ("needs_user", "$text-warning"),
    Phase.COMMITTING: ("writing", "$role-executor"),
    Phase.PAUSED: ("paused", "$text-warning"),
    Phase.DONE: ("accepted", "$text-success"),
    Phase.FAILED: ("failed", "$text-error"),
    Phase.CANCELLED: ("blocked", "$muted"),
}


def signs_of(app: App[object]) -> Signs:
    """The signs this app draws with: ASCII where the terminal asks for it."""
    found = getattr(app, "signs", UNICODE)
    return found if isinstance(found, Signs) else UNICODE


def step_sign(status: StepStatus, signs: Signs = UNICODE) -> Content:
    """The sign of a step in its colour, one cell wide."""
    name, style = _STEP_SIGNS[status]
    return Content.styled(getattr(signs, name), style)


def phase_sign(phase: Phase, signs: Signs = UNICODE) -> Content:
    """The sign of a run's phase in its colour, one cell wide."""
    name, style = _PHASE_SIGNS[phase]
    return Content.styled(getattr(signs, name), style)


def session_sign(summary: SessionSummary, signs: Signs = UNICODE) -> Content:
    """The sign of a stored session: what could go on is marked before how it stands."""
    if summary.can_resume and summary.phase not in {Phase.AWAITING_APPROVAL, Phase.REVIEWING}:
        return Content.styled(signs.paused, "$text-warning")
    return phase_sign(summary.phase, signs)


def status_word(status: StepStatus) -> str:
    """The status as people say it, e.g. `needs fix`."""
    return status.value.replace("_", " ")


def phase_word(phase: Phase) -> str:
    """The phase as people say it, e.g. `awaiting approval`."""
    return phase.value.replace("_", " ")


def role_style(role: Role) -> str:
    """The style of a role for `Content.styled`, e.g. `$role-executor`."""
    return f"$role-{role.value}"


def role_variable(role: Role) -> str:
    """The key of a role's colour in `App.theme_variables`."""
    return f"role-{role.value}"


def role_title(role: Role) -> str:
    """The role as a title, e.g. `Executor`."""
    return role.value.capitalize()
