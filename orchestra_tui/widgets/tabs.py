"""The places of the app: their names, keys, where something waits, and where to go next.

The rule a reader must not break: `wanted_screen` is pure and only suggests; the App never takes
the focus from somebody who types.
"""

from dataclasses import dataclass

from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.state import Phase, RunState, SessionState, StepState, StepStatus
from orchestra_tui.widgets.trouble import waits_for_user


@dataclass(frozen=True)
class Tab:
    """A screen that can be reached from everywhere."""

    name: str
    title: str
    key: str
    purpose: str
    in_header: bool = True
    """A line of 80 columns has no room for those that are seldom needed."""


TABS = (
    Tab("home", "Home", "f2", "write a task, see recent sessions"),
    Tab("plan", "Plan", "f3", "read, edit and approve the plan"),
    Tab("run", "Run", "f4", "watch the agents work"),
    Tab("diff", "Diff", "f5", "compare the changes and commit"),
    Tab("recovery", "Recovery", "f6", "see what is damaged, what is tried, and decide"),
    Tab("sessions", "Sessions", "f7", "open or resume an earlier session"),
    Tab("metrics", "Metrics", "f8", "tokens, money, latency and success, by model and by role"),
    Tab("doctor", "Doctor", "f9", "see what can work here, choose who is asked", in_header=False),
)
HEADER_TABS = tuple(tab for tab in TABS if tab.in_header)


def newest_run(session: SessionState | None) -> RunState | None:
    """The run that the screens show; None before the first task."""
    return session.runs[-1] if session is not None and session.runs else None


def badges(session: SessionState | None) -> frozenset[str]:
    """The names of the screens where something waits for the user."""
    run = newest_run(session)
    if run is None:
        return frozenset()
    waiting = set()
    if run.phase is Phase.AWAITING_APPROVAL:
        waiting.add("plan")
    if run.is_reviewing:
        waiting.add("diff")
    elif run.budget_stops and run.outcome is None:
        waiting.add("run")
    is_open = run.outcome is None
    if is_open and any(_needs_look(step) for step in run.ordered_steps):
        waiting.add("recovery")
    return frozenset(waiting)


def wanted_screen(before: SessionState | None, after: SessionState | None) -> str | None:
    """The screen that a change of the session asks for; None if it asks for none."""
    new = newest_run(after)
    if new is None:
        return None
    wanted = _place(new)
    old = newest_run(before)
    is_same = before is not None and after is not None and before.id == after.id
    if is_same and old is not None and old.id == new.id and _place(old) == wanted:
        has_more = wanted == "recovery" and bool(_undecided(new) - _undecided(old))
        return wanted if has_more else None
    return wanted


def landing_screen(session: SessionState) -> str:
    """Where to look first at a session that was just opened."""
    run = newest_run(session)
    if run is None:
        return "home"
    if place := _place(run):
        return place
    if any(_needs_look(step) for step in run.ordered_steps):
        return "recovery"
    return "diff" if run.proposed_files else "run"


def _place(run: RunState) -> str | None:
    if run.phase is not Phase.PAUSED and _undecided(run):
        return "recovery"
    match run.phase:
        case Phase.AWAITING_APPROVAL:
            return "plan"
        case Phase.REVIEWING:
            return "diff"
        case Phase.DONE | Phase.FAILED | Phase.CANCELLED | Phase.PAUSED | Phase.COMMITTING:
            return None
        case _:
            return "run"


def _undecided(run: RunState) -> frozenset[StepId]:
    """The steps that wait for a decision of the user on the recovery screen."""
    return frozenset(step.id for step in run.ordered_steps if waits_for_user(run, step))


def _needs_look(step: StepState) -> bool:
    return step.status in _NEEDS_LOOK or step.is_defeated


_NEEDS_LOOK = {StepStatus.CONFLICT, StepStatus.FAILED, StepStatus.REVERTED}
