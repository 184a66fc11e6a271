"""Placeholders where code should be: "... rest of the code unchanged".

The rule a reader must not break: with an old text, only lines that really went are evidence. A
comment that was there before, or that stands above code that is still there, is no finding.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from orchestra_tui.engine.validation.bodies import is_stub
from orchestra_tui.engine.validation.fences import fenced_lines
from orchestra_tui.engine.validation.languages import Language
from orchestra_tui.engine.validation.lines import TRIVIAL, LinePair
from orchestra_tui.engine.validation.markup import MARKUP
from orchestra_tui.engine.validation.parsers import python_tree
from orchestra_tui.engine.validation.phrases import (
    Strength,
    needs_dots,
    starts_with_dots,
    strength,
)
from orchestra_tui.engine.validation.report import Finding, ReportState, finding
from orchestra_tui.engine.validation.tree import Comment, TreeFacts

NEEDED = {
    Strength.PLAIN: 1,
    Strength.HINT: 2,
    Strength.DOTS: 2,
    Strength.STUB: 3,
    Strength.VAGUE: 4,
}
"""How many old lines must be gone, net, before a comment of this strength is a placeholder."""

DOTS_ARE_CODE = frozenset({"python", "yaml", "lua", "bash", "swift", "perl"})
SHOWN = 5

_COMMENT_LINE = re.compile(r"^\s*(?:#|//|--|;|%|/\*|<!--|\{/\*|\(\*|\{-)")
_NOTE_LINE = re.compile(r"^\s*[\[(<]*(?:\.{3}|…)[ (\[].*\w")
_DOTS_LINE = re.compile(r"^\s*(?:\.{3}|…)\s*$")
_PROSE_LINE = re.compile(r"^\s*[\[(*_]*\s*(?:\.{3}|…|\[(?![^\]]*\][(:])|<!--)")
_HEADING = re.compile(
    r"^\W*(?:other|original|previous|existing|remaining) \w+(?: \w+)?\W*$", re.IGNORECASE
)
RUNS_ON_BELOW = 4
"""With so many lines gone, a comment that seems to go on from the one above is a placeholder."""


def elision_findings(
    language: Language, *, lines: LinePair, tree: TreeFacts | None
) -> tuple[Finding, ...]:
    """The placeholders in the new text that stand where code was or should be."""
    found = [
        finding(
            state,
            "placeholder",
            _message(comment.text, removed),
            line=comment.line,
            evidence=gone,
        )
        for comment in _candidates(language, lines, tree)
        for removed, gone in [lines.removed_at(comment.line)]
        if (state := _state(comment, removed, lines)) is not None
    ]
    return tuple(found[:SHOWN])


def _state(comment: Comment, removed: int, lines: LinePair) -> ReportState | None:
    if _is_elision(comment, removed, lines):
        return ReportState.ELIDED
    if lines.old is None or strength(comment.text) is not Strength.PLAIN:
        return None
    if _runs_on(comment, lines.new):
        return None
    # In a text that repeats itself, the comparison may see the gap elsewhere.
    if lines.removed_in_all >= 2 * NEEDED[Strength.HINT]:
        return ReportState.ELIDED
    # Nothing of the old text went, but what is new can be left out as well.
    is_lost = not comment.is_inside and _leads_nowhere(comment, lines.new)
    return ReportState.ELIDED if is_lost else ReportState.SUSPECT


def _is_elision(comment: Comment, removed: int, lines: LinePair) -> bool:
    level = strength(comment.text)
    if level is Strength.PLAIN and removed >= NEEDED[Strength.HINT]:
        return True
    if removed < RUNS_ON_BELOW and _runs_on(comment, lines.new):
        return False
    if level in {Strength.STUB, Strength.VAGUE} and _is_remark(comment, level, lines.new):
        return False
    if removed >= NEEDED[level]:
        return True
    if level is Strength.PLAIN:
        return lines.old is None or comment.is_alone
    if level in {Strength.STUB, Strength.VAGUE}:
        return False
    if comment.is_alone and (lines.old is None or level is Strength.HINT):
        return True
    if lines.old is not None:
        return False
    if level is Strength.HINT and _HEADING.match(comment.text):
        return False
    if level is Strength.HINT and comment.line == _first_line(lines.new):
        return True
    return _leads_nowhere(comment, lines.new)


def _leads_nowhere(comment: Comment, lines: Sequence[str]) -> bool:
    """True if no code at the comment's own depth follows it: what it speaks of is not there."""
    if comment.line > 1 and _COMMENT_LINE.match(lines[comment.line - 2]):
        return False
    here = lines[comment.line - 1]
    follower = next((line for line in lines[comment.end_line : comment.end_line + 1]), "")
    return not follower.strip() or _depth(follower) < _depth(here)


