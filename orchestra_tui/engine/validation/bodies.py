"""Functions that had a body and are now a stub, and new ones that never got one.

The rule a reader must not break: with an old text only a body that was there before makes a hard
finding. A stub in a new function may be what the plan asked for, so it is never more than soft.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from orchestra_tui.engine.validation.languages import Language
from orchestra_tui.engine.validation.lines import LinePair
from orchestra_tui.engine.validation.phrases import Strength, says_stub, strength
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import Finding, ReportState, finding
from orchestra_tui.engine.validation.tree import Function, TreeFacts

BODY_FROM = 3
"""A body of at least so many lines of code was work; a shorter one may well become empty."""

MARKED_FROM = 2
"""The same for a stub that says of itself that it is not written yet."""

SHOWN = 5
LONGEST_STUB = 2_000
"""Characters; a stub with its comments is short."""

_COMMENT = re.compile(
    r"^\s*(?:#(?!\[)|//|--|%|;|\*|/\*).*$|/\*.*?\*/|<!--.*?-->|\{-.*?-\}", re.MULTILINE
)
_DOCSTRING = re.compile(r'^\s*(?:"""|\'\'\').*?(?:"""|\'\'\')|^\s*"[^"\n]*"$', re.DOTALL)
_TRAILING = re.compile(r"\s+(?:#|//|--).*$", re.MULTILINE)
_WORDS = r"(?:not (?:yet )?(?:been )?implemented|unimplemented|to ?do\b|stub)"
_MARKED = re.compile(
    r"(?:raise NotImplementedError\b.*|raise NotImplemented\b.*|raise [\"'(].*" + _WORDS + r".*|"
    r"(?:todo|unimplemented)!\(.*\)|panic!?\(.*" + _WORDS + r".*\)|TODO\(.*\)|\?\?\?|"
    r":todo|:not_implemented|"
    r"throw (?:new )?\\?[\w.\\]*(?:NotImplemented|Unimplemented)\w*\(.*\)|"
    r"throw (?:new )?\\?[\w.:\\]*(?:Error|Exception|error)\(.*" + _WORDS + r".*\)|"
    r"(?:fatalError|preconditionFailure|error|abort|die|stop|croak|confess)\(?.*"
    + _WORDS
    + r".*\)?|"
    r"(?:return|yield) .*\b(?:errors\.New|fmt\.Errorf)\(.*" + _WORDS + r".*\)|"
    r"throw [\"'].*" + _WORDS + r".*|echo .*" + _WORDS + r".*)",
    re.IGNORECASE | re.DOTALL,
)
_BARE = re.compile(
    r"throw new UnsupportedOperationException\(.*\)|pass|\.{3}|:|nil|null|None|undefined|return|"
    r"\(\)|skip|no-?op",
    re.IGNORECASE,
)
_CONSTANT = re.compile(
    r"(?:return\s*)?\(?(?:None|null|nil|undefined|NULL|nullptr|0|-1|1|true|false|\"\"|''|\[\]|\{\}|\(\)|"
    r"Ok\(\(\)\)|default)\)?",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"(?:return\s*)?(?:None|null|nil|undefined|NULL|nullptr|\"\"|''|\[\]|\{\}|\(\)|Ok\(\(\)\))",
    re.IGNORECASE,
)
"""A value without content: the answer of a body that was emptied. `true` and `0` are answers."""
_HEAD = re.compile(
    r"\b(?:def|function|func|fn|fun|sub|defp?)\b|\)\s*(?:[\w:<>?, ]+)?\{?\s*$|"
    r"\b(?:get|set)\(?\)? *\{|=>"
)
_NO_HEAD = re.compile(
    r"^[\s}]*(?:if|else|elif|elsif|unless|for|foreach|while|until|switch|case|when|catch|except|"
    r"rescue|ensure|finally|try|do|loop|match|class|with|interface|protocol|trait|module)\b|^\s*(?:#|//|--|\*)"
)
_ABSTRACT = re.compile(
    r"\b(?:abstract|interface|protocol|abc|base\w*|\w+base|mixin|virtual|delegate)\b",
    re.IGNORECASE,
)


