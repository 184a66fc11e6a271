"""What could work on this machine: one probe a line, asked for one by one and all at once.

The rule a reader must not break: no paid service is contacted and no key is shown; of a key only
its variable's name and its length are said. `is_usable` is true for configured adapters alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from orchestra_tui.domain.doctor import DoctorLine, Offer
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.presets import PRESETS
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings, Settings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.detect_agents import (
    ACP_PROGRAMS,
    configured_agent,
    look_for_agent,
)
from orchestra_tui.engine.adapters.detect_files import configured_file, look_for_engine
from orchestra_tui.engine.adapters.detect_programs import KINDS, NOT_TRIED, look_for_program
from orchestra_tui.engine.adapters.detect_servers import (
    LocalServer,
    local_servers,
    look_for_server,
)
from orchestra_tui.engine.adapters.http import HttpEndpoint, is_loopback
from orchestra_tui.engine.adapters.plugins import is_foreign, package_of
from orchestra_tui.engine.adapters.process.build import CLIENTS, client_key, client_program
from orchestra_tui.engine.adapters.process.private_tree import PrivateTree
from orchestra_tui.engine.adapters.registry import build_adapter

FindKeys = Callable[[], Awaitable[Mapping[str, str]]]
"""Gives the keys that were found, by name."""
LONGEST = 6.0
"""Seconds a probe may take in all; the programs' own limit is 5."""
KEYS: Mapping[str, str] = {
    preset["api_key_env"]: name
    for name, preset in reversed(tuple(PRESETS.items()))
    if "api_key_env" in preset
}
"""Variables of well-known services, each with the first preset that uses it."""
MODELS: Mapping[str, str] = {
    "anthropic": "claude-opus-4-8",
    "bigmodel": "glm-4.7",
    "deepseek": "deepseek-chat",
    "gemini": "gemini-3.1-pro-preview",
    "mistral": "mistral-medium-latest",
    "openai": "gpt-5.5",
    "openrouter": "openrouter/auto",
    "zai": "glm-4.7",
}
"""A model to begin with, by preset; the user changes it in the configuration."""
_NAMES = {"zai": "glm", "bigmodel": "glm"}
_DESIGNED_KEYS = ("GEMINI_API_KEY", "ZAI_API_KEY")
_DESIGNED_PROGRAMS = ("codex", "claude", "gemini")
_FOLDER = "agents work in"
REHEARSAL = DoctorLine(
    name="rehearsal",
    state="found",
    detail="always: no AI, scripted; shows plan, stream, audit, fix and recovery for real",
    key="rehearsal",
    is_free=True,
)


@dataclass(frozen=True)
class _Planned:
    """A line before it was looked for, and how to look."""

    line: DoctorLine
    look: Callable[[], Awaitable[DoctorLine]]


