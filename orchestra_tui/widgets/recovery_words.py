"""What the recovery screen says in its title, its head and where nothing is in trouble. Pure."""

from collections.abc import Sequence

from orchestra_tui.domain.ports import BinaryContent
from orchestra_tui.domain.recovery import Recovery, RecoveryOutcome
from orchestra_tui.domain.state import RunState, StepState, StepStatus
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.attempts import approach_word
from orchestra_tui.widgets.figures import plural
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.signs import Signs, status_word, step_sign
from orchestra_tui.widgets.trouble import Trouble


def title_spans(found: Sequence[Trouble], signs: Signs) -> list[Span]:
    """The title: first what waits for the user."""
    waiting = [trouble for trouble in found if trouble.waits]
    open_count = sum(not trouble.is_over for trouble in found) - len(waiting)
    spans: list[Span] = [("Recovery", "bold")]
    if waiting:
        names = waiting[0].path if len(waiting) == 1 else plural(len(waiting), "file")
        words = f"   {signs.needs_user} recovery waits for you: decide about {names}"
        spans.append((words, "$text-warning bold"))
    if open_count:
        spans.append((f"   {plural(open_count, 'file')} in trouble", "$text-warning"))
    if over := len(found) - open_count - len(waiting):
        spans.append((f"   {over} came through", MUTED))
    return spans


def head_spans(trouble: Trouble, signs: Signs) -> list[Span]:
    """How the chosen file stands, and why."""
    sign = step_sign(trouble.status, signs)
    style = str(sign.spans[0].style) if sign.spans else ""
    spans: list[Span] = [
        (f"{sign.plain} {status_word(trouble.status)} ", f"{style} bold"),
        (trouble.path, "bold"),
    ]
    if trouble.budget:
        spans.append((f" · {trouble.count} attempts", "$text-warning"))
    spans.append((f" · {trouble.cause}", MUTED))
    return spans


def now_spans(run: RunState, step: StepState, trouble: Trouble, signs: Signs) -> list[Span]:
    """What happens next with the file, by itself or by the user."""
    recovery = step.recoveries[-1] if step.recoveries else None
    match step.status:
        case StepStatus.RECOVERING | StepStatus.NEEDS_RECOVERY if recovery is not None:
            return [_trying(step, recovery)]
        case StepStatus.CONFLICT:
            words = f"{signs.needs_user} it was changed while the run was at work: yours is kept"
            return [(f"{words}. r starts from it, t takes over, s gives the step up", _WARN)]
        case _ if trouble.waits:
            words = f"{signs.needs_user} nothing helped: {_gone_back(run, step)}. Choose: "
            choice = "r try again, c with other agents, t by hand, + more attempts, s leave it out"
            return [(words, "$text-warning bold"), (choice, _WARN)]
        case StepStatus.TAKEN_OVER:
            return [("your text is being written", _WARN)]
        case StepStatus.REVERTED | StepStatus.FAILED | StepStatus.SKIPPED:
            return [("nothing more is tried by itself; r tries again, t takes over", MUTED)]
        case StepStatus.BLOCKED:
            return [("it waits for a file that did not come through", MUTED)]
        case StepStatus.ACCEPTED if recovery is not None:
            return [("it came through: there is nothing to do", MUTED)]
        case StepStatus.NEEDS_REVERT | StepStatus.REVERTING:
            return [("it is being put back", MUTED)]
        case _:
            return [("the agents are at work on it as on every other file", MUTED)]


def obstacle(step: StepState) -> str:
    """Why a text of the user's cannot be put into the file of this step now."""
    if step.status is StepStatus.ACCEPTED:
        return "it came through while you wrote: esc keeps your text, x puts the file back first"
    return f"it is {status_word(step.status)} now: esc keeps your text"


def binary_words(content: object) -> str:
    """What is said in place of content that is no text; empty for a text, or nothing."""
    if not isinstance(content, BinaryContent):
        return ""
    return f"binary, {plural(content.size, 'byte')}: no text"


def well_words(*, has_run: bool) -> str:
    """What the screen is for, where there is nothing to show."""
    state = (
        "Nothing is in trouble."
        if has_run
        else "Nothing is in trouble: no run has begun. F2 opens Home."
    )
    return (
        f"{state}\n\n"
        "A reply that is cut off, leaves code out or does not parse never reaches your files. Its "
        "file comes here: the damaged text beside the last good one, every attempt to recover it "
        "with what was asked and answered, and what you can do: try again with a note or other "
        "agents, write it yourself, accept it with a reason, leave it out, put files back.\n\n"
        "When a decision is yours, this screen opens by itself."
    )


_WARN = "$text-warning"


def _trying(step: StepState, recovery: Recovery) -> Span:
    way = approach_word(recovery.next) if recovery.next is not None else "nothing"
    verb = "trying" if step.status is StepStatus.RECOVERING else "next"
    words = f"{verb}: {way}"
    if recovery.agents:
        words += f" · asks {clean_line(', '.join(recovery.agents))}"
    if recovery.note:
        words += f" · your note: {clean_line(recovery.note)}"
    return words, _WARN


def _gone_back(run: RunState, step: StepState) -> str:
    last = step.recoveries[-1] if step.recoveries else None
    is_kept = last is not None and last.outcome is RecoveryOutcome.KEPT
    if is_kept:
        return "the file is as it was when it was last accepted"
    path = run.plan.step(step.id).path if run.plan is not None else ""
    return (
        "the file is as before the run" if (run.base or {}).get(path) else "the file is not there"
    )
