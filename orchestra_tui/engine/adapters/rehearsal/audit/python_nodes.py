"""Rules that need one node of a Python syntax tree and what is below it."""

import ast
import re
from collections.abc import Callable, Iterator

from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.engine.adapters.rehearsal.audit.finding import issue

_NEW_VALUE = frozenset(
    {"casefold", "lower", "lstrip", "removeprefix", "removesuffix", "rstrip", "strip", "upper"}
)
"""String methods that change nothing and return the new value; no other common type has them."""
_MUTATORS = frozenset(
    {"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"}
)
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)(?:[.\[][^{}]*)?(?:![rsa])?(?::[^{}]*)?\}")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[ast.AST], Iterator[Issue]]


def node_issues(tree: ast.Module) -> Iterator[Issue]:
    """Every finding of every rule of this module."""
    for node in ast.walk(tree):
        for rule in _RULES:
            yield from rule(node)


def _discarded_result(node: ast.AST) -> Iterator[Issue]:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) if name in _NEW_VALUE:
            pass
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join" as name))
        ):
            pass
        case _:
            return
    yield issue(
        Severity.ERROR,
        node.lineno,
        f"the result of {name}() is thrown away: it returns a new value",
        "use or assign the result",
    )


def _mutable_default(node: ast.AST) -> Iterator[Issue]:
    if not isinstance(node, FunctionNode):
        return
    plain = [*node.args.posonlyargs, *node.args.args]
    defaults = zip(plain[len(plain) - len(node.args.defaults) :], node.args.defaults, strict=True)
    for arg, default in (*defaults, *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)):
        if isinstance(default, ast.List | ast.Dict | ast.Set) and _is_kept(arg.arg, node):
            yield issue(
                Severity.ERROR,
                default.lineno,
                f"the default value of {arg.arg} in {node.name}() is shared by all calls",
                "use None and make a new one inside",
            )


def _is_kept(name: str, node: FunctionNode) -> bool:
    """True if the function changes, stores or returns the parameter."""
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method)):
                if owner == name and method in _MUTATORS:
                    return True
            case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store()) if owner == name:
                return True
            case ast.Return(value=ast.Name(id=owner)) if owner == name:
                return True
            case ast.Assign(targets=[ast.Attribute()], value=ast.Name(id=owner)) if owner == name:
                return True
    return False


def _loop_that_runs_once(node: ast.AST) -> Iterator[Issue]:
    if not isinstance(node, ast.For | ast.While):
        return
    last = node.body[-1]
    can_go_on = any(isinstance(inner, ast.Continue) for inner in ast.walk(node))
    if isinstance(last, ast.Return | ast.Break) and len(node.body) > 1 and not can_go_on:
        yield issue(
            Severity.ERROR,
            last.lineno,
            "the loop ends on its first pass, so only the first item is used",
            "move this line out of the loop",
        )


def _skipped_last_item(node: ast.AST) -> Iterator[Issue]:
    match node:
        case ast.For(
            target=ast.Name(id=index),
            iter=ast.Call(
                func=ast.Name(id="range"),
                args=[
                    ast.BinOp(
                        left=ast.Call(func=ast.Name(id="len"), args=[items]),
                        op=ast.Sub(),
                        right=ast.Constant(value=1),
                    )
                ],
            ),
        ):
            body = "\n".join(ast.unparse(line) for line in node.body)
            if f"{ast.unparse(items)}[{index}]" in body and f"{index} + 1" not in body:
                yield issue(
                    Severity.ERROR,
                    node.lineno,
                    f"the loop leaves out the last item of {ast.unparse(items)}",
                    "loop over all items",
                )


def _missing_return(node: ast.AST) -> Iterator[Issue]:
    if not isinstance(node, FunctionNode) or not _promises_value(node):
        return
    inner = list(_own_nodes(node))
    if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in inner):
        return
    if any(isinstance(n, ast.Return) and n.value is not None for n in inner):
        return
    if any(isinstance(n, ast.Raise) for n in inner) or _is_stub(node):
        return
    yield issue(
        Severity.ERROR,
        node.body[-1].lineno,
        f"{node.name}() promises a result and never returns one",
        "return the result",
    )