class Probes:
    """What is looked for with these settings.

    `keys` finds the keys, which may take a moment; without it the environment has them all.
    `servers` replaces the usual local ones. With `tree` it says what agent programs work in.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        keys: FindKeys | None = None,
        servers: Sequence[LocalServer] | None = None,
        tree: PrivateTree | None = None,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._find_keys = keys
        self._servers = local_servers(environ) if servers is None else servers
        self._tree = tree
        self._planned = {planned.line.key: planned for planned in self._plan()}

    @property
    def lines(self) -> tuple[DoctorLine, ...]:
        """What will be looked for, in the order to show it: configured adapters first."""
        return tuple(planned.line for planned in self._planned.values())

    async def look(self, key: str) -> DoctorLine:
        """Look for one of the lines. Raises UsageError for a key that is none of them."""
        planned = self._planned.get(key)
        if planned is None:
            raise UsageError(f"the doctor does not look for {clean_line(key)!r}")
        try:
            async with asyncio.timeout(LONGEST):
                found = await planned.look()
        except TimeoutError:
            detail = f"no answer within {LONGEST:g} s"
            found = DoctorLine(name=planned.line.name, state="silent", detail=detail)
        return found.model_copy(update={"key": key, "is_minor": planned.line.is_minor})

    def _plan(self) -> Sequence[_Planned]:
        environ = self._environ
        return (
            *(self._adapter(adapter) for adapter in self._settings.adapters),
            *(self._key(variable) for variable in _DESIGNED_KEYS),
            *(self._key(variable) for variable in KEYS if variable not in _DESIGNED_KEYS),
            *(
                _planned(
                    f"program:{name}",
                    f"{name} CLI",
                    partial(look_for_program, name, environ),
                    is_minor=name not in _DESIGNED_PROGRAMS,
                )
                for name in KINDS
            ),
            *(
                _planned(
                    f"agent:{agent}",
                    f"{program} (ACP)",
                    partial(look_for_agent, agent, environ),
                    is_minor=True,
                )
                for agent, program in ACP_PROGRAMS.items()
            ),
            *(
                _planned(
                    f"server:{server.name}",
                    server.name,
                    partial(look_for_server, server),
                )
                for server in self._servers
            ),
            _planned("gguf", "GGUF file", look_for_engine, is_minor=True),
            *(
                _planned("folder", _FOLDER, partial(_folder_line, tree))
                for tree in (self._tree,)
                if tree is not None
            ),
            _known(REHEARSAL),
        )

    async def _keys(self) -> Mapping[str, str]:
        return self._environ if self._find_keys is None else await self._find_keys()

    def _adapter(self, adapter: AdapterSettings) -> _Planned:
        what = str(adapter.kind) if adapter.is_program else adapter.model or str(adapter.kind)
        name = clean_line(f"{adapter.name} ({what})")
        look = _client if adapter.kind in CLIENTS else _service
        if adapter.kind is AdapterKind.ACP:
            look = configured_agent
        elif adapter.kind is AdapterKind.LOCAL:
            look = configured_file

        async def looked() -> DoctorLine:
            keys = await self._keys()
            line = await look(name, adapter, self._environ, keys)
            facts = {
                "adapter": adapter.name,
                "is_free": _is_free(adapter),
                "key_variable": self._given_here(adapter.api_key_env or ""),
            }
            return line.model_copy(update=facts)

        return _planned(f"adapter:{adapter.name}", name, looked)

    def _given_here(self, variable: str) -> str:
        """The variable if a pasted key counts: the environment goes before it."""
        return "" if self._environ.get(variable, "").strip() else variable

    def _key(self, variable: str) -> _Planned:
        async def looked() -> DoctorLine:
            line = _key_line(variable, await self._keys())
            return line.model_copy(update={"key_variable": self._given_here(variable)})

        return _planned(
            f"key:{variable}", variable, looked, is_minor=variable not in _DESIGNED_KEYS
        )


async def probe(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    keys: FindKeys | None = None,
    servers: Sequence[LocalServer] | None = None,
    tree: PrivateTree | None = None,
) -> tuple[DoctorLine, ...]:
    """Every line, all looked for at once: as long as the slowest takes."""
    probes = Probes(settings, environ, keys=keys, servers=servers, tree=tree)
    return tuple(await asyncio.gather(*(probes.look(line.key) for line in probes.lines)))


def _planned(
    key: str, name: str, look: Callable[[], Awaitable[DoctorLine]], *, is_minor: bool = False
) -> _Planned:
    line = DoctorLine(name=name, state="looking", detail="", key=key, is_minor=is_minor)
    return _Planned(line, look)


def _known(line: DoctorLine) -> _Planned:
    async def looked() -> DoctorLine:
        return line

    return _Planned(line, looked)


async def _folder_line(tree: PrivateTree) -> DoctorLine:
    return DoctorLine(name=_FOLDER, state="found", detail=clean_line(await tree.told()))


def _is_free(adapter: AdapterSettings) -> bool:
    if adapter.kind is AdapterKind.LOCAL:
        return True
    if adapter.is_program or adapter.api_key_env or not adapter.base_url:
        return False
    try:
        return is_loopback(HttpEndpoint(adapter.base_url).name)
    except UsageError:
        return False


async def _client(
    name: str, settings: AdapterSettings, environ: Mapping[str, str], keys: Mapping[str, str]
) -> DoctorLine:
    """A configured agent program: it starts, and its key is there; its login is not tried."""
    try:
        client_key(settings, keys)
    except UsageError as error:
        return DoctorLine(name=name, state="broken", detail=clean_line(str(error)))
    line = await look_for_program(client_program(settings), environ)
    is_usable = line.state == "found"
    detail = (
        line.detail
        if NOT_TRIED in line.detail or not is_usable
        else (f"{line.detail}; {NOT_TRIED}")
    )
    return DoctorLine(name=name, state=line.state, detail=detail, is_usable=is_usable)


async def _service(
    name: str, settings: AdapterSettings, environ: Mapping[str, str], keys: Mapping[str, str]
) -> DoctorLine:
    try:
        adapter = await asyncio.to_thread(build_adapter, settings, environ, keys=keys)
    except UsageError as error:
        return DoctorLine(name=name, state="broken", detail=clean_line(str(error)))
    host = adapter.info().provider
    try:
        if is_foreign(settings):
            words = _key_words(settings.api_key_env, keys)
            package = await asyncio.to_thread(package_of, settings)
            detail = clean_line(f"{host}{words}; from {package}; not tried")
            return DoctorLine(name=name, state="found", detail=detail, is_usable=True)
        if not is_loopback(HttpEndpoint(settings.base_url).name):
            detail = f"{host}{_key_words(settings.api_key_env, keys)}; not contacted"
            return DoctorLine(name=name, state="found", detail=detail, is_usable=True)
        if await adapter.is_available():
            return DoctorLine(name=name, state="found", detail=f"{host} answers", is_usable=True)
    finally:
        await adapter.close()
    detail = f"nothing at {host} takes a request: is the server running?"
    return DoctorLine(name=name, state="silent", detail=detail)


def _key_line(variable: str, keys: Mapping[str, str]) -> DoctorLine:
    key = keys.get(variable, "").strip()
    if not key:
        detail = "not set"
        return DoctorLine(name=variable, state="missing", detail=detail)
    preset = KEYS[variable]
    model = MODELS[preset]
    offer = Offer(name=_NAMES.get(preset, preset), fields={"preset": preset, "model": model})
    detail = f"set{_length(key)}  {model}"
    return DoctorLine(name=variable, state="found", detail=detail, offer=offer)


def _key_words(name: str | None, keys: Mapping[str, str]) -> str:
    return f", {name} is set{_length(keys.get(name, ''))}" if name else ", no key"


def _length(key: str) -> str:
    return f" ({len(key.strip())} characters)"
