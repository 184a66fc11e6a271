"""A file that is still being written: damage that more text cannot mend.

The rule a reader must not break: the tree is parsed on from where it was, so the text may only
grow, by whole lines; and a grammar that rejects intact files now and then is not asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from tree_sitter import Node, Parser, Point, Tree
from tree_sitter_language_pack import SupportedLanguage, get_language

from orchestra_tui.engine.validation.elision import elision_findings
from orchestra_tui.engine.validation.languages import language_of
from orchestra_tui.engine.validation.lines import LinePair, repeats_itself
from orchestra_tui.engine.validation.report import ReportState

MAX_BYTES = 64 * 1024
"""Only so much is parsed: the interpreter's lock is held for as long as it takes."""

CLOSED = 25
"""Lines that must have come after an error before it counts as left behind."""

SIGHTINGS = 3
"""How often an error must be seen at the same place: a parser changes its mind as text comes."""

_FIRM = frozenset({"csharp", "go", "java", "json", "lua", "php", "python", "ruby"})
"""Grammars that rejected less than 2 % of intact files (docs/validation.md)."""


_MARKUP = frozenset({"html", "xml", "vue", "svelte"})
"""Languages in which a line of dots is text, which only the whole tree could tell."""


@dataclass(frozen=True)
class Doubt:
    """What looks damaged; `line` counts from 1 in the file, None is the reply as a whole."""

    line: int | None
    message: str


class GrowingText:
    """The text of one path, looked at again and again while it grows; `old` is the file before."""

    def __init__(self, path: str, old: str | None) -> None:
        self._language = language_of(path)
        self._old = frozenset((old or "").split("\n"))
        self._parser: Parser | None = None
        self._tree: Tree | None = None
        self._data = b""
        self._seen: dict[int, int] = {}
        if self._language.name in _FIRM:
            self._parser = Parser(get_language(cast(SupportedLanguage, self._language.name)))
            if old is not None and self._is_rejected(self._parser, old):
                self._parser = None

    def look(self, text: str) -> Doubt | None:
        """The first damage in `text`, whole lines that begin with all that was seen before."""
        return self._fence(text) or self._elision(text) or self._error(text)

    def _fence(self, text: str) -> Doubt | None:
        if self._language.is_prose:
            return None
        first, newline, _ = text.lstrip("\n").partition("\n")
        if newline and first.startswith("```") and first not in self._old:
            line = text[: text.index(first)].count("\n") + 1
            return Doubt(line, "a fence stands around the file")
        return None

    def _elision(self, text: str) -> Doubt | None:
        if self._language.is_prose or self._language.name in _MARKUP:
            return None
        lines = LinePair(text, None)
        for found in elision_findings(self._language, lines=lines, tree=None):
            line = found.diagnostic.line or 0
            if found.state is ReportState.ELIDED and text.split("\n")[line - 1] not in self._old:
                return Doubt(found.diagnostic.line, found.diagnostic.message)
        return None

    def _error(self, text: str) -> Doubt | None:
        if self._parser is None or len(text) > MAX_BYTES or repeats_itself(text):
            return None
        errors = list(_errors(self._parsed(self._parser, text).root_node))
        last = text.count("\n")
        # In a string that is still open everything may look wrong: all must be sound since.
        if any(node.end_point.row + CLOSED > last for node in errors):
            self._seen = {}
            return None
        lines = text.split("\n")
        new = [node for node in errors if lines[node.start_point.row] not in self._old]
        self._seen = {node.start_byte: self._seen.get(node.start_byte, 0) + 1 for node in new}
        firm = [node for node in new if self._seen[node.start_byte] >= SIGHTINGS]
        if not firm:
            return None
        first = min(firm, key=lambda node: node.start_byte)
        return Doubt(first.start_point.row + 1, "a syntax error is left behind")

    def _is_rejected(self, parser: Parser, old: str) -> bool:
        data = old.encode("utf-8", "replace")
        return (
            len(data) > MAX_BYTES or repeats_itself(old) or parser.parse(data).root_node.has_error
        )

    def _parsed(self, parser: Parser, text: str) -> Tree:
        data = text.encode("utf-8", "replace")
        if self._tree is not None and data.startswith(self._data):
            end, rows = len(self._data), self._data.count(b"\n")
            point = Point(rows, end - (self._data.rfind(b"\n") + 1))
            self._tree.edit(
                start_byte=end,
                old_end_byte=end,
                new_end_byte=len(data),
                start_point=point,
                old_end_point=point,
                new_end_point=Point(data.count(b"\n"), len(data) - (data.rfind(b"\n") + 1)),
            )
            self._tree = parser.parse(data, self._tree)
        else:
            self._tree = parser.parse(data)
        self._data = data
        return self._tree


def _errors(root: Node) -> Iterator[Node]:
    """The outermost errors of a tree, in any order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not node.has_error:
            continue
        if node.is_error or node.is_missing:
            yield node
        else:
            waiting.extend(node.children)