def _is_remark(comment: Comment, level: Strength, lines: Sequence[str]) -> bool:
    """True for a remark of several lines, and for something to do about the code right below."""
    below = next(iter(lines[comment.end_line : comment.end_line + 1]), "")
    if _COMMENT_LINE.match(below):
        return True
    here = lines[comment.line - 1]
    is_above_code = bool(below.strip()) and _depth(below) >= _depth(here)
    is_work = below.strip() not in TRIVIAL and not is_stub(below)
    return level is Strength.STUB and is_above_code and is_work


def _first_line(lines: Sequence[str]) -> int:
    """The number of the first line that holds something."""
    return next((number for number, line in enumerate(lines, start=1) if line), 0)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _candidates(language: Language, lines: LinePair, tree: TreeFacts | None) -> Iterator[Comment]:
    seen: set[int] = set()
    for comment in _comments(language, lines, tree):
        level = strength(comment.text)
        if level is Strength.NONE or comment.text.strip() in lines.known or comment.line in seen:
            continue
        is_whole_block = comment.is_alone and level >= Strength.HINT
        if not is_whole_block and not _stands_alone(comment, lines.new):
            continue
        if lines.old is None and _is_listed(comment, lines.new):
            continue
        seen.add(comment.line)
        yield comment


def _comments(language: Language, lines: LinePair, tree: TreeFacts | None) -> Iterator[Comment]:
    if language.is_prose:
        is_markdown = language.name == "markdown" and lines.old is None
        yield from _prose_comments(lines.new, is_markdown=is_markdown)
        return
    if tree is not None:
        yield from (comment for comment in tree.comments if comment.end_line - comment.line < 3)
        if lines.old is not None or language.holds_others:
            yield from _outside_comments(language, lines.new, tree)
    else:
        yield from _by_look(lines.new, _COMMENT_LINE)
    for note in _by_look(lines.new, _NOTE_LINE):
        # A line that begins with bare dots is code in some languages, and a doctest in Python.
        is_code = language.name in DOTS_ARE_CODE and note.text.startswith(
            (".", "\N{HORIZONTAL ELLIPSIS}")
        )
        if not is_code and strength(note.text) is Strength.PLAIN:
            yield note
    if language.name not in DOTS_ARE_CODE:
        inside = _inside_comments(tree) | _inside_examples(language, lines.new)
        yield from (dots for dots in _by_look(lines.new, _DOTS_LINE) if dots.line not in inside)
    elif language.name == "python":
        yield from _python_dots(lines.new, is_new=lines.old is None)


def _inside_comments(tree: TreeFacts | None) -> frozenset[int]:
    """The lines of the comments that go over several: dots there are words."""
    return frozenset(
        line
        for comment in (tree.comments if tree is not None else ())
        if comment.end_line > comment.line
        for line in range(comment.line, comment.end_line + 1)
    )


def _inside_examples(language: Language, lines: Sequence[str]) -> frozenset[int]:
    """The lines of code that a page shows to its readers."""
    if language.name not in MARKUP:
        return frozenset()
    shown: set[int] = set()
    is_inside = False
    for number, line in enumerate(lines, start=1):
        low = line.lower()
        if is_inside or "<pre" in low:
            shown.add(number)
        if "<pre" in low or "</pre" in low:
            is_inside = low.rfind("<pre") > low.rfind("</pre")
    return frozenset(shown)


