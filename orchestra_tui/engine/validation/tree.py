"""What one tree-sitter parse says of a text: errors, brackets left open, comments.

The rule a reader must not break: this is the only module that touches tree-sitter, it never
passes `progress_callback` (it crashes in the pinned version), and it never parses more than
`MAX_BYTES`: a parse holds the interpreter lock from end to end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language as TreeLanguage
from tree_sitter import Node, Parser, Tree
from tree_sitter_language_pack import SupportedLanguage, get_language

from orchestra_tui.engine.validation.dialects import covered
from orchestra_tui.engine.validation.functions import (
    MAX_BODY,
    body_of,
    field_name,
    may_be_function,
    name_of,
)

MAX_BYTES = 1_000_000
PAIRS = {")": "(", "]": "[", "}": "{"}
OPENERS = frozenset(PAIRS.values())
OTHER_BRANCHES = frozenset({"preproc_else", "preproc_elif"})
MAX_ERRORS = 200


@dataclass(frozen=True)
class Mark:
    """A place in the text, line and column counted from 1, with the text found there."""

    line: int
    column: int
    text: str
    is_missing: bool = False
    is_at_end: bool = False


@dataclass(frozen=True)
class Comment:
    """One comment node. `is_alone` says that nothing else stands in the block around it;
    `is_outer` that the block is the file itself or the body of a class; `is_inside` that it only
    looks like one and stands in a string or in another comment."""

    line: int
    end_line: int
    text: str
    is_alone: bool
    is_outer: bool
    is_inside: bool = False


@dataclass(frozen=True)
class Function:
    """One function with a body; `name` is qualified by the classes and functions around it,
    `around` is the first line of the nearest of them that is not a function."""

    name: str
    line: int
    body: str
    around: str = ""


@dataclass(frozen=True)
class Brackets:
    """The brackets without a partner: openers by place, closers by number."""

    unclosed: tuple[Mark, ...]
    strays: int

    @property
    def is_balanced(self) -> bool:
        """True if every bracket has its partner."""
        return not self.unclosed and not self.strays


@dataclass
class TreeFacts:
    """Everything the checks need, so that no node leaves this module."""

    errors: list[Mark] = field(default_factory=list)
    unclosed: list[Mark] = field(default_factory=list)
    stray_closers: int = 0
    comments: list[Comment] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)

    @property
    def brackets(self) -> Brackets:
        """The brackets outside strings and comments that have no partner."""
        return Brackets(tuple(self.unclosed), self.stray_closers)

    @property
    def is_balanced(self) -> bool:
        """True if every bracket outside strings and comments has its partner."""
        return self.brackets.is_balanced

    @property
    def touches_end(self) -> bool:
        """True if an error reaches the end of the text: the usual trace of a cut."""
        return any(error.is_at_end for error in self.errors)


def read_tree(grammar: str, text: str) -> TreeFacts:
    """Parse `text` with a grammar of the language pack and collect the facts.

    Raises:
        ValueError: the text is larger than `MAX_BYTES`.
    """
    data = covered(grammar, text).encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    parser = Parser(_language(grammar))
    tree = parser.parse(data)
    return _Walk(data).facts_of(tree)


def _language(grammar: str) -> TreeLanguage:
    """The grammar by name; two of the pack's are older than the ones published alone."""
    match grammar:
        case "kotlin":
            return TreeLanguage(tree_sitter_kotlin.language())
        case "swift":
            return TreeLanguage(tree_sitter_swift.language())
        case _:
            return get_language(cast(SupportedLanguage, grammar))


class _Walk:
    """One pass over the tree in text order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._end = len(data.rstrip())
        self._facts = TreeFacts()
        self._stack: list[tuple[str, Mark]] = []
        self._empty: dict[int, bool] = {}

    def facts_of(self, tree: Tree) -> TreeFacts:
        for node in _nodes(tree):
            if node.is_error or node.is_missing:
                self._add_error(node)
            if node.is_named and may_be_function(node.type):
                self._add_function(node)
            if node.type.lower().endswith("comment"):
                self._add_comment(node)
            elif node.child_count == 0 and not node.is_named and not node.is_missing:
                self._count_brackets(node)
        self._facts.unclosed.extend(mark for _, mark in self._stack)
        return self._facts

    def _add_error(self, node: Node) -> None:
        if len(self._facts.errors) >= MAX_ERRORS:
            return
        words = node.type if node.is_missing else self._text(node)
        at_end = node.end_byte >= self._end
        self._facts.errors.append(
            self._mark(node, words, is_missing=node.is_missing, is_at_end=at_end)
        )

    def _add_comment(self, node: Node) -> None:
        block = node.parent
        is_empty = block is not None and self._is_empty(block)
        self._facts.comments.append(
            Comment(
                line=node.start_point.row + 1,
                end_line=node.end_point.row + 1,
                text=self._text(node, limit=1000).rstrip("\n"),
                is_alone=block is not None and block.parent is not None and is_empty,
                is_outer=block is None or block.parent is None or "class" in block.type,
            )
        )

    def _add_function(self, node: Node) -> None:
        body = body_of(node)
        if body is None:
            return
        receiver = node.child_by_field_name("receiver")
        names = [name_of(node, self._text), self._text(receiver) if receiver else ""]
        if not names[0]:
            return
        first_line = self._text(node, 200).split("\n", 1)[0]
        around = node.parent
        while around is not None:
            if around.parent is not None:
                names.append(field_name(around, self._text))
                if "class" in around.type:
                    first_line += " " + self._text(around, 200).split("\n", 1)[0]
            around = around.parent
        name = ".".join(name for name in reversed(names) if name)
        text = self._text(body, MAX_BODY)
        line = node.start_point.row + 1
        self._facts.functions.append(Function(name, line, text, first_line))

    def _is_empty(self, block: Node) -> bool:
        """True if the block holds nothing but comments; asked once per block, not per comment."""
        if block.id not in self._empty:
            self._empty[block.id] = not any(_counts(child) for child in block.named_children)
        return self._empty[block.id]

    def _count_brackets(self, node: Node) -> None:
        kind = node.type
        if len(kind) > 4 or any(char.isalnum() for char in kind):
            return
        for char in kind:
            if char in OPENERS:
                self._stack.append((char, self._mark(node, char)))
            elif char in PAIRS:
                self._close(PAIRS[char])

    def _close(self, opener: str) -> None:
        if not any(char == opener for char, _ in self._stack):
            self._facts.stray_closers += 1
            return
        while self._stack:
            char, mark = self._stack.pop()
            if char == opener:
                return
            self._facts.unclosed.append(mark)

    def _mark(
        self, node: Node, text: str, *, is_missing: bool = False, is_at_end: bool = False
    ) -> Mark:
        row, byte_column = node.start_point
        start = node.start_byte - byte_column
        column = len(self._data[start : node.start_byte].decode("utf-8", "replace")) + 1
        return Mark(row + 1, column, text, is_missing=is_missing, is_at_end=is_at_end)

    def _text(self, node: Node, limit: int = 80) -> str:
        piece = self._data[node.start_byte : min(node.end_byte, node.start_byte + limit)]
        return piece.decode("utf-8", "replace")


def _counts(node: Node) -> bool:
    return not node.type.lower().endswith("comment") and not node.is_missing


def _nodes(tree: Tree) -> Iterator[Node]:
    """Every node in text order, without recursion; other branches of `#if` are passed over."""
    cursor = tree.walk()
    while True:
        node = cursor.node
        if node is not None:
            yield node
            if node.type not in OTHER_BRANCHES and cursor.goto_first_child():
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
