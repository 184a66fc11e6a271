"""What the run screen says in words: its title line, and what to do next when nobody works.

The rule a reader must not break: pure; every phase says what a person can do now.
"""

from collections.abc import Iterable
from datetime import datetime

from textual.content import Content

from orchestra_tui.domain.activities import ActivityKind, FixReason
from orchestra_tui.domain.events import Outcome
from orchestra_tui.domain.state import Phase, RunState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.check_pane import verdict_spans
from orchestra_tui.widgets.figures import bar_text, clock_text, plural
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.signs import UNICODE, Signs, phase_sign, phase_word

_VERBS = {
    ActivityKind.DRAFT_PLAN: "planning",
    ActivityKind.TAKE_BASE: "reading files",
    ActivityKind.EXECUTE: "writing",
    ActivityKind.AUDIT: "auditing",
    ActivityKind.FIX: "fixing",
    ActivityKind.RECOVER: "recovering",
    ActivityKind.MANUAL: "writing your text",
    ActivityKind.REVERT: "reverting",
    ActivityKind.RUN_CHECKS: "running checks",
    ActivityKind.APPLY_REVIEW: "applying your review",
    ActivityKind.COMMIT: "committing",
}
_BAR = 20


def title_left(run: RunState, signs: Signs = UNICODE, *, has_room: bool = True) -> list[Span]:
    """Phase, progress and who does what, e.g. `executing 7/12 ████░ 2 writing · 1 auditing`."""
    sign = phase_sign(run.phase, signs)
    style = str(sign.spans[0].style) if sign.spans else ""
    spans: list[Span] = [(f"{sign.plain} {phase_word(run.phase)}", f"{style} bold")]
    if run.budget_stops and run.outcome is None and not run.running:
        spans = [(f"{signs.needs_user} {run.needs_user}", "$text-warning bold")]
    steps = run.ordered_steps
    if run.is_approved and steps:
        done = sum(step.status.is_settled for step in steps)
        digits = len(str(len(steps)))
        spans.append((f"  {done:>{digits}}/{len(steps)} ", ""))
        if has_room:
            bar = bar_text(
                done, len(steps), _BAR, full=signs.bar_full, empty=signs.bar_empty
            )  # fmt: skip
            spans.append((f"{bar} ", "$primary"))
    if work := _work_words(run):
        spans.append((f" {work}", MUTED))
    return spans


def title_right(run: RunState, now: datetime) -> list[Span]:
    """Mode, concurrency and the time since the start."""
    settings = run.settings
    mode = settings.mode.value
    limit = settings.limits.max_concurrency
    elapsed = clock_text((now - run.started_at).total_seconds())
    return [(f"{mode} x{limit}  {elapsed:>7}", MUTED)]


def rest_lines(run: RunState | None, signs: Signs = UNICODE) -> Content:
    """What stands where the panes would be while nobody works."""
    if run is None:
        return _lines(
            ("Nothing runs yet.", "bold"),
            ("F2 opens Home: say what to build, then approve the plan.", MUTED),
        )
    head, hint = _rest_words(run)
    lines: list[Span] = [(head, "bold")]
    if run.is_approved:
        lines.append((_counts_words(run), MUTED))
    if run.checks.outcomes or run.checks.detected is not None:
        lines.append(("".join(text for text, _ in verdict_spans(run.checks, signs)), MUTED))
    is_told = run.last_error == run.reason
    if run.last_error and not is_told and run.phase in {Phase.FAILED, Phase.CANCELLED}:
        lines.append((clean_line(run.last_error), "$text-error"))
    return _lines(*lines, ("", ""), *((line, MUTED) for line in hint))


def _rest_words(run: RunState) -> tuple[str, tuple[str, ...]]:
    match run.phase:
        case Phase.AWAITING_APPROVAL:
            return "The plan waits for you.", ("F3 opens it: edit what you like, then approve.",)
        case Phase.PAUSED:
            return "Paused.", ("Nothing new starts. p goes on, s stops the run.",)
        case Phase.REVIEWING:
            hints = ["F5 compares the changes; accept or reject hunks there, then commit."]
            if any(step.status.is_trouble for step in run.ordered_steps):
                hints.append("F6 shows what went wrong and what can be done.")
            return "Everything that could be written is written.", tuple(hints)
        case Phase.DONE | Phase.FAILED | Phase.CANCELLED:
            return _end_words(run)
        case _ if run.budget_stops and run.needs_user:
            return "The budget is reached.", (
                "b gives more, or stops the run. Nothing is lost: it waits, also for days.",
            )
        case Phase.PLANNING:
            return "The plan is being made.", ("The Architect shows here as it writes.",)
        case Phase.COMMITTING:
            return "Your review is being applied.", ()
        case _ if run.needs_user:
            return f"{run.needs_user.capitalize()}.", ("F6 shows both sides; r tries again.",)
        case _:
            return "Between two steps.", ("The next agent starts in a moment.",)


def _end_words(run: RunState) -> tuple[str, tuple[str, ...]]:
    reason = clean_line(run.reason)
    why = f" {reason}" if reason else ""
    match run.outcome:
        case Outcome.DONE:
            what = f"committed as {run.commit[:10]}" if run.commit else "kept in your files"
            return f"Done: {what}.", ("F2 takes the next task; it continues this session.",)
        case Outcome.PARTIAL:
            return f"Finished, not everything succeeded.{why}", (
                "F6 shows what failed and what can be done. F5 shows what was written.",
            )
        case Outcome.CANCELLED:
            return "Stopped.", ("p goes on where it stopped. F6 takes files back.",)
        case Outcome.UNAVAILABLE:
            return f"No adapter is available now.{why}", (
                "Nothing is lost: p tries again, also later or tomorrow.",
            )
        case Outcome.MISCONFIGURED:
            return f"The provider refused us.{why}", (
                "Check the key and the model name (orchestra doctor), then p goes on.",
            )
        case _:
            return f"The run failed.{why}", (
                "F6 shows what can be tried again. F2 takes another task.",
            )


def _counts_words(run: RunState) -> str:
    counts = run.counts
    words = [
        f"{number} {word}"
        for number, word in (
            (counts.accepted, "accepted"),
            (counts.failed, "failed"),
            (counts.reverted, "reverted"),
            (counts.blocked, "blocked"),
            (counts.skipped, "skipped"),
        )
        if number
    ]
    total = plural(len(run.ordered_steps), "file")
    return f"{total}: {', '.join(words)}" if words else total


def _work_words(run: RunState) -> str:
    counts: dict[str, int] = {}
    for activity in run.running.values():
        is_recovery = activity.reason is FixReason.RECOVERY
        verb = "recovering" if is_recovery else _VERBS[activity.kind]
        counts[verb] = counts.get(verb, 0) + 1
    return " · ".join(f"{count} {verb}" for verb, count in counts.items())


def _lines(*lines: Span | Iterable[str]) -> Content:
    return Content("\n").join(Content.styled(str(text), str(style)) for text, style in lines)
