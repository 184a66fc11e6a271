"""A backend for the real `keyring` library that keeps entries in a JSON file, or misbehaves.

`ORCHESTRA_TEST_KEYRING` names the file. A key named HANG never comes back, one named BROKEN raises
what no keyring library foresees, with the value in its text.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class Keyring(KeyringBackend):
    """Entries in a file; as good as any system's for a test."""

    priority: Any = 5

    @property
    def _file(self) -> Path:
        return Path(os.environ["ORCHESTRA_TEST_KEYRING"])

    def _entries(self) -> dict[str, str]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        _misbehave(username)
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        _misbehave(username, password)
        self._file.write_text(json.dumps({**self._entries(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not there")
        self._file.write_text(json.dumps(entries))


def _misbehave(name: str, value: str = "") -> None:
    if name == "HANG":
        time.sleep(3600)
    if name == "BROKEN":
        raise ZeroDivisionError(f"the bus is gone while {value} was stored")
