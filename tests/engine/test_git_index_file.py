"""The index codec against git: nothing is lost on the way through, and edits are git's own."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra_tui.domain.errors import GitError
from orchestra_tui.engine.git.index_file import Index, IndexEntry, index_bytes, parse_index
from orchestra_tui.engine.git.plumbing import EXECUTABLE, FILE, Entry
from tests.engine.git_sandbox import Sandbox, make_sandbox

NAMES = ["a", "a b", "a.py", "a/b/c.py", "a/b/d.py", "a0", "é/ü.txt", "z" * 200]


@pytest.fixture(params=["2", "3", "4"])
def box(tmp_path: Path, request: pytest.FixtureRequest) -> Sandbox:
    """A repository whose index has every kind of entry, in each format version."""
    sandbox = make_sandbox(tmp_path / "repo")
    for name in NAMES[1:]:
        sandbox.write(name, f"{name}\n")
    sandbox.git("add", ".")
    sandbox.git("commit", "-q", "-m", "start")
    sandbox.git("update-index", f"--index-version={request.param}")
    sandbox.git("update-index", "--assume-unchanged", "a.py")
    sandbox.git("update-index", "--skip-worktree", "a/b/c.py")
    sandbox.write("announced", "later\n")
    sandbox.git("add", "-N", "announced")
    return sandbox


def index_of(box: Sandbox) -> Path:
    return box.tree / ".git" / "index"


def listing(box: Sandbox) -> str:
    """Everything git knows of its index: ids, stages, flags, times."""
    return box.git("ls-files", "--stage", "--debug") + box.git("ls-files", "-v", "-t")


def test_an_untouched_index_comes_back_the_same(box: Sandbox) -> None:
    before, status = listing(box), box.status()
    index = parse_index(index_of(box).read_bytes(), "sha1")
    index_of(box).write_bytes(index_bytes(index, "sha1"))
    assert listing(box) == before
    assert box.status() == status
    assert parse_index(index_of(box).read_bytes(), "sha1") == index
    box.check_sound()


def test_edits_are_those_of_update_index_and_flags_stay(box: Sandbox) -> None:
    oid = box.git("hash-object", "-w", "--stdin", stdin=b"new\n").strip()
    edits = {
        "a.py": Entry(mode=FILE, oid=oid),
        "a/b/c.py": Entry(mode=EXECUTABLE, oid=oid),
        "announced": Entry(mode=FILE, oid=oid),
        "brand/new": Entry(mode=FILE, oid=oid),
        "a b": None,
    }
    index = parse_index(index_of(box).read_bytes(), "sha1")
    encoded = {path.encode(): entry for path, entry in edits.items()}
    ours = index_bytes(index.with_edits(encoded), "sha1")
    for path, entry in edits.items():
        if entry is None:
            box.git("update-index", "--force-remove", path)
        else:
            box.git("update-index", "--add", "--cacheinfo", f"{entry.mode:o},{oid},{path}")
    theirs = box.git("ls-files", "--stage")
    index_of(box).write_bytes(ours)
    assert box.git("ls-files", "--stage") == theirs
    flagged = box.git("ls-files", "-v").splitlines()
    assert "h a.py" in flagged
    assert "S a/b/c.py" in flagged
    assert "H announced" in flagged
    assert box.status().count("announced") == 1
    box.check_sound()


def test_conflicts_are_seen_and_kept(tmp_path: Path) -> None:
    box = make_sandbox(tmp_path / "repo")
    box.write("f", "base\n")
    box.git("add", ".")
    box.git("commit", "-q", "-m", "start")
    box.git("checkout", "-q", "-b", "side")
    box.write("f", "theirs\n")
    box.git("commit", "-qam", "theirs")
    box.git("checkout", "-q", "main")
    box.write("f", "ours\n")
    box.git("commit", "-qam", "ours")
    box.git("merge", "side", check=False)
    index = parse_index(index_of(box).read_bytes(), "sha1")
    assert index.conflicts() == ("f",)
    before = listing(box)
    index_of(box).write_bytes(index_bytes(index.with_edits({}), "sha1"))
    assert listing(box) == before


@pytest.mark.parametrize(
    ("command", "advice"),
    [("--split-index", "--no-split-index"), (None, "sparse-checkout")],
)
def test_formats_that_are_not_written_here_are_refused(
    tmp_path: Path, command: str | None, advice: str
) -> None:
    box = make_sandbox(tmp_path / "repo")
    box.write("in/f", "x\n")
    box.write("out/deep/f", "x\n")
    box.git("add", ".")
    box.git("commit", "-q", "-m", "start")
    if command:
        box.git("update-index", command)
    else:
        box.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
    with pytest.raises(GitError, match=advice):
        parse_index(index_of(box).read_bytes(), "sha1")


def test_damage_is_noticed(box: Sandbox) -> None:
    data = bytearray(index_of(box).read_bytes())
    data[20] ^= 1
    for damaged in (bytes(data), bytes(data[:40]), b"DIRC", b"not an index at all"):
        with pytest.raises(GitError):
            parse_index(damaged, "sha1")
    assert parse_index(b"", "sha1") == Index()


PATHS = st.lists(st.sampled_from(NAMES), unique=True, max_size=8)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    paths=PATHS,
    version=st.sampled_from([2, 3, 4]),
    hash_name=st.sampled_from(["sha1", "sha256"]),
    extended=st.sampled_from([0, 0x4000, 0x2000]),
)
def test_round_trip(paths: list[str], version: int, hash_name: str, extended: int) -> None:
    width = 20 if hash_name == "sha1" else 32
    entries = tuple(
        IndexEntry(
            path=path,
            mode=FILE,
            oid=bytes(width),
            flags=min(len(path), 0xFFF) | (0x4000 if extended else 0),
            extended=extended,
        )
        for path in sorted(name.encode() for name in paths)
    )
    version = 3 if extended and paths and version == 2 else version
    index = Index(entries, version, ((b"REUC", b"x"),))
    assert parse_index(index_bytes(index, hash_name), hash_name) == index
