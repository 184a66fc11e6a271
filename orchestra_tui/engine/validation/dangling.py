"""Texts whose syntax is whole and whose end is not: what is begun in the last lines is not used.

The rule a reader must not break: with an old text, an end that the old text had too is content.
Each rule here must be rare in finished files; what is merely unusual belongs elsewhere.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence

from orchestra_tui.engine.validation.languages import Language
from orchestra_tui.engine.validation.lines import LinePair
from orchestra_tui.engine.validation.parsers import python_tree
from orchestra_tui.engine.validation.report import Finding, ReportState, finding

_SLASH_LANGUAGES = frozenset(
    [
        "javascript",
        "typescript",
        "tsx",
        "java",
        "kotlin",
        "swift",
        "c",
        "cpp",
        "csharp",
        "php",
        "rust",
        "go",
        "scala",
        "dart",
        "objc",
        "proto",
        "scss",
        "css",
        "groovy",
        "zig",
    ]
)
_DOC_END = re.compile(r"^\s*(?:/\*\*.*\*/|///(?!/).*|\*/)\s*$")
_LONE_DOC = re.compile(r"@(?:typedef|callback|import|module|file|license|defgroup|\})")
_SQL_END = re.compile(r"(?:;|^GO|^/|^\\\S.*|\$\$.*|^--.*|\*/|^COMMIT|^END)\s*$", re.IGNORECASE)
_SQL_STATEMENT = re.compile(
    r"^\s*(?:select|insert|update|delete|create|alter|drop|grant|set|with|begin|commit|comment|"
    r"truncate|call|do|declare)\b",
    re.IGNORECASE | re.MULTILINE,
)
_LIST_LINE = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s|^\s*[|>#\[<!:]|^\s{2}|^Copyright\b|^\W*&\w+;")
_HEADING_LAST = "the text stops after a heading"
"""Said of no form: there the reader writes below the last one."""
_WORD_END = re.compile(r"[A-Za-z,]$")


def dangling_findings(language: Language, path: str, lines: LinePair) -> tuple[Finding, ...]:
    """The sign that the text stops before it is finished, if there is one."""
    shown = [index for index, line in enumerate(lines.new) if line.strip()]
    if len(shown) < 2:
        return ()
    last = shown[-1]
    if lines.old is not None and _last_line(lines.old) == lines.new[last].strip():
        return ()
    message = _sign(language, lines.new, last)
    if message is None or (message == _HEADING_LAST and "template" in path.lower()):
        return ()
    return (
        finding(
            ReportState.INCOMPLETE,
            "dangling-end",
            message,
            line=last + 1,
            evidence=lines.new[last].strip(),
        ),
    )


def _last_line(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _sign(language: Language, lines: Sequence[str], last: int) -> str | None:
    look = _LOOKS.get(language.name)
    if look is not None:
        return look(lines, last)
    if language.name in _SLASH_LANGUAGES and _DOC_END.match(lines[last]):
        start = _comment_start(lines, last)
        text = "\n".join(lines[start : last + 1])
        if start > 0 and text.lstrip().startswith(("/**", "///")) and not _LONE_DOC.search(text):
            return "the text stops after the comment of something that does not follow"
    return None


def _comment_start(lines: Sequence[str], last: int) -> int:
    start = last
    if lines[last].lstrip().startswith("///"):
        return start
    while start > 0 and "/*" not in lines[start]:
        start -= 1
    return start


def _bash(lines: Sequence[str], last: int) -> str | None:
    text = lines[last].rstrip()
    if text.lstrip().startswith("#") or not re.search(r"(?:&&|\|\||\||\\)$", text):
        return None
    return "the text stops in the middle of a command"


def _sql(lines: Sequence[str], last: int) -> str | None:
    text = "\n".join(lines)
    if _SQL_END.search(lines[last].strip()) or text.count(";") < 2:
        return None
    return "the last statement has no end" if len(_SQL_STATEMENT.findall(text)) > 1 else None


def _yaml(lines: Sequence[str], last: int) -> str | None:
    text = lines[last]
    if re.match(r"^\s*(?:- )?[\w.-]+:\s*[|>][-+]?\s*$", text) or re.match(r"^\s*-\s*$", text):
        return "the last key has no value"
    is_name = re.match(r"^\s*[\w-]+$", text) is not None
    above = lines[last - 1] if last else ""
    is_beside = bool(above.strip()) and len(above) - len(above.lstrip()) == len(text) - len(
        text.lstrip()
    )
    if is_name and is_beside and re.match(r"^\s*[\w.-]+:", above):
        return "the last key is cut"
    return None


def _markdown(lines: Sequence[str], last: int) -> str | None:
    text = lines[last].strip()
    # A changelog may end with its first release, of which there is nothing more to say.
    if re.match(r"^#{1,6}\s+\D+$", lines[last].rstrip()) and last > 3:
        return _HEADING_LAST
    above = lines[last - 1].strip()
    if text.startswith("|") and above.startswith("|") and above.endswith("|"):
        return None if text.endswith("|") else "the text stops in a row of a table"
    if text.count("`") % 2 == 1 and "``" not in text:
        return "the text stops inside `code`"
    if re.search(r"\[[^\]]*$|\]\([^)\s]*$", text):
        return "the text stops inside a link"
    is_paragraph = not _LIST_LINE.match(lines[last]) and len(text) > 25
    if is_paragraph and _WORD_END.search(text) and len(text.split()) > 4:
        return (
            "the text stops in the middle of a sentence" if _ends_sentences(lines, last) else None
        )
    return None


def _ends_sentences(lines: Sequence[str], last: int) -> bool:
    """True if the paragraphs of this document end with a mark: then one that does not is cut."""
    ends = [
        above.rstrip()
        for before, above, below in zip(["", *lines], lines, lines[1:last], strict=False)
        if above.strip() and not below.strip() and not _LIST_LINE.match(above)
        if not _LIST_LINE.match(before) and len(above.split()) > 4
    ]
    marked = sum(not _WORD_END.search(end) for end in ends)
    return len(ends) > 1 and marked >= 0.8 * len(ends)


def _html(lines: Sequence[str], last: int) -> str | None:
    text = lines[last].strip()
    opened = text.rfind("<")
    if opened >= 0 and ">" not in text[opened:] and re.match(r"</?[a-zA-Z]|<$|</$", text[opened:]):
        return "the text stops inside a tag"
    return None


def _python(lines: Sequence[str], _last: int) -> str | None:
    tree = python_tree("\n".join(lines))
    if tree is None or not tree.body:
        return None
    end, functions, is_looped = _end_of(tree)
    missing = _missing_exports(tree)
    if missing:
        return f"`__all__` names {missing}, which is not there"
    if isinstance(end, ast.Expr) and isinstance(end.value, ast.Name | ast.Attribute):
        return "the text stops after a name that nothing is done with"
    if not functions:
        return None
    function = functions[-1]
    is_reset = isinstance(end, ast.Assign) and _is_none(end.value)
    if isinstance(end, ast.Assign) and not (is_looped or is_reset) and _is_unused(end, function):
        return "the last value is assigned and never used"
    if isinstance(end, ast.Expr) and isinstance(end.value, ast.Constant):
        is_doc = isinstance(end.value.value, str) and function.body == [end]
        if is_doc and not isinstance(functions[0], ast.ClassDef):
            return "the text stops after the docstring of a function"
    if isinstance(function, ast.FunctionDef) and _owes_a_value(function):
        return f"{function.name} promises a value and returns none"
    return None


def _end_of(
    tree: ast.Module,
) -> tuple[ast.stmt, list[ast.FunctionDef | ast.AsyncFunctionDef], bool]:
    """The last simple statement, the functions around it, and whether a loop is around it."""
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
    is_looped = False
    node: ast.stmt = tree.body[-1]
    while True:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions.append(node)
            case ast.For() | ast.While() | ast.AsyncFor():
                is_looped = True
            case _:
                pass
        blocks = [getattr(node, name, None) for name in ("body", "orelse", "handlers", "finalbody")]
        last = next(
            (block[-1] for block in reversed(blocks) if isinstance(block, list) and block), None
        )
        if last is None:
            return node, functions, is_looped
        node = last


def _is_unused(end: ast.Assign, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {target.id for target in end.targets if isinstance(target, ast.Name)}
    shared = {
        name
        for node in ast.walk(function)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
    # A test may end with a call that only has to work, or to fail.
    is_test = function.name.startswith("test") and isinstance(end.value, ast.Call)
    is_plain = bool(names) and len(names) == len(end.targets) and not names & shared
    return is_plain and not is_test


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _owes_a_value(function: ast.FunctionDef) -> bool:
    """True if the annotation promises a value and no way out of the body gives or refuses one."""
    promise = function.returns
    if promise is None or function.decorator_list:
        return False
    if _is_none(promise):
        return False
    if re.search(r"None|NoReturn|Never|Iterator|Generator|Any|Optional", ast.unparse(promise)):
        return False
    body = [node for node in function.body if not _says_nothing(node)]
    ways = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
    return bool(body) and not any(isinstance(node, ways) for node in ast.walk(function))


def _says_nothing(node: ast.stmt) -> bool:
    """True for `pass`, `...` and a docstring."""
    is_constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_constant or isinstance(node, ast.Pass)


def _missing_exports(tree: ast.Module) -> str | None:
    """A name of a plain `__all__` that nothing in the module defines."""
    exports: list[str] = []
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple() as names
            ):
                exports = [
                    item.value
                    for item in names.elts
                    if isinstance(item, ast.Constant) and isinstance(item.value, str)
                ]
            case _:
                pass
    if not exports:
        return None
    defined: set[str] = set()
    for item in ast.walk(tree):
        match item:
            case (
                ast.ImportFrom(names=[ast.alias(name="*")]) | ast.Call(func=ast.Name(id="globals"))
            ):
                return None
            case ast.FunctionDef(name="__getattr__") | ast.Delete():
                return None
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                defined.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                defined.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                defined.update((alias.asname or alias.name).split(".")[0] for alias in aliases)
            case _:
                pass
    return next((name for name in exports if name not in defined), None)


_LOOKS: Mapping[str, Callable[[Sequence[str], int], str | None]] = {
    "python": _python,
    "bash": _bash,
    "sql": _sql,
    "yaml": _yaml,
    "markdown": _markdown,
    "html": _html,
    "vue": _html,
    "svelte": _html,
}
