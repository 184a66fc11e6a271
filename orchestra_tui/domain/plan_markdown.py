"""`plan.md`: a plan as Markdown that a person reads and edits, and back without loss.

    # Plan                               the summary below it
    ## Steps
    ### s1: `src/app.py`                 one section per step, in plan order
    - change: modify                     also: from, enabled, depends on, agents
    The purpose.
    #### Notes                           only if there are some
    ## Checks                            one bullet per check
    ## Commit message

The rule a reader must not break: `from_markdown(to_markdown(plan)) == plan` for any text in any
field. A text that Markdown or an editor could change (leading blanks, `#` lines, control
characters ...) therefore goes into a fence: as it is, or as a JSON string when it holds
characters that should not stand in a file. A one-line value is bare or in backticks, or a JSON
string in double quotes.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator

from orchestra_tui.domain.plan import Plan, PlanStep
from orchestra_tui.domain.plan_markdown_reader import PlanMarkdownError, from_markdown

__all__ = ["PlanMarkdownError", "from_markdown", "to_markdown"]

_BARE = re.compile(r"[A-Za-z0-9][\w.:@/+-]*", re.ASCII)
_BULLET = re.compile(r"[-*+][ \t]")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def to_markdown(plan: Plan) -> str:
    """The plan as Markdown, ending in a newline."""
    parts = ["# Plan", *_text(plan.summary), "## Steps"]
    for step in plan.steps:
        parts += _step_parts(step)
    parts.append("## Checks")
    if plan.checks:
        parts.append("\n".join(f"- {_value(name)}" for name in plan.checks))
    parts += ["## Commit message", *_text(plan.commit_message)]
    return "\n\n".join(parts) + "\n"


def _step_parts(step: PlanStep) -> Iterator[str]:
    yield f"### {step.id}: {_value(step.path)}"
    lines = [f"- change: {step.change}"]
    if step.from_path is not None:
        lines.append(f"- from: {_value(step.from_path)}")
    if not step.enabled:
        lines.append("- enabled: no")
    if step.depends_on:
        lines.append(f"- depends on: {_values(step.depends_on)}")
    if step.agents:
        lines.append(f"- agents: {_values(step.agents)}")
    yield "\n".join(lines)
    yield from _text(step.purpose)
    if step.notes:
        yield "#### Notes"
        yield from _text(step.notes)


def _text(text: str) -> tuple[str, ...]:
    """A free text as one part, or none if it is empty."""
    if not text:
        return ()
    if not _is_showable(text):
        return (f"```json\n{json.dumps(text)}\n```",)
    if _is_plain(text):
        return (text,)
    runs = [len(run) for run in re.findall("`+", text)]
    fence = "`" * max([3, *(size + 1 for size in runs)])
    return (f"{fence}text\n{text}\n{fence}",)


def _is_showable(text: str) -> bool:
    return not any(
        char in _BIDI or unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        for char in text
        if char not in "\n\t"
    )


def _is_plain(text: str) -> bool:
    """True if no reader, preview or editor takes the text for anything but paragraphs."""
    if text != text.strip() or _BULLET.match(text):
        return False
    return not any(
        line != line.rstrip() or line.lstrip().startswith(("#", "```", "~~~"))
        for line in text.split("\n")
    )


def _value(text: str) -> str:
    is_simple = text.isprintable() and text == text.strip() and "`" not in text
    return f"`{text}`" if text and is_simple else json.dumps(text)


def _values(texts: Iterable[str]) -> str:
    return ", ".join(text if _BARE.fullmatch(text) else json.dumps(text) for text in texts)
