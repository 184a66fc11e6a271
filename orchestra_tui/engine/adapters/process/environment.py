"""What a client may see of the user's environment: a list of names, never everything but some.

The rule a reader must not break: the key of one provider is never in the environment of another
provider's client. What is needed beyond these lists is named by the user, per adapter.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

COMMON = (
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    # How the network and its certificates are reached.
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    # Windows starts no program without these.
    "APPDATA",
    "COMSPEC",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERPROFILE",
)


def client_environment(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The common variables, those of `names`, and a PATH without relative entries."""
    kept = {name: environ[name] for name in (*COMMON, *names) if name in environ}
    return {"TERM": "dumb", **kept, "NO_COLOR": "1", "PATH": absolute_path(environ)}


def temporary_folder(folder: Path) -> dict[str, str]:
    """The variables that send a client's temporary files into `folder`, to be removed with it."""
    return dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(folder))


def absolute_path(environ: Mapping[str, str]) -> str:
    """PATH without relative entries: a repository must not bring the program that is started."""
    entries = environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if Path(entry).is_absolute())


def find_program(command: str, environ: Mapping[str, str]) -> str | None:
    """The absolute path of a program by name or path; None if it is not there."""
    home = environ.get("HOME", "")
    if home and command.startswith("~/"):
        command = f"{home}{command[1:]}"
    found = shutil.which(command, path=absolute_path(environ))
    return found if found and Path(found).is_absolute() else None
