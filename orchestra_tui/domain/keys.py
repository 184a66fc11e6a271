"""Keys of providers by the name of their variable: where one was found, never what it is.

The rule a reader must not break: no value of a key is held in anything here; of a key only its
name, its length and its place may be said.
"""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.errors import UsageError

MAX_LENGTH = 8192
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class KeySource(StrEnum):
    """Where keys may lie, in the order in which they are looked for."""

    ENVIRONMENT = "environment"
    FILE = "file"
    KEYRING = "keyring"
    NOWHERE = "nowhere"


class KnownKey(BaseModel):
    """A key by its variable's name. `place` names the file or the keyring, for a person."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    source: KeySource
    length: int = 0
    place: str = ""

    @property
    def is_there(self) -> bool:
        """It was found somewhere."""
        return self.source is not KeySource.NOWHERE


def name_problem(name: str) -> str:
    """Why `name` cannot be the name of a variable; empty if it can. It is never repeated: people
    paste the key itself here."""
    if not _NAME.fullmatch(name):
        return "that is no name of a variable: letters, digits and _, such as GEMINI_API_KEY"
    kinds = (str.isupper, str.islower, str.isdigit)
    if len(name) >= 24 and all(any(map(kind, name)) for kind in kinds):
        return "that looks like the key itself: give the name of a variable, such as GEMINI_API_KEY"
    return ""


def checked_name(name: str) -> str:
    """The name of a key's variable. Raises UsageError."""
    if problem := name_problem(name):
        raise UsageError(problem)
    return name


def checked_key(value: str, name: str) -> str:
    """A key without the blanks and line ends of a paste. Raises UsageError."""
    key = value.strip()
    if not key:
        raise UsageError(f"the key for {name} is empty: nothing was stored")
    if len(key) > MAX_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"the key for {name} holds characters that no key has, or is too long: paste it again"
        )
    return key
