"""A proposed text before the gate, with what the plan says of the change and who needs the file.

The rule a reader must not break: every text that a run may write is judged here, by its path and
its step, so that the gate knows the same of a reply, of a hand-made repair and of a review.
"""

import asyncio
from collections.abc import Iterable, Sequence

from orchestra_tui.domain.errors import FileAccessError, PathRefused
from orchestra_tui.domain.plan import Plan, PlanStep
from orchestra_tui.domain.review import Diagnostic
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.engine.agents.related import is_test
from orchestra_tui.engine.agents.users import Use, family, uses_in
from orchestra_tui.engine.orchestrator.tools import Tools
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import Report, ReportState
from orchestra_tui.engine.workspace.text import Text, decode
from orchestra_tui.engine.workspace.tree import SafeTree

MAX_FILES = 4_000
MAX_FILE_BYTES = 1_000_000
MAX_BYTES = 64_000_000
"""How much of the project is searched for users of a name that is gone."""

MAX_SHOWN = 5


async def judge(
    tools: Tools,
    plan: Plan | None,
    path: str,
    new: str,
    old: str | None,
    *,
    with_users: bool = True,
) -> Report:
    """The gate's report on `new`, the proposed text of `path`; `old` is the text before, if any.

    `with_users` also asks who in the project still needs a name that `old` defined and `new` does
    not know any more.
    """
    hint = plan_hint(plan, path)
    find_gone = with_users and bool(family(path))
    report = await tools.gate.check(path, new, old, plan_hint=hint, find_gone=find_gone)
    names = [one.name for one in report.gone if hint is None or not hint.takes_away(one.name)]
    if report.is_hard or not names:
        return report
    listing = await tools.files.listing()
    uses = await asyncio.to_thread(_uses, tools.tree, listing, path=path, names=names)
    return _with_uses(report, uses, _pending(tools, plan), plan, names)


def plan_hint(plan: Plan | None, path: str) -> PlanHint | None:
    """What the plan's step of this file says; None for a file that is not in the plan."""
    step = _step_of(plan, path)
    if step is None:
        return None
    return PlanHint(change=step.change, words=_words(step))


def _step_of(plan: Plan | None, path: str) -> PlanStep | None:
    steps = plan.enabled_steps if plan else ()
    return next((step for step in steps if path in {step.path, step.from_path}), None)


def _words(step: PlanStep) -> str:
    return "\n".join(filter(None, (step.purpose, step.notes)))


def _uses(
    tree: SafeTree, listing: Sequence[str], *, path: str, names: Sequence[str]
) -> tuple[Use, ...]:
    """Where other files use the names; of each name at most `MAX_SHOWN` places. Blocks."""
    found: list[Use] = []
    suffixes = family(path)
    others = [one for one in listing if one != path and one.lower().endswith(suffixes)]
    budget = MAX_BYTES
    for other in _nearest_first(others, path)[:MAX_FILES]:
        text = _text(tree, other)
        budget -= len(text)
        if budget < 0:
            break
        found += uses_in(other, text, names=names, target=path)
    return tuple(found)


def _nearest_first(paths: Iterable[str], path: str) -> list[str]:
    """Tests and the files of the same folder before all others: they are the likely users."""
    folder = path.rpartition("/")[0]
    return sorted(paths, key=lambda one: (not is_test(one), one.rpartition("/")[0] != folder, one))


def _text(tree: SafeTree, path: str) -> str:
    try:
        content = tree.read(path)
    except (PathRefused, FileAccessError, OSError):
        return ""
    if content is None or len(content.data) > MAX_FILE_BYTES:
        return ""
    text = decode(content.data)
    return text.text if isinstance(text, Text) else ""


def _pending(tools: Tools, plan: Plan | None) -> frozenset[str]:
    """The files that later steps will still change."""
    run = tools.journal.state.run
    states = run.steps if run is not None and run.plan == plan else {}
    waiting = {StepStatus.WAITING, StepStatus.WRITING}
    return frozenset(
        path
        for step in (plan.enabled_steps if plan else ())
        if step.id not in states or states[step.id].status in waiting
        for path in (step.path, step.from_path)
        if path
    )


def _with_uses(
    report: Report,
    uses: Sequence[Use],
    pending: frozenset[str],
    plan: Plan | None,
    names: Sequence[str],
) -> Report:
    """The report with a finding for each name that is still needed.

    Hard is only a proven use in a file that no later step will change.
    """
    notes = []
    is_hard = False
    for name in names:
        here = [use for use in uses if use.name == name]
        firm = [use for use in here if use.is_proven and use.path not in pending]
        is_hard = is_hard or bool(firm)
        shown = (firm or here)[:MAX_SHOWN]
        if shown:
            notes.append(_note(name, shown, is_later=not firm and shown[0].path in pending))
        elif plan and (step := _named_by(plan, report.path, name)):
            message = f"{name} is gone from the file, but step {step.id} of the plan names it"
            notes.append(
                Diagnostic(kind="lost-definition", message=message, evidence=_words(step)[:400])
            )
    if not notes:
        return report
    state = ReportState.INCOMPLETE if is_hard else ReportState.SUSPECT
    ordered = (*notes, *report.diagnostics) if is_hard else (*report.diagnostics, *notes)
    return report.model_copy(update={"state": state, "diagnostics": ordered})


def _note(name: str, uses: Sequence[Use], *, is_later: bool) -> Diagnostic:
    first, more = uses[0], len(uses) - 1
    needs = "needs it" if first.is_proven else "has a word like it"
    also = f" (and {more} more {'place' if more == 1 else 'places'})" if more else ""
    later = ", until its own step is done" if is_later else ""
    return Diagnostic(
        kind="lost-definition",
        message=f"{name} is gone from the file, but {first.path}:{first.line} {needs}{also}{later}",
        evidence="\n".join(f"{use.path}:{use.line}: {use.text}" for use in uses)[:400],
    )


def _named_by(plan: Plan, path: str, name: str) -> PlanStep | None:
    """Another step whose words name it as something that is there."""
    is_telling = "_" in name.strip("_") or (not name.islower() and not name.istitle())
    for step in plan.enabled_steps if is_telling else ():
        hint = PlanHint(words=_words(step))
        if path != step.path and hint.names(name) and not hint.takes_away(name):
            return step
    return None
