"""Rules about names: used and never bound, bound and never used, read and never set."""

import ast
import builtins
from collections.abc import Iterator

from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.engine.adapters.rehearsal.audit.finding import issue

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_KNOWN = frozenset(dir(builtins)) | {
    "__file__",
    "__name__",
    "__doc__",
    "__path__",
    "__spec__",
    "__class__",
    "__annotations__",
}


def name_issues(tree: ast.Module) -> Iterator[Issue]:
    """Every finding of every rule of this module."""
    yield from _undefined_names(tree)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    parents = {ast.unparse(base) for node in classes for base in node.bases}
    for node in classes:
        if node.name not in parents:
            yield from _unset_attributes(node)
        methods = [inner for inner in node.body if isinstance(inner, FunctionNode)]
        # A method of a class with a base, or of one, may have to take what it does not need.
        for method in methods if _stands_alone(node) and node.name not in parents else []:
            yield from _unused_parameters(method)
    for function in tree.body:
        if isinstance(function, FunctionNode):
            yield from _unused_parameters(function)


def _undefined_names(tree: ast.Module) -> Iterator[Issue]:
    """Names bound nowhere in the file at all: wrong in any scope, so scopes are not needed."""
    bound = _bound_names(tree)
    if bound is None:
        return
    reported: set[str] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
            continue
        if node.id not in bound and node.id not in _KNOWN and node.id not in reported:
            reported.add(node.id)
            yield issue(
                Severity.ERROR,
                node.lineno,
                f"the name {node.id} is used and never defined or imported",
                "define or import it",
            )


def _bound_names(tree: ast.Module) -> set[str] | None:
    """Every name that any line binds; None if a star import or a trick may bind anything."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="globals" | "exec" | "vars", ctx=ast.Load()):
                return None
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                bound.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                bound.update(names)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                if any(alias.name == "*" for alias in aliases):
                    return None
                bound.update(alias.asname or alias.name.split(".")[0] for alias in aliases)
            case _:
                # Functions, classes, except, match, and the type parameters of newer Pythons.
                own_name = getattr(node, "name", None)
                bound |= {own_name} if isinstance(own_name, str) else set()
    return bound


def _unused_parameters(node: FunctionNode) -> Iterator[Issue]:
    promises_value = node.returns is not None and ast.unparse(node.returns) != "None"
    if node.decorator_list or len(node.body) == 1 or not promises_value:
        return
    used = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    if "locals" in used:
        return
    for arg in (*node.args.args, *node.args.kwonlyargs):
        if arg.arg in used or arg.arg in {"self", "cls"} or arg.arg.startswith("_"):
            continue
        yield issue(
            Severity.ERROR,
            node.lineno,
            f"{node.name}() takes {arg.arg} and never uses it",
            f"use {arg.arg}, or do not take it",
        )


def _unset_attributes(node: ast.ClassDef) -> Iterator[Issue]:
    """Attributes of `self` that are read and that no line of the class sets."""
    if not _stands_alone(node) or node.keywords or node.decorator_list:
        return
    known = _class_names(node)
    reads: dict[str, int] = {}
    for inner in ast.walk(node):
        match inner:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Load()):
                reads.setdefault(name, inner.lineno)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                known.add(name)
            case ast.Call(func=ast.Name(id="setattr")):
                return
    # A class without its own __init__ is often half of another one.
    if "__init__" not in known or known & {"__getattr__", "__getattribute__"}:
        return
    for name, line in sorted(reads.items(), key=lambda read: read[1]):
        if name not in known and not (name.startswith("__") and name.endswith("__")):
            yield issue(
                Severity.ERROR,
                line,
                f"self.{name} is read and {node.name} never sets it",
                "set it in __init__, or correct its name",
            )


def _stands_alone(node: ast.ClassDef) -> bool:
    """True if nothing but the class itself can define its attributes."""
    bases = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
    return all(isinstance(base, ast.Name) and base.id in {"Generic", "object"} for base in bases)


def _class_names(node: ast.ClassDef) -> set[str]:
    known: set[str] = set()
    for line in ast.walk(node):
        match line:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                known.add(name)
            case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                known.add(name)
            case ast.Assign(targets=targets):
                known |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                known |= {alias.asname or alias.name for alias in aliases}
    return known
