"""Keys through the engine: found for adapters, stored for the app, kept out of log and journal."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestra_tui.domain.errors import NotConfigured, UsageError
from orchestra_tui.domain.keys import KeySource
from orchestra_tui.domain.ports import GetKeys, StoreKey
from orchestra_tui.domain.settings import AdapterSettings, Settings
from orchestra_tui.engine.orchestrator.wiring import EngineOptions
from orchestra_tui.engine.runtime import Engine
from tests.e2e.program import make_repository

KEY = "sk-made-up-0123456789"
LOGGER = logging.getLogger("orchestra_tui.engine.sample")


def settings(*names: str) -> Settings:
    return Settings(
        adapters=tuple(
            AdapterSettings(
                name=name.lower(), base_url="http://127.0.0.1:9/v1", model="m", api_key_env=name
            )
            for name in names
        )
    )


@asynccontextmanager
async def opened(folder: Path, *names: str, key_file: Path | None = None) -> AsyncIterator[Engine]:
    root = make_repository(folder / "project", {})
    options = EngineOptions(
        root, settings(*names), {"ONE": "env-key-0123456789"}, key_file=key_file or keys(folder)
    )
    engine = await Engine.open(options)
    try:
        yield engine
    finally:
        await engine.close()


def keys(folder: Path) -> Path:
    return folder / "user" / "keys.env"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file lies in the user's home, as it would."""
    monkeypatch.setenv("HOME", str(tmp_path))


async def test_a_pasted_key_is_kept_listed_and_hidden(tmp_path: Path) -> None:
    async with opened(tmp_path, "ONE") as engine:
        kept = await engine.query(StoreKey(name="GEMINI_API_KEY", value=SecretStr(f"{KEY}\n")))
        assert (kept.source, kept.length) == (KeySource.FILE, len(KEY))
        known = {key.name: key.source for key in await engine.query(GetKeys())}
        assert known["ONE"] is KeySource.ENVIRONMENT
        assert known["GEMINI_API_KEY"] is KeySource.FILE
        assert known["ZAI_API_KEY"] is KeySource.NOWHERE
        LOGGER.info("sent %s", KEY)
        with pytest.raises(UsageError, match="no name of a variable"):
            await engine.query(StoreKey(name="a b", value=SecretStr(KEY)))
    assert KEY in keys(tmp_path).read_text()
    written = [path for path in (tmp_path / "project").rglob("*") if path.is_file()]
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []
    log = next((tmp_path / "project").rglob("orchestra.log"))
    assert "sent [secret]" in log.read_text()


async def test_an_adapter_gets_its_key_from_the_file(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="orchestra keys set TWO"):
        async with opened(tmp_path, "TWO"):
            pass
    keys(tmp_path).parent.mkdir()
    keys(tmp_path).write_text(f"TWO={KEY}\n")
    keys(tmp_path).chmod(0o600)
    async with opened(tmp_path, "TWO") as engine:
        assert engine.warnings == ()


async def test_a_key_file_in_the_project_is_not_used_and_said_so(tmp_path: Path) -> None:
    inside = tmp_path / "project" / "keys.env"
    inside.parent.mkdir()
    inside.write_text(f"TWO={KEY}\n")
    inside.chmod(0o600)
    async with opened(tmp_path, "ONE", "TWO", key_file=inside) as engine:
        said = "\n".join(engine.warnings)
        assert "could be committed" in said
        assert "the adapter two wants its key in TWO" in said
        assert KEY not in said
        with pytest.raises(UsageError, match="could be committed"):
            await engine.query(StoreKey(name="TWO", value=SecretStr(KEY)))


@pytest.mark.skipif(os.name != "posix", reason="modes are not those of POSIX")
async def test_a_key_that_is_not_taken_because_others_could_read_it_is_told_so(
    tmp_path: Path,
) -> None:
    """Not only that it is missing: the user has put it there."""
    keys(tmp_path).parent.mkdir()
    keys(tmp_path).write_text(f"TWO={KEY}\n")
    keys(tmp_path).chmod(0o644)
    with pytest.raises(NotConfigured, match="can be read by others") as raised:
        async with opened(tmp_path, "TWO"):
            pass
    assert KEY not in str(raised.value)
