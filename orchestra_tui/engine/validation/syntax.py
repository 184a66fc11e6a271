"""Syntax errors that the new text brings, judged against the old one.

The rule a reader must not break: what the user's own file already had wrong is never blamed on
the agent, and an error of a weak grammar alone proves nothing.
"""

from orchestra_tui.engine.validation.brackets import has_branches, lexical_brackets, macros_opened
from orchestra_tui.engine.validation.languages import Language
from orchestra_tui.engine.validation.markup import is_template
from orchestra_tui.engine.validation.parsers import PARSED, ParseProblem, parse_problem
from orchestra_tui.engine.validation.report import Finding, ReportState, finding
from orchestra_tui.engine.validation.shell_layout import has_its_ends, still_open
from orchestra_tui.engine.validation.tree import PAIRS, Brackets, Mark, TreeFacts

SHOWN = 5
NEAR_END = 3
"""An error that begins in so many last lines and reaches the end is the trace of a cut."""


def syntax_findings(
    language: Language,
    path: str,
    problem: ParseProblem | None,
    *,
    new: str,
    old: str | None,
    new_tree: TreeFacts | None,
    old_tree: TreeFacts | None,
) -> tuple[Finding, ...]:
    """What is syntactically wrong with `new` and was not already wrong with `old`.

    `problem` is what the language's own parser says of `new`. The trees are None where there is
    no grammar or the text is too large for one.
    """
    if problem is None:
        if language.name in PARSED:
            return ()
        found = _tree_findings(language, new, old, new_tree=new_tree, old_tree=old_tree)
        # What a macro is made of is one token to the grammar.
        opened = macros_opened(language.name, new, old) if old is not None and not found else ()
        return found or tuple(_unclosed(mark) for mark in opened[:SHOWN])
    is_clean = new_tree is not None and not new_tree.errors
    if problem.may_be_newer and is_clean:
        return ()
    before = None if old is None else parse_problem(language.name, path, old)
    if problem.may_be_older and is_clean and (old is None or (before and before.may_be_older)):
        return () if before else (_softened(_of_problem(problem, new_tree)),)
    if before is None or old is None:
        return (_of_problem(problem, new_tree),)
    return _against_broken((problem, before), old, new=new, trees=(new_tree, old_tree))


def _against_broken(
    problems: tuple[ParseProblem, ParseProblem],
    old: str,
    *,
    new: str,
    trees: tuple[TreeFacts | None, TreeFacts | None],
) -> tuple[Finding, ...]:
    """Both texts are rejected: only damage that the old text did not have counts."""
    problem, before = problems
    new_tree, old_tree = trees
    damage: list[Finding] = []
    if new_tree is not None and old_tree is not None:
        damage += _new_damage(new, old, new_tree, old_tree)
    is_same = problem.message == before.message and _line(old, before.line) not in _lines(new)
    if not damage and not is_same and _line(new, problem.line) not in _lines(old):
        damage.append(_of_problem(problem, new_tree))
    return tuple(damage)


def _tree_findings(
    language: Language,
    new: str,
    old: str | None,
    *,
    new_tree: TreeFacts | None,
    old_tree: TreeFacts | None,
) -> tuple[Finding, ...]:
    if new_tree is None or not new_tree.errors:
        return ()
    if language.is_weak or has_branches(language.name, new):
        return _weak_findings(language, new, old, trees=(new_tree, old_tree))
    if old is None or old_tree is None or not old_tree.errors:
        return _of_tree(new_tree)
    return tuple(_new_damage(new, old, new_tree, old_tree))


def _weak_findings(
    language: Language,
    new: str,
    old: str | None,
    *,
    trees: tuple[TreeFacts, TreeFacts | None],
) -> tuple[Finding, ...]:
    """Errors of a grammar that rejects much good code: brackets or the end must agree."""
    tree, old_tree = trees
    if old is None and language.name == "html" and is_template(new):
        return ()
    was_clean = old_tree is not None and not old_tree.errors
    after = _brackets(language, new, tree)
    before = None if old is None or old_tree is None else _brackets(language, old, old_tree)
    if _is_worse(after, before):
        fresh = after.unclosed[len(before.unclosed) if before else 0 :]
        return tuple(_unclosed(mark) for mark in fresh[-SHOWN:]) or _of_tree(tree)[:1]
    last = new.rstrip().count("\n") + 1
    near = 1 if was_clean or language.name == "bash" else last - NEAR_END + 1
    cut = [error for error in tree.errors if error.is_at_end and error.line >= near]
    cut = [error for error in cut if error.text not in {";", "#endif"}]
    if after.is_balanced:
        cut = [error for error in cut if not _is_contradicted(error, language, new)]
    is_new = old is None or _line(new, last) not in _lines(old)
    if cut and ((is_new and language.ends_clean) or was_clean):
        return tuple(_of_error(error) for error in cut)
    if not was_clean or not language.ends_clean:
        return ()
    if language.name == "bash":
        return _of_tree(tree)
    return tuple(_softened(item) for item in _of_tree(tree)[:1])


