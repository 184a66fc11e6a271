"""Diffs of two texts: what counts as text, and the same numbers as git's own diff."""

import subprocess
from pathlib import Path

import pytest

from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.domain.plan import ChangeKind
from orchestra_tui.engine.git.diff import MAX_DIFF_BYTES, diff_bytes


@pytest.mark.parametrize("data", [b"a\0b", b"caf\xe9\n", "text".encode("utf-16"), b"\xed\xa0\x80"])
def test_bytes_that_are_not_strict_utf8_text_are_binary(data: bytes) -> None:
    for diff in (diff_bytes("f", b"text\n", data), diff_bytes("f", data, b"text\n")):
        assert diff.is_binary
        assert diff.is_whole
        assert (diff.added, diff.removed) == (0, 0)


def test_a_text_that_is_too_long_is_said_and_not_compared() -> None:
    diff = diff_bytes("f", b"a\n", b"a\n" * MAX_DIFF_BYTES)
    assert diff.is_too_large
    assert diff.is_whole


@pytest.mark.parametrize(
    ("old", "new", "old_path", "kind"),
    [
        (None, b"a", None, ChangeKind.CREATE),
        (b"a", None, None, ChangeKind.DELETE),
        (b"a", b"b", None, ChangeKind.MODIFY),
        (b"a", b"a", "before.py", ChangeKind.RENAME),
    ],
)
def test_the_kind_of_the_change(
    old: bytes | None, new: bytes | None, old_path: str | None, kind: ChangeKind
) -> None:
    diff = diff_bytes("after.py", old, new, old_path=old_path)
    assert diff.kind is kind
    assert (diff.old_hash is None, diff.new_hash is None) == (old is None, new is None)


def test_hashes_are_gits_own(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a\r\n\0")
    command = ["git", "hash-object", "--no-filters", str(tmp_path / "f")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert diff_bytes("f", None, b"a\r\n\0").new_hash == printed


def test_hunk_headers_are_those_of_git(tmp_path: Path) -> None:
    old = "".join(f"{number}\n" for number in range(60))
    new = old.replace("7\n", "seven\n").replace("30\n", "").replace("50\n", "50\nfifty\n")
    (tmp_path / "old").write_text(old)
    (tmp_path / "new").write_text(new)
    command = ["git", "diff", "--no-index", "-U2", "old", "new"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    printed = [line.split("@@")[1].strip() for line in run.stdout.splitlines() if "@@" in line]
    ours = [
        f"-{hunk.old_start},{hunk.old_lines} +{hunk.new_start},{hunk.new_lines}"
        for hunk in diff_bytes("f", old.encode(), new.encode(), context=2).hunks
    ]
    assert ours == printed
    assert len(ours) >= 3


def test_a_diff_survives_json() -> None:
    diff = diff_bytes("f", "é\r\nb".encode(), "é\r\nc\n".encode())
    assert FileDiff.model_validate_json(diff.model_dump_json()) == diff
