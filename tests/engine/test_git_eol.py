"""Line endings on the way into the repository: the same bytes as git's own conversion."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestra_tui.engine.git.eol import conversion_problem, eol_rule, to_repository
from orchestra_tui.engine.git.libgit2 import Libgit2Plumbing
from orchestra_tui.engine.git.objects import object_id
from tests.engine.git_sandbox import Sandbox, make_sandbox

PIECES = st.sampled_from([b"text", b"\n", b"\r\n", b"\r", b"\0", b"\x01", b"\x1a", b"\xe9", b"\t"])
DATA = st.builds(b"".join, st.lists(PIECES, max_size=12)) | st.builds(
    lambda tail: b"long enough to hide one control character " * 8 + tail, PIECES
)
RULES = [
    "",
    "* text",
    "* text=auto",
    "* -text",
    "* eol=crlf",
    "* eol=lf",
    "* text=auto eol=crlf",
    "* binary",
    "* crlf",
    "* -crlf",
    "* crlf=input",
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """One repository for all examples: they only hash."""
    return make_sandbox(tmp_path_factory.mktemp("eol") / "repo")


@example(data=b"text\r\n\x1a", rules="* text=auto", autocrlf="false")
@example(data=b"text\r\n\x01", rules="* text=auto", autocrlf="false")
@example(data=b"x" * 127 + b"\r\n\x01", rules="", autocrlf="input")
@example(data=b"x" * 256 + b"\r\n\x01", rules="", autocrlf="input")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=120,
)
@given(
    data=DATA,
    rules=st.sampled_from(RULES),
    autocrlf=st.sampled_from(["true", "false", "input"]),
)
def test_a_new_file_is_stored_as_git_would(
    box: Sandbox, data: bytes, rules: str, autocrlf: str
) -> None:
    box.write(".gitattributes", f"{rules}\n")
    box.git("config", "core.autocrlf", autocrlf)
    plumbing = Libgit2Plumbing(box.tree / ".git")
    rule = eol_rule(plumbing.attributes(["f"])["f"], plumbing.config("core.autocrlf"))
    ours = to_repository(data, rule, None)
    theirs = box.git("hash-object", "--path=f", "--stdin", stdin=data).strip()
    assert object_id("blob", ours, "sha1") == theirs


@pytest.mark.parametrize("staged", [b"a\r\nb\r\n", b"a\nb\n"])
@pytest.mark.parametrize("rules", ["* text=auto", "* text"])
def test_automatic_conversion_leaves_a_file_that_was_committed_with_crlf(
    tmp_path: Path, staged: bytes, rules: str
) -> None:
    box = make_sandbox(tmp_path / "repo")
    box.git("config", "core.autocrlf", "false")
    box.write("f", staged)
    box.git("add", "f")
    box.write(".gitattributes", f"{rules}\n")
    box.write("f", b"a\r\nchanged\r\n")
    plumbing = Libgit2Plumbing(box.tree / ".git")
    ours = to_repository(
        b"a\r\nchanged\r\n", eol_rule(plumbing.attributes(["f"])["f"], "false"), staged
    )
    box.git("add", "f")
    assert box.shown("", "f") == ours


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ("*.bin filter=lfs diff=lfs merge=lfs -text", "lfs"),
        ("*.bin working-tree-encoding=UTF-16", "UTF-16"),
        ("*.bin ident", "ident"),
    ],
)
def test_other_conversions_are_refused_with_the_reason(
    tmp_path: Path, rules: str, word: str
) -> None:
    box = make_sandbox(tmp_path / "repo")
    box.write(".gitattributes", f"{rules}\n")
    plumbing = Libgit2Plumbing(box.tree / ".git")
    attributes = plumbing.attributes(["a.bin", "a.txt"])
    assert word in (conversion_problem(attributes["a.bin"]) or "")
    assert conversion_problem(attributes["a.txt"]) is None
