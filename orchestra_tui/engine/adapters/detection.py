"""What could work on this machine: everything is probed at once, and nothing is spent.

The rule a reader must not break: no paid service is contacted and no key is shown; of a key only
its variable's name and its length are said. `is_usable` is true for configured adapters alone.
"""

import asyncio
from collections.abc import Mapping, Sequence

from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ports import DoctorLine
from orchestra_tui.domain.presets import PRESETS
from orchestra_tui.domain.settings import AdapterSettings, Settings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.detect_programs import PROGRAMS, look_for_program
from orchestra_tui.engine.adapters.detect_servers import (
    LocalServer,
    local_servers,
    look_for_server,
)
from orchestra_tui.engine.adapters.http import HttpEndpoint, is_loopback
from orchestra_tui.engine.adapters.process.build import CLIENTS, client_key, client_program
from orchestra_tui.engine.adapters.registry import build_adapter

KEYS: Mapping[str, str] = {
    preset["api_key_env"]: name
    for name, preset in reversed(tuple(PRESETS.items()))
    if "api_key_env" in preset
}
"""Variables of well-known services, each with the first preset that uses it."""


async def probe(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    keys: Mapping[str, str] | None = None,
    servers: Sequence[LocalServer] | None = None,
) -> tuple[DoctorLine, ...]:
    """Everything that was looked for: configured adapters first, the rehearsal last.

    Takes as long as the slowest probe (5 s at most). `keys` are those that were found, by name;
    without them the environment has them all. `servers` replaces the usual local ones.
    """
    wanted = local_servers(environ) if servers is None else servers
    keys = environ if keys is None else keys
    found = await asyncio.gather(
        *(_configured(adapter, environ, keys) for adapter in settings.adapters),
        *(look_for_program(name, environ) for name in PROGRAMS),
        *(look_for_server(server) for server in wanted),
    )
    count = len(settings.adapters)
    return (*found[:count], *_keys(keys), *found[count:], REHEARSAL)


REHEARSAL = DoctorLine(
    name="rehearsal",
    state="found",
    detail="always: no AI, scripted; shows plan, stream, audit, fix and recovery for real",
)


async def _client(
    settings: AdapterSettings, environ: Mapping[str, str], keys: Mapping[str, str]
) -> DoctorLine:
    """A configured agent program: it starts, and its key is there; its login is not tried."""
    name = clean_line(f"{settings.name} ({settings.kind})")
    try:
        client_key(settings, keys)
    except UsageError as error:
        return DoctorLine(name=name, state="broken", detail=clean_line(str(error)))
    line = await look_for_program(client_program(settings), environ)
    detail = f"{line.detail}; its login is not tried" if line.state == "found" else line.detail
    is_usable = line.state == "found"
    return DoctorLine(name=name, state=line.state, detail=detail, is_usable=is_usable)


async def _configured(
    settings: AdapterSettings, environ: Mapping[str, str], keys: Mapping[str, str]
) -> DoctorLine:
    if settings.kind in CLIENTS:
        return await _client(settings, environ, keys)
    name = clean_line(f"{settings.name} ({settings.model})")
    try:
        adapter = build_adapter(settings, environ, keys=keys)
    except UsageError as error:
        return DoctorLine(name=name, state="broken", detail=clean_line(str(error)))
    host = adapter.info().provider
    try:
        if not is_loopback(HttpEndpoint(settings.base_url).name):
            detail = f"{host}{_key_words(settings.api_key_env, keys)}; not contacted"
            return DoctorLine(name=name, state="found", detail=detail, is_usable=True)
        if await adapter.is_available():
            return DoctorLine(name=name, state="found", detail=f"{host} answers", is_usable=True)
    finally:
        await adapter.close()
    detail = f"nothing at {host} takes a request: is the server running?"
    return DoctorLine(name=name, state="silent", detail=detail)


def _keys(keys: Mapping[str, str]) -> list[DoctorLine]:
    lines = []
    for name, preset in KEYS.items():
        if not keys.get(name, "").strip():
            continue
        detail = f'set{_length(keys[name])}; preset = "{preset}" uses it'
        lines.append(DoctorLine(name=name, state="found", detail=detail))
    if not lines:
        detail = f"none of {', '.join(KEYS)} is set"
        lines.append(DoctorLine(name="API keys", state="missing", detail=detail))
    return lines


def _key_words(name: str | None, keys: Mapping[str, str]) -> str:
    return f", {name} is set{_length(keys.get(name, ''))}" if name else ", no key"


def _length(key: str) -> str:
    return f" ({len(key.strip())} characters)"
