"""Where keys are found and kept: environment, then key file, then system keyring.

The rule a reader must not break: values leave here only as `FoundKeys.values`, for the adapters
and for the list of what is to be kept out of logs. Everything else gets `KnownKey`.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.keys import KeySource, KnownKey, checked_key, checked_name
from orchestra_tui.engine.keys.key_file import KeyFile
from orchestra_tui.engine.keys.system_keyring import KeyringUnusable, SystemKeyring


@dataclass(frozen=True)
class FoundKeys:
    """Keys by name, what may be said of each, and what went wrong, in sentences."""

    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    known: tuple[KnownKey, ...] = ()
    problems: tuple[str, ...] = ()


def open_keys(
    environ: Mapping[str, str], path: Path | None, project: Path | None = None
) -> "KeyStore":
    """The places of this user: `path` is the key file. Without it there is the environment alone.

    `project` is the folder that is worked on.
    """
    if path is None:
        return KeyStore(environ)
    return KeyStore(environ, KeyFile(path, project), SystemKeyring(environ))


@dataclass(frozen=True)
class _Place:
    source: KeySource
    keys: Mapping[str, str] = field(repr=False)
    label: str = ""

    def key(self, name: str) -> str:
        return self.keys.get(name, "").strip()


@dataclass(frozen=True)
class KeyStore:
    """The three places. Without `file` and `ring` there is the environment alone."""

    environ: Mapping[str, str] = field(repr=False)
    file: KeyFile | None = None
    ring: SystemKeyring | None = None

    async def find(self, names: Iterable[str]) -> FoundKeys:
        """The keys of these variables, and those of the file; `known` holds one entry for each.

        The keyring is asked only for what is nowhere else, and then once for all.
        """
        problems: list[str] = []
        environment = _Place(KeySource.ENVIRONMENT, self.environ)
        lines = await self._lines(problems)
        wanted = dict.fromkeys((*names, *lines.keys))
        missing = [name for name in wanted if not (environment.key(name) or lines.key(name))]
        places = (environment, lines, await self._kept(missing, problems))
        values: dict[str, str] = {}
        known = []
        for name in wanted:
            place = next((one for one in places if one.key(name)), _Place(KeySource.NOWHERE, {}))
            if key := place.key(name):
                values[name] = key
            known.append(
                KnownKey(name=name, source=place.source, length=len(key), place=place.label)
            )
        return FoundKeys(MappingProxyType(values), tuple(known), tuple(problems))

    async def store(self, name: str, value: SecretStr) -> KnownKey:
        """Keep a key: in the system keyring if there is a safe one, else in the key file.

        Raises UsageError for a name or value that is none, or if nothing can keep it.
        """
        name = checked_name(name)
        key = checked_key(value.get_secret_value(), name)
        try:
            if self.ring is None:
                raise KeyringUnusable("not asked for")
            place = await self.ring.store(name, key)
        except KeyringUnusable:
            if self.file is None:
                raise UsageError(
                    "there is no place to keep a key: set it in the environment"
                ) from None
            await asyncio.to_thread(self.file.store, name, key)
            place = str(self.file.path)
            return KnownKey(name=name, source=KeySource.FILE, length=len(key), place=place)
        if self.file is not None:
            # The file goes before the keyring: an older key there would win.
            await asyncio.to_thread(self.file.remove, name)
        return KnownKey(name=name, source=KeySource.KEYRING, length=len(key), place=place)

    async def remove(self, name: str) -> tuple[KeySource, ...]:
        """Take a key out of file and keyring; from where. Raises UsageError."""
        name = checked_name(name)
        removed = []
        if self.file is not None and await asyncio.to_thread(self.file.remove, name):
            removed.append(KeySource.FILE)
        if self.ring is not None and self.ring.is_installed:
            try:
                if await self.ring.remove(name):
                    removed.append(KeySource.KEYRING)
            except KeyringUnusable as error:
                if not removed:
                    raise UsageError(f"the system keyring cannot be used: {error}") from None
        return tuple(removed)

    async def _lines(self, problems: list[str]) -> _Place:
        if self.file is None:
            return _Place(KeySource.FILE, {})
        try:
            lines = await asyncio.to_thread(self.file.read)
        except UsageError as error:
            problems.append(str(error))
            lines = {}
        return _Place(KeySource.FILE, lines, str(self.file.path))

    async def _kept(self, names: list[str], problems: list[str]) -> _Place:
        if not names or self.ring is None or not self.ring.is_installed:
            return _Place(KeySource.KEYRING, {})
        try:
            keys, label = await self.ring.get(names)
        except KeyringUnusable as error:
            problems.append(f"no key was looked for in the system keyring: {error}")
            return _Place(KeySource.KEYRING, {})
        return _Place(KeySource.KEYRING, keys, label)
