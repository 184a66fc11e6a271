"""The doctor's lines as rows: sign, name, what was found, what a key does there.

The rule a reader must not break: every text of a line comes from programs, servers or files, and
is cleaned here. A test says before the key is pressed whether it spends.
"""

from collections.abc import Iterable, Mapping

from textual.content import Content

from orchestra_tui.domain.doctor import DoctorLine, LinkTrial
from orchestra_tui.domain.money import usd_text
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.cells import fit
from orchestra_tui.widgets.line_view import MUTED, Span
from orchestra_tui.widgets.pick_list import PickRow
from orchestra_tui.widgets.signs import UNICODE, Signs

NAME_WIDTH = 20
ASKING = LinkTrial(seconds=0, answer="")
"""Stands for a trial that has not ended."""
REST = "rest"
"""The key of the row that names what is not here."""
_MAX_ANSWER = 24


def doctor_rows(
    lines: Iterable[DoctorLine],
    trials: Mapping[str, LinkTrial],
    *,
    signs: Signs = UNICODE,
    is_whole: bool = False,
) -> list[PickRow]:
    """A row for each line; those that are not here and not expected share one, unless `is_whole`.

    `trials` are the tests by the line's key.
    """
    lines = tuple(lines)
    rest = [line for line in lines if line.is_minor and line.state in {"missing", "looking"}]
    shown = lines if is_whole else [line for line in lines if line not in rest]
    rows = [_row(line, trials.get(line.key), signs) for line in shown]
    missing = [line.name for line in rest if line.state == "missing"]
    if missing and not is_whole:
        left = ((f"{signs.dot} ", MUTED), (fit("not here", NAME_WIDTH + 1), MUTED))
        names = clean_line(", ".join(missing))
        rows.append(PickRow(REST, (*left, (names, MUTED)), (("enter shows all", MUTED),)))
    return rows


def trial_words(trial: LinkTrial | None) -> str:
    """How a test went, in one line; empty if there was none."""
    if trial is None:
        return ""
    if trial is ASKING:
        return "asking"
    if trial.error:
        return f"{trial.error.replace('_', ' ')} after {trial.seconds:.1f} s"
    answer = clean_line(trial.answer)
    return f"answered {answer[:_MAX_ANSWER]!r} in {trial.seconds:.1f} s"


def details_of(line: DoctorLine, trial: LinkTrial | None) -> Content:
    """Everything that is known of a line."""
    facts: list[tuple[str, str]] = [(line.name, line.state)]
    facts += [("found", line.detail)] if line.detail else []
    if line.offer is not None:
        fields = ", ".join(f'{field} = "{value}"' for field, value in line.offer.fields.items())
        facts.append(("would be", f"[adapters.{line.offer.name}] {fields}"))
    if line.adapter:
        facts.append(("configured", f"[adapters.{line.adapter}]"))
    if line.key_variable and line.state != "missing":
        facts.append(("key", f"{line.key_variable}: k pastes it, in place of one that is kept"))
    if trial is not None and trial is not ASKING:
        facts.append(("test", f"{trial_words(trial)}{_spent(trial)}"))
        facts += [("", trial.detail)] if trial.detail else []
    rows = [
        Content.assemble((fit(name, NAME_WIDTH), "$muted"), " ", clean_line(text))
        for name, text in facts
    ]
    return Content("\n").join(rows)


def _spent(trial: LinkTrial) -> str:
    """What a test used; nothing for one that gave no answer."""
    if trial.error:
        return ""
    tokens = f", {trial.tokens} tokens" if trial.tokens is not None else ""
    return f"{tokens}, {usd_text(trial.cost.usd) if trial.cost else 'cost unknown'}"


def _row(line: DoctorLine, trial: LinkTrial | None, signs: Signs) -> PickRow:
    sign, style = _sign(line, signs)
    detail = line.detail if line.state != "looking" else "looking"
    is_quiet = line.state in {"missing", "foreign", "looking"}
    left = (
        (f"{sign} ", style),
        (fit(line.adapter or line.name, NAME_WIDTH), MUTED if is_quiet else ""),
        (" ", ""),
        (clean_line(detail), "$text-error" if line.state == "broken" else MUTED),
    )
    return PickRow(line.key, left, _right(line, trial))


def _sign(line: DoctorLine, signs: Signs) -> tuple[str, str]:
    match line.state:
        case "found":
            return signs.ready, "$text-success"
        case "broken":
            return signs.failed, "$text-error"
        case "silent":
            return signs.cooling, "$text-warning"
        case "looking":
            return signs.dot, MUTED
        case _:
            return signs.waiting, MUTED


def _right(line: DoctorLine, trial: LinkTrial | None) -> tuple[Span, ...]:
    if trial is not None:
        style = "$text-error" if trial.error else "$text-success"
        if trial.error == "authentication_failed" and line.key_variable:
            words = f"{trial.error.replace('_', ' ')}  "
            return ((words, style), ("k", "$accent bold"), (" another key", MUTED))
        return ((trial_words(trial), MUTED if trial is ASKING else style),)
    if line.can_be_tried:
        return (("t", "$accent bold"), (f" test ({'free' if line.is_free else 'spends'})", MUTED))
    if line.key_variable:
        return (("k", "$accent bold"), (" paste a key", MUTED))
    return ()
