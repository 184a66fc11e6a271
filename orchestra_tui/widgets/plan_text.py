"""What the plan screen says in words: summary, order, problems."""

from collections.abc import Sequence

from textual.content import Content

from orchestra_tui.domain.plan import Plan, PlanProblem, levels
from orchestra_tui.domain.state import Phase, RunState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.signs import Signs, phase_word

MAX_PROBLEMS = 3


def empty_text(run: RunState | None) -> Content:
    """What the screen says while there is no plan."""
    if run is None:
        return Content.assemble("No plan yet. ", ("f2", "$accent bold"), " writes a task.")
    watch = ("f4", "$accent bold")
    if run.outcome is not None:
        words = f"There is no plan: the run is over ({run.outcome.value}). "
        return Content.assemble(words, watch, " says why, and how it can go on.")
    if run.is_paused or run.needs_user:
        words = run.needs_user or "the run is paused"
        return Content.assemble(f"There is no plan yet: {words}. ", watch, " goes on.")
    return Content.assemble(
        f"The Architect is at work ({phase_word(run.phase)}). ",
        watch,
        " watches; the plan appears here.",
    )


def plan_title(plan: Plan, run: RunState) -> Content:
    """The summary, and where the plan stands."""
    count = len(plan.enabled_steps)
    state = "waits for you" if run.phase is Phase.AWAITING_APPROVAL else phase_word(run.phase)
    facts = f"   {count} step{'s' if count != 1 else ''}, {state}"
    text = clean_line(plan.summary or run.task)
    return Content.assemble((text, "bold"), (facts, "$muted"))


def plan_order(plan: Plan, index: int, signs: Signs) -> Content:
    """The groups that can be written at the same time, in order."""
    if not plan.steps:
        return Content("")
    here = plan.steps[min(index, len(plan.steps) - 1)].id
    parts: list[Content | tuple[str, str]] = [("at once  ", "$muted")]
    for number, group in enumerate(levels(plan)):
        if number:
            parts.append((f" {signs.arrow} ", "$muted"))
        for place, step in enumerate(group):
            gap = " " if place else ""
            parts.append((f"{gap}{clean_line(step)}", "bold $accent" if step == here else ""))
    waiting = [step.id for step in plan.steps if here in step.depends_on]
    if waiting:
        parts.append(
            (f"   {clean_line(here)} holds back {clean_line(' '.join(waiting))}", "$muted")
        )
    return Content.assemble(*parts)


def problem_text(problems: Sequence[PlanProblem], signs: Signs) -> Content:
    """What blocks approval, the first few in words."""
    lines = [
        clean_line(f"{signs.failed} {f'step {p.step}: ' if p.step else ''}{p.message}")
        for p in problems[:MAX_PROBLEMS]
    ]
    if len(problems) > MAX_PROBLEMS:
        lines.append(f"  and {len(problems) - MAX_PROBLEMS} more")
    return Content.styled("\n".join(lines), "$text-error")