def _is_contradicted(error: Mark, language: Language, text: str) -> bool:
    """True if the grammar misses an end that the text, counted without it, has."""
    if not error.is_missing and error.text not in PAIRS:
        return False
    if language.name == "bash":
        return has_its_ends(text)
    return error.text in PAIRS and lexical_brackets(language.name, text) is not None


def _brackets(language: Language, text: str, tree: TreeFacts) -> Brackets:
    if language.name == "bash":
        # `x)` of a case has no opener.
        return Brackets(still_open(text, tree.unclosed), 0)
    return lexical_brackets(language.name, text) or tree.brackets


def _softened(item: Finding) -> Finding:
    """A weak grammar that accepted the old text and not the new one: worth a look, no more."""
    return item.model_copy(update={"state": ReportState.SUSPECT})


def _is_worse(after: Brackets, before: Brackets | None) -> bool:
    if before is None:
        return not after.is_balanced
    return len(after.unclosed) > len(before.unclosed) or (
        before.is_balanced and not after.is_balanced
    )


def _new_damage(new: str, old: str, new_tree: TreeFacts, old_tree: TreeFacts) -> list[Finding]:
    known = _lines(old)
    if len(new_tree.unclosed) > len(old_tree.unclosed):
        fresh = [mark for mark in new_tree.unclosed if _line(new, mark.line) not in known]
        return [_unclosed(fresh[-1] if fresh else new_tree.unclosed[-1])]
    if old_tree.is_balanced and not new_tree.is_balanced:
        return [_of_error(new_tree.errors[0])] if new_tree.errors else []
    after = _lines(new)
    fresh = [error for error in new_tree.errors if _line(new, error.line) not in known]
    gone = [error for error in old_tree.errors if _line(old, error.line) not in after]
    # An error on a changed line may be the old one that moved with the line.
    found = fresh[len(gone) :]
    is_cut = new_tree.touches_end and not old_tree.touches_end
    if not found and (is_cut or len(new_tree.errors) > len(old_tree.errors)):
        found = _more_errors(new, old, new_tree, old_tree)
    return [_of_error(error) for error in found[:SHOWN]]


def _more_errors(new: str, old: str, new_tree: TreeFacts, old_tree: TreeFacts) -> list[Mark]:
    """The errors on lines that were right before: of a block without its end, the line that
    shows it is an old one."""
    wrong = {_line(old, error.line) for error in old_tree.errors}
    return [error for error in new_tree.errors if _line(new, error.line) not in wrong]


def _of_tree(tree: TreeFacts) -> tuple[Finding, ...]:
    findings = [_unclosed(mark) for mark in tree.unclosed[-SHOWN:]]
    findings += [_of_error(error) for error in tree.errors[:SHOWN]]
    return tuple(findings)


def _of_problem(problem: ParseProblem, tree: TreeFacts | None) -> Finding:
    is_cut = problem.is_cut or (tree is not None and bool(tree.unclosed))
    return finding(
        ReportState.INCOMPLETE if is_cut else ReportState.BROKEN,
        "syntax",
        problem.message,
        line=problem.line,
        column=problem.column,
    )


def _of_error(error: Mark) -> Finding:
    if error.is_missing:
        message = f"`{error.text}` is missing"
    else:
        message = f"the syntax is wrong from here on: {_brief(error.text)}"
    return finding(
        ReportState.INCOMPLETE if error.is_at_end else ReportState.BROKEN,
        "syntax",
        message,
        line=error.line,
        column=error.column,
        evidence=error.text,
    )


def _unclosed(mark: Mark) -> Finding:
    return finding(
        ReportState.INCOMPLETE,
        "unclosed",
        f"`{mark.text}` is opened here and never closed",
        line=mark.line,
        column=mark.column,
    )


def _brief(text: str) -> str:
    first = text.strip().split("\n", 1)[0].strip()
    return f"`{first[:60]}`" if first else "nothing more to read"


def _lines(text: str) -> frozenset[str]:
    return frozenset(line.strip() for line in text.split("\n"))


def _line(text: str, number: int | None) -> str:
    lines = text.split("\n")
    if number is None or not 1 <= number <= len(lines):
        return ""
    return lines[number - 1].strip()
