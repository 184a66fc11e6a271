"""The run's change apart from the user's, on texts alone: nothing of his, all of the run's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.engine.git.separation import MixedError, Version, separate

LINES = [f"line {number}\n" for number in range(16)]
PLACES = st.sets(st.integers(0, len(LINES) - 1), max_size=4)


def edited(lines: list[str], places: set[int], text: str) -> list[str]:
    """Every line at the places gets a line after it, or becomes another."""
    return [
        (line + text.format(at) if at % 2 else text.format(at)) if at in places else line
        for at, line in enumerate(lines)
    ]


def version(lines: list[str]) -> Version:
    return Version("".join(lines).encode())


@given(user=PLACES, run=PLACES, ending=st.sampled_from(["\n", "\r\n"]))
def test_the_result_has_the_runs_lines_and_none_of_the_users(
    user: set[int], run: set[int], ending: str
) -> None:
    mine = edited(LINES, user, f"mine {{}}{ending}")
    theirs = edited(mine, run, f"run {{}}{ending}")
    try:
        out = separate(version(mine), version(theirs), version(LINES))
    except MixedError:
        # Refused only where the two really stand on the same or on neighbouring lines.
        assert any(abs(left - right) <= 1 for left in user for right in run)
        return
    assert out is not None
    text = out.data.decode()
    assert "mine" not in text
    assert all(f"run {at}{ending}" in text for at in run)
    kept = [line for at, line in enumerate(LINES) if at not in run or at % 2]
    assert all(line in text for line in kept)


A, B, C = (Version(text) for text in (b"a\n", b"b\n", b"c\n"))


@pytest.mark.parametrize(
    ("base", "result", "side", "expected"),
    [
        (A, B, A, B),
        (A, B, B, B),
        (A, A, C, C),
        (None, A, None, A),
        (A, None, A, None),
        (A, None, None, None),
        (None, None, C, C),
        (A, Version(b"a\n", True), C, Version(b"c\n", True)),
        (Version(b"a\n", True), Version(b"b\n", True), A, B),
    ],
)
def test_presence_and_mode(
    base: Version | None, result: Version | None, side: Version | None, expected: Version | None
) -> None:
    assert separate(base, result, side) == expected


@pytest.mark.parametrize(
    ("base", "result", "side", "word"),
    [
        (A, B, C, "touch"),
        (A, B, None, "never committed"),
        (None, B, C, "made it again"),
        (A, None, C, "removes it"),
        (Version(b"\0a"), Version(b"\0b"), Version(b"\0c"), "touch"),
    ],
)
def test_what_cannot_be_told_apart(
    base: Version | None, result: Version | None, side: Version | None, word: str
) -> None:
    with pytest.raises(MixedError, match=word):
        separate(base, result, side)
