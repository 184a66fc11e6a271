"""The environment a check runs in: the user's own, without secrets and without colours.

The rule a reader must not break: tests are code that a model may have written a minute ago; no
key or token of the user is in their reach through the environment.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestra_tui.engine.checks.leash import RUN_MARK

_SECRET = re.compile(
    r"(?:^|_)(?:(?:API|ACCESS|PRIVATE)?KEYS?|\w*TOKENS?|\w*SECRETS?|PASS|\w*PASSW(?:OR)?D|"
    r"PASSPHRASE|CREDENTIALS?|CREDS?|AUTH|PAT|COOKIES?|DSN)(?:_|$)",
    re.IGNORECASE,
)
# What another tool set for itself would change what the project's own tools do.
_FOREIGN = re.compile(
    r"^(?:GIT_(?:DIR|WORK_TREE|INDEX_FILE|PREFIX|OBJECT_DIRECTORY|COMMON_DIR)|PYTHONHOME|"
    r"PYTEST_(?:CURRENT_TEST|VERSION|XDIST_\w+)|FORCE_COLOR|CLICOLOR_FORCE|NODE_TEST_CONTEXT|"
    r"MAKEFLAGS|MAKELEVEL|MFLAGS|TEXTUAL\w*|COV_CORE_\w+)$"
)


def check_environment(
    base: Mapping[str, str], extra: Iterable[tuple[str, str]], *, folder: Path, mark: str
) -> dict[str, str]:
    """The variables for one run; caches and reports go to `folder`, not into the project."""
    kept = {
        name: value
        for name, value in base.items()
        if not is_secret(name) and not _FOREIGN.match(name)
    }
    for name, text in extra:
        value = text.replace("$CHECK_TMP", str(folder))
        old = kept.get(name)
        is_path = name.endswith("PATH") and old
        kept[name] = f"{value}{os.pathsep}{old}" if is_path else value
    return kept | {
        RUN_MARK: mark,
        "CHECK_TMP": str(folder),
        "CI": "true",
        "NO_COLOR": "1",
        "PY_COLORS": "0",
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "COVERAGE_FILE": str(folder / "coverage"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        "GIT_TERMINAL_PROMPT": "0",
        "npm_config_update_notifier": "false",
        "npm_config_logs_max": "0",
        "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
        "DOTNET_NOLOGO": "1",
    }


def is_secret(name: str) -> bool:
    """True if a variable of this name may hold a key, a token or a password."""
    return _SECRET.search(name) is not None
