"""The real parsers that live in this process: Python, JSON (with comments), TOML.

The rule a reader must not break: a parser of this interpreter's version is not the language.
A Python that this one is too old for is no damage (`newer_python_message` decides).
"""

import ast
import json
import re
import threading
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath

import yaml

from orchestra_tui.engine.validation.dialects import covered

_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# A warning filter is process-wide; without the lock two threads could leave it changed.
_FILTERS = threading.Lock()

_HALF_EXPRESSION = re.compile(r"\$\{\{(?![^{}]*\}\})|\$\{ [^{}\n]{0,400}\}\}")
"""What is left of an expression of a workflow once the whole ones are covered or passed over."""

_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
_STRICT_JSON = frozenset({"package.json", "package-lock.json", "composer.json", "composer.lock"})
_NEWER = ("invalid syntax", "f-string", "expected '('", "multiple exception types must be")
_OLDER = ("Missing parentheses in call to", "leading zeros in decimal integer literals")
_CUT = (
    "was never closed",
    "unexpected EOF",
    "expected an indented block",
    "unterminated triple-quoted",
    "expected 'except' or 'finally' block",
    "at end of document",
    "Unterminated string",
)


@dataclass(frozen=True)
class ParseProblem:
    """What a parser did not accept; `is_cut` says that the text rather ends too early."""

    message: str
    line: int | None = None
    column: int | None = None
    is_cut: bool = False
    may_be_newer: bool = False
    may_be_older: bool = False


MAX_PYTHON = 2_000_000
"""Characters of Python that are parsed: a tree takes 250 times its text in memory."""

PARSED = frozenset({"python", "json", "jsonlines", "toml", "yaml"})


def parse_problem(language: str, path: str, text: str) -> ParseProblem | None:
    """The first thing the language's own parser rejects, or None.

    Languages outside `PARSED` have no parser here and always give None.
    """
    try:
        match language:
            case "python":
                return _python(text)
            case "json":
                return _json(path, text)
            case "jsonlines":
                return _json_lines(text)
            case "toml":
                return _toml(text)
            case "yaml":
                return _yaml(text)
            case _:
                return None
    except (RecursionError, MemoryError):
        return ParseProblem("nested so deeply that the parser gives up")


def python_tree(text: str) -> ast.Module | None:
    """The text as Python of this interpreter, or None where it is not (or is too long)."""
    if len(text) > MAX_PYTHON:
        return None
    try:
        return _parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parsed(text: str) -> ast.Module:
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _python(text: str) -> ParseProblem | None:
    if len(text) > MAX_PYTHON:
        return None
    try:
        _parsed(text)
    except SyntaxError as error:
        message = error.msg or "invalid syntax"
        last = _last_line(text)
        return ParseProblem(
            message,
            error.lineno,
            error.offset,
            is_cut=_says_cut(message)
            or ("unterminated string" in message and (error.lineno or 0) >= last),
            may_be_newer=message.startswith(_NEWER),
            may_be_older=message.startswith(_OLDER),
        )
    except ValueError as error:
        return ParseProblem(str(error))
    return None


def _json(path: str, text: str) -> ParseProblem | None:
    problem = _strict_json(text)
    if problem is None or PurePosixPath(path).name in _STRICT_JSON:
        return problem
    # Configuration files called .json often hold comments and trailing commas.
    return problem if _strict_json(_without_comments(text)) else None


def _strict_json(text: str) -> ParseProblem | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or _says_cut(error.msg)
        return ParseProblem(error.msg, error.lineno, error.colno, is_cut=cut)
    return None


def _without_comments(text: str) -> str:
    """The text with comments and trailing commas blanked out at equal length."""

    def blank(match: re.Match[str]) -> str:
        found = match.group(0)
        if found.startswith('"'):
            return found
        return re.sub(r"[^\n]", " ", found)

    bare = re.sub(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', blank, text, flags=re.DOTALL)
    return re.sub(
        r'"(?:\\.|[^"\\\n])*"|,(?=\s*[}\]])',
        lambda match: " " if match.group(0) == "," else match.group(0),
        bare,
    )


def _json_lines(text: str) -> ParseProblem | None:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and (problem := _strict_json(line)):
            return ParseProblem(problem.message, number, problem.column, is_cut=problem.is_cut)
    return None


def _toml(text: str) -> ParseProblem | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _AT.search(message)
        if place is None:
            return ParseProblem(message, _last_line(text), is_cut=_says_cut(message))
        clean = message[: place.start()].strip()
        return ParseProblem(clean, int(place.group(1)), int(place.group(2)))
    return None


def _yaml(text: str) -> ParseProblem | None:
    """Read the events only: a tag of some program is no error, and nothing is built."""
    bare = covered("yaml", text)
    half = _HALF_EXPRESSION.search(bare)
    if half is not None:
        line = bare.count("\n", 0, half.start()) + 1
        return ParseProblem("a `${{ }}` is not whole", line, is_cut=True)
    try:
        for _ in yaml.parse(bare, Loader=_YAML_LOADER):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        message = error.problem or "not valid YAML"
        if mark is None:
            return ParseProblem(message)
        is_cut = "end of stream" in message or "<stream end>" in message
        return ParseProblem(message, mark.line + 1, mark.column + 1, is_cut=is_cut)
    except yaml.YAMLError as error:
        return ParseProblem(str(error).split("\n", 1)[0])
    return None


def _says_cut(message: str) -> bool:
    return any(sign in message for sign in _CUT)


def _last_line(text: str) -> int:
    return text.rstrip().count("\n") + 1
