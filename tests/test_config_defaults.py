"""What the configuration says when the user says nothing."""

import os
from pathlib import Path

import pytest

from orchestra_tui.config import concurrency_of, load_settings


@pytest.mark.parametrize(("processors", "at_once"), [(None, 2), (1, 2), (2, 4), (4, 8), (64, 8)])
def test_more_processors_do_more_at_once_within_bounds(
    processors: int | None, at_once: int
) -> None:
    assert concurrency_of(processors) == at_once


def test_the_machine_decides_unless_the_user_does(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[run]\nmode = "parallel"\n', encoding="utf-8")
    environment = {"ORCHESTRA_CONFIG": str(config)}
    assert load_settings(environment).run.max_concurrency == concurrency_of(os.cpu_count())
    config.write_text("[run]\nmax_concurrency = 7\n", encoding="utf-8")
    assert load_settings(environment).run.max_concurrency == 7
