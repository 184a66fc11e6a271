"""The rows of a diff: complete, exact, and in time that grows with the lines only."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from orchestra_tui.domain.changes import FileDiff, LineKind
from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.engine.git.diff import diff_bytes
from orchestra_tui.widgets.diff_model import (
    DiffLayout,
    RowKind,
    build_rows,
    emphasis,
    shown_text,
)
from orchestra_tui.widgets.diff_painter import DiffPainter
from orchestra_tui.widgets.file_list import decision, toggled
from orchestra_tui.widgets.line_view import spans_text
from orchestra_tui.widgets.syntax_colours import SyntaxColours

OLD = b"def f(a, b):\n    return a+b\n\n\n\n\n\n\n\nx = 1\n"
NEW = b"def f(a, b):\n    return a + b\n\n\n\n\n\n\n\nx = 2\n"
_LINE = st.text(alphabet="ab (\t漢'\"#", max_size=60)
_TEXT = st.lists(_LINE, max_size=14).map(lambda lines: "\n".join(lines).encode())


def lines_shown(diff: FileDiff, layout: DiffLayout, width: int, kind: LineKind) -> list[str]:
    """The text of every line of a kind, put together again from what is drawn."""
    model = build_rows(diff, layout=layout, width=width)
    painter = DiffPainter(diff=diff, model=model, layout=layout)
    found: list[str] = []
    for row in model.rows:
        assert cell_len(spans_text(painter.spans(row, width))) <= width
        for side in (row.left, row.right):
            if side is None or side.kind is not kind or row.kind is not RowKind.LINE:
                continue
            drawn = spans_text(painter.spans(row, width))
            assert side.text in drawn
            if side.is_first:
                found.append("")
            found[-1] += side.text
    return found


@settings(max_examples=150)
@given(old=_TEXT, new=_TEXT, width=st.integers(40, 121), is_split=st.booleans())
def test_every_changed_character_is_drawn(
    old: bytes, new: bytes, width: int, is_split: bool
) -> None:
    """A reviewer sees the whole line, in both layouts, at every width."""
    diff = diff_bytes("a.py", old, new)
    layout = DiffLayout.SPLIT if is_split else DiffLayout.UNIFIED
    for kind in (LineKind.ADDED, LineKind.REMOVED):
        wanted = [
            shown_text(line) for hunk in diff.hunks for line in hunk.lines if line.kind is kind
        ]
        assert sorted(lines_shown(diff, layout, width, kind)) == sorted(wanted)


def test_issue_stands_below_its_line() -> None:
    """An issue in a hunk is there; one elsewhere is at the top with its line."""
    issues = (
        Issue(severity=Severity.ERROR, line=2, message="overflow", suggestion="check [it]"),
        Issue(severity=Severity.INFO, line=900, message="far away"),
        Issue(severity=Severity.WARNING, message="whole file"),
    )
    diff = diff_bytes("a.py", OLD, NEW)
    rows = build_rows(diff, layout=DiffLayout.UNIFIED, width=80, issues=issues).rows
    texts = [row.text for row in rows]
    assert texts[:2] == ["warning: whole file", "line 900: info: far away"]
    at = texts.index("error: overflow → check [it]")
    side = rows[at - 1].right
    assert side is not None
    assert side.number == 2


def test_hidden_whitespace_is_said() -> None:
    """A hunk that is hidden leaves a row that says so."""
    diff = diff_bytes("a.py", OLD, NEW)
    shown = build_rows(diff, layout=DiffLayout.UNIFIED, width=80, hides_whitespace=True)
    assert shown.hunk_rows[0] == -1
    assert "1 hunk with white space only hidden" in shown.rows[-1].text
    assert not any(row.hunk == 0 for row in shown.rows)


def test_line_ends_and_missing_newlines_are_visible() -> None:
    """A change of line ends only is no invisible change."""
    diff = diff_bytes("a.txt", b"one\ntwo\n", b"one\r\ntwo")
    texts = [shown_text(line) for hunk in diff.hunks for line in hunk.lines]
    assert "one␍" in texts
    assert "two ⊣ no newline at the end" in texts


def test_emphasis_marks_the_words_that_differ() -> None:
    """Common ends are left out; lines with little in common are not marked."""
    start, end = emphasis('raise Error("wrong name")', 'raise Error("wrong mail")')
    assert 'raise Error("wrong name")'[start:end] == "nam" + "e"
    assert emphasis("completely", "different thing") == (0, 0)
    assert emphasis("same", None) == (0, 0)


def test_toggling_hunks_and_files() -> None:
    """Ids in file order; the whole file and its hunks stay consistent."""
    diff = diff_bytes("a.py", OLD, NEW)
    first, second = (hunk.id for hunk in diff.hunks)
    assert toggled(diff, (), second) == (second,)
    assert toggled(diff, (second,), first) == (first, second)
    assert toggled(diff, (first, second), first) == (second,)
    assert toggled(diff, (), "*") == ("*",)
    assert toggled(diff, (first,), "*") == ()
    assert toggled(diff, ("*",), first) == (second,)
    assert (decision(diff, (first,)).accepted, decision(diff, ("*",)).accepted) == (1, 0)


@given(text=st.text(alphabet="abc '\"\\#\n(){}:=[]\t漢", max_size=300))
def test_colours_never_change_a_character(text: str) -> None:
    """Whatever the lexer does, a line stays as it is."""
    lines = text.replace("\t", "    ").split("\n")
    for path in ("a.py", "a.json", "a.md", "a.unknown", "Makefile"):
        colours = SyntaxColours(path, lines)
        assert [spans_text(colours.line(at)) for at in range(len(lines))] == lines


def test_colours_of_a_long_file_are_made_where_they_are_looked_at() -> None:
    """The last line of a long file is coloured without the lines before."""
    colours = SyntaxColours("a.py", ["x = 1  # note"] * 50_000)
    assert spans_text(colours.line(49_999)) == "x = 1  # note"
    assert len(colours.line(49_999)) > 1