def body_findings(
    language: Language,
    lines: LinePair,
    *,
    new_tree: TreeFacts | None,
    old_tree: TreeFacts | None,
    plan: PlanHint | None,
) -> tuple[Finding, ...]:
    """The functions whose body the new text emptied, or stubs where it should have written one."""
    if new_tree is None or language.is_prose:
        return ()
    before = _by_name(old_tree) if old_tree is not None else {}
    found: list[Finding] = []
    fresh: list[Function] = []
    for name, function in _by_name(new_tree).items():
        if name in before:
            found += _emptied(function, before[name], lines, plan)
        elif old_tree is None or lines.old is not None:
            fresh.append(function)
    if plan is None or not plan.may_stub:
        found += _stubs(fresh, new_tree, lines) or _lonely_notes(lines, _judged(new_tree))
    return tuple(found[:SHOWN])


def _judged(tree: TreeFacts) -> frozenset[int]:
    """The lines of the stubs that the tree shows: what is said of them is said already."""
    return frozenset(
        line
        for function in tree.functions
        if is_stub(function.body)
        for line in range(function.line, function.line + function.body.count("\n") + 3)
    )


def _lonely_notes(lines: LinePair, judged: frozenset[int]) -> list[Finding]:
    """Lines that say "not written yet" and are all there is below the head of a function.

    For bodies that the tree does not show: many grammars have no node for an empty one.
    """
    shown = [number for number, line in enumerate(lines.new, start=1) if line.strip()]
    found: list[Finding] = []
    for above, number, below in zip(shown, shown[1:], [*shown[2:], 0], strict=False):
        line = lines.new[number - 1]
        is_alone = _depth(lines.new[above - 1]) < _depth(line) and (
            below == 0 or _depth(lines.new[below - 1]) < _depth(line)
        )
        if not is_alone or line.strip() in lines.known or number in judged:
            continue
        head = lines.new[above - 1]
        is_comment = _COMMENT.match(line) is not None
        if not (says_stub(line) if is_comment else is_marked_stub(line)) or "init(coder" in line:
            continue
        note = _lonely(lines, number)
        is_branch = _NO_HEAD.match(head) is not None
        if note.state.is_hard and is_branch and not is_comment:
            # A branch that is not written yet: people leave those too.
            found.append(note.model_copy(update={"state": ReportState.SUSPECT}))
        elif not is_branch and (_HEAD.search(head) or (note.state.is_hard and not is_comment)):
            found.append(note)
    hard = [note for note in found if note.state.is_hard]
    is_pattern = len(found) > 3
    return hard if is_pattern else found


def _lonely(lines: LinePair, number: int) -> Finding:
    """A stub by itself; hard where lines of the old file went at its very place."""
    removed, gone = lines.removed_at(number)
    if removed >= BODY_FROM:
        message = f"a stub stands where {removed} lines of the file were"
        return finding(ReportState.ELIDED, "emptied-body", message, line=number, evidence=gone)
    message = "this function is only a stub"
    evidence = lines.new[number - 1].strip()
    return finding(ReportState.SUSPECT, "stub", message, line=number, evidence=evidence)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _by_name(tree: TreeFacts) -> dict[tuple[str, int], Function]:
    """The functions by qualified name; those of one name are told apart by their order."""
    counts: dict[str, int] = defaultdict(int)
    named: dict[tuple[str, int], Function] = {}
    for function in tree.functions:
        named[function.name, counts[function.name]] = function
        counts[function.name] += 1
    return named


def _emptied(
    new: Function, old: Function, lines: LinePair, plan: PlanHint | None
) -> Iterator[Finding]:
    if new.body == old.body or is_stub(old.body):
        return
    size = len(code_of(old.body).splitlines())
    if is_marked_stub(new.body):
        is_hard, is_found = size >= MARKED_FROM, size > 0
    elif _is_bare(new.body):
        is_hard = size >= BODY_FROM and not _is_explained(new.body) and not _moved(old.body, lines)
        is_found = size >= BODY_FROM
    else:
        is_found = size > BODY_FROM and _is_constant(new.body)
        is_hard = (
            is_found
            and _NOTHING.fullmatch(code_of(new.body)) is not None
            and not _is_explained(new.body)
            and not _moved(old.body, lines)
        )
    short = new.name.rsplit(".", 1)[-1]
    if not is_found or (plan is not None and (plan.may_stub or plan.deletes(short))):
        return
    yield finding(
        ReportState.ELIDED if is_hard else ReportState.SUSPECT,
        "emptied-body",
        f"the body of {new.name} was replaced by a stub",
        line=new.line,
        evidence=old.body,
    )


