"""One tiny prompt to one adapter, to see whether it answers.

The rule a reader must not break: it is sent when a person pressed a key for it, once, and nothing
of the project goes along: a client program gets an empty folder to work in.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from orchestra_tui.domain.doctor import LinkTrial
from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.base import AdapterError, CompletionRequest, Message
from orchestra_tui.engine.adapters.local.models import LocalModels
from orchestra_tui.engine.adapters.prices import PriceBook, tariff_of
from orchestra_tui.engine.adapters.registry import build_adapter
from orchestra_tui.engine.adapters.transport import Transport

PROMPT = "Answer with the single word: ready"
MAX_TOKENS = 1024
"""Models that think first need some of it for that."""
LONGEST = 90.0
MAX_ANSWER = 80


async def try_link(
    settings: AdapterSettings,
    environ: Mapping[str, str],
    *,
    keys: Mapping[str, str] | None = None,
    transport: Transport | None = None,
    models: LocalModels | None = None,
    prices: PriceBook | None = None,
) -> LinkTrial:
    """Ask this adapter once. Without `keys` the environment has them all, without `prices` the list
    prices hold.

    Raises UsageError if its settings or its key cannot be used.
    """
    adapter = build_adapter(
        settings, environ, keys=keys, transport=transport, tree=_NoProject(), models=models
    )
    began = monotonic()
    try:
        completion = await adapter.execute(_request(settings), lambda delta: None)
    except AdapterError as error:
        detail = clean_line(str(error))
        return LinkTrial(seconds=monotonic() - began, error=error.kind, detail=detail)
    finally:
        await adapter.close()
    usage = completion.usage
    seconds = monotonic() - began
    book = prices or PriceBook()
    cost = completion.cost or await asyncio.to_thread(
        book.cost, tariff_of(settings), usage, model=completion.model
    )
    counts = [count for count in (usage.input_tokens, usage.output_tokens) if count is not None]
    return LinkTrial(
        seconds=seconds,
        answer=clean_line(completion.text.strip())[:MAX_ANSWER],
        tokens=sum(counts) if counts else None,
        cost=cost,
    )


def _request(settings: AdapterSettings) -> CompletionRequest:
    limit = min(MAX_TOKENS, settings.max_output_tokens or MAX_TOKENS)
    return CompletionRequest(
        key=CallKey("doctor/try/1"),
        role=Role.ARCHITECT,
        path=None,
        task="",
        messages=(Message("user", PROMPT),),
        max_output_tokens=limit,
        first_byte_timeout=min(LONGEST, settings.first_byte_timeout),
        idle_timeout=min(LONGEST, settings.idle_timeout),
        total_timeout=min(LONGEST, settings.total_timeout),
    )


@dataclass(frozen=True)
class _EmptyCopy:
    """A folder with nothing in it; what a program leaves there is not looked at."""

    root: Path
    left_out: int = 0

    def wrapped(self, argv: Sequence[str]) -> Sequence[str]:
        """The command as it is."""
        return argv

    def changed(self, path: str) -> bytes | None:
        """Nothing was copied."""
        return None

    def read(self, path: str) -> bytes | None:
        """Nothing is here."""
        return None

    def write(self, path: str, data: bytes) -> None:
        """Refused. Raises OSError."""
        raise OSError("nothing is written in a trial")

    def others_changed(self, path: str) -> tuple[str, ...]:
        """Nothing is taken from here."""
        return ()


class _NoProject:
    """In the place of the project's copies: empty folders."""

    @asynccontextmanager
    async def copied(
        self, first: str | None = None, *, is_shared: bool = False
    ) -> AsyncIterator[_EmptyCopy]:
        """A fresh empty folder, removed at the end."""
        base = await asyncio.to_thread(_new_folder)
        try:
            yield _EmptyCopy(base)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, base, ignore_errors=True))

    async def told(self) -> str:
        """What it is."""
        return "an empty folder"


def _new_folder() -> Path:
    """Resolved: a client that resolves its folder must see the name that we know it by."""
    return Path(tempfile.mkdtemp(prefix="orchestra-try-")).resolve()
