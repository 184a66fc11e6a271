"""`orchestra keys`: what keys there are, and keeping one without showing it to anybody.

The rule a reader must not break: a key is read from the terminal without echo or from stdin. An
argument is seen by every user of the machine and stays in the shell's history.
"""

import asyncio
import getpass
import json
import os
import sys

from pydantic import SecretStr

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.top import DONE, PARTIAL
from orchestra_tui.config import key_file_path, load_settings
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.keys import MAX_LENGTH, KeySource, KnownKey, checked_name
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.detection import KEYS
from orchestra_tui.engine.keys.key_store import KeyStore, open_keys


def run_keys(arguments: Arguments) -> int:
    """List, set or remove; 1 if there was nothing to list or to remove."""
    store = open_keys(os.environ, key_file_path())
    match arguments.key_action:
        case "set":
            return _set(store, arguments)
        case "remove":
            return _remove(store, arguments.key_name)
        case _:
            return _list(store, arguments)


def _list(store: KeyStore, arguments: Arguments) -> int:
    found = asyncio.run(store.find((*load_settings().key_names, *KEYS)))
    there = [key for key in found.known if key.is_there]
    for problem in found.problems:
        print(f"orchestra: {clean_line(problem)}", file=sys.stderr)
    if arguments.json:
        for key in there:
            print(json.dumps(key.model_dump(mode="json")))
    else:
        for key in there:
            print(clean_line(f"{key.name:<24} {key.length:>4} characters  {_where(key)}"))
        if not there:
            print(
                "no key is set: `orchestra keys set NAME`, with the name of its variable, such as "
                "GEMINI_API_KEY"
            )
    return DONE if there else PARTIAL


def _set(store: KeyStore, arguments: Arguments) -> int:
    if arguments.has_key_argument:
        raise UsageError(
            "a key is never given as an argument, where other users and your shell's history keep "
            "it: run `orchestra keys set NAME` and paste it there (and take it out of the history)"
        )
    name = checked_name(arguments.key_name)
    kept = asyncio.run(store.store(name, _read_value(name)))
    print(f"{name}: {kept.length} characters are kept in {_where(kept)}")
    if os.environ.get(name, "").strip():
        print(f"but {name} is also set in the environment, and that goes first")
    return DONE


def _remove(store: KeyStore, name: str) -> int:
    removed = asyncio.run(store.remove(name))
    in_environment = bool(os.environ.get(name, "").strip())
    if removed:
        print(f"{name} is removed ({', '.join(_PLACES[source] for source in removed)})")
    elif not in_environment:
        print(f"there is no key {name}")
    if in_environment:
        print(f"{name} is set in the environment, which is not ours to change")
    return DONE if removed else PARTIAL


_PLACES = {
    KeySource.ENVIRONMENT: "the environment",
    KeySource.FILE: "the key file",
    KeySource.KEYRING: "the system keyring",
    KeySource.NOWHERE: "nowhere",
}


def _where(key: KnownKey) -> str:
    place = f" ({clean_line(key.place)})" if key.place else ""
    return f"{_PLACES[key.source]}{place}"


def _read_value(name: str) -> SecretStr:
    if not sys.stdin.isatty():
        return SecretStr(sys.stdin.read(2 * MAX_LENGTH))
    try:
        return SecretStr(getpass.getpass(f"key for {name} (it is not shown): "))
    except EOFError:
        return SecretStr("")
