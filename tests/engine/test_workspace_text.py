"""Line ends, BOM and final newline stay those of the file, whatever the model speaks."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.engine.workspace.text import Binary, Text, decode, fit_to_base

PIECES = st.sampled_from(
    ["a", "b", "", " ", "\n", "\r\n", "\r", "\r\r\n", "\ufeff", "\u00e9", "\u200d", "\x1b[2J"]
)
ANY_TEXT = st.lists(PIECES, max_size=24).map("".join).map(str.encode)
LINES = st.lists(st.text("abc ", max_size=3), min_size=1, max_size=8)
STYLES = st.sampled_from(["\n", "\r\n", "\r"])


def text_of(data: bytes) -> str:
    decoded = decode(data)
    assert isinstance(decoded, Text)
    return decoded.text


@given(ANY_TEXT)
def test_an_unedited_text_gives_back_the_very_bytes(data: bytes) -> None:
    assert fit_to_base(text_of(data), data) == data


@given(st.binary())
def test_any_bytes_are_text_that_comes_back_or_binary(data: bytes) -> None:
    decoded = decode(data)
    if isinstance(decoded, Text):
        assert fit_to_base(decoded.text, data) == data
    else:
        assert decoded.size == len(data)


@given(LINES, LINES, STYLES, st.booleans(), st.booleans())
def test_a_new_text_takes_on_the_style_of_the_file(
    old: list[str], new: list[str], end: str, has_bom: bool, is_ended: bool
) -> None:
    last = end if is_ended else ""
    base = (codecs.BOM_UTF8 if has_bom else b"") + (end.join([*old, "x"]) + last).encode()
    expected = (codecs.BOM_UTF8 if has_bom else b"") + (end.join([*new, "y"]) + last).encode()
    for spoken in ("\n".join([*new, "y"]), "\n".join([*new, "y"]) + "\n"):
        assert fit_to_base(spoken, base) == expected


@given(st.data())
def test_in_a_file_of_mixed_ends_every_kept_line_keeps_its_own(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.text("abcdef", min_size=4), min_size=2, max_size=8, unique=True))
    ends = [data.draw(st.sampled_from(["\n", "\r\n"])) for _ in lines]
    base = "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()
    at = data.draw(st.integers(0, len(lines)))
    new = "".join(f"{line}\n" for line in [*lines[:at], "INSERTED", *lines[at:]])
    kept = fit_to_base(new, base).decode().splitlines(keepends=True)
    assert [*kept[:at], *kept[at + 1 :]] == base.decode().splitlines(keepends=True)


def test_a_mixed_file_keeps_the_lines_around_an_edit() -> None:
    base = b"a\r\nb\nc\r\nd\ne\r\n"
    assert fit_to_base("a\nb\nX\nd\ne\n", base) == b"a\r\nb\nX\r\nd\ne\r\n"
    assert fit_to_base("b\nd\n", base) == b"b\nd\n"


@pytest.mark.parametrize(
    ("spoken", "base", "expected"),
    [
        ("a\n", None, b"a\n"),
        ("a", None, b"a"),
        ("a\r\n", None, b"a\r\n"),
        ("a\n", b"", b"a\n"),
        ("", b"a\r\n", b""),
        ("", b"\xef\xbb\xbfa\n", b""),
        ("a\r\nb\r\n", b"a\nc\n", b"a\nb\n"),
        ("a\r\nb\r\n", b"a\r\nc\r\n", b"a\r\nb\r\n"),
        ("\ufeffa\nb\n", b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfa\nb\n"),
        ("\ufeffa\nb\n", b"a\n", b"a\nb\n"),
        ("progress\rdone\nx\n", b"progress\rdone\n", b"progress\rdone\nx\n"),
        ("a\n", b"\xff\xfe", b"a\n"),
        ("esc \x1b zwj \u200d rlo \u202e\n", b"x\n", "esc \x1b zwj \u200d rlo \u202e\n".encode()),
    ],
)
def test_single_cases(spoken: str, base: bytes | None, expected: bytes) -> None:
    assert fit_to_base(spoken, base) == expected


@pytest.mark.parametrize(
    "data",
    [b"caf\xe9\r\n", "x".encode("utf-16"), b"a\0b", b"\xed\xa0\x80", b"\xc0\xaf", b"\x89PNG\r\n"],
)
def test_what_is_not_strict_utf8_is_binary(data: bytes) -> None:
    assert decode(data) == Binary(len(data))


def test_a_lone_surrogate_is_refused_not_replaced() -> None:
    with pytest.raises(UnicodeEncodeError):
        fit_to_base("\ud800", None)
