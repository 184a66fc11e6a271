"""Keys from environment, key file and the real keyring library: found in order, kept in safety."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.keys import KeySource, KnownKey
from orchestra_tui.engine.keys.key_file import KeyFile
from orchestra_tui.engine.keys.key_store import KeyStore, open_keys
from orchestra_tui.engine.keys.system_keyring import SystemKeyring
from tests.engine.key_places import Places

KEY = "sk-made-up-0123456789"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("HOME", str(tmp_path))
    return Places(tmp_path)


async def test_the_environment_goes_before_the_file_and_the_file_before_the_keyring(
    places: Places,
) -> None:
    await places.ring().store("RING", "ring-key-0001")
    await places.ring().store("FILE", "ring-key-0002")
    store = places.store("FILE=file-key-0001\nENV=file-key-0002\n", ENV=" env-key-0001\n")
    found = await store.find(["ENV", "FILE", "RING", "NONE"])
    assert dict(found.values) == {
        "ENV": "env-key-0001",
        "FILE": "file-key-0001",
        "RING": "ring-key-0001",
    }
    assert [key.source for key in found.known] == [
        KeySource.ENVIRONMENT,
        KeySource.FILE,
        KeySource.KEYRING,
        KeySource.NOWHERE,
    ]
    assert found.problems == ()


async def test_nothing_that_describes_a_key_holds_it(places: Places) -> None:
    store = places.store(f"A={KEY}\n", B=KEY)
    found = await store.find(["A", "B"])
    assert [key.length for key in found.known] == [len(KEY), len(KEY)]
    for shown in (repr(found), repr(store), str(found.known), *map(str, found.known)):
        assert KEY not in shown


async def test_a_key_file_never_becomes_part_of_the_environment(places: Places) -> None:
    await places.store(f"ORCHESTRA_TEST_ONLY={KEY}\n").find(["ORCHESTRA_TEST_ONLY"])
    assert "ORCHESTRA_TEST_ONLY" not in os.environ


def test_values_are_taken_as_they_are(places: Places) -> None:
    text = '# mine\nexport A=\'a b\'\nB=${HOME}/x\nC="q\\"q"\nD=plain # a remark\nEMPTY=\n'
    assert places.file(text).read() == {
        "A": "a b",
        "B": "${HOME}/x",
        "C": 'q"q',
        "D": "plain",
        "EMPTY": "",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A=1\nB='half\n", "line 2 cannot be read: write NAME=value"),
        (f"A=1\n{KEY}\n", "line 2 cannot"),
    ],
)
async def test_a_broken_file_is_a_sentence_and_the_environment_still_counts(
    places: Places, text: str, says: str
) -> None:
    found = await places.store(text, ENV=KEY).find(["ENV"])
    assert dict(found.values) == {"ENV": KEY}
    assert len(found.problems) == 1
    assert says in found.problems[0]
    assert KEY not in found.problems[0]


async def test_bytes_that_are_no_text_are_a_sentence(places: Places) -> None:
    places.file("")
    places.path.write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(UsageError, match="no UTF-8"):
        places.file().read()


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
async def test_a_file_that_others_can_read_is_not_used(places: Places, mode: int) -> None:
    places.file(f"A={KEY}\n", mode=mode)
    found = await places.store().find(["A"])
    assert dict(found.values) == {}
    assert f"chmod 600 {places.path}" in found.problems[0]
    assert KEY not in found.problems[0]


@pytest.mark.parametrize("sign", [".git", ".git/HEAD", ".orchestra/orchestra.db"])
async def test_a_file_in_any_project_is_refused(places: Places, sign: str) -> None:
    (places.folder / "user" / sign).parent.mkdir(parents=True)
    (places.folder / "user" / sign).touch()
    file = places.file(f"A={KEY}\n")
    with pytest.raises(UsageError, match="could be committed"):
        file.read()
    with pytest.raises(UsageError, match="could be committed"):
        KeyFile(places.path).store("B", KEY)


async def test_a_file_in_the_open_project_is_refused_also_through_a_link(places: Places) -> None:
    project = places.folder / "project"
    project.mkdir()
    (project / "keys.env").write_text(f"A={KEY}\n")
    (project / "keys.env").chmod(0o600)
    places.path.parent.mkdir()
    places.path.symlink_to(project / "keys.env")
    with pytest.raises(UsageError, match="could be committed"):
        places.file().read()


def test_a_home_folder_under_git_and_an_empty_folder_are_no_projects(places: Places) -> None:
    (places.folder / ".git").mkdir()
    (places.folder / ".git" / "HEAD").touch()
    (places.folder / "user" / ".git").mkdir(parents=True)
    assert places.file(f"A={KEY}\n").read() == {"A": KEY}


@posix_only
def test_a_stored_key_leaves_other_lines_alone_and_is_for_the_user_alone(places: Places) -> None:
    file = places.file("# mine\nA='x y'\nOLD=1\nB=2")
    file.store("OLD", "it's\\new")
    text = places.path.read_text()
    assert text.startswith("# mine\nA='x y'\nB=2\n")
    assert file.read() == {"A": "x y", "B": "2", "OLD": "it's\\new"}
    assert places.path.stat().st_mode & 0o777 == 0o600
    assert list(places.path.parent.iterdir()) == [places.path]
    assert file.remove("OLD")
    assert not file.remove("OLD")
    assert places.path.read_text() == "# mine\nA='x y'\nB=2\n"


@posix_only
def test_the_first_key_makes_the_file(places: Places) -> None:
    places.file().store("A", KEY)
    assert places.path.stat().st_mode & 0o777 == 0o600
    assert places.path.parent.stat().st_mode & 0o077 == 0
    assert places.file().read() == {"A": KEY}


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_every_key_comes_back_as_it_was_stored(
    tmp_path_factory: pytest.TempPathFactory, key: str
) -> None:
    file = KeyFile(tmp_path_factory.mktemp("keys") / "keys.env")
    file.store("BEFORE", "1")
    file.store("NAME", key)
    assert file.read() == {"BEFORE": "1", "NAME": key}


async def test_a_key_goes_into_the_keyring_and_an_older_one_out_of_the_file(
    places: Places,
) -> None:
    store = places.store("NAME=older-key-0001\n")
    kept = await store.store("NAME", SecretStr(f" {KEY}\n"))
    assert (kept.source, kept.length) == (KeySource.KEYRING, len(KEY))
    assert places.file().read() == {}
    found = await store.find(["NAME"])
    assert found.known == (kept,)
    assert await store.remove("NAME") == (KeySource.KEYRING,)
    assert await store.remove("NAME") == ()


async def test_without_a_safe_keyring_the_file_keeps_it(places: Places) -> None:
    null = SystemKeyring({"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    store = KeyStore({}, places.file(), null)
    kept = await store.store("NAME", SecretStr(KEY))
    assert (kept.source, kept.place) == (KeySource.FILE, str(places.path))
    found = await store.find(["NAME", "OTHER"])
    assert found.problems == ()
    assert dict(found.values) == {"NAME": KEY}


async def test_a_keyring_that_breaks_is_a_sentence_without_the_key(places: Places) -> None:
    found = await places.store().find(["BROKEN"])
    assert "ZeroDivisionError: the bus is gone" in found.problems[0]
    kept = await places.store().store("BROKEN", SecretStr(KEY))
    assert kept.source is KeySource.FILE


async def test_a_keyring_that_hangs_is_left_behind(places: Places) -> None:
    store = KeyStore({}, places.file(), places.ring(seconds=1.0))
    found = await store.find(["HANG"])
    assert "no answer within 1 s" in found.problems[0]


@pytest.mark.parametrize("key", ["", "  \n", "two words", "line\nbreak", "gr\u00fcn", "x" * 9000])
async def test_what_is_no_key_is_not_stored(places: Places, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        await places.store().store("NAME", SecretStr(key))
    assert "NAME" in str(caught.value)
    assert not places.path.exists()


@pytest.mark.parametrize("name", [KEY, "AIzaSyMadeUp0123456789abcdefghijk", "", "a b", "1A"])
async def test_a_key_in_the_place_of_a_name_is_not_repeated(places: Places, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        await places.store().store(name, SecretStr(KEY))
    assert not name or name not in str(caught.value)


async def test_without_a_place_the_environment_is_all(tmp_path: Path) -> None:
    store = open_keys({"A": KEY}, None)
    found = await store.find(["A", "B"])
    assert found.known[1] == KnownKey(name="B", source=KeySource.NOWHERE)
    with pytest.raises(UsageError, match="no place to keep a key"):
        await store.store("B", SecretStr(KEY))
