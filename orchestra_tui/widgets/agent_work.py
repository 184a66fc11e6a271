"""What one agent is doing right now, as a value: read from the run, shown by a pane.

The rule a reader must not break: pure; the time comes in as a parameter.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestra_tui.domain.activities import Activity, FixReason
from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.state import CallState, CallStatus, RunState, StepState, Wait
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.signs import role_title


class WorkState(StrEnum):
    """What can be said of a piece of work at a glance."""

    PREPARING = "preparing"
    """No model has been asked yet: files are read, the prompt is made."""
    CALLING = "calling"
    """A model was asked; whether it has begun to answer is seen on its stream."""
    RETRYING = "retrying"
    CHECKING = "checking"
    """The answer is whole and is being read, validated and applied."""
    ENDED = "ended"


@dataclass(frozen=True)
class AgentWork:
    """One agent at one activity. `call` is its newest model call."""

    activity: Activity
    role: Role
    path: str
    call: CallState | None = None
    refusal: str = ""
    """Why the reply before this one could not be used."""
    of_attempts: int = 0
    is_rehearsal: bool = False
    """No AI answers; the pane says so where it cannot be cut off."""
    wait: Wait | None = None
    """What it waits for before it asks a model."""

    @property
    def slot(self) -> str:
        """The pane it belongs in: one per step, one for the work of the whole run."""
        return self.activity.step or "run"

    @property
    def stream(self) -> str:
        """The key of the text it streams; empty before the first call."""
        return self.call.key if self.call else ""

    @property
    def state(self) -> WorkState:
        """What it is doing, as far as the log tells."""
        call = self.call
        if call is None:
            return WorkState.PREPARING
        match call.status:
            case CallStatus.RUNNING:
                return WorkState.CALLING
            case CallStatus.FAILED:
                return WorkState.RETRYING if call.retry_in is not None else WorkState.CHECKING
            case CallStatus.FINISHED | CallStatus.ABANDONED:
                return WorkState.CHECKING

    @property
    def title(self) -> str:
        """Its role, and which try it is where that matters."""
        parts = [role_title(self.role)]
        if (approach := self.activity.approach) is not None:
            way = approach.value.replace("_", " ")
            return " · ".join([*parts, f"recovery {self.activity.attempt}", way])
        match self.activity.reason:
            case FixReason.RECOVERY:
                parts.append(f"recovery {self._count()}")
            case FixReason.CHECKS:
                parts.append("fix for the checks")
            case FixReason.AUDIT:
                parts.append(f"fix {self.activity.attempt}")
            case None if self.activity.attempt > 1:
                parts.append(f"try {self._count()}")
        return " · ".join(parts)

    @property
    def adapter(self) -> str:
        """Who answers; empty before the first call, and where nobody does."""
        if self.call is None or self.is_rehearsal:
            return ""
        info = self.call.adapter
        name, model = clean_line(info.name), clean_line(info.model)
        return name if model in {"", name} else f"{name}/{model}"

    def elapsed(self, now: datetime) -> float | None:
        """Seconds since the call began, or what it took; None before the first call."""
        if self.call is None:
            return None
        if self.call.seconds is not None:
            return self.call.seconds
        return max(0.0, (now - self.call.started_at).total_seconds())

    def _count(self) -> str:
        attempt = self.activity.attempt
        return f"{attempt}/{self.of_attempts}" if attempt <= self.of_attempts else str(attempt)


def working_agents(run: RunState) -> tuple[AgentWork, ...]:
    """Every agent at work, in the order in which the work began."""
    newest: dict[str, CallState] = {}
    for call in run.calls.values():
        newest[call.activity] = call
    works = []
    for activity in run.running.values():
        role = activity.kind.role
        if role is None:
            continue
        step = run.steps.get(activity.step) if activity.step else None
        works.append(
            AgentWork(
                activity=activity,
                role=role,
                path=_path(run, activity),
                call=newest.get(activity.key),
                refusal=_refusal(run, step),
                of_attempts=run.settings.max_attempts,
                is_rehearsal=_is_rehearsal(run, newest.get(activity.key)),
                wait=run.waits.get(activity.key),
            )
        )
    return tuple(works)


def _path(run: RunState, activity: Activity) -> str:
    if activity.step is None or run.plan is None:
        return "the plan"
    for step in run.plan.steps:
        if step.id == activity.step:
            return clean_line(step.path)
    return clean_line(activity.step)


def _is_rehearsal(run: RunState, call: CallState | None) -> bool:
    is_scripted = call is not None and call.adapter.kind is ProviderKind.REHEARSAL
    return is_scripted or run.settings.scenario is not None


def _refusal(run: RunState, step: StepState | None) -> str:
    refusals = step.refusals if step is not None else run.refusals
    return clean_line(refusals[-1]) if refusals else ""
