"""The three reply formats, read strictly; docs/reply-formats.md describes them for others.

The rule a reader must not break: nothing is guessed. A reply is one value of the domain or a
`ReplyRefused` whose reason can be sent back to the model and shown to a person.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestra_tui.domain.calls import FinishReason
from orchestra_tui.domain.errors import OrchestraError
from orchestra_tui.domain.ids import StepId
from orchestra_tui.domain.plan import STEP_ID, ChangeKind, Plan, PlanStep, plan_problems
from orchestra_tui.domain.review import Issue, Severity, Verdict
from orchestra_tui.engine.agents.runaway import runaway_reason

MAX_REPLY = 4_000_000
MAX_DEPTH = 16
MAX_STEPS = 200
MAX_ISSUES = 200
MAX_CHECKS = 20
MAX_REASON = 1_000
_SHOWN_PROBLEMS = 6
_NOT_ONE_OBJECT = "the reply is not one JSON object with nothing around it"
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(?P<body>.*)\n```", re.DOTALL)
_CHECK_NAME = re.compile(r"[A-Za-z0-9][\w.:@/+-]{0,63}")


class ReplyRefused(OrchestraError):
    """The reply cannot be used. `is_cut` is true if it is incomplete rather than wrong."""

    def __init__(self, reason: str, *, is_cut: bool = False) -> None:
        """Keep the reason, a sentence without a full stop; a very long one is cut."""
        reason = reason if len(reason) <= MAX_REASON else reason[:MAX_REASON] + "..."
        super().__init__(reason)
        self.reason = reason
        self.is_cut = is_cut


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_Reply = TypeVar("_Reply", bound=_Strict)


class _Step(_Strict):
    id: str
    path: str
    change: Literal["create", "modify", "delete", "rename"]
    from_path: str | None = Field(default=None, alias="from")
    purpose: str
    notes: str | None = None
    depends_on: list[str] = []


class _PlanReply(_Strict):
    summary: str
    steps: list[_Step]
    checks: Annotated[list[str], Field(max_length=MAX_CHECKS)]
    commit_message: str
    end: bool


class _Issue(_Strict):
    severity: Literal["info", "warning", "error", "critical"]
    line: Annotated[int, Field(ge=1, le=2**31)] | None = None
    message: Annotated[str, Field(min_length=1)]
    suggestion: str | None = None


class _AuditReply(_Strict):
    verdict: Literal["pass", "issues"]
    issues: Annotated[list[_Issue], Field(max_length=MAX_ISSUES)]
    end: bool


def parse_plan(text: str, finish: FinishReason, *, known_checks: Collection[str] = ()) -> Plan:
    """The Architect's plan, ready for approval.

    Valid step ids are kept; others are replaced by `s1`, `s2`, ... also where steps wait for
    them. Raises ReplyRefused.
    """
    data = _json_object(text, finish)
    steps = data.get("steps")
    if isinstance(steps, list) and len(steps) > MAX_STEPS:
        raise ReplyRefused(f"the plan has {len(steps)} steps; at most {MAX_STEPS} are read")
    reply = _validated(_PlanReply, data)
    for name in reply.checks:
        if name not in known_checks and not _CHECK_NAME.fullmatch(name):
            raise ReplyRefused(f"checks: {name[:80]!r} is not the name of a check")
    ids = _step_ids(reply.steps)
    plan = Plan(
        summary=reply.summary,
        steps=tuple(_plan_step(step, ids) for step in reply.steps),
        checks=tuple(dict.fromkeys(reply.checks)),
        commit_message=reply.commit_message,
    )
    if problems := plan_problems(plan):
        shown = [f"step {p.step}: {p.message}" if p.step else p.message for p in problems]
        more = len(shown) - _SHOWN_PROBLEMS
        tail = f"; and {more} more" if more > 0 else ""
        raise ReplyRefused("the plan cannot be run: " + "; ".join(shown[:_SHOWN_PROBLEMS]) + tail)
    return plan


def parse_audit(text: str, finish: FinishReason) -> tuple[Verdict, tuple[Issue, ...]]:
    """The Auditor's verdict and issues. Raises ReplyRefused, also if the two disagree."""
    reply = _validated(_AuditReply, _json_object(text, finish))
    issues = tuple(
        Issue(
            severity=Severity(issue.severity),
            line=issue.line,
            message=issue.message,
            suggestion=issue.suggestion or "",
        )
        for issue in reply.issues
    )
    verdict = Verdict(reply.verdict)
    if verdict is Verdict.ISSUES and not issues:
        raise ReplyRefused('the verdict is "issues" but the list of issues is empty')
    if verdict is Verdict.PASS and any(one.severity.rank >= Severity.ERROR.rank for one in issues):
        raise ReplyRefused('the verdict is "pass" but an issue is an error')
    return verdict, issues