def _stubs(fresh: list[Function], tree: TreeFacts, lines: LinePair) -> list[Finding]:
    """Stubs in functions that are new; a class of many is an interface, not unfinished work."""
    found: list[Finding] = []
    stubs = [function for function in fresh if is_marked_stub(function.body)]
    is_interface = 2 * len(stubs) > len(tree.functions) and len(stubs) > 1
    for function in stubs:
        says_so = says_stub(function.body)
        if "init(coder" in function.body or function.around.lstrip().startswith("required init"):
            continue  # Every view of a certain framework has this one.
        if not says_so and (
            _DOCSTRING.search(function.body)
            or is_interface
            or len(stubs) > 3
            or _ABSTRACT.search(function.around)
        ):
            continue
        found.append(_fresh_stub(function, lines))
    return found


def _fresh_stub(function: Function, lines: LinePair) -> Finding:
    """A stub in a function of a new name; hard where the body of another was."""
    last = function.line + function.body.count("\n")
    gaps = [lines.removed_at(line) for line in range(function.line, last + 2)]
    removed, gone = max(gaps, key=lambda gap: gap[0])
    if removed >= BODY_FROM and not _moved(gone, lines):
        message = f"{function.name} is a stub where {removed} lines of the file were"
        return finding(
            ReportState.ELIDED, "emptied-body", message, line=function.line, evidence=gone
        )
    message = f"{function.name} is only a stub"
    return finding(ReportState.SUSPECT, "stub", message, line=function.line, evidence=function.body)


def is_stub(body: str) -> bool:
    """True if nothing is done in this body."""
    return is_marked_stub(body) or _is_bare(body) or _is_constant(body)


def is_marked_stub(body: str) -> bool:
    """True if the body does nothing and says that it is still to be written."""
    if len(body) > LONGEST_STUB:
        return False
    code = code_of(body)
    if _MARKED.fullmatch(code) is not None and code.count("\n") < 3:
        return True
    is_idle = _is_bare(body) or _is_constant(body)
    return is_idle and any(_is_note(line) for line in _notes(body))


def _is_note(comment: str) -> bool:
    return strength(comment) >= Strength.STUB and strength(comment) is not Strength.DOTS


def _is_bare(body: str) -> bool:
    code = code_of(body)
    return not code or _BARE.fullmatch(code) is not None


def _is_constant(body: str) -> bool:
    return _CONSTANT.fullmatch(code_of(body)) is not None


def _is_explained(body: str) -> bool:
    """True if a comment says why nothing is to be done here."""
    return any(len(note.split()) > 3 and strength(note) is Strength.NONE for note in _notes(body))


def _moved(body: str, lines: LinePair) -> bool:
    """True if most of the old body stands elsewhere in the new text."""
    code = {line.rstrip(";") for line in code_of(body).splitlines() if len(line) > 3}
    after = Counter(line.strip().rstrip(";") for line in lines.new)
    before = Counter(line.strip().rstrip(";") for line in lines.old or ())
    return bool(code) and 2 * sum(after[line] >= before[line] for line in code) > len(code)


def _notes(body: str) -> Iterator[str]:
    for line in body.split("\n"):
        match = re.search(r"(?:^|\s)(#|//|--|/\*|%|;|\*|<!--)\s.*$", line)
        if match is not None:
            yield match.group(0).strip()


def code_of(body: str) -> str:
    """The body without its braces, docstring, comments and blank lines."""
    text = body.strip()
    for opener, closer in (("{", "}"), ("do", "end"), ("then", "end"), ("=", ""), ("begin", "end")):
        if text.startswith(opener) and text.endswith(closer):
            text = text[len(opener) : len(text) - len(closer)]
    text = _DOCSTRING.sub("", text)
    text = _TRAILING.sub("", _COMMENT.sub("", text))
    return "\n".join(line.strip().rstrip(";") for line in text.splitlines() if line.strip("; \t"))
