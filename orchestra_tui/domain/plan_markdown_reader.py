"""Reading `plan.md` back, also after a person has edited it; `plan_markdown` shows the form.

The rule a reader must not break: nothing is skipped in silence. What is not understood is a
`PlanMarkdownError` with its line, because a step lost in reading would be work not done.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import STEP_ID, ChangeKind, Plan, PlanStep

_STEP = re.compile(rf"(?P<id>{STEP_ID.pattern})[ \t]*:[ \t]*(?P<path>.*)")
_HEADING = re.compile(r"(?P<level>#{1,6})[ \t]+(?P<title>.*)")
_FIELD = re.compile(r"[-*+][ \t]+(?P<key>[A-Za-z][A-Za-z ]{0,19}?)[ \t]*:(?P<value>.*)")
_BULLET = re.compile(r"[-*+][ \t]+(?P<value>.*)")
_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>\w*)")
_FIELDS = ("change", "from", "enabled", "depends on", "agents")
_YES, _NO = {"yes", "true", "on"}, {"no", "false", "off"}


class PlanMarkdownError(UsageError):
    """The text is not a plan. `line` counts from 1; the message says what to do there."""

    def __init__(self, line: int, problem: str) -> None:
        """Keep the line; `problem` is a sentence without a full stop."""
        super().__init__(f"line {line}: {problem}")
        self.line = line


def from_markdown(text: str) -> Plan:
    """The plan that a text describes, also after a person has edited it.

    Steps may stand in any order, blank lines anywhere, and field values bare. Raises
    PlanMarkdownError with the line that is not understood. Whether the plan can be *run* is
    another question: `domain.plan.plan_problems`.
    """
    sections = _Sections(_lines(text))
    plan = sections.take(1, "plan")
    if plan is None:
        raise PlanMarkdownError(1, "this is no plan: it begins with the heading # Plan")
    steps: tuple[PlanStep, ...] = ()
    checks: tuple[str, ...] = ()
    message = ""
    seen: set[str] = set()
    while section := sections.next(level=2):
        title = section.title.casefold()
        if title in seen:
            raise PlanMarkdownError(section.line, f"## {section.title} is there twice: join them")
        seen.add(title)
        match title:
            case "steps":
                section.refuse_text("write steps below a heading such as ### s1: `src/app.py`")
                steps = tuple(_read_steps(sections))
            case "checks":
                checks = tuple(_read_checks(section))
            case "commit message":
                message = section.text()
            case _:
                raise _unknown(section)
    sections.refuse_rest()
    return Plan(summary=plan.text(), steps=steps, checks=checks, commit_message=message)


@dataclass
class _Section:
    """A heading and the lines below it; a fenced text is one entry, marked as exact."""

    level: int
    title: str
    line: int
    body: list["_Entry"] = field(default_factory=list)

    def text(self) -> str:
        """The free text of the body."""
        return _joined(self.body)

    def refuse_text(self, advice: str) -> None:
        """Raise if the body is not blank."""
        for entry in self.body:
            if entry.is_exact or entry.text.strip():
                raise PlanMarkdownError(entry.line, f"this belongs to nothing: {advice}")


@dataclass(frozen=True)
class _Entry:
    line: int
    text: str
    is_exact: bool = False
    """The text of a whole fence."""
    source: str = ""
    """The fence as it was written, for when it stands among other text."""


class _Sections:
    """The sections of a text, taken in order."""

    def __init__(self, sections: list[_Section]) -> None:
        self._sections = sections
        self._at = 0

    def next(self, *, level: int) -> _Section | None:
        """The next section if it is of this level."""
        if self._at == len(self._sections) or self._sections[self._at].level != level:
            return None
        self._at += 1
        return self._sections[self._at - 1]

    def take(self, level: int, title: str) -> _Section | None:
        """The next section if it has this level and title."""
        found = self.next(level=level)
        return found if found and found.title.casefold() == title else None

    def refuse_rest(self) -> None:
        """Raise if a section was not taken."""
        if self._at < len(self._sections):
            raise _unknown(self._sections[self._at])


def _unknown(section: _Section) -> PlanMarkdownError:
    return PlanMarkdownError(
        section.line,
        f"the heading {'#' * section.level} {section.title[:60]} is not one of a plan here: put "
        "text that begins with # between ``` lines",
    )


def _lines(text: str) -> list[_Section]:
    """The sections of a text; headings inside fences are text."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    sections: list[_Section] = []
    at = 0
    while at < len(lines):
        line, number = lines[at], at + 1
        if heading := _HEADING.fullmatch(line):
            sections.append(_Section(len(heading["level"]), heading["title"].strip(), number))
            at += 1
            continue
        entry, at = _entry(lines, at)
        if sections:
            sections[-1].body.append(entry)
        elif entry.text.strip():
            raise PlanMarkdownError(number, "a plan begins with the heading # Plan")
    return sections


