"""Work on the project's checks: run them, and say which steps a failure points at."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.events import (
    ChecksDetected,
    ChecksFinished,
    CommitHeld,
    Event,
)
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.domain.state import RED_CHECKS, RunState, StepStatus
from orchestra_tui.engine.checks.model import Check, CheckResult
from orchestra_tui.engine.orchestrator.tools import Tools


async def run_checks(tools: Tools, activity: Activity) -> None:
    """Run what the project has, as it is now; a failure holds a commit that was asked for."""
    run = tools.run(activity.run)
    found = await tools.checks.detect()
    events: list[Event] = []
    if found.names != run.checks.detected:
        events.append(ChecksDetected(run=run.id, names=found.names, why=found.why))

    def pass_on(text: str) -> None:
        tools.journal.publish_text(activity.key, text)

    pairs = [await tools.checks.run(check, pass_on) for check in _wanted(run, found.checks)]
    outcomes = tuple(outcome for outcome, _ in pairs)
    red = [result for _, result in pairs if result.outcome in RED_CHECKS]
    suspected, are_named = suspects(run, red) if red else ((), False)
    events.append(
        ChecksFinished(
            run=run.id,
            activity=activity.key,
            outcomes=outcomes,
            suspects=suspected,
            are_named=are_named,
        )
    )
    if red and run.commit_request is not None and run.commit_request.message is not None:
        why = f"{red[0].name}: {red[0].message}".rstrip(".")
        reason = f"{why}. Commit again to commit anyway."
        events.append(CommitHeld(run=run.id, reason=reason))
    await tools.journal.append(*events)


def _wanted(run: RunState, checks: Sequence[Check]) -> tuple[Check, ...]:
    """Those that the plan names; all of them if it names none that is here."""
    named = set(run.plan.checks) if run.plan else set()
    return tuple(check for check in checks if check.name in named) or tuple(checks)


def suspects(run: RunState, red: Sequence[CheckResult]) -> tuple[tuple[StepId, ...], bool]:
    """The accepted steps that failing output points at, and whether it names them.

    The files it names come first, with those that a named test depends on; if it names none,
    every file that is no test is suspected.
    """
    text = "\n".join(result.tail for result in red)
    accepted = [
        step
        for step in (run.plan.enabled_steps if run.plan else ())
        if run.steps[step.id].status is StepStatus.ACCEPTED and step.change is not ChangeKind.DELETE
    ]
    named = {step.id for step in accepted if _names(text, step.path)}
    depended = {dep for step in accepted if step.id in named for dep in step.depends_on}
    code = [step.id for step in accepted if not is_test(step.path)]
    found = tuple(step for step in code if step in named | depended)
    return (found, True) if found else (tuple(code), False)


def _names(text: str, path: str) -> bool:
    pure = PurePosixPath(path)
    module = ".".join(pure.with_suffix("").parts)
    return path in text or pure.name in text or module in text


def is_test(path: str) -> bool:
    """True for a file that by its name or folder holds tests."""
    pure = PurePosixPath(path.lower())
    words = {part for part in pure.parts[:-1]}
    stem = pure.stem
    return (
        bool(words & {"test", "tests", "spec", "specs", "__tests__"})
        or stem.startswith("test_")
        or stem.endswith(("_test", ".test", ".spec", "_spec"))
        or stem in {"test", "tests"}
    )
