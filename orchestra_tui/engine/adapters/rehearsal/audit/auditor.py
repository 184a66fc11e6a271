"""Chooses the rules by the kind of file and puts the findings in order."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator

from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.engine.adapters.rehearsal.audit.finding import issue
from orchestra_tui.engine.adapters.rehearsal.audit.python import python_issues

MAX_ISSUES = 20
_EMPTY_LINK = re.compile(r"(?<!`)\[([^\[\]`\n]+)\]\(\s*\)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ELIDED = re.compile(
    r"^\s*(#|//|--|/\*|<!--)\s*(\.\.\.|…)?\s*"
    r"(rest of (the )?(code|file)|existing code|(code )?unchanged|same as before)\b",
    re.IGNORECASE,
)
_CONFLICT = re.compile(r"^(<{7} |={7}$|>{7} )")

Rules = Callable[[str], Iterator[Issue]]


def audit_text(path: str, text: str) -> tuple[Issue, ...]:
    """What the rules find in a file's text, in the order of its lines; at most 20 issues."""
    suffix = path.rpartition("/")[2].rpartition(".")[2].lower()
    found = [*_line_issues(text), *_BY_SUFFIX.get(suffix, _no_issues)(text)]
    found.sort(key=lambda issue: (issue.line or 0, -issue.severity.rank, issue.message))
    return tuple(found[:MAX_ISSUES])


def _no_issues(text: str) -> Iterator[Issue]:
    yield from ()


def _line_issues(text: str) -> Iterator[Issue]:
    if text and not text.endswith("\n"):
        yield issue(Severity.INFO, text.count("\n") + 1, "the last line has no newline", "add it")
    for number, line in enumerate(text.split("\n"), 1):
        if _ELIDED.match(line):
            yield issue(
                Severity.ERROR,
                number,
                "a comment stands where code is missing",
                "write the code that the comment stands for",
            )
        if _CONFLICT.match(line):
            yield issue(
                Severity.CRITICAL,
                number,
                "a marker of a merge conflict was left in the file",
                "choose one side and remove the markers",
            )


def _json_issues(text: str) -> Iterator[Issue]:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        yield issue(Severity.CRITICAL, error.lineno, f"this is not JSON: {error.msg}", "repair it")
    except RecursionError:
        yield issue(Severity.ERROR, 1, "this JSON is nested too deeply to be read", "flatten it")


def _toml_issues(text: str) -> Iterator[Issue]:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"at line (\d+)", str(error))
        line = int(where[1]) if where else None
        yield issue(Severity.CRITICAL, line, f"this is not TOML: {error}", "repair it")


def _markdown_issues(text: str) -> Iterator[Issue]:
    opened: tuple[int, str] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        fence = _FENCE.fullmatch(line)
        if fence is None:
            if opened is None and (link := _EMPTY_LINK.search(line)):
                yield issue(
                    Severity.ERROR,
                    number,
                    f"the link {link[1]!r} leads nowhere",
                    "give it its target, or make it plain text",
                )
            continue
        if opened is None:
            opened = (number, fence[1])
        elif fence[1].startswith(opened[1]) and not fence[2].strip():
            opened = None
    if opened:
        yield issue(
            Severity.ERROR,
            opened[0],
            "this code block is never closed, so the rest of the page is shown as code",
            f"close it with a line {opened[1]}",
        )


_BY_SUFFIX: dict[str, Rules] = {
    "py": python_issues,
    "pyi": python_issues,
    "json": _json_issues,
    "toml": _toml_issues,
    "md": _markdown_issues,
}
