"""The adapter for a model file: chat completions with a child of ours on loopback.

The rule a reader must not break: nothing is loaded before the first call, and a child that died
is replaced by the next call, not by this one: the chain and its breaker decide.
"""

import importlib.util
import os
from pathlib import Path

from pydantic import SecretStr

from orchestra_tui.domain.calls import AdapterInfo
from orchestra_tui.domain.errors import NotConfigured
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    Completion,
    CompletionRequest,
    ConnectionFailed,
    InvalidResponse,
    OnDelta,
    ProcessFailed,
    StreamCut,
)
from orchestra_tui.engine.adapters.local.models import (
    INSTALL,
    LocalModels,
    ModelFile,
    ModelServer,
    Serving,
)
from orchestra_tui.engine.adapters.openai_compatible import build_openai_compatible
from orchestra_tui.engine.adapters.streaming import Access, StreamingAdapter

PACKAGE = "xllamacpp"
CONTEXT = 8192
PROVIDER = "this machine"


def has_engine() -> bool:
    """The package is there; it is not loaded."""
    return importlib.util.find_spec(PACKAGE) is not None


def model_file(settings: AdapterSettings) -> ModelFile:
    """What these settings load: by default with half of the processors."""
    threads = settings.threads or max(1, (os.cpu_count() or 2) // 2)
    # The home of a user who is not here is left as it is written: such a file cannot be read.
    path = Path(os.path.expanduser(settings.model_path))
    return ModelFile(path.absolute(), settings.context or CONTEXT, threads)


def build_local(settings: AdapterSettings, models: LocalModels, *, owns: bool) -> "LocalAdapter":
    """The adapter; with `owns` it closes `models`. Raises NotConfigured without the package."""
    if not has_engine():
        raise NotConfigured(f"the adapter {settings.name} needs the package {PACKAGE}: {INSTALL}")
    return LocalAdapter(settings, models, owns=owns)


class LocalAdapter:
    """One model file. The child may be shared with other adapters of the same file."""

    def __init__(self, settings: AdapterSettings, models: LocalModels, *, owns: bool) -> None:
        self._models = models
        self._owns = owns
        self._server: ModelServer = models.server(model_file(settings))
        self._reached: tuple[Serving, StreamingAdapter] | None = None
        name = settings.model or self._server.file.name
        self._settings = settings.model_copy(update={"model": name})
        self._info = AdapterInfo(name=settings.name, model=name, provider=PROVIDER)

    def info(self) -> AdapterInfo:
        """The configured name and the file's; needs no child."""
        return self._info

    async def is_available(self) -> bool:
        """True if the file is there; nothing is loaded."""
        return self._server.file.path.is_file()

    async def close(self) -> None:
        """Close the connections, and the children if they are ours alone."""
        if self._reached is not None:
            await self._reached[1].close()
            self._reached = None
        if self._owns:
            await self._models.close()

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        """Load the model if nobody did, and ask. Raises AdapterError."""
        try:
            serving = await self._server.serving(request.first_byte_timeout)
        except AdapterError as error:
            error.args = (f"{self._info.name}: {error}",)
            raise
        adapter = await self._reach(serving)
        try:
            return await adapter.execute(request, on_delta)
        except (ConnectionFailed, StreamCut, InvalidResponse) as error:
            # It may have died, also within a line; after any other error it lives.
            if why := await self._server.death():
                said = f"{self._info.name}: {why}"
                raise ProcessFailed(said, partial=error.partial) from error
            raise

    async def _reach(self, serving: Serving) -> StreamingAdapter:
        if self._reached is None or self._reached[0] != serving:
            if self._reached is not None:
                await self._reached[1].close()
            access = Access(
                name=self._info.name,
                base_url=f"{serving.url}/v1",
                model=self._info.model,
                api_key=SecretStr(serving.key),
            )
            self._reached = serving, build_openai_compatible(self._settings, access)
        return self._reached[1]
