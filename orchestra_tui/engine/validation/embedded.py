"""Scripts and styles inside a page: each is judged by the rules of its own language.

The rule a reader must not break: a piece stands at its own lines (the page before it is blank
lines), and a page that a template engine still fills in has no scripts to judge.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from orchestra_tui.engine.validation.languages import Language, language_of
from orchestra_tui.engine.validation.markup import (
    MARKUP,
    is_template,
    raw_elements,
    without_comments,
)
from orchestra_tui.engine.validation.report import Finding
from orchestra_tui.engine.validation.syntax import syntax_findings
from orchestra_tui.engine.validation.tree import MAX_BYTES, read_tree

_PIECE = re.compile(r"^[ \t]*<(script|style)\b([^<>]*)>", re.IGNORECASE | re.MULTILINE)
MAX_PIECES = 50
"""A page holds a few; one of thousands is data."""
_ATTRIBUTE = re.compile(r"\b(lang|type)\s*=\s*[\"']?([\w./+-]+)", re.IGNORECASE)
_SUFFIXES = {
    "script": ".js",
    "style": ".css",
    "js": ".js",
    "jsx": ".js",
    "ts": ".ts",
    "tsx": ".tsx",
    "typescript": ".ts",
    "css": ".css",
    "scss": ".scss",
    "postcss": ".scss",
    "module": ".js",
    "text/javascript": ".js",
    "application/javascript": ".js",
    "text/typescript": ".ts",
    "text/css": ".css",
}


@dataclass(frozen=True)
class Piece:
    """One script or style, with the lines before it blank."""

    language: Language
    text: str


def embedded_findings(
    language: Language, path: str, new: str, old: str | None
) -> tuple[Finding, ...]:
    """What is wrong with the syntax of the scripts and styles in `new`, and was not in `old`."""
    if language.name not in MARKUP or (language.name == "html" and is_template(new)):
        return ()
    before = () if old is None else tuple(_pieces(old))
    found: list[Finding] = []
    for index, piece in enumerate(_pieces(new)):
        was = _counterpart(piece, index, before)
        if len(piece.text) > MAX_BYTES // 4 or (
            was is not None and was.strip() == piece.text.strip()
        ):
            continue
        grammar = piece.language.grammar
        found += syntax_findings(
            piece.language,
            path,
            None,
            new=piece.text,
            old=was,
            new_tree=read_tree(grammar, piece.text),
            old_tree=None if was is None else read_tree(grammar, was),
        )
    return tuple(found)


def _pieces(text: str) -> Iterator[Piece]:
    bare = without_comments(text)
    for match, end in islice(raw_elements(bare, _PIECE), MAX_PIECES):
        kinds = [value.lower() for _, value in _ATTRIBUTE.findall(match.group(2))]
        suffix = _SUFFIXES.get(kinds[-1] if kinds else match.group(1).lower())
        inside = text[match.end() : end]
        if suffix is not None and inside.strip():
            above = text.count("\n", 0, match.end())
            yield Piece(language_of(f"piece{suffix}"), "\n" * above + inside)


def _counterpart(piece: Piece, index: int, before: Sequence[Piece]) -> str | None:
    """The old text of the same piece: the one of its language at its place, or the nearest."""
    same = [was.text for was in before if was.language is piece.language]
    if piece.text.strip() in {text.strip() for text in same}:
        return piece.text
    if index < len(before) and before[index].language is piece.language:
        return before[index].text
    return same[-1] if same else None