def _outside_comments(
    language: Language, lines: Sequence[str], tree: TreeFacts
) -> Iterator[Comment]:
    """Placeholders where the grammar sees no comment: in a string, in a script inside markup."""
    seen = {note.line for note in tree.comments if note.end_line == note.line}
    for comment in _by_look(lines, _COMMENT_LINE):
        is_told = language.holds_others or strength(comment.text) >= Strength.HINT
        if comment.line not in seen and is_told:
            yield replace(comment, is_inside=not language.holds_others)


def _by_look(lines: Sequence[str], look: re.Pattern[str]) -> Iterator[Comment]:
    for number, line in enumerate(lines, start=1):
        if look.match(line):
            yield Comment(number, number, line.strip(), is_alone=False, is_outer=line[:1] != " ")


def _python_dots(lines: Sequence[str], *, is_new: bool) -> Iterator[Comment]:
    """A lone `...` that is not the whole body of something: there it is honest Python.

    Where the file was there before, the lines that went say what the dots of a body stand for.
    Of a text that parses only statements count: in a doctest the dots stand for its output.
    """
    tree = python_tree("\n".join(lines))
    statements = None if tree is None else _ellipses(tree)
    for comment in _by_look(lines, _DOTS_LINE):
        near = lines[max(comment.line - 20, 0) : comment.line - 1]
        above = next((line for line in reversed(near) if line), "")
        is_string = statements is not None and comment.line not in statements
        is_body = above.endswith(":") and is_new
        if not is_string and not is_body and not above.endswith(('"""', "'''")):
            yield Comment(comment.line, comment.line, comment.text, is_alone=False, is_outer=False)


def _ellipses(tree: ast.Module) -> frozenset[int]:
    """The lines of the statements that are nothing but `...`."""
    return frozenset(
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and node.value.value is ...
    )


def _prose_comments(lines: Sequence[str], *, is_markdown: bool) -> Iterator[Comment]:
    """In documents only lines that look like a note, none inside a fence or an indented block."""
    inside = fenced_lines(lines) if is_markdown else frozenset()
    for number, line in enumerate(lines, start=1):
        if (
            number not in inside
            and line[:4].strip()
            and (
                _PROSE_LINE.match(line) or line.lstrip().startswith(("<!--", "//", "{/*", "# ..."))
            )
        ):
            yield Comment(number, number, line.strip(), is_alone=False, is_outer=False)


def _stands_alone(comment: Comment, lines: Sequence[str]) -> bool:
    rest = "\n".join(lines[comment.line - 1 : comment.end_line]).strip()
    return rest.strip("{}").strip() == comment.text.strip().strip("{}").strip()


def _runs_on(comment: Comment, lines: Sequence[str]) -> bool:
    """True if the comment is the middle of a sentence begun in the comment line above."""
    if comment.line < 2:
        return False
    above = lines[comment.line - 2].strip()
    if starts_with_dots(comment.text):
        return _COMMENT_LINE.match(above) is not None and above.endswith("...")
    if not _COMMENT_LINE.match(above) or above.endswith((".", ":", "!", "?", "*/", "-->")):
        return False
    words = re.sub(r"^\W+", "", comment.text)
    return words[:1].islower() and len(above.split()) > 3


def _is_listed(comment: Comment, lines: Sequence[str]) -> bool:
    """True for dots inside a block of comment lines: the end of an example or a list."""
    if strength(comment.text) is not Strength.DOTS and not needs_dots(comment.text):
        return False
    around = (*lines[max(comment.line - 2, 0) : comment.line - 1], *lines[comment.end_line :][:1])
    return any(_COMMENT_LINE.match(line) for line in around)


def _message(comment: str, removed: int) -> str:
    short = " ".join(comment.split())[:80]
    if removed > 0:
        plural = "line" if removed == 1 else "lines"
        return f"a placeholder stands where {removed} {plural} of the file were: {short}"
    return f"a placeholder stands where code should be: {short}"
