"""Syntax colours for the few lines that are looked at, by pygments.

The rule a reader must not break: the work is bounded. A chunk of lines is lexed when one of them is
drawn, never the whole file; very long lines are left plain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestra_tui.widgets.line_view import MUTED, Span, over

if TYPE_CHECKING:
    from pygments.lexer import Lexer

CHUNK = 80
LEAD = 40
"""Lines before a chunk that are lexed with it, so that a text that began there is seen."""
MAX_CHARACTERS = 24_000

_STYLES = (
    ("Token.Comment", f"{MUTED} italic"),
    ("Token.Literal.String.Doc", f"{MUTED} italic"),
    ("Token.Literal.String", "$text-success"),
    ("Token.Literal.Number", "$text-warning"),
    ("Token.Keyword.Constant", "$text-warning"),
    ("Token.Keyword", "$text-primary"),
    ("Token.Operator.Word", "$text-primary"),
    ("Token.Name.Function", "bold"),
    ("Token.Name.Class", "bold"),
    ("Token.Name.Decorator", "$text-accent"),
    ("Token.Name.Tag", "$text-primary"),
    ("Token.Name.Attribute", "$text-accent"),
    ("Token.Name.Builtin", "$text-accent"),
    ("Token.Generic.Heading", "bold"),
    ("Token.Generic.Subheading", "bold"),
)


class SyntaxColours:
    """Colours for the lines of one text of one file; lines are clean and without tabs."""

    def __init__(self, path: str, lines: Sequence[str]) -> None:
        self._path = path
        self._lines = lines
        self._lexer: Lexer | None = None
        self._has_looked = False
        self._chunks: dict[int, list[list[Span]]] = {}
        self._names: dict[str, str] = {}

    def line(self, index: int) -> list[Span]:
        """The spans of a line; their text joins to the line."""
        number, place = divmod(index, CHUNK)
        chunk = self._chunks.get(number)
        if chunk is None:
            chunk = self._chunks[number] = self._lex(number * CHUNK)
        return chunk[place]

    def _lex(self, start: int) -> list[list[Span]]:
        wanted = self._lines[start : start + CHUNK]
        first = max(0, start - LEAD)
        text = "\n".join(self._lines[first : start + CHUNK])
        lexer = self._find_lexer()
        if lexer is None or len(text) > MAX_CHARACTERS:
            return [[(line, "")] for line in wanted]
        rows: list[list[Span]] = [[]]
        for token, value in lexer.get_tokens(text):
            style = self._style(str(token))
            head, *rest = value.split("\n")
            if head:
                rows[-1].append((head, style))
            for piece in rest:
                rows.append([(piece, style)] if piece else [])
        rows = rows[start - first :][: len(wanted)]
        rows += [[] for _ in range(len(wanted) - len(rows))]
        # A lexer that loses or changes a character must not change what a reviewer reads.
        return [
            row if "".join(text for text, _ in row) == line else [(line, "")]
            for row, line in zip(rows, wanted, strict=True)
        ]

    def _style(self, token: str) -> str:
        style = self._names.get(token)
        if style is None:
            found = (style for name, style in _STYLES if token.startswith(name))
            style = self._names[token] = next(found, "")
        return style

    def _find_lexer(self) -> Lexer | None:
        if not self._has_looked:
            self._has_looked = True
            # Pygments costs tens of milliseconds to load, which no start-up should pay.
            from pygments.lexers import get_lexer_for_filename
            from pygments.util import ClassNotFound

            try:
                self._lexer = get_lexer_for_filename(self._path, stripnl=False, ensurenl=False)
            except ClassNotFound:
                self._lexer = None
        return self._lexer


def slice_spans(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """The part of spans between two characters."""
    found: list[Span] = []
    at = 0
    for text, style in spans:
        piece = text[max(0, start - at) : max(0, end - at)]
        if piece:
            found.append((piece, style))
        at += len(text)
        if at >= end:
            break
    return found


def mark_spans(spans: Sequence[Span], start: int, end: int, style: str) -> list[Span]:
    """Spans with `style` added between two characters."""
    if end <= start:
        return list(spans)
    length = sum(len(text) for text, _ in spans)
    marked = [(text, over(own, style)) for text, own in slice_spans(spans, start, end)]
    return [*slice_spans(spans, 0, start), *marked, *slice_spans(spans, end, length)]
