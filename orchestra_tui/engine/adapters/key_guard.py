"""The last look at what an adapter lets out: no key of the user's leaves in words, text or model.

The rule a reader must not break: every adapter that is built for a model stands behind this one.
A server may repeat the key that it refuses, and a client may print its whole environment as its
answer; what passes here goes to the pane, the journal, the log and perhaps into a file.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from orchestra_tui.domain.calls import AdapterInfo
from orchestra_tui.domain.presets import PRESETS
from orchestra_tui.domain.secret_forms import forms_of, looks_secret, secrets_in
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.domain.text import redact
from orchestra_tui.engine.adapters.base import (
    Adapter,
    AdapterError,
    Completion,
    CompletionRequest,
    InvalidResponse,
    OnDelta,
)

SURELY_A_KEY = 16
"""Characters; an answer may hold a shorter value by chance (`ollama-key`), a longer one never."""
_WELL_KNOWN = frozenset(
    str(preset["api_key_env"]) for preset in PRESETS.values() if preset.get("api_key_env")
)


def guarded(
    adapter: Adapter,
    settings: AdapterSettings,
    environ: Mapping[str, str],
    keys: Mapping[str, str] | None,
) -> Adapter:
    """The adapter behind a guard that knows its key, all of `keys`, and keys in the environment."""
    secrets = secrets_near(settings, environ, keys)
    return KeyGuard(adapter, secrets) if secrets else adapter


def secrets_near(
    settings: AdapterSettings, environ: Mapping[str, str], keys: Mapping[str, str] | None
) -> tuple[str, ...]:
    """Every key that this adapter could get to see, its own and those of others."""
    names = {settings.api_key_env, *filter(looks_secret, settings.env), *_WELL_KNOWN}
    found = {*secrets_in(environ, names), *secrets_in(keys or {}, keys or {})}
    return tuple(sorted(found))


class KeyGuard:
    """An adapter without the secrets, in any usual encoding."""

    def __init__(self, adapter: Adapter, secrets: Iterable[str]) -> None:
        secrets = tuple(secrets)
        self._adapter = adapter
        self._forms = forms_of(secrets)
        self._sure = forms_of(secret for secret in secrets if len(secret) >= SURELY_A_KEY)

    def info(self) -> AdapterInfo:
        """As the adapter says."""
        return self._adapter.info()

    async def is_available(self) -> bool:
        """As the adapter says."""
        return await self._adapter.is_available()

    async def close(self) -> None:
        """Close the adapter."""
        await self._adapter.close()

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        """Ask once. Raises AdapterError; InvalidResponse for an answer that holds a key."""
        strainer = Strainer(self._forms, on_delta)
        try:
            answer = await self._adapter.execute(request, strainer.feed)
        except Exception as error:
            # Also a defect of ours: the boundary above writes its words into the journal.
            error.args = tuple(self._freed(word) for word in error.args)
            if isinstance(error, AdapterError):
                error.partial = redact(error.partial, self._forms)
            strainer.end()
            raise
        strainer.end()
        if any(form in answer.text for form in self._sure):
            raise InvalidResponse(
                f"{self.info().name}: its answer holds a key of yours, so it is not used"
            )
        return replace(answer, model=redact(answer.model, self._forms))

    def _freed(self, word: object) -> object:
        return redact(word, self._forms) if isinstance(word, str) else word


class Strainer:
    """Frees a stream of its secrets, also where one is spread over several pieces.

    The end of what came is held back as long as it could be the beginning of a secret.
    """

    def __init__(self, forms: Iterable[str], out: Callable[[str], None]) -> None:
        self._forms = tuple(forms)
        self._out = out
        self._longest = max(map(len, self._forms), default=0)
        self._pairs = {form[:2] for form in self._forms}
        self._firsts = {form[0] for form in self._forms}
        self._held = ""

    def feed(self, piece: str) -> None:
        """Take a piece; what is sure to be harmless goes out."""
        text = redact(self._held + piece, self._forms)
        at = self._doubtful_from(text)
        self._held = text[at:]
        if at:
            self._out(text[:at])

    def end(self) -> None:
        """Nothing more comes: what is held back was no secret, at most the beginning of one."""
        held, self._held = self._held, ""
        if held:
            self._out(held)

    def _doubtful_from(self, text: str) -> int:
        last = len(text) - 1
        for at in range(max(0, len(text) - self._longest + 1), len(text)):
            is_doubtful = text[at : at + 2] in self._pairs or (
                at == last and text[at] in self._firsts
            )
            if is_doubtful and any(form.startswith(text[at:]) for form in self._forms):
                return at
        return len(text)
