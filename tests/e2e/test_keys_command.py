"""`orchestra keys` as a person and a script use it: nothing that is printed holds the key."""

from pathlib import Path

import pytest

from tests.e2e.program import Finished, environment, finish, orchestra, start
from tests.e2e.terminal import Terminal
from tests.engine.key_places import keyring_environment

KEY = "sk-made-up-0123456789"


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """A user without keyring, whose keys would lie in `tmp_path`."""
    kept = {k: v for k, v in environment().items() if not k.endswith("_API_KEY")}
    return {**kept, "ORCHESTRA_CONFIG": str(tmp_path / "config.toml"), "HOME": str(tmp_path)}


def configured(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[adapters.mine]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\napi_key_env = "MINE"\n'
    )


async def keys(*words: str, env: dict[str, str], cwd: Path, said: str) -> Finished:
    return await finish(await start("keys", *words, cwd=cwd, env=env, has_stdin=True), said)


async def test_a_key_from_stdin_is_kept_listed_and_removed(
    tmp_path: Path, user: dict[str, str]
) -> None:
    configured(tmp_path)
    kept = await keys("set", "MINE", env=user, cwd=tmp_path, said=f"{KEY}\n")
    assert kept.code == 0
    assert "21 characters are kept in the key file" in kept.out
    listed = await orchestra("keys", "list", "--json", cwd=tmp_path, env=user)
    place = str(tmp_path / "keys.env")
    assert listed.records == [{"name": "MINE", "source": "file", "length": 21, "place": place}]
    removed = await orchestra("keys", "remove", "MINE", cwd=tmp_path, env=user)
    assert (removed.code, removed.out) == (0, "MINE is removed (the key file)\n")
    again = await orchestra("keys", "remove", "MINE", cwd=tmp_path, env=user)
    assert again.code == 1
    nothing = await orchestra("keys", cwd=tmp_path, env=user)
    assert nothing.code == 1
    assert "orchestra keys set NAME" in nothing.out
    for finished in (kept, listed, removed, again, nothing):
        assert KEY not in finished.out + finished.err


async def test_a_key_goes_to_the_keyring_where_there_is_one(
    tmp_path: Path, user: dict[str, str]
) -> None:
    env = {**user, **keyring_environment(tmp_path)}
    del env["PYTHON_KEYRING_BACKEND"]
    kept = await keys("set", "MINE", env=env, cwd=tmp_path, said=KEY)
    assert "21 characters are kept in the system keyring" in kept.out
    assert not (tmp_path / "keys.env").exists()
    assert KEY in (tmp_path / "keyring.json").read_text()
    configured(tmp_path)
    listed = await orchestra("keys", cwd=tmp_path, env=env)
    assert listed.out.startswith("MINE ")
    assert "the system keyring" in listed.out


async def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    tmp_path: Path, user: dict[str, str]
) -> None:
    for words in (("MINE", KEY), (KEY,), ("MINE", "--", KEY)):
        finished = await orchestra("keys", "set", *words, cwd=tmp_path, env=user)
        assert finished.code == 2
        assert KEY not in finished.out + finished.err
        assert "Traceback" not in finished.err
    assert not (tmp_path / "keys.env").exists()


async def test_the_environment_goes_first_and_is_said_so(
    tmp_path: Path, user: dict[str, str]
) -> None:
    env = {**user, "MINE": "another-key-0001"}
    kept = await keys("set", "MINE", env=env, cwd=tmp_path, said=KEY)
    assert "also set in the environment" in kept.out
    removed = await orchestra("keys", "remove", "MINE", cwd=tmp_path, env=env)
    assert "which is not ours to change" in removed.out


async def test_on_a_terminal_the_key_is_asked_for_without_echo(
    tmp_path: Path, user: dict[str, str]
) -> None:
    words = ("-m", "orchestra_tui", "keys", "set", "MINE")
    async with Terminal(*words, cwd=tmp_path, env=user) as terminal:
        await terminal.shows("it is not shown")
        terminal.press(f"{KEY}\n")
        await terminal.shows("21 characters are kept")
        assert KEY.encode() not in terminal.raw


async def test_a_key_in_the_configuration_in_the_place_of_a_name_is_not_repeated(
    tmp_path: Path, user: dict[str, str]
) -> None:
    (tmp_path / "config.toml").write_text(
        f'[adapters.mine]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\napi_key_env = "{KEY}"\n'
    )
    finished = await finish(await start("doctor", cwd=tmp_path, env=user))
    assert finished.code == 2
    assert "adapters.mine.api_key_env" in finished.err
    assert KEY not in finished.err