def _entry(lines: list[str], at: int) -> tuple[_Entry, int]:
    """The line at `at`, or the fence that opens there, and where the next one begins."""
    opening = _FENCE.fullmatch(lines[at].rstrip())
    if opening is None:
        return _Entry(at + 1, lines[at]), at + 1
    fence = opening["fence"]
    for end in range(at + 1, len(lines)):
        closing = lines[end].rstrip()
        if closing.startswith(fence) and not closing.strip(fence[0]):
            break
    else:
        raise PlanMarkdownError(at + 1, f"the fence {fence} is not closed: add a line {fence}")
    text = "\n".join(lines[at + 1 : end])
    if opening["info"] == "json":
        text = _json_text(text, at + 2)
    return _Entry(at + 1, text, True, "\n".join(lines[at : end + 1])), end + 1


def _joined(entries: list[_Entry]) -> str:
    """One fence is its exact text; anything else is what was written, blank edges off."""
    filled = [entry for entry in entries if entry.is_exact or entry.text.strip()]
    if len(filled) == 1 and filled[0].is_exact:
        return filled[0].text
    lines = [entry.source if entry.is_exact else entry.text.rstrip() for entry in entries]
    return "\n".join(lines).strip("\n")


def _read_steps(sections: _Sections) -> Iterator[PlanStep]:
    while section := sections.next(level=3):
        heading = _STEP.fullmatch(section.title)
        if heading is None:
            raise PlanMarkdownError(
                section.line, "a step's heading reads ### id: `path`, e.g. ### s1: `src/app.py`"
            )
        fields, rest = _read_fields(section)
        notes = ""
        if below := sections.next(level=4):
            if below.title.casefold() != "notes":
                raise _unknown(below)
            notes = below.text()
        step = PlanStep(
            id=StepId(heading["id"]),
            path=_read_value(heading["path"], section.line),
            change=fields.change,
            purpose=_joined(rest),
            notes=notes,
            enabled=fields.enabled,
            depends_on=tuple(StepId(name) for name in fields.depends_on),
            agents=fields.agents,
        )
        yield step.model_copy(update={"from_path": fields.from_path})


@dataclass
class _Fields:
    change: ChangeKind = ChangeKind.MODIFY
    from_path: str | None = None
    enabled: bool = True
    depends_on: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


def _read_fields(section: _Section) -> tuple[_Fields, list[_Entry]]:
    """The field bullets that a step begins with, and what comes after them."""
    fields = _Fields()
    seen: set[str] = set()
    for at, entry in enumerate(section.body):
        if not entry.is_exact and not entry.text.strip():
            continue
        found = None if entry.is_exact else _FIELD.fullmatch(entry.text.rstrip())
        if found is None:
            return fields, section.body[at:]
        key = found["key"].casefold()
        if key in seen:
            raise PlanMarkdownError(entry.line, f"the field {key} is there twice: keep one")
        seen.add(key)
        _set_field(fields, key, found["value"].strip(), entry.line)
    return fields, []


def _set_field(fields: _Fields, key: str, value: str, line: int) -> None:
    match key:
        case "change":
            if value.casefold() not in list(ChangeKind):
                raise PlanMarkdownError(line, f"change is one of {', '.join(ChangeKind)}")
            fields.change = ChangeKind(value.casefold())
        case "from":
            fields.from_path = _read_value(value, line)
        case "enabled":
            if value.casefold() not in _YES | _NO:
                raise PlanMarkdownError(line, "enabled is yes or no")
            fields.enabled = value.casefold() in _YES
        case "depends on":
            fields.depends_on = tuple(_read_values(value, line))
        case "agents":
            fields.agents = tuple(_read_values(value, line))
        case _:
            raise PlanMarkdownError(
                line,
                f"there is no field {key!r}, only {', '.join(_FIELDS)}; a bullet of the purpose "
                "comes after a line of text",
            )


def _read_checks(section: _Section) -> Iterator[str]:
    for entry in section.body:
        if not entry.is_exact and not entry.text.strip():
            continue
        bullet = None if entry.is_exact else _BULLET.fullmatch(entry.text.strip())
        if bullet is None:
            raise PlanMarkdownError(entry.line, "a check is a bullet with its name: - `pytest`")
        yield _read_value(bullet["value"], entry.line)


def _read_value(value: str, line: int) -> str:
    value = value.strip()
    if value.startswith('"'):
        return _json_text(value, line)
    if len(value) > 1 and value[0] == value[-1] == "`":
        return value[1:-1]
    return value


def _read_values(value: str, line: int) -> Iterator[str]:
    """Comma-separated values; a JSON string may hold commas."""
    decoder = json.JSONDecoder()
    rest = value.strip()
    while rest:
        if rest.startswith('"'):
            try:
                one, end = decoder.raw_decode(rest)
            except ValueError as error:
                raise _bad_json(line) from error
            rest = rest[end:].lstrip()
            if rest and not rest.startswith(","):
                raise PlanMarkdownError(line, "put commas between the values")
            yield str(one)
        else:
            one, _, rest = rest.partition(",")
            if one.strip():
                yield _read_value(one, line)
            rest = f",{rest}"
        rest = rest.removeprefix(",").lstrip()


def _json_text(text: str, line: int) -> str:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad_json(line) from error
    if not isinstance(value, str):
        raise _bad_json(line)
    return value


def _bad_json(line: int) -> PlanMarkdownError:
    return PlanMarkdownError(line, 'this is no JSON string: write "..." with \\n and \\" inside it')