def check_finish(text: str, finish: FinishReason) -> None:
    """Refuse a reply that the provider did not end by itself, or that no file could hold.

    Raises ReplyRefused.
    """
    match finish:
        case FinishReason.STOP:
            pass
        case FinishReason.LENGTH:
            raise ReplyRefused("the reply was cut at the output limit", is_cut=True)
        case FinishReason.FILTERED:
            raise ReplyRefused("the provider's content filter stopped the reply", is_cut=True)
        case FinishReason.TOOL:
            raise ReplyRefused("the reply asked for a tool, but there are none")
        case FinishReason.ERROR | FinishReason.UNKNOWN:
            raise ReplyRefused("the reply ended without a proper finish", is_cut=True)
        case FinishReason.RUNAWAY:
            raise ReplyRefused(runaway_reason(text))
    if not text.strip():
        raise ReplyRefused("the reply is empty", is_cut=True)
    if len(text) > MAX_REPLY:
        raise ReplyRefused(f"the reply is longer than {MAX_REPLY} characters")
    if problem := _character_problem(text):
        raise ReplyRefused(problem)


def _json_object(text: str, finish: FinishReason) -> dict[str, object]:
    check_finish(text, finish)
    body = text.strip().replace("\r\n", "\n")
    if fenced := _FENCED.fullmatch(body):
        body = fenced["body"].strip()
    if not body.startswith("{"):
        raise ReplyRefused(_NOT_ONE_OBJECT)
    data = _loaded(body)
    if not isinstance(data, dict):
        raise ReplyRefused(_NOT_ONE_OBJECT)
    for text_inside in _texts(data):
        if problem := _character_problem(text_inside):
            raise ReplyRefused(problem)
    if "end" not in data:
        raise ReplyRefused('the last key "end": true is missing', is_cut=True)
    if list(data)[-1] != "end":
        raise ReplyRefused('"end": true must be the last key of the object')
    if data["end"] is not True:
        raise ReplyRefused('the last key, "end", must be true')
    return data


def _loaded(body: str) -> object:
    try:
        return json.loads(body, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _json_refusal(body, error) from error
    except RecursionError as error:
        raise ReplyRefused("the JSON is nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise ReplyRefused("the JSON holds a number that is too long") from error


def _json_refusal(body: str, error: json.JSONDecodeError) -> ReplyRefused:
    where = f"line {error.lineno}, column {error.colno}"
    if error.msg == "Extra data":
        return ReplyRefused(f"there is text after the JSON object ({where})")
    is_cut = error.pos >= len(body) or not body.endswith("}")
    return ReplyRefused(f"the JSON is broken at {where}: {error.msg}", is_cut=is_cut)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ReplyRefused(f"the key {key[:80]!r} is there twice in one object")
            seen.add(key)
    return result


def _no_constant(name: str) -> NoReturn:
    raise ReplyRefused(f"{name} is not JSON")


def _texts(data: object) -> Iterator[str]:
    """Every key and string, without recursion: depth is what is being guarded against."""
    waiting: list[tuple[object, int]] = [(data, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ReplyRefused(f"the JSON is nested more than {MAX_DEPTH} levels deep")
        match value:
            case str():
                yield value
            case dict():
                yield from value
                waiting += ((inner, depth + 1) for inner in value.values())
            case list():
                waiting += ((inner, depth + 1) for inner in value)
            case _:
                pass


def _character_problem(text: str) -> str | None:
    if "\0" in text:
        return "the reply holds a NUL character, which no text file has"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the reply holds half of a surrogate pair, which is no character"
    return None


def _validated(model: type[_Reply], data: Mapping[str, object]) -> _Reply:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        shown = [f"{_place(one['loc'])}: {one['msg']}" for one in found[:_SHOWN_PROBLEMS]]
        more = len(found) - len(shown)
        tail = f"; and {more} more" if more > 0 else ""
        raise ReplyRefused("the reply has the wrong form: " + "; ".join(shown) + tail) from error


def _place(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in location)
    return "".join(parts).removeprefix(".")


def _step_ids(steps: list[_Step]) -> dict[str, StepId]:
    valid = {step.id for step in steps if STEP_ID.fullmatch(step.id)}
    ids = {name: StepId(name) for name in valid}
    number = 0
    for step in steps:
        if step.id in ids:
            continue
        number += 1
        while f"s{number}" in valid:
            number += 1
        ids[step.id] = StepId(f"s{number}")
    return ids


def _plan_step(step: _Step, ids: Mapping[str, StepId]) -> PlanStep:
    change = ChangeKind(step.change)
    if step.from_path is not None and change is not ChangeKind.RENAME:
        raise ReplyRefused(f'step {step.id[:40]}: "from" is for a rename only')
    depends_on = dict.fromkeys(ids.get(name, StepId(name)) for name in step.depends_on)
    known = PlanStep(
        id=ids[step.id],
        path=step.path,
        change=change,
        purpose=step.purpose,
        notes=step.notes or "",
        depends_on=tuple(depends_on),
    )
    return known.model_copy(update={"from_path": step.from_path})
