"""Search/replace edits: exactly once, whole or not at all."""

import textwrap

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestra_tui.engine.agents.edits import EditBlock, EditRefused, apply_edits

LINE = st.text(st.characters(exclude_characters="\n"), max_size=12)
BASES = st.builds(
    lambda lines, end: "\n".join(lines) + end,
    st.lists(LINE, max_size=12),
    st.sampled_from(["", "\n"]),
)
BASE = "def f(x):\n    return x\n\n\ndef g(x):\n    return x\n"


def block(search: str, replace: str) -> EditBlock:
    def lines(text: str) -> tuple[str, ...]:
        return tuple(text.splitlines())

    return EditBlock(lines(search), lines(replace))


@given(st.lists(LINE, min_size=1, max_size=12, unique=True), st.lists(LINE, max_size=4), st.data())
def test_a_block_changes_its_lines_and_no_other(
    base: list[str], new: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(base) - 1))
    end = data.draw(st.integers(start + 1, len(base)))
    assume("\n".join(base))
    text = "\n".join(base) + "\n"
    result = apply_edits(text, [EditBlock(tuple(base[start:end]), tuple(new))])
    expected = [*base[:start], *new, *base[end:]]
    assert result == "".join(f"{line}\n" for line in expected)


@given(BASES, st.lists(st.builds(EditBlock, st.lists(LINE).map(tuple), st.lists(LINE).map(tuple))))
def test_any_blocks_are_applied_or_refused(base: str, blocks: list[EditBlock]) -> None:
    try:
        result = apply_edits(base, blocks)
    except EditRefused:
        return
    if base.endswith("\n"):
        change = sum(len(one.replace) - len(one.search) for one in blocks)
        assert result.count("\n") == base.count("\n") + change


@given(BASES)
def test_no_block_changes_nothing(base: str) -> None:
    assert apply_edits(base, []) == base


@given(st.lists(LINE, min_size=1, max_size=8, unique=True), st.data())
def test_the_order_of_the_blocks_does_not_matter(base: list[str], data: st.DataObject) -> None:
    blocks = [EditBlock((line,), (f"new {number}",)) for number, line in enumerate(base)]
    shuffled = data.draw(st.permutations(blocks))
    text = "\n".join(base) + "\n"
    assert apply_edits(text, shuffled) == "".join(f"new {at}\n" for at in range(len(base)))


def test_every_search_is_looked_up_in_the_base_not_in_a_half_edited_text() -> None:
    edits = [block("def f(x):", "def g(x):"), block("def g(x):", "def h(x):")]
    assert apply_edits(BASE, edits).splitlines()[::4] == ["def g(x):", "def h(x):"]


def test_lines_that_are_there_twice_are_refused_with_both_places() -> None:
    with pytest.raises(EditRefused, match=r"more than once \(lines 2, 6\)"):
        apply_edits(BASE, [block("    return x", "    return 1")])


def test_one_bad_block_refuses_the_good_ones_too() -> None:
    with pytest.raises(EditRefused, match="block 2 is not in the file"):
        apply_edits(BASE, [block("def f(x):", "def f(y):"), block("def h(x):", "")])


def test_the_reason_names_the_place_that_was_probably_meant() -> None:
    with pytest.raises(EditRefused, match="'def g\\(x\\):' is at line 5, but what follows differs"):
        apply_edits(BASE, [block("def g(x):\n    return y", "")])


def test_blocks_on_the_same_lines_are_refused() -> None:
    edits = [block("def f(x):\n    return x", "a"), block("def f(x):", "b")]
    with pytest.raises(EditRefused, match="blocks 2 and 1 change the same lines"):
        apply_edits(BASE, edits)


def test_trailing_blanks_do_not_matter_when_only_one_place_fits() -> None:
    base = "a = 1  \nb = 2\t\n"
    assert apply_edits(base, [block("a = 1\nb = 2", "c = 3")]) == "c = 3\n"


def test_an_exact_match_wins_over_one_with_other_blanks() -> None:
    assert apply_edits("a  \na\n", [block("a", "b")]) == "a  \nb\n"


def test_a_block_without_the_indentation_of_the_file_is_moved_with_it() -> None:
    base = "class A:\n    def f(self):\n        return 1\n"
    edit = block("def f(self):\n    return 1", "def f(self):\n\n    return 2")
    assert apply_edits(base, [edit]) == "class A:\n    def f(self):\n\n        return 2\n"


def test_tabs_of_the_file_replace_spaces_of_the_block() -> None:
    assert (
        apply_edits("\tx = 1\n", [block("    x = 1", "    x = 2\n      y")]) == "\tx = 2\n\t  y\n"
    )


def test_inner_indentation_must_agree() -> None:
    base = "if a:\n    b()\n"
    with pytest.raises(EditRefused, match="is not in the file"):
        apply_edits(base, [block("  if a:\n  b()", "")])


def test_a_replacement_that_cannot_be_moved_is_refused() -> None:
    with pytest.raises(EditRefused, match="copy the indentation"):
        apply_edits("\tx = 1\n", [block("    x = 1", "y = 2")])


def test_two_places_that_differ_in_indentation_only_are_refused() -> None:
    base = "    a()\n        a()\n"
    with pytest.raises(EditRefused, match="more than once"):
        apply_edits(base, [block("a()", "b()")])


def test_an_empty_search_fills_an_empty_file_only() -> None:
    assert apply_edits("", [EditBlock((), ("x", ""))]) == "x\n\n"
    with pytest.raises(EditRefused, match="empty SEARCH"):
        apply_edits("x\n", [EditBlock((), ("y",))])


def test_the_final_newline_is_the_one_of_the_base() -> None:
    assert apply_edits("a\nb", [block("b", "c")]) == "a\nc"
    assert apply_edits("a\nb\n", [block("b", "")]) == "a\n"


def test_a_hostile_base_takes_no_quadratic_time() -> None:
    """Each of 2 * 10^5 windows almost matches; window by window this would be 10^10 steps."""
    base = "a\n" * 200_000
    hostile = EditBlock(("a",) * 50_000 + ("b",), ())
    with pytest.raises(EditRefused, match="not in the file"):
        apply_edits(base, [hostile])
    with pytest.raises(EditRefused, match="more than once"):
        apply_edits(base, [EditBlock(("a",) * 50_000, ())])


def test_a_real_edit_reads_as_a_person_wrote_it() -> None:
    base = textwrap.dedent(
        """\
        import re


        def slugify(text):
            return re.sub(r"[^a-z]+", "-", text)
        """
    )
    edit = block(
        'def slugify(text):\n    return re.sub(r"[^a-z]+", "-", text)',
        'def slugify(text: str) -> str:\n    return re.sub(r"[^a-z0-9]+", "-", text.lower())',
    )
    assert "text.lower()" in apply_edits(base, [edit])


def test_the_indentation_of_the_block_decides_before_it_is_taken_off() -> None:
    base = "a() \n    a()\n"
    assert apply_edits(base, [block("a()", "b()")]) == "b()\n    a()\n"
