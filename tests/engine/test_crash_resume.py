"""A run that is killed after any append, or around any change or commit, comes to the same end."""

from pathlib import Path

import pytest

from tests.engine.crash_course import crash_at_every

MODES = ["sequential", "parallel", "pipeline"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES)
async def test_killed_after_every_append(mode: str, tmp_path: Path) -> None:
    assert await crash_at_every("log.appended", mode, tmp_path) > 40


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("point", ["apply.intended", "apply.exchanged", "apply.changed"])
async def test_killed_around_every_change_of_a_file(point: str, mode: str, tmp_path: Path) -> None:
    assert await crash_at_every(point, mode, tmp_path) >= 6


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("point", ["commit.intended", "commit.made"])
async def test_killed_around_the_commit(point: str, mode: str, tmp_path: Path) -> None:
    assert await crash_at_every(point, mode, tmp_path) == 1
