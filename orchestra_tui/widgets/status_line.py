"""The status line of every screen: what waits for the user first, then mode, progress, money."""

from textual.content import Content

from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.money import money_text, usd_text
from orchestra_tui.domain.ports import ProjectInfo
from orchestra_tui.domain.spending import cache_hits, money_of
from orchestra_tui.domain.state import AdapterHealth, CallState, CallStatus, RunState, SessionState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.figures import count_text
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import UNICODE, Signs, phase_sign, phase_word, signs_of
from orchestra_tui.widgets.tabs import newest_run

_GAP = "   "
_MAX_REASON = 60


class StatusLine(PlainStatic):
    """One line at the bottom, above the key hints."""

    DEFAULT_CSS = """
    StatusLine {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $surface;
        color: $text-muted;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        margin-bottom: 1;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._session: SessionState | None = None
        self._project: ProjectInfo | None = None
        self._shown: Content | None = None

    def show_session(self, session: SessionState | None) -> None:
        """Take the session as it is now."""
        self._session = session
        self._show()

    def show_project(self, project: ProjectInfo | None) -> None:
        """Take what is open here."""
        self._project = project
        self._show()

    def _show(self) -> None:
        line = status_content(self._session, self._project, signs_of(self.app))
        if line != self._shown:
            self._shown = line
            self.update(line, layout=False)


def status_content(
    session: SessionState | None, project: ProjectInfo | None, signs: Signs = UNICODE
) -> Content:
    """The status line of a session; what waits for the user comes first."""
    run = newest_run(session)
    if run is None:
        return _idle(project, signs)
    parts = [_headline(run, signs), Content(_mode(run)), Content(_progress(run))]
    if session is not None:
        parts += [_spent(session, run), Content(_cached(session))]
    parts += _adapters(run, signs)
    return Content(_GAP).join([part for part in parts if part.plain])


def resume_hint(session: SessionState | None) -> str:
    """How an unfinished run goes on later, for the terminal after the app has left it."""
    run = newest_run(session)
    if session is None or run is None or run.outcome is not None:
        return ""
    return clean_line(f"The run is kept. Go on with: orchestra resume {session.id}")


def token_text(usage: Usage) -> str:
    """Tokens in a few cells, e.g. `12.3k tokens`; empty while nothing is known."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return ""
    return f"{count_text((usage.input_tokens or 0) + (usage.output_tokens or 0))} tokens"


def _idle(project: ProjectInfo | None, signs: Signs) -> Content:
    if project is None:
        return Content("starting")
    if not project.warnings:
        return Content.assemble((signs.ready, "$text-success"), " ready")
    return Content.styled(f"{signs.needs_user} {clean_line(project.warnings[0])}", "$text-warning")


def _headline(run: RunState, signs: Signs) -> Content:
    if needs := run.needs_user:
        return Content.styled(f"{signs.needs_user} {needs}", "$text-warning bold")
    word = phase_word(run.phase) if run.outcome is None else run.outcome.value
    reason = clean_line(run.reason)[:_MAX_REASON] if run.outcome is not None else ""
    return Content.assemble(
        phase_sign(run.phase, signs), f" {word}", f": {reason}" if reason else ""
    )


def _mode(run: RunState) -> str:
    limits = run.settings.limits
    many = f" x{limits.max_concurrency}" if limits.max_concurrency > 1 else ""
    return f"{run.settings.mode.value}{many}"


def _progress(run: RunState) -> str:
    steps = run.ordered_steps
    if not steps or not run.is_approved:
        return ""
    settled = sum(step.status.is_settled for step in steps)
    return f"{settled}/{len(steps)} files"


def _spent(session: SessionState, run: RunState) -> Content:
    """Money against its budget; tokens where nothing costs anything, or they are limited."""
    budget, money = run.settings.budget, money_of(session)
    words = []
    if session.is_rehearsal:
        budget = budget.model_copy(update={"usd": None})
    if budget.usd is not None:
        words.append(f"{money_text(money)} of {usd_text(budget.usd)}")
    elif money.usd or money.unknown:
        words.append(money_text(money))
    usage = sum((each.usage for each in session.runs), Usage())
    tokens = token_text(usage)
    if budget.tokens is not None:
        counted = count_text((usage.input_tokens or 0) + (usage.output_tokens or 0))
        words.append(f"{counted} of {count_text(budget.tokens)} tokens")
    elif tokens and not words:
        words.append(tokens)
    return Content.styled(_GAP.join(words), "$text-warning bold" if run.budget_stops else "")


def _cached(session: SessionState) -> str:
    hits = cache_hits(session)
    return f"cache {hits}" if hits else ""


def _adapters(run: RunState, signs: Signs) -> list[Content]:
    """The newest call of each adapter tells how the adapter stands, and what was said of it."""
    newest: dict[str, CallState | None] = dict.fromkeys(run.adapters)
    for call in run.calls.values():
        newest[call.adapter.name] = call
    return [_adapter(name, call, run.adapters.get(name), signs) for name, call in newest.items()]


def _adapter(
    name: str, call: CallState | None, health: AdapterHealth | None, signs: Signs
) -> Content:
    shown = clean_line(name)
    if health is not None and health.cooling_until is not None:
        # A time of day stays true while nothing is drawn; so many seconds would not.
        until = f"{health.cooling_until.astimezone():%H:%M:%S}"
        why = clean_line(health.kind.replace("_", " "))
        return Content.assemble((signs.cooling, "$text-warning"), f" {shown} {why}, back {until}")
    if call is None or call.status is not CallStatus.FAILED:
        return Content.assemble((signs.ready, "$text-success"), f" {shown}")
    if call.retry_in is None:
        return Content.assemble((signs.failed, "$text-error"), f" {shown}")
    wait = f" {shown} waits {call.retry_in:.0f}s" if call.retry_in else f" {shown}"
    return Content.assemble((signs.cooling, "$text-warning"), wait)
