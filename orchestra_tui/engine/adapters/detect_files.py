"""Model files on this machine: is there an engine for them, and is the configured file one.

The rule a reader must not break: nothing is loaded, neither the engine nor a model; and no folder
is searched for files: which one to take is the user's to say.
"""

import asyncio
from collections.abc import Mapping

from orchestra_tui.domain.doctor import DoctorLine
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.base import AdapterError
from orchestra_tui.engine.adapters.local.adapter import build_local, has_engine, model_file
from orchestra_tui.engine.adapters.local.models import LocalModels, look_at

NAME = "GGUF file"
_MEGABYTE = 1_000_000


async def look_for_engine() -> DoctorLine:
    """Whether a model file could be used; which one is not looked for."""
    if not await asyncio.to_thread(has_engine):
        detail = 'pip install "orchestra-tui[local]", then choose a .gguf file'
        return DoctorLine(name=NAME, state="missing", detail=detail)
    detail = 'choose a .gguf file: kind = "local", model_path = "..." in the configuration'
    return DoctorLine(name=NAME, state="missing", detail=detail)


async def configured_file(
    name: str, settings: AdapterSettings, environ: Mapping[str, str], keys: Mapping[str, str]
) -> DoctorLine:
    """A configured model file: it is there, and it is one; it is not loaded."""
    file = model_file(settings)
    try:
        build_local(settings, LocalModels(environ), owns=True)
        size = await asyncio.to_thread(look_at, file.path)
    except (UsageError, AdapterError) as error:
        return DoctorLine(name=name, state="broken", detail=clean_line(str(error)))
    detail = clean_line(f"{file.path} ({size / _MEGABYTE:.0f} MB); not loaded")
    return DoctorLine(name=name, state="found", detail=detail, is_usable=True)
