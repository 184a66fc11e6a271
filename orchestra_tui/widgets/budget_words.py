"""What the run screen says of a budget: the bar while a limit stands in the way, what was used.

The rule a reader must not break: pure; what is set aside for running calls counts as used.
"""

from datetime import datetime

from textual.content import Content

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.money import money_text, usd_text
from orchestra_tui.domain.spending import calls_of, money_of_calls, used
from orchestra_tui.domain.state import RunState, SessionState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.figures import clock_text, count_text
from orchestra_tui.widgets.signs import UNICODE, Signs


def budget_bar(run: RunState, signs: Signs = UNICODE) -> Content | None:
    """Why the run waits and what to press; None while nothing is in its way."""
    if not run.budget_stops:
        return None
    said = "; ".join(clean_line(stop.message) for stop in run.budget_stops.values())
    return Content.assemble(
        (f"{signs.needs_user} Budget reached: ", "bold"),
        f"{said}.  ",
        ("b", "bold"),
        " gives more or stops the run.",
    )


def spent_words(session: SessionState, role: Role | None, now: datetime) -> str:
    """What the session, or one role of it, has used: money, tokens, time."""
    calls = [call for call in calls_of(session) if role in {None, call.role}]
    counted = used(session, role, {}, now)
    money = money_of_calls(calls)
    words = "no cost, simulated" if session.is_rehearsal else money_text(money)
    if counted.usd > money.usd:
        words += f" ({usd_text(counted.usd)} with what is set aside)"
    return f"{words}, {count_text(counted.tokens)} tokens, {clock_text(counted.seconds)} of work"
