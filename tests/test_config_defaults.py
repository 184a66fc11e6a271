"""What the configuration says when the user says nothing."""

import os
from pathlib import Path

import pytest

from orchestra_tui.config import concurrency_of, load_settings
from orchestra_tui.domain.errors import UsageError


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


ADAPTER = '[adapters.a]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            ADAPTER + 'modle = "m"\n',
            "adapters.a.modle: there is no such setting; did you mean mode or m",
        ),
        ("[adapter.a]\nmodel = 'm'\n", "adapter: there is no such setting; did you mean adapters?"),
        ("[run]\npatince = 3\n", "run.patince: there is no such setting; did you mean patience?"),
        ("[run]\nscenario = 'calm'\n", "run.scenario: there is no such setting"),
        ("[cache]\nmax_agge = 3\n", "did you mean max_age?"),
        ("[colours]\nx = 1\n", "colours: there is no such setting"),
        ("[chains]\narchitekt = ['a']\n", "chains.architekt: Input should be 'architect'"),
        ("run = 3\n", "run: "),
    ],
)
def test_a_name_that_nobody_knows_is_named_with_what_was_meant(
    text: str, says: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load_settings({"ORCHESTRA_CONFIG": str(config)})
    assert says in str(raised.value)


@pytest.mark.parametrize("name", ["api_key", "key", "apiKey"])
def test_a_key_in_the_file_is_sent_to_its_place_and_not_repeated(name: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'{ADAPTER}{name} = "sk-no-key-of-anybody"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="`orchestra keys set NAME`") as raised:
        load_settings({"ORCHESTRA_CONFIG": str(config)})
    assert "sk-no-key" not in str(raised.value)


def test_a_file_of_another_encoding_is_told_so(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_bytes("# größer\n".encode("latin-1"))
    with pytest.raises(UsageError, match="save it as UTF-8"):
        load_settings({"ORCHESTRA_CONFIG": str(config)})
