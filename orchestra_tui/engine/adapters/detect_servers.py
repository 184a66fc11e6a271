"""Model servers on this machine, told by the shape of what they answer and not by their port.

The rule a reader must not break: a development site on port 8080 must read "foreign". Nothing is
asked for but lists of models, and no key is sent.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestra_tui.domain.doctor import DoctorLine, Offer
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.presets import PRESETS
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.http import HttpEndpoint

SECONDS = 1.0
MAX_MODELS = 3
MAX_NAME = 40
MAX_MODEL = 200

OLLAMA_PORT = 11434


@dataclass(frozen=True)
class LocalServer:
    """Where a server usually listens, where it lists its models, and how to read the list.

    `models` gives the names, or None if the answer is not of this kind of server.
    """

    name: str
    url: str
    path: str
    models: Callable[[object], list[str] | None]
    base_url: str
    preset: str


async def look_for_server(server: LocalServer, *, seconds: float = SECONDS) -> DoctorLine:
    """Whether the server is there; `found` names its first models and how to use it."""
    try:
        endpoint = HttpEndpoint(server.url)
    except UsageError as error:
        return DoctorLine(name=server.name, state="broken", detail=str(error))
    try:
        look = await endpoint.look(server.path, seconds=seconds)
    finally:
        await endpoint.close()
    host = endpoint.host
    if look.is_silent:
        detail = f"{host} gave no answer within {seconds:g} s"
        return DoctorLine(name=server.name, state="silent", detail=detail)
    if look.status is None:
        return DoctorLine(name=server.name, state="missing", detail=f"nothing at {host}")
    models = server.models(_json(look.body))
    if models is None:
        detail = f"something else answers at {host}"
        return DoctorLine(name=server.name, state="foreign", detail=detail)
    names = ", ".join(clean_line(name)[:MAX_NAME] for name in models[:MAX_MODELS])
    more = ", ..." if len(models) > MAX_MODELS else ""
    detail = f"{host}  {names or 'no model yet'}{more}"
    offer = _offer(server, models)
    return DoctorLine(name=server.name, state="found", detail=detail, offer=offer, is_free=True)


def _offer(server: LocalServer, models: list[str]) -> Offer | None:
    """The first model that can write; those that make vectors cannot.

    What is no name but bytes of somebody who plays is not offered: it would be written to a file.
    """
    writers = [
        name
        for name in models
        if name and name.isprintable() and len(name) <= MAX_MODEL and not _makes_vectors(name)
    ]
    if not writers:
        return None
    fields = {"preset": server.preset, "model": writers[0]}
    if server.base_url != PRESETS[server.preset]["base_url"]:
        fields["base_url"] = server.base_url
    return Offer(name=server.preset, fields=fields, is_free=True)


def _makes_vectors(name: str) -> bool:
    return "embed" in name.casefold()


def local_servers(environ: Mapping[str, str]) -> tuple[LocalServer, ...]:
    """The servers that are looked for; OLLAMA_HOST is respected."""
    ollama = _ollama_url(environ.get("OLLAMA_HOST", ""))
    return (
        LocalServer("Ollama", ollama, "api/tags", ollama_models, f"{ollama}/v1", "ollama"),
        LocalServer(
            "LM Studio",
            "http://127.0.0.1:1234/v1",
            "models",
            lm_studio_models,
            "http://127.0.0.1:1234/v1",
            "lmstudio",
        ),
        LocalServer(
            "llama.cpp",
            "http://127.0.0.1:8080/v1",
            "models",
            llama_cpp_models,
            "http://127.0.0.1:8080/v1",
            "llamacpp",
        ),
    )


def ollama_models(data: object) -> list[str] | None:
    """Names from `{"models": [{"name": ...}]}`."""
    models = data.get("models") if isinstance(data, dict) else None
    return _names(models, "name")


def lm_studio_models(data: object) -> list[str] | None:
    """Names from `{"data": [{"id": ...}]}`, unless llama.cpp says it is its own."""
    models = data.get("data") if isinstance(data, dict) else None
    return None if _owners(models) == {"llamacpp"} else _names(models, "id")


def llama_cpp_models(data: object) -> list[str] | None:
    """Names from `{"data": [{"id": ..., "owned_by": "llamacpp"}]}`."""
    models = data.get("data") if isinstance(data, dict) else None
    return _names(models, "id") if _owners(models) == {"llamacpp"} else None


def _owners(models: object) -> set[str]:
    entries = models if isinstance(models, list) else []
    return {str(entry.get("owned_by")) for entry in entries if isinstance(entry, dict)}


def _names(models: object, field: str) -> list[str] | None:
    if not isinstance(models, list):
        return None
    names = [entry.get(field) for entry in models if isinstance(entry, dict)]
    whole = [name for name in names if isinstance(name, str)]
    return whole if len(whole) == len(models) else None


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _ollama_url(host: str) -> str:
    """A URL from OLLAMA_HOST, which may lack scheme and port; 0.0.0.0 is where it listens."""
    host = host.strip().rstrip("/") or "127.0.0.1"
    scheme, found, rest = host.rpartition("://")
    name = rest.replace("0.0.0.0", "127.0.0.1", 1)  # noqa: S104 - it is replaced, not bound
    has_port = name.rpartition(":")[2].isdecimal() or "/" in name
    return f"{scheme if found else 'http'}://{name}{'' if has_port else f':{OLLAMA_PORT}'}"
