"""Functions that had a body and are now a stub.

The rule a reader must not break: only a body that was there before counts. A stub in a new
function, or one that was a stub already, may be what the plan asked for.
"""

import re
from collections import Counter

from orchestra_tui.engine.validation.report import Finding, ReportState, finding
from orchestra_tui.engine.validation.tree import Function, TreeFacts

BODY_FROM = 3
"""A body of at least so many lines of code was work; a shorter one may well become a stub."""

_COMMENT = re.compile(r"^\s*(?:#|//|--|\*|/\*).*$", re.MULTILINE)
_DOCSTRING = re.compile(r'^\s*(?:"""|\'\'\').*?(?:"""|\'\'\')', re.DOTALL)
_TRAILING = re.compile(r"\s+(?:#|//).*$", re.MULTILINE)
_STUB = re.compile(
    r"(?:pass|\.{3}|raise NotImplementedError\b.*|(?:todo|unimplemented)!\(.*\)|TODO\(.*\)|"
    r"throw new (?:\w*NotImplemented\w*|UnsupportedOperation\w*)\(.*\)|"
    r"throw new \w*Error\(.*not (?:yet )?implemented.*\)|panic\(.*not (?:yet )?implemented.*\)|"
    r"raise NotImplementedError|fatalError\(.*\)|return(?: None| null| nil| undefined)?)?;?",
    re.IGNORECASE | re.DOTALL,
)


def body_findings(new: TreeFacts | None, old: TreeFacts | None) -> tuple[Finding, ...]:
    """The functions whose body the new text emptied."""
    if new is None or old is None:
        return ()
    before = _by_name(old)
    after = _by_name(new)
    return tuple(
        finding(
            ReportState.ELIDED,
            "emptied-body",
            f"the body of {function.name} was replaced by a stub",
            line=function.line,
            evidence=before[function.name].body,
        )
        for function in after.values()
        if function.name in before and _is_emptied(function, before[function.name])
    )


def _by_name(tree: TreeFacts) -> dict[str, Function]:
    """The functions whose name is theirs alone: two of one name cannot be told apart."""
    counts = Counter(function.name for function in tree.functions)
    return {item.name: item for item in tree.functions if counts[item.name] == 1}


def _is_emptied(new: Function, old: Function) -> bool:
    if new.body == old.body or not _is_stub(new.body):
        return False
    return len(_code(old.body).splitlines()) >= BODY_FROM and not _is_stub(old.body)


def _is_stub(body: str) -> bool:
    return _STUB.fullmatch(_code(body)) is not None


def _code(body: str) -> str:
    """The body without its braces, docstring, comments and blank lines."""
    text = body.strip().removeprefix("{").removesuffix("}")
    text = _DOCSTRING.sub("", text)
    text = _TRAILING.sub("", _COMMENT.sub("", text))
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
