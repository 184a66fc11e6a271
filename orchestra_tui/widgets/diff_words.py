"""What the diff screen says in words: its title, the head of a file, and how a run ended.

The rule a reader must not break: pure, and never green by silence: no checks, stale checks and a
missing repository are said.
"""

from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.domain.events import Outcome
from orchestra_tui.domain.ports import DiffReport
from orchestra_tui.domain.state import Phase, RunState, StepState, StepStatus
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.check_pane import verdict_spans
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.file_list import decision
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.signs import Signs, status_word

_GAP: Span = ("   ", "")


def title_spans(report: DiffReport, run: RunState | None, signs: Signs) -> list[Span]:
    """`4 files  +212 -18   9 of 11 hunks accepted   checks ✔ pytest 48 passed`."""
    if run is None or not report.files:
        return [("Diff", "bold")]
    decided = [decision(diff, run.rejected.get(diff.path, ())) for diff in report.files]
    accepted = sum(found.accepted for found in decided)
    total = sum(found.total for found in decided)
    added = sum(diff.added for diff in report.files)
    removed = sum(diff.removed for diff in report.files)
    spans: list[Span] = [
        (plural(len(report.files), "file"), "bold"),
        (f"  +{added}", "$text-success"),
        (f" -{removed}", "$text-error"),
        _GAP,
        (
            f"{accepted} of {plural(total, 'hunk')} accepted",
            "" if accepted == total else "$text-warning",
        ),
        _GAP,
        *verdict_spans(run.checks, signs),
    ]
    if run.checks.outcomes and not run.checks.is_stale and run.pending_rejections:
        spans.append((" (will be stale: hunks are rejected)", "$text-warning"))
    if report.refused:
        files = plural(len(report.refused), "file")
        spans += [_GAP, (f"{signs.blocked} {files} cannot be committed", "$text-warning")]
    return spans


def file_title(
    diff: FileDiff,
    run: RunState,
    step: StepState | None,
    *,
    place: tuple[int, int],
    refused: str = "",
) -> list[Span]:
    """`app/routes/login.py · step s3 · codex · audited, fixed once`."""
    spans: list[Span] = [(clean_line(diff.path), "bold")]
    if refused:
        spans.append((f" · cannot be committed: {clean_line(refused)}", "$text-warning"))
    words = [f"file {place[0]}/{place[1]}"]
    if step is not None:
        words.append(f"step {clean_line(step.id)}")
        words += [name for name in (_writer(run, step),) if name]
        words.append(_history(step))
    spans.append((f" · {' · '.join(words)}", MUTED))
    return spans


def empty_words(run: RunState | None) -> str:
    """Why there is nothing to compare, and what to do."""
    if run is None:
        return "Nothing to compare yet. F2 opens Home: say what to build."
    match run.phase:
        case Phase.PLANNING | Phase.AWAITING_APPROVAL:
            return "Nothing is written before you approve the plan (F3)."
        case Phase.DONE | Phase.FAILED | Phase.CANCELLED:
            return "This run left no file changed. F2 takes the next task."
        case Phase.REVIEWING:
            return "Nothing differs from what was there before the run. K ends it."
        case _:
            return "No file is written yet. F4 shows the agents at work."


def end_spans(report: DiffReport, run: RunState | None, signs: Signs) -> list[Span]:
    """What stands where the message would be: how it ended, or why no commit is offered."""
    if run is None:
        return []
    if run.commit:
        return [
            (f"{signs.accepted} committed as {run.commit[:10]}", "$text-success bold"),
            ("   F2 takes the next task; it continues this session", MUTED),
        ]
    if run.outcome is not None:
        is_kept = run.outcome in {Outcome.DONE, Outcome.PARTIAL}
        head = "kept without a commit" if is_kept else f"the run ended: {run.outcome.value}"
        return [(head, "bold"), ("   F2 takes the next task", MUTED)]
    if run.phase is Phase.COMMITTING or run.commit_request is not None:
        return [("applying your decisions…", MUTED)]
    if run.is_reviewing and not report.has_git and report.files:
        why = clean_line(report.git_problem) or "no git repository here"
        return [
            (f"{signs.needs_user} {why}: no commit.", "$text-warning"),
            ("   K keeps the accepted hunks and ends the run", MUTED),
        ]
    if not run.is_reviewing and report.files:
        return [("the agents are still at work; decide when they are done (F4)", MUTED)]
    return []


def needs_confirmation(run: RunState, report: DiffReport) -> str:
    """Why a commit should be asked about once more; empty if nothing speaks against it."""
    reasons = []
    match run.checks.verdict:
        case "failed":
            reasons.append("The checks fail.")
        case "stale":
            reasons.append("Files changed since the checks ran.")
        case "no_tests":
            reasons.append("The checks found no tests.")
    trouble = [step for step in run.ordered_steps if step.status.is_trouble]
    if trouble:
        reasons.append(f"{plural(len(trouble), 'step')} did not succeed (F6).")
    if report.refused:
        names = ", ".join(sorted(clean_line(path) for path in report.refused))
        reasons.append(f"Left out of the commit: {names}.")
    return "\n".join(reasons)


def _writer(run: RunState, step: StepState) -> str:
    kinds = {ActivityKind.EXECUTE.value, ActivityKind.FIX.value}
    for call in reversed(run.calls.values()):
        parts = call.activity.split("/")
        if len(parts) == 4 and parts[1] == step.id and parts[2] in kinds and call.reply:
            return clean_line(call.adapter.name)
    return ""


def _history(step: StepState) -> str:
    match step.status:
        case StepStatus.ACCEPTED:
            words = "audited"
            if step.fixes:
                times = {1: "once", 2: "twice"}.get(step.fixes, f"{step.fixes} times")
                words += f", fixed {times}"
            if step.issues:
                words += f", {plural(len(step.issues), 'issue')} left"
            return words
        case _:
            return status_word(step.status)