def _duplicate_key(node: ast.AST) -> Iterator[Issue]:
    if not isinstance(node, ast.Dict):
        return
    seen: set[tuple[type, object]] = set()
    for key in node.keys:
        if not isinstance(key, ast.Constant):
            continue
        mark = (type(key.value), key.value)
        if mark in seen:
            yield issue(
                Severity.ERROR,
                key.lineno,
                f"the key {key.value!r} stands twice, so its first value is lost",
                "correct one of the two keys",
            )
        seen.add(mark)


def _sql_by_formatting(node: ast.AST) -> Iterator[Issue]:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="execute" | "executemany"),
            args=[ast.JoinedStr() | ast.BinOp(op=ast.Mod() | ast.Add()) as sql, *_],
        ) if any(isinstance(part, ast.FormattedValue | ast.Name) for part in ast.walk(sql)):
            yield issue(
                Severity.CRITICAL,
                node.lineno,
                "the SQL is put together from text: a quote in a value breaks it or runs as SQL",
                "pass the values as parameters (?)",
            )


def _unfinished_headers(node: ast.AST) -> Iterator[Issue]:
    if not isinstance(node, FunctionNode):
        return
    called = {
        inner.func.attr: inner.lineno
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute)
    }
    if "send_response" in called and "write" in called and "end_headers" not in called:
        yield issue(
            Severity.ERROR,
            called["send_response"],
            "the headers are never ended, so the client takes the body for headers",
            "call end_headers() before the body is written",
        )


def _forgotten_f(node: ast.AST) -> Iterator[Issue]:
    if not isinstance(node, FunctionNode):
        return
    local = {arg.arg for arg in _arguments(node)} | {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Name(id="print"), args=args):
                texts = [arg for arg in args if isinstance(arg, ast.Constant)]
            case ast.Return(value=ast.Constant() as text):
                texts = [text]
            case _:
                continue
        for text in texts:
            names = _PLACEHOLDER.findall(text.value) if isinstance(text.value, str) else []
            if any(name in local for name in names):
                yield issue(
                    Severity.ERROR,
                    text.lineno,
                    f"{{{names[0]}}} is printed as it stands: the f before the string is missing",
                    "make it an f-string",
                )


def _swallowed_errors(node: ast.AST) -> Iterator[Issue]:
    if not isinstance(node, ast.ExceptHandler) or node.type is not None:
        return
    if not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
        yield issue(
            Severity.WARNING,
            node.lineno,
            "a bare except also catches Ctrl-C and mistakes in the code",
            "name the errors that are expected",
        )


def _odd_comparison(node: ast.AST) -> Iterator[Issue]:
    match node:
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=value)]):
            if isinstance(value, str | bytes | int | float) and not isinstance(value, bool):
                yield issue(
                    Severity.ERROR,
                    node.lineno,
                    "`is` compares objects, not values",
                    "compare with ==",
                )
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
            yield issue(Severity.INFO, node.lineno, "None is compared with ==", "use `is None`")


def _runs_text(node: ast.AST) -> Iterator[Issue]:
    match node:
        case ast.Call(func=ast.Name(id="eval" | "exec" as name), args=[first, *_]):
            if not isinstance(first, ast.Constant):
                yield issue(
                    Severity.WARNING,
                    node.lineno,
                    f"{name}() runs whatever text it is given",
                    "parse the text instead",
                )


_RULES: tuple[Rule, ...] = (
    _discarded_result,
    _mutable_default,
    _loop_that_runs_once,
    _skipped_last_item,
    _missing_return,
    _duplicate_key,
    _sql_by_formatting,
    _unfinished_headers,
    _forgotten_f,
    _swallowed_errors,
    _odd_comparison,
    _runs_text,
)


def _arguments(node: FunctionNode) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _own_nodes(node: FunctionNode) -> Iterator[ast.AST]:
    """The nodes of the body, without those of functions and classes defined in it."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        inner = waiting.pop()
        yield inner
        if not isinstance(inner, FunctionNode | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(inner))


def _promises_value(node: FunctionNode) -> bool:
    if node.returns is None:
        return False
    return ast.unparse(node.returns).strip("'\"") not in {"None", "NoReturn", "Never"}


def _is_stub(node: FunctionNode) -> bool:
    """A body of docstring, `...` or `pass` only: a protocol or an abstract method."""
    return all(
        isinstance(line, ast.Pass)
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in node.body
    )
