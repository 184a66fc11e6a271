"""The text of a file as a reply that broke off holds it."""

from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.review import Diagnostic, Issue, Severity
from orchestra_tui.widgets.damaged_text import as_findings, file_text, with_cut
from orchestra_tui.widgets.source_rows import source_rows

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))


@given(lines=LINES)
def test_a_reply_that_broke_off_gives_its_text_without_the_frame(lines: list[str]) -> None:
    body = "\n".join(line for line in lines if not line.startswith("=== END"))
    shown = file_text(f"\n=== FILE a/b.py\n{body}", "a/b.py")
    assert (shown.text, shown.is_from_reply, shown.is_open) == (body, True, True)


@given(lines=LINES)
def test_a_whole_reply_ends_at_its_mark(lines: list[str]) -> None:
    body = "".join(f"{line}\n" for line in lines if not line.startswith("=== END"))
    shown = file_text(f"=== FILE a.py\n{body}=== END FILE\n=== END REPLY\n", "a.py")
    assert (shown.text, shown.is_open) == (body, False)


def test_what_is_no_reply_about_this_file_is_shown_as_it_is() -> None:
    """A text of the file, another file, edits, nothing."""
    for text in ("x = 1\n", "=== FILE other.py\nx\n", "", "\n \n"):
        shown = file_text(text, "a.py")
        assert (shown.text, shown.is_from_reply) == (text, False)
    edits = file_text("=== EDIT a.py\n<<<<<<< SEARCH\nx\n", "a.py")
    assert (edits.is_edits, edits.is_open) == (True, True)


def test_the_cut_is_a_finding_at_the_last_line() -> None:
    shown = file_text("=== FILE a.py\nx\ny(", "a.py")
    found = with_cut((Diagnostic(kind="syntax", line=2, message="m"),), shown, "cut at the limit")
    assert [(each.kind, each.line) for each in found] == [("syntax", 2), ("cut", 2)]
    assert with_cut((), file_text("x\n", "a.py"), "m") == ()


def test_issues_stand_worst_first() -> None:
    issues = (
        Issue(severity=Severity.INFO, message="a"),
        Issue(severity=Severity.ERROR, line=3, message="b", suggestion="c"),
    )
    assert [(each.kind, each.message) for each in as_findings(issues)] == [
        ("error", "b (c)"),
        ("info", "a"),
    ]


@given(text=st.text(), width=st.integers(0, 60), line=st.integers(-2, 9))
def test_rows_hold_every_line_and_every_finding(text: str, width: int, line: int) -> None:
    """Whatever the text, the width and the line that a finding names."""
    made = source_rows(text, (Diagnostic(kind="k", line=line, message="m"),), width)
    if not made.rows:
        return
    for at, shown in enumerate(made.lines):
        assert "".join(row.text for row in made.rows if row.line == at) == shown
    assert sum(row.line < 0 for row in made.rows) >= 1
