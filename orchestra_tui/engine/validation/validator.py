"""The validator: one pure, synchronous question about one proposed text.

The rule a reader must not break: `validate` never raises for any text and never reads a file.
A grammar can hang or crash the process; that is the gate's care (`gate.Gate`), not this one's.
"""

from orchestra_tui.engine.validation.bodies import body_findings
from orchestra_tui.engine.validation.completeness import completeness_findings
from orchestra_tui.engine.validation.dangling import dangling_findings
from orchestra_tui.engine.validation.elision import elision_findings
from orchestra_tui.engine.validation.embedded import embedded_findings
from orchestra_tui.engine.validation.envelope import find_envelope
from orchestra_tui.engine.validation.languages import Language, language_of
from orchestra_tui.engine.validation.lines import LinePair
from orchestra_tui.engine.validation.lost_names import lost_name_findings
from orchestra_tui.engine.validation.markup import markup_findings
from orchestra_tui.engine.validation.parsers import PARSED, parse_problem
from orchestra_tui.engine.validation.plan_hint import PlanHint
from orchestra_tui.engine.validation.report import (
    PRECEDENCE,
    Finding,
    Report,
    ReportState,
    finding,
    worst,
)
from orchestra_tui.engine.validation.syntax import syntax_findings
from orchestra_tui.engine.validation.tree import MAX_BYTES, TreeFacts, read_tree

EXPLAINED = frozenset({"lost-tail", "emptied"})
"""Soft findings that are the trace of a deletion."""


def validate(
    path: str,
    new: str,
    old: str | None = None,
    *,
    plan_hint: PlanHint | None = None,
    with_grammar: bool = True,
) -> Report:
    """Judge `new`, the proposed text of `path`; `old` is the file's text before, if it existed.

    Only damage that `old` did not already have counts. `plan_hint` is what the plan says of the
    change, None if nobody planned it. `with_grammar=False` leaves tree-sitter
    out (the gate asks so after a grammar has failed). Texts over 1 MB are judged by their lines
    only, and the report says so. The method and its measured rates are in docs/validation.md.
    """
    new = new.removeprefix("\ufeff").replace("\r\n", "\n")
    old = None if old is None else old.removeprefix("\ufeff").replace("\r\n", "\n")
    language = language_of(path, new)
    if new == old:
        # Whatever is wrong in it was there before.
        return _report(path, language, (), None)
    problem = parse_problem(language.name, path, new)
    notes: list[Finding] = []
    new_tree = _tree(language, new, notes) if with_grammar else None
    old_tree = _tree(language, old, []) if with_grammar and old is not None else None
    lines = LinePair(new, old)
    found = (
        *_text_findings(new, old),
        *_lost_opening(language, new, old),
        *notes,
        *completeness_findings(language, lines),
        *dangling_findings(language, path, lines),
        *markup_findings(language.name, new, old),
        *elision_findings(language, lines=lines, tree=new_tree),
        *body_findings(language, lines, new_tree=new_tree, old_tree=old_tree, plan=plan_hint),
    )
    if any(lines.new):
        found += syntax_findings(
            language, path, problem, new=new, old=old, new_tree=new_tree, old_tree=old_tree
        )
        if with_grammar:
            found += embedded_findings(language, path, new, old)
            found += lost_name_findings(language.name, path, lines, new=new, old=old)
    found = _planned(found, plan_hint)
    # YAML takes a sentence for a key; what the other parsers accept is content.
    is_valid = language.name in PARSED - {"yaml"} and problem is None
    envelope = find_envelope(language, new, old, is_valid=is_valid)
    if envelope is None:
        return _report(path, language, found, None)
    return _report(path, language, (envelope.finding, *found), envelope.inner)


def _planned(found: tuple[Finding, ...], plan: PlanHint | None) -> tuple[Finding, ...]:
    """Without the soft losses that a plan which takes things out explains."""
    if plan is None or not plan.may_delete:
        return found
    return tuple(
        item
        for item in found
        if item.state is not ReportState.SUSPECT or item.diagnostic.kind not in EXPLAINED
    )


def _tree(language: Language, text: str, notes: list[Finding]) -> TreeFacts | None:
    if not language.has_grammar or language.name == "markdown":
        return None
    try:
        return read_tree(language.grammar, text)
    except ValueError:
        notes.append(
            finding(
                ReportState.SUSPECT,
                "not-checked",
                f"larger than {MAX_BYTES // 1_000_000} MB: its syntax was not checked",
            )
        )
        return None


def _lost_opening(language: Language, new: str, old: str | None) -> tuple[Finding, ...]:
    """A PHP file without its opening tag is words for the reader of the page."""
    if language.name != "php" or old is None or "<?" in new or "<?" not in old or not new.strip():
        return ()
    return (finding(ReportState.BROKEN, "syntax", "the opening tag of PHP is gone", line=1),)


def _text_findings(new: str, old: str | None) -> tuple[Finding, ...]:
    """Characters that no text of a source file holds."""
    for char, name, state in (
        ("\0", "a NUL character", ReportState.BROKEN),
        ("\ufffd", "a replacement character: bytes were lost", ReportState.SUSPECT),
    ):
        at = new.find(char)
        is_known = old is None if state is ReportState.SUSPECT else False
        if at >= 0 and not is_known and (old is None or char not in old):
            line = new.count("\n", 0, at) + 1
            return (finding(state, "characters", f"the text holds {name}", line=line),)
    return ()


def _report(path: str, language: Language, found: tuple[Finding, ...], inner: str | None) -> Report:
    state = worst(found)
    ordered = sorted(found, key=lambda item: -PRECEDENCE.index(item.state))
    return Report(
        path=path,
        language=None if language.name == "unknown" else language.name,
        state=state,
        diagnostics=tuple(item.diagnostic for item in ordered),
        unwrapped=inner if state is ReportState.WRAPPED else None,
    )
