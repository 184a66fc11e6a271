"""Rules for Python: parse once, then let each rule look at the tree.

The rule a reader must not break: a rule reports only what is wrong in nearly every program; a
finding sends a file back, so a doubtful one costs a round.
"""

import ast
from collections.abc import Iterator

from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.engine.adapters.rehearsal.audit.finding import issue
from orchestra_tui.engine.adapters.rehearsal.audit.python_names import name_issues
from orchestra_tui.engine.adapters.rehearsal.audit.python_nodes import node_issues


def python_issues(text: str) -> Iterator[Issue]:
    """What the rules find in Python source; a syntax error is the only finding of its file."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        message = f"this is not Python: {error.msg}"
        yield issue(Severity.CRITICAL, error.lineno or 1, message, "repair the syntax")
        return
    except (ValueError, RecursionError, MemoryError) as error:
        yield issue(Severity.CRITICAL, 1, f"this cannot be parsed as Python: {error}", "repair it")
        return
    try:
        yield from (*node_issues(tree), *name_issues(tree))
    except RecursionError:
        yield issue(Severity.WARNING, 1, "this is nested too deeply to be checked", "flatten it")
