"""Configuration: the user's TOML file and the environment become `domain.settings.Settings`.

The rule a reader must not break: nothing inside a project may configure a provider. A repository
that could set a base URL would be sent the user's key.

```toml
# ~/.config/orchestra/config.toml (its place on this system: `orchestra doctor`)
[adapters.glm]
base_url = "https://api.z.ai/api/paas/v4"
model = "glm-4.7"
api_key_env = "ZAI_API_KEY"

[chains]
executor = ["glm"]

[run]
mode = "pipeline"
max_concurrency = 4
```
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from orchestra_tui.domain.budget import Budget
from orchestra_tui.domain.doctor import ENVIRONMENT_ADAPTER
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.money import Price
from orchestra_tui.domain.settings import AdapterSettings, CacheSettings, RunSettings, Settings

CONFIG_ENV = "ORCHESTRA_CONFIG"
"""The environment variable that names another configuration file."""


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the user's configuration is read from, whether or not it is there."""
    if named := environment.get(CONFIG_ENV):
        return Path(os.path.expanduser(named))
    return Path(platformdirs.user_config_dir("orchestra", appauthor=False)) / "config.toml"


def key_file_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the user's keys may lie, beside the configuration, whether or not it is there."""
    return config_path(environment).absolute().with_name("keys.env")


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings from the file and the environment; the environment's adapter comes first.

    `ORCHESTRA_BASE_URL` with `ORCHESTRA_MODEL` (and `ORCHESTRA_API_KEY_ENV`, the *name* of the
    variable that holds the key) configures one adapter without a file.
    Raises UsageError with the file, the field and what is wrong with it.
    """
    path = config_path(environment)
    raw = _read(path, is_required=CONFIG_ENV in environment)
    return settings_from(raw, path, environment)


def settings_from(raw: Mapping[str, Any], path: Path, environment: Mapping[str, str]) -> Settings:
    """The settings from what the file at `path` says and the environment.

    The environment's adapter is asked first in every chain. Raises UsageError.
    """
    adapters = [{"name": name, **fields} for name, fields in _table(raw, "adapters", path).items()]
    if from_environment := _environment_adapter(environment):
        adapters.insert(0, from_environment)
    data = {**raw, "adapters": adapters, "run": _run(raw, path)}
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = _place(first["loc"], adapters)
        is_unknown = first["type"] == "extra_forbidden"
        said = _no_such(first["loc"]) if is_unknown else first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: {where}: {said}") from None
    _check_chains(settings, path)
    return _environment_first(settings) if from_environment else settings


def concurrency_of(processors: int | None) -> int:
    """How much runs at once unless the user says: calls wait more than they compute."""
    return max(2, min(8, 2 * (processors or 1)))


def _run(raw: Mapping[str, Any], path: Path) -> object:
    """The run's table with the machine's default; what is no table is left to validation.

    Names are checked here: logs hold these settings too, and must not fail on those of another
    version. Raises UsageError.
    """
    run = raw.get("run", {})
    if not isinstance(run, dict):
        return run
    for name in run:
        if name not in _FIELDS["run"]:
            raise UsageError(f"{path}: run.{name}: {_no_such(('run', name))}")
    return {"max_concurrency": concurrency_of(os.cpu_count()), **run}


_FIELDS: Mapping[str, Iterable[str]] = {
    "": Settings.model_fields,
    "adapters": AdapterSettings.model_fields,
    "budget": Budget.model_fields,
    "cache": CacheSettings.model_fields,
    "prices": Price.model_fields,
    # The others are set by what starts the run.
    "run": RunSettings.model_fields.keys() - {"budget", "unattended", "scenario"},
}
"""What may stand in each table; the key "" is for the tables themselves."""


def _no_such(where: Sequence[int | str]) -> str:
    """A setting that nobody knows, with the name that was probably meant."""
    name = str(where[-1])
    known = list(_FIELDS.get(str(where[0]) if len(where) > 1 else "", ()))
    near = difflib.get_close_matches(name, known, n=2)
    if "key" in name.lower() and where[0] == "adapters" and name != "api_key_env":
        return (
            "there is no such setting: no key stands in this file. Keep it with "
            '`orchestra keys set NAME` and write api_key_env = "NAME"'
        )
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"there is no such setting{meant}"


def _place(where: Sequence[int | str], adapters: Sequence[Mapping[str, Any]]) -> str:
    """The field as the file names it: adapters are counted inside and named outside."""
    match where:
        case ["adapters", int(number), *rest]:
            where = ["adapters", adapters[number]["name"], *rest]
    return ".".join(str(part) for part in where if part != "[key]")


def _read(path: Path, *, is_required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if is_required:
            raise UsageError(f"{path}: there is no such configuration file") from None
        return {}
    except UnicodeDecodeError:
        raise UsageError(f"{path}: cannot be read: it is no UTF-8 text; save it as UTF-8") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None


def _table(raw: Mapping[str, Any], name: str, path: Path) -> dict[str, dict[str, Any]]:
    table = raw.get(name, {})
    if not isinstance(table, dict) or not all(isinstance(v, dict) for v in table.values()):
        raise UsageError(f"{path}: [{name}] must hold tables such as [{name}.NAME]")
    return table


def _environment_adapter(environment: Mapping[str, str]) -> dict[str, Any] | None:
    base_url = environment.get("ORCHESTRA_BASE_URL")
    model = environment.get("ORCHESTRA_MODEL")
    if not base_url and not model:
        return None
    if not base_url or not model:
        missing = "ORCHESTRA_MODEL" if base_url else "ORCHESTRA_BASE_URL"
        raise UsageError(f"{missing} is not set: base URL and model are needed together")
    key = environment.get("ORCHESTRA_API_KEY_ENV")
    return {"name": ENVIRONMENT_ADAPTER, "base_url": base_url, "model": model, "api_key_env": key}


def _environment_first(settings: Settings) -> Settings:
    chains = {
        role: tuple(dict.fromkeys((ENVIRONMENT_ADAPTER, *chain)))
        for role, chain in settings.chains.items()
    }
    return settings.model_copy(update={"chains": chains})


def _check_chains(settings: Settings, path: Path) -> None:
    known = {adapter.name for adapter in settings.adapters}
    for role, chain in settings.chains.items():
        for name in chain:
            if name not in known:
                names = ", ".join(sorted(known)) or "none"
                raise UsageError(
                    f"{path}: chains.{role}: there is no adapter {name!r} (configured: {names})"
                )
