"""The line that a session has in the lists: a projection of its state, never a second truth."""

from orchestra_tui.domain.calls import Usage
from orchestra_tui.domain.ports import SessionSummary
from orchestra_tui.domain.spending import cache_hits, money_of
from orchestra_tui.domain.state import Phase, RunState, SessionState


def summary_of(state: SessionState) -> SessionSummary | None:
    """The session's line in the lists; None while its log is empty."""
    if state.started_at is None or state.last_at is None:
        return None
    run = state.run
    return SessionSummary(
        id=state.id,
        project=state.project,
        root=state.root,
        title=run.task if run else state.title,
        started_at=state.started_at,
        last_at=state.last_at,
        phase=run.phase if run else Phase.PLANNING,
        outcome=run.outcome if run else None,
        provider=state.provider,
        files_done=run.counts.accepted if run else 0,
        files_total=len(run.ordered_steps) if run else 0,
        tokens=_tokens(state.runs),
        cost=None if state.is_rehearsal else money_of(state),
        cache_hits=cache_hits(state),
        can_resume=state.can_resume,
    )


def _tokens(runs: tuple[RunState, ...]) -> int | None:
    """Tokens in and out of every run; None if no provider said."""
    usage = sum((run.usage for run in runs), Usage())
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)
