"""The validator: one pure, synchronous question about one proposed text.

The rule a reader must not break: `validate` never raises for any text and never reads a file.
A grammar can hang or crash the process; that is the gate's care (`gate.Gate`), not this one's.
"""

from orchestra_tui.engine.validation.bodies import body_findings
from orchestra_tui.engine.validation.completeness import completeness_findings
from orchestra_tui.engine.validation.elision import elision_findings
from orchestra_tui.engine.validation.envelope import find_envelope
from orchestra_tui.engine.validation.languages import Language, language_of
from orchestra_tui.engine.validation.lines import LinePair
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
    found = (*_text_findings(new, old), *_content_findings(language, path, new, old, with_grammar))
    is_valid = not any(item.diagnostic.kind in {"syntax", "unclosed"} for item in found)
    envelope = find_envelope(language, new, old, is_valid=is_valid)
    inner = None
    if envelope is not None:
        found = (envelope.finding, *found)
        inner = envelope.inner
    return _report(path, language, found, inner)


def _content_findings(
    language: Language, path: str, new: str, old: str | None, with_grammar: bool
) -> tuple[Finding, ...]:
    lines = LinePair(new, old)
    notes: list[Finding] = []
    new_tree = _tree(language, new, notes) if with_grammar else None
    old_tree = _tree(language, old, []) if with_grammar and old is not None else None
    return (
        *notes,
        *completeness_findings(language, lines),
        *elision_findings(language, lines=lines, tree=new_tree),
        *body_findings(new_tree, old_tree),
        *(
            syntax_findings(language, path, new=new, old=old, new_tree=new_tree, old_tree=old_tree)
            if any(lines.new)
            else ()
        ),
    )


def _tree(language: Language, text: str, notes: list[Finding]) -> TreeFacts | None:
    if not language.has_grammar or language.name == "markdown":
        return None
    try:
        return read_tree(language.name, text)
    except ValueError:
        notes.append(
            finding(
                ReportState.SUSPECT,
                "not-checked",
                f"larger than {MAX_BYTES // 1_000_000} MB: its syntax was not checked",
            )
        )
        return None


def _text_findings(new: str, old: str | None) -> tuple[Finding, ...]:
    """Characters that no text of a source file holds."""
    for char, name, state in (
        ("\0", "a NUL character", ReportState.BROKEN),
        ("\ufffd", "a replacement character: bytes were lost", ReportState.SUSPECT),
    ):
        at = new.find(char)
        if at >= 0 and (old is None or char not in old):
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
