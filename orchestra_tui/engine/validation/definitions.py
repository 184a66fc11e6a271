"""The names a file gives to others: what it defines at its top level, and what of that is gone.

The rule a reader must not break: a name that the new text defines, imports or exports in any way
is not gone, and where the new text takes in everything of another module nothing is known.
"""

from collections.abc import Iterator
from typing import cast

from tree_sitter import Node, Parser
from tree_sitter_language_pack import SupportedLanguage, get_language

from orchestra_tui.engine.validation.dialects import covered
from orchestra_tui.engine.validation.languages import language_of
from orchestra_tui.engine.validation.report import GoneName
from orchestra_tui.engine.validation.tree import MAX_BYTES

MAX_NAMES = 20
"""Gone names that are reported; a file that lost more lost them in one piece."""

_MAX_DEPTH = 6
_CODE = frozenset(
    {
        "c",
        "cpp",
        "csharp",
        "dart",
        "go",
        "java",
        "javascript",
        "lua",
        "php",
        "python",
        "ruby",
        "rust",
        "scala",
        "swift",
        "tsx",
        "typescript",
    }
)
_OUTER = (
    "export",
    "decorated",
    "declaration_list",
    "namespace",
    "variable_declaration",
    "lexical_declaration",
    "ambient",
    "const_declaration",
    "var_declaration",
    "type_declaration",
    "preproc_if",
    "linkage_specification",
    "template_declaration",
    "expression_statement",
    "property_declaration",
    "object_declaration",
)
"""Beginnings of nodes that a top-level definition may stand in."""

_IMPORTS = frozenset({"use_declaration", "using_directive", "preproc_include"})
_PYTHON_OUTER = ("if_statement", "else_clause", "try_statement", "except_clause", "block")
_IDENTIFIERS = frozenset(
    {"identifier", "type_identifier", "constant", "name", "simple_identifier", "field_identifier"}
)


def gone_names(path: str, new: str, old: str) -> tuple[GoneName, ...]:
    """What `old` defined at its top level and `new` neither defines nor imports, by line.

    Empty for languages without top-level names and for texts over 1 MB.
    """
    language = language_of(path, new).name
    if language not in _CODE or max(len(new), len(old)) > MAX_BYTES:
        return ()
    before, after = _Names(language, old), _Names(language, new)
    if after.is_open:
        return ()
    gone = [
        GoneName(name=name, line=line)
        for name, line in before.defined.items()
        if name not in after.defined and name not in after.imported
    ]
    return tuple(sorted(gone, key=lambda one: one.line)[:MAX_NAMES])


class _Names:
    """The top-level names of one text. `is_open`: it takes in names that it does not list."""

    def __init__(self, language: str, text: str) -> None:
        self.defined: dict[str, int] = {}
        self.imported: set[str] = set()
        self.is_open = False
        self._outer = _OUTER + (_PYTHON_OUTER if language == "python" else ())
        self._data = covered(language, text).encode("utf-8", "replace")
        parser = Parser(get_language(cast(SupportedLanguage, language)))
        self._look(parser.parse(self._data).root_node, 0)

    def _look(self, node: Node, depth: int) -> None:
        for child in node.named_children:
            kind = child.type
            if "import" in kind or kind in _IMPORTS:
                self._take_imported(child)
                continue
            self._define(child)
            if depth < _MAX_DEPTH and kind.startswith(self._outer):
                self._look(child, depth + 1)
                if "export" in kind:
                    self.is_open = self.is_open or any(part.type == "*" for part in child.children)

    def _define(self, node: Node) -> None:
        if node.child_by_field_name("receiver") is not None:
            return
        named = node.child_by_field_name("name") or node.child_by_field_name("left")
        if named is None:
            named = _innermost(node.child_by_field_name("declarator"))
        for name in _identifiers(named) if named is not None else ():
            # The first definition of a name is where a person looks for it.
            self.defined.setdefault(self._text(name), name.start_point.row + 1)

    def _take_imported(self, node: Node) -> None:
        for part in _walk(node):
            if part.type in {"wildcard_import", "asterisk", "use_wildcard"} or part.type == "*":
                self.is_open = True
            elif part.type in _IDENTIFIERS:
                self.imported.add(self._text(part))

    def _text(self, node: Node) -> str:
        return self._data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _innermost(node: Node | None) -> Node | None:
    """The name inside a C declarator: of `*(f)(int)` it is `f`."""
    while node is not None and node.type not in _IDENTIFIERS:
        node = node.child_by_field_name("declarator")
    return node


def _identifiers(node: Node) -> Iterator[Node]:
    """The names a pattern binds; an attribute or an index (`a.b = 1`) binds none."""
    if node.type in _IDENTIFIERS:
        yield node
    elif node.type in {"pattern_list", "tuple_pattern", "expression_list"}:
        yield from (part for part in node.named_children if part.type in _IDENTIFIERS)


def _walk(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(current.children)
