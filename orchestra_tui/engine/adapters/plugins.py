"""Adapters of other packages, found by the entry point group `orchestra_tui.adapters`.

The rule a reader must not break: nothing of a package is imported before a configured adapter
names its kind, and this module is the boundary behind which a plugin may fail as it likes. What
it raises becomes a sentence, what it returns is looked at, and its silence is bounded.
"""

import asyncio
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points

from pydantic import SecretStr

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind, Usage, token_count
from orchestra_tui.domain.errors import OrchestraError, UsageError
from orchestra_tui.domain.money import Cost
from orchestra_tui.domain.secret_forms import forms_of
from orchestra_tui.domain.settings import AdapterKind, AdapterSettings
from orchestra_tui.domain.text import clean_line, redact
from orchestra_tui.engine.adapters.base import (
    Adapter,
    AdapterError,
    Completion,
    CompletionRequest,
    EmptyResponse,
    InvalidResponse,
    OnDelta,
    ProcessFailed,
)
from orchestra_tui.engine.adapters.clocks import ReplyClock
from orchestra_tui.engine.adapters.timing import RateHint
from orchestra_tui.engine.adapters.whole_text import whole_text

GROUP = "orchestra_tui.adapters"
MAX_WORDS = 300
SMALL_VERB = 5.0
"""Seconds for everything but an answer."""
_ANYTHING = (Exception, SystemExit)
"""What a package may raise; the second would end the event loop, and with it every session."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AdapterContext:
    """What a builder is given: the settings of one adapter, and its key if `api_key_env` is set.

    More may come with a later version; nothing goes.
    """

    settings: AdapterSettings
    api_key: SecretStr | None = None


def is_foreign(settings: AdapterSettings) -> bool:
    """True if the kind is not one of ours."""
    return not isinstance(settings.kind, AdapterKind)


def package_of(settings: AdapterSettings) -> str:
    """Name and version of the package that brings this kind. Raises UsageError if none does."""
    return _package(_entry(settings))


def build_plugin(settings: AdapterSettings, api_key: SecretStr | None) -> Adapter:
    """The adapter that another package builds. Blocks (imports). Raises UsageError."""
    entry = _entry(settings)
    who = f"the adapter {settings.name} ({settings.kind}, from {_package(entry)})"
    secrets = forms_of([api_key.get_secret_value()] if api_key else [])
    try:
        adapter: Adapter = entry.load()(AdapterContext(settings, api_key))
        return ForeignAdapter(adapter, settings, secrets)
    except OrchestraError as error:
        raise UsageError(f"{who}: {clean_line(redact(str(error), secrets))}") from error
    except _ANYTHING as error:
        raise UsageError(f"{who} cannot be built: {_said(error, secrets)}") from error


class ForeignAdapter:
    """An adapter of a package, held to the port: errors, types, clocks, and its name.

    `secrets` are the forms of its key, which it may repeat in what it raises.
    """

    def __init__(self, adapter: Adapter, settings: AdapterSettings, secrets: Iterable[str]) -> None:
        said = adapter.info()
        self._adapter = adapter
        self._secrets = tuple(secrets)
        self._info = AdapterInfo(
            name=settings.name,
            model=clean_line(str(said.model)) or settings.model or "its default",
            provider=clean_line(str(said.provider)) or str(settings.kind),
            # A rehearsal is ours alone: it must never pass for a model, nor a model for it.
            kind=ProviderKind.REAL,
        )

    def info(self) -> AdapterInfo:
        """The configured name; model and provider as the package says."""
        return self._info

    async def is_available(self) -> bool:
        """What the package says; False if it fails to, or takes long."""
        try:
            async with asyncio.timeout(SMALL_VERB):
                return bool(await self._adapter.is_available())
        except _ANYTHING:
            log.exception("%s: is_available failed", self._info.name)
            return False

    async def close(self) -> None:
        """Close it; what goes wrong then concerns nobody any more."""
        try:
            async with asyncio.timeout(SMALL_VERB):
                await self._adapter.close()
        except _ANYTHING:
            log.exception("%s: close failed", self._info.name)

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        """Ask once. Each piece winds the clock; the package needs none. Raises AdapterError."""
        clock = ReplyClock(
            first_byte=request.first_byte_timeout,
            idle=request.idle_timeout,
            total=request.total_timeout,
        )

        def take(piece: str) -> None:
            if piece:
                clock.progress()
                on_delta(str(piece))

        try:
            async with clock:
                answer = await self._adapter.execute(request, take)
        except AdapterError as error:
            error.retry_after = _seconds(error.retry_after)
            raise
        except asyncio.CancelledError:
            raise
        except _ANYTHING as error:
            log.exception("%s: execute failed", self._info.name)
            said = _said(error, self._secrets)
            raise ProcessFailed(f"{self._info.name}: its package failed: {said}") from error
        return self._checked(answer)

    def _checked(self, answer: object) -> Completion:
        if not isinstance(answer, Completion) or not _is_sound(answer):
            raise InvalidResponse(f"{self._info.name}: what its package returns is no Completion")
        if answer.finish is FinishReason.STOP and not answer.text.strip():
            raise EmptyResponse(f"{self._info.name}: the answer holds no text")
        text = whole_text(answer.text)
        if text is None:
            raise InvalidResponse(f"{self._info.name}: the answer holds half a character")
        return replace(answer, text=text)


def _entry(settings: AdapterSettings) -> EntryPoint:
    installed = entry_points(group=GROUP)
    found = [entry for entry in installed if entry.name == settings.kind]
    # The same distribution may be seen twice on the path, as an editable one beside a wheel.
    packages = {_package(entry): entry for entry in found}
    if len(packages) > 1:
        raise UsageError(
            f"the adapter {settings.name}: its kind {settings.kind} comes with "
            f"{' and '.join(sorted(packages))}: uninstall all but one"
        )
    for entry in packages.values():
        return entry
    raise UsageError(
        f"the adapter {settings.name}: there is no kind {clean_line(str(settings.kind))!r}; there "
        f"are {', '.join(AdapterKind)}; and from other packages: {_listed(installed)}"
    )


def _listed(installed: Iterable[EntryPoint]) -> str:
    names = sorted({f"{entry.name} ({_package(entry)})" for entry in installed})
    return clean_line(", ".join(names)) or "none (is the package installed where orchestra is?)"


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def _is_sound(answer: Completion) -> bool:
    """The fields are what they say, whatever a package wrote into them."""
    counts = answer.usage.model_dump().values() if isinstance(answer.usage, Usage) else (-1,)
    return (
        isinstance(answer.text, str)
        and isinstance(answer.finish, FinishReason)
        and all(count is None or token_count(count) is not None for count in counts)
        and isinstance(answer.model, str)
        and isinstance(answer.hint, RateHint | None)
        and isinstance(answer.cost, Cost | None)
    )


def _seconds(said: object) -> float | None:
    """A wait that a package asks for; None for what is no number of seconds."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if math.isfinite(said) else None


def _said(error: BaseException, secrets: Iterable[str]) -> str:
    # Freed of secrets before it is cut: half a key would not be found any more.
    words = clean_line(redact(f"{type(error).__name__}: {error}".rstrip(": "), secrets))
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"
