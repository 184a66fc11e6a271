"""Which nodes of a tree are functions with bodies, in forty grammars that name them differently.

The rule a reader must not break: a node without a body of its own (a declaration, a call) is no
function here, or the next text that fills it in would look like damage.
"""

from collections.abc import Callable
from functools import lru_cache

from tree_sitter import Node

_WORDS = ("function", "method", "constructor", "subroutine", "func_", "accessor", "init_decl")
_NO_FUNCTION = ("call", "type", "signature", "invocation", "reference", "body", "modifier", "name")
_BODY_ENDS = ("body", "block", "statements", "compound_statement", "statement_list")
_DEFINES = frozenset({"def", "defp", "defmacro", "defmacrop"})
_NAME_FIELDS = ("name", "declarator", "left", "lhs", "key", "type", "property")
MAX_BODY = 200_000

Text = Callable[[Node, int], str]


@lru_cache(maxsize=2048)
def may_be_function(kind: str) -> bool:
    """True if nodes of this type are worth a closer look."""
    return kind == "call" or any(word in kind for word in _WORDS)


def body_of(node: Node) -> Node | None:
    """The body of a function node; None where the node is none or has no body."""
    if node.type == "call":
        return _elixir_body(node)
    if not any(word in node.type for word in _WORDS):
        return None
    if any(node.type.endswith(word) for word in _NO_FUNCTION):
        return _dart_body(node)
    found = node.child_by_field_name("body")
    if found is not None:
        return found
    for child in reversed(node.named_children):
        if child.type.endswith(_BODY_ENDS):
            return child
    return None


def name_of(node: Node, text: Text) -> str:
    """What the function is called: its own name, or what a nameless one is assigned to."""
    if node.type == "call":
        return text(node.named_children[1], 80).split("(")[0]
    if node.type == "function_body" and node.prev_named_sibling is not None:
        return text(node.prev_named_sibling, 120).split("(")[0]
    own = field_name(node, text)
    if own:
        return own
    for child in node.named_children:
        if child.type.endswith(("identifier", "name", "word")):
            return text(child, 80)
    parent = node.parent
    return field_name(parent, text) if parent is not None and _is_binding(parent) else ""


def field_name(node: Node, text: Text) -> str:
    """The text of the field that names this node, or nothing."""
    for field in _NAME_FIELDS:
        found = node.child_by_field_name(field)
        if found is not None:
            return text(found, 80)
    return ""


def _is_binding(node: Node) -> bool:
    return any(word in node.type for word in ("declarator", "pair", "assign", "binary", "property"))


def _elixir_body(node: Node) -> Node | None:
    children = node.named_children
    if len(children) < 3 or children[0].type != "identifier" or children[-1].type != "do_block":
        return None
    named = children[0].text
    return children[-1] if named is not None and named.decode() in _DEFINES else None


def _dart_body(node: Node) -> Node | None:
    """In Dart the body stands beside the signature, not below a node of both."""
    above = node.prev_named_sibling
    is_lone = node.type == "function_body" and above is not None and "signature" in above.type
    return node if is_lone else None
