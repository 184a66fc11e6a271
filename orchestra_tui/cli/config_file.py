"""The user's configuration file, changed where it must be and left alone everywhere else.

The rule a reader must not break: what is written is read back first, and means exactly what was
asked for, or the file stays as it is. The bytes before each change stay in a backup beside it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from orchestra_tui.config import CONFIG_ENV, config_path, load_settings, settings_from
from orchestra_tui.domain.doctor import ENVIRONMENT_ADAPTER, Configuration, Offer
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.settings import Settings
from orchestra_tui.engine.store.atomic import write_atomic

HEAD = "# Written by Orchestra; yours to edit. What can stand here: docs/configuration.md\n"
_PRIVATE = 0o600
_COMMENTED = re.compile(
    r"""^\s*\[?\s*(?:["'](?P<name>[^"']*)["'])?[^#\n]*#(?P<comment>.*)$""", re.M
)
"""A line of an array that ends in a comment, with the first name in it."""

Chains = Mapping[Role, Sequence[str]]


@dataclass(frozen=True)
class _Change:
    """The file as it was and as it would be; `before` None means there is none yet."""

    before: bytes | None
    after: bytes
    settings: Settings


class ConfigFile:
    """The file that `config_path` names; implements `SettingsStore`. Its methods block."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._path = config_path(environment)

    def read(self) -> Configuration:
        """What it says of agents. Raises UsageError for a file that cannot be read."""
        settings = load_settings(self._environment)
        written = {
            role: tuple(name for name in chain if name != ENVIRONMENT_ADAPTER)
            for role, chain in settings.chains.items()
        }
        return Configuration(
            place=str(self._path),
            adapters=settings.adapters,
            chains={role: chain for role, chain in written.items() if chain},
        )

    def preview(self, offers: Sequence[Offer], chains: Chains) -> Settings:
        """The settings as they would be after `save`. Raises UsageError."""
        return self._change(offers, chains).settings

    def save(self, offers: Sequence[Offer], chains: Chains) -> Settings:
        """Write the change, with a backup of what was there. Raises UsageError."""
        change = self._change(offers, chains)
        # A link stays a link: many people keep such files elsewhere.
        place = self._path.resolve()
        if change.after == change.before:
            return change.settings
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if _bytes(place) != change.before:
                raise UsageError(f"{self._path}: it was changed meanwhile; nothing was written")
            mode = _PRIVATE if change.before is None else place.stat().st_mode & 0o7777
            if change.before:
                _back_up(place, change.before, mode)
            write_atomic(place, change.after)
            place.chmod(mode)
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be written: {error}") from None
        return change.settings

    def _change(self, offers: Sequence[Offer], chains: Chains) -> _Change:
        before = self._before()
        try:
            text = (before or b"").decode("utf-8")
            raw = tomllib.loads(text)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{self._path}: cannot be read: {error}") from None
        if any(ENVIRONMENT_ADAPTER in chain for chain in chains.values()):
            raise UsageError(
                "the adapter of ORCHESTRA_BASE_URL is in no file: no chain can name it"
            )
        try:
            after = _edited(text or HEAD, offers, chains)
            is_exact = tomllib.loads(after) == _expected(raw, offers, chains)
        except (TOMLKitError, TypeError, ValueError, AttributeError):
            is_exact = False
        if not is_exact:
            raise UsageError(
                f"{self._path}: it is written in a way that cannot be changed safely; add by hand: "
                f"{_by_hand(offers, chains)}"
            )
        settings = settings_from(tomllib.loads(after), self._path, self._environment)
        return _Change(before, after.encode(), settings)

    def _before(self) -> bytes | None:
        try:
            found = _bytes(self._path)
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be read: {error}") from None
        if found is None and CONFIG_ENV in self._environment:
            raise UsageError(f"{self._path}: there is no such configuration file")
        return found


def _edited(text: str, offers: Sequence[Offer], chains: Chains) -> str:
    document = tomlkit.parse(text)
    # What is new goes to the end of the file, where no comment of the user can change its place.
    added = tomlkit.document()
    if offers:
        entries = tomlkit.table(is_super_table=True)
        for offer in offers:
            entries[offer.name] = tomlkit.item(offer.fields)
        added["adapters"] = entries
    table = document.get("chains")
    if table is not None:
        _change_chains(table, chains)
    elif wanted := {role.value: list(names) for role, names in chains.items() if names}:
        added["chains"] = wanted
    kept, more = tomlkit.dumps(document), tomlkit.dumps(added)
    if more:
        kept = f"{kept}{'' if kept.endswith(chr(10)) else chr(10)}{chr(10)}{more}"
    return _with_line_ends_of(text, kept)


def _with_line_ends_of(text: str, changed: str) -> str:
    """With CRLF throughout if the text had it throughout; what tomlkit adds ends in LF."""
    crlf = text.count("\r\n")
    if not crlf or crlf != text.count("\n"):
        return changed
    return changed.replace("\r\n", "\n").replace("\n", "\r\n")


def _change_chains(table: Any, chains: Chains) -> None:  # noqa: ANN401 - any of tomlkit's tables
    for role, names in chains.items():
        old = table.get(role.value)
        if not names:
            table.pop(role.value, None)
        elif old is None or list(old) != list(names):
            table[role.value] = _array(names, old.as_string() if old is not None else "")


def _array(names: Sequence[str], old: str) -> Array:
    """The names as an array; comments that stood in the old one stay, each at its name."""
    array = tomlkit.array()
    if "#" not in old:
        array.extend(names)
        return array
    comments: dict[str, str] = {}
    for found in _COMMENTED.finditer(old):
        if found["name"] in names:
            comments[found["name"]] = found["comment"].strip()
        else:
            array.add_line(comment=found["comment"].strip(), add_comma=False)
    for name in names:
        array.add_line(name, comment=comments.get(name))
    array.add_line(indent="")
    return array


def _expected(raw: Mapping[str, Any], offers: Sequence[Offer], chains: Chains) -> dict[str, Any]:
    """What the file must mean after the change, whatever way it is written."""
    expected = dict(raw)
    if offers:
        added = {offer.name: dict(offer.fields) for offer in offers}
        own = raw.get("adapters", {})
        if added.keys() & own.keys():
            raise ValueError("an adapter of this name is there already")
        expected["adapters"] = {**own, **added}
    if chains and ("chains" in raw or any(chains.values())):
        merged = {
            **raw.get("chains", {}),
            **{role.value: list(names) for role, names in chains.items()},
        }
        unset = {role.value for role, names in chains.items() if not names}
        expected["chains"] = {role: names for role, names in merged.items() if role not in unset}
    return expected


def _by_hand(offers: Sequence[Offer], chains: Chains) -> str:
    tables = [
        f"[adapters.{offer.name}] "
        + ", ".join(f'{field} = "{value}"' for field, value in offer.fields.items())
        for offer in offers
    ]
    lists = [f"{role.value} = {list(names)}" for role, names in chains.items()]
    return "; ".join([*tables, *(["[chains] " + ", ".join(lists)] if lists else [])])


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _back_up(place: Path, data: bytes, mode: int) -> None:
    """Keep `data` beside the file, under a name that is free, unless it is kept there already."""
    number = 1
    while True:
        backup = place.with_name(f"{place.name}.bak{f'.{number}' if number > 1 else ''}")
        with suppress(FileNotFoundError):
            if backup.read_bytes() == data:
                return
        try:
            with backup.open("xb") as file:
                file.write(data)
            backup.chmod(mode)
        except FileExistsError:
            number += 1
            continue
        return
