"""Hunks put back together: any choice of them composes to exactly the bytes it should."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.changes import HunkMismatchError, LineKind, compose, split_lines
from orchestra_tui.engine.git.diff import diff_bytes, merge_bytes

LINES = st.sampled_from(["a", "b", "", " ", "x = 1", "\tx", "é", "\x1b[31m", "\r", "a\u2028b"])
ENDINGS = st.sampled_from(["\n", "\r\n"])
TEXTS = st.builds(
    lambda lines, last: ("".join(f"{line}{end}" for line, end in lines) + last).encode(),
    st.lists(st.tuples(LINES, ENDINGS), max_size=14),
    st.sampled_from(["", "tail", "é"]),
)
SPACED = [f"line {number}\n".encode() for number in range(12)]


@given(old=TEXTS, new=TEXTS, context=st.integers(0, 4))
def test_all_hunks_give_the_new_bytes_and_none_the_old(
    old: bytes, new: bytes, context: int
) -> None:
    diff = diff_bytes("f.txt", old, new, context=context)
    assert compose(old, diff.hunks, {hunk.id for hunk in diff.hunks}) == new
    assert compose(old, diff.hunks, set()) == old
    assert bool(diff.hunks) == (old != new)


@given(old=TEXTS, new=TEXTS, data=st.data())
def test_what_was_not_accepted_is_what_is_left_to_accept(
    old: bytes, new: bytes, data: st.DataObject
) -> None:
    """Taking some hunks and then the rest ends at the new bytes, whichever came first."""
    diff = diff_bytes("f.txt", old, new, context=0)
    chosen = data.draw(st.sets(st.sampled_from([h.id for h in diff.hunks]))) if diff.hunks else ()
    half = compose(old, diff.hunks, chosen)
    rest = diff_bytes("f.txt", half, new, context=0)
    assert compose(half, rest.hunks, {hunk.id for hunk in rest.hunks}) == new


@given(old=TEXTS, new=TEXTS)
def test_ids_are_unique_and_do_not_depend_on_context(old: bytes, new: bytes) -> None:
    narrow = diff_bytes("f.txt", old, new, context=0)
    again = diff_bytes("other.txt", old, new, context=0)
    assert [hunk.id for hunk in narrow.hunks] == [hunk.id for hunk in again.hunks]
    assert len({hunk.id for hunk in narrow.hunks}) == len(narrow.hunks)


def test_an_id_stays_when_a_hunk_above_it_is_rejected() -> None:
    new = list(SPACED)
    new[1] = b"first\nand more\n"
    new[9] = b"second\n"
    diff = diff_bytes("f.txt", b"".join(SPACED), b"".join(new))
    assert len(diff.hunks) == 2
    kept = compose(b"".join(SPACED), diff.hunks, {diff.hunks[1].id})
    rest = diff_bytes("f.txt", b"".join(SPACED), kept)
    assert [hunk.id for hunk in rest.hunks] == [diff.hunks[1].id]
    assert rest.hunks[0].new_start != diff.hunks[1].new_start


def test_equal_hunks_of_one_file_have_different_ids() -> None:
    new = list(SPACED)
    new[1:1] = [b"same\n"]
    new[10:10] = [b"same\n"]
    first, second = diff_bytes("f.txt", b"".join(SPACED), b"".join(new)).hunks
    assert second.id == f"{first.id}-2"


@pytest.mark.parametrize(
    ("old", "new", "added", "removed"),
    [
        (b"a\r\nb\r\n", b"a\r\nB\r\n", 1, 1),
        (b"a\nb", b"a\nb\n", 1, 1),
        (b"a\nb\n", b"a\nb", 1, 1),
        (b"", b"a", 1, 0),
        (None, b"a\nb\n", 2, 0),
        (b"a\nb\n", None, 0, 2),
        (b"a\rb\n", b"a\rc\n", 1, 1),
    ],
)
def test_endings_and_missing_final_newlines(
    old: bytes | None, new: bytes | None, added: int, removed: int
) -> None:
    diff = diff_bytes("f.txt", old, new)
    assert (diff.added, diff.removed) == (added, removed)
    assert compose(old or b"", diff.hunks, {hunk.id for hunk in diff.hunks}) == (new or b"")
    last = [line for line in diff.hunks[-1].lines if line.kind is not LineKind.REMOVED]
    if last:
        assert last[-1].has_newline == (new or b"").endswith(b"\n")


@pytest.mark.parametrize(
    ("old", "new", "is_whitespace_only"),
    [
        (b"if x:\n  y\n", b"if x:\n    y\n", True),
        (b"a\nb\n", b"a\n\nb\n", True),
        (b"a\r\n", b"a\n", True),
        (b"a\n", b"a", True),
        (b"a b\n", b"a c\n", False),
        (b"a\n", b"a\nb\n", False),
    ],
)
def test_white_space_changes_are_marked(old: bytes, new: bytes, is_whitespace_only: bool) -> None:
    diff = diff_bytes("f.txt", old, new)
    assert [hunk.is_whitespace_only for hunk in diff.hunks] == [is_whitespace_only]
    assert diff.is_whitespace_only is is_whitespace_only


def test_hunks_of_another_text_are_refused() -> None:
    diff = diff_bytes("f.txt", b"a\nb\n", b"a\nc\n")
    with pytest.raises(HunkMismatchError):
        compose(b"a\nother\n", diff.hunks, {diff.hunks[0].id})
    with pytest.raises(HunkMismatchError):
        compose(b"", diff.hunks, set())


@given(data=TEXTS)
def test_split_lines_loses_nothing(data: bytes) -> None:
    lines = split_lines(data)
    assert b"".join(lines) == data
    assert all(line.endswith(b"\n") for line in lines[:-1])


@given(base=TEXTS, ours=TEXTS, theirs=TEXTS)
def test_merging_is_symmetric_and_keeps_a_side_that_did_nothing(
    base: bytes, ours: bytes, theirs: bytes
) -> None:
    assert merge_bytes(base, ours, theirs) == merge_bytes(base, theirs, ours)
    assert merge_bytes(base, ours, base) == ours
    assert merge_bytes(base, base, theirs) == theirs


EDIT = st.tuples(
    st.integers(0, len(SPACED) - 1),
    st.sampled_from([b"", b"new\n", b"new\r\nmore\n", b"line 3\n"]),
)


def _edited(edits: list[tuple[int, bytes]]) -> bytes:
    lines = list(SPACED)
    for at, text in edits:
        lines[at] = text
    return b"".join(lines)


@given(ours=st.lists(EDIT, max_size=3), theirs=st.lists(EDIT, max_size=3))
def test_a_clean_merge_is_the_one_git_makes(
    tmp_path_factory: pytest.TempPathFactory,
    ours: list[tuple[int, bytes]],
    theirs: list[tuple[int, bytes]],
) -> None:
    """Where we merge, `git merge-file` merges too and to the same bytes; we may refuse more."""
    base, left, right = b"".join(SPACED), _edited(ours), _edited(theirs)
    merged = merge_bytes(base, left, right)
    if merged is None:
        return
    folder = tmp_path_factory.mktemp("merge")
    done = subprocess.run(
        ["git", "merge-file", "-p", *_written(folder, left, base, right)],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, merged)


def _written(folder: Path, *texts: bytes) -> list[str]:
    paths = [folder / name for name in ("ours", "base", "theirs")]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    return [str(path) for path in paths]


def test_touching_changes_are_a_conflict_and_distant_ones_are_not() -> None:
    base = b"1\n2\n3\n4\n5\n"
    assert merge_bytes(base, b"1\nX\n3\n4\n5\n", b"1\n2\n3\nY\n5\n") == b"1\nX\n3\nY\n5\n"
    assert merge_bytes(base, b"1\nX\n3\n4\n5\n", b"1\n2\nY\n4\n5\n") is None
    assert merge_bytes(base, b"1\nX\n3\n4\n5\n", b"1\nY\n3\n4\n5\n") is None
    assert merge_bytes(base, b"1\nX\n3\n4\n5\n", b"1\nX\n3\n4\nY\n") == b"1\nX\n3\n4\nY\n"
    assert merge_bytes(b"\0", b"\0a", b"\0b") is None
