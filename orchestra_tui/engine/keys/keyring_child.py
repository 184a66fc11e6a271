"""A child that asks the system keyring: one JSON question on stdin, one JSON answer on stdout.

The rule a reader must not break: this file is run on its own (`python -I keyring_child.py`) and
imports the standard library and `keyring` only. Backends talk to D-Bus, to a key chain, to a
dialog that waits for a person: whatever they do, killing this process ends it.

    {"do": "get", "service": "...", "names": ["A", "B"]}   -> {"backend": "...", "values": {...}}
    {"do": "set", "service": "...", "name": "A", "value": "..."}   -> {"backend": "..."}
    {"do": "delete", "service": "...", "name": "A"}   -> {"backend": "...", "was_there": true}
"""

import json
import sys
from typing import Any

import keyring
from keyring.errors import PasswordDeleteError

RECOMMENDED = 1.0
"""Backends below this priority store nothing, or store in the clear."""


def main() -> None:
    """Answer the one question. Whatever the backend raises ends the process."""
    asked: dict[str, Any] = json.load(sys.stdin)
    backend = keyring.get_keyring()
    service: str = asked["service"]
    answer: dict[str, Any] = {"backend": backend.name}
    if float(backend.priority) < RECOMMENDED:
        answer["unusable"] = True
    elif asked["do"] == "get":
        found = {name: keyring.get_password(service, name) for name in asked["names"]}
        answer["values"] = {name: value for name, value in found.items() if value}
    elif asked["do"] == "set":
        keyring.set_password(service, asked["name"], asked["value"])
    elif asked["do"] == "delete":
        answer["was_there"] = _delete(service, asked["name"])
    json.dump(answer, sys.stdout)


def _delete(service: str, name: str) -> bool:
    try:
        keyring.delete_password(service, name)
    except PasswordDeleteError:
        return False
    return True


if __name__ == "__main__":
    main()
