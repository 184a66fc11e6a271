"""Model files that are loaded: one child for each, shared by every adapter and call.

The rule a reader must not break: a child is always left through `Run.end`. It hangs on the same
warden and leash as the agent programs, so nothing is left when we are closed or killed.
"""

import asyncio
import json
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    FirstByteTimeout,
    InvalidResponse,
    ModelNotFound,
    ProcessFailed,
)
from orchestra_tui.engine.adapters.process.environment import client_environment
from orchestra_tui.engine.adapters.process.transport import Command, Run, start

CHILD = (sys.executable, "-I", str(Path(__file__).with_name("model_child.py")))
INSTALL = "pip install 'orchestra-tui[local]'"
MAGIC = b"GGUF"
END_WAIT = 2.0
"""Seconds in which a child whose connection broke is found dead."""
_SIGNAL = 128


@dataclass(frozen=True)
class ModelFile:
    """What is loaded, and how: context in tokens."""

    path: Path
    context: int
    threads: int

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return clean_line(self.path.name.removesuffix(self.path.suffix))


@dataclass(frozen=True)
class Serving:
    """A child that answers; `key` is made for it and known to nobody else."""

    url: str
    key: str = field(repr=False)


class ModelServer:
    """One model file and its child, which is started by the first call and after it died."""

    def __init__(self, file: ModelFile, environ: Mapping[str, str], program: Sequence[str]) -> None:
        self.file = file
        self._environ = environ
        self._program = tuple(program)
        self._turn = asyncio.Lock()
        self._run: Run | None = None
        self._serving: Serving | None = None
        self._watching: asyncio.Task[None] | None = None
        self._why_dead = ""

    async def serving(self, seconds: float) -> Serving:
        """The child's address; it is started if it does not run, which takes `seconds` at most.

        Raises AdapterError: ModelNotFound for a file that is none, ProcessFailed for a child that
        dies, FirstByteTimeout.
        """
        try:
            async with asyncio.timeout(seconds), self._turn:
                if self._serving is None:
                    await self._end()
                    self._serving = await self._start()
                return self._serving
        except TimeoutError:
            raise FirstByteTimeout(
                f"{self.file.name} was not loaded within {seconds:g} s; raise first_byte_timeout"
            ) from None

    async def death(self) -> str:
        """Why the child died, empty if it lives: asked when a connection to it broke."""
        if self._watching is not None:
            await asyncio.wait({self._watching}, timeout=END_WAIT)
        return self._why_dead

    async def close(self) -> None:
        """End the child."""
        async with self._turn:
            self._serving = None
            await self._end()

    async def _start(self) -> Serving:
        await asyncio.to_thread(look_at, self.file.path)
        serving_key = secrets.token_urlsafe(32)
        asked = {
            "path": str(self.file.path),
            "name": self.file.name,
            "context": self.file.context,
            "threads": self.file.threads,
            "key": serving_key,
        }
        command = Command(
            argv=self._program,
            environment=client_environment(self._environ, ()),
            folder=Path(tempfile.gettempdir()),
        )
        self._why_dead = ""
        try:
            self._run = await start(command, f"{json.dumps(asked)}\n".encode(), lambda _: None)
        except OSError as error:
            raise ProcessFailed(f"{self.file.name} cannot be served: {error}") from error
        lines = self._run.lines()
        try:
            said = await anext(lines, b"")
            if not said:
                raise ProcessFailed(await self._death_of(self._run))
            url = self._address(said)
        except BaseException:
            await lines.aclose()
            await self._end()
            raise
        self._watching = asyncio.create_task(self._watch(self._run, lines), name="local model")
        return Serving(url, serving_key)

    def _address(self, said: bytes) -> str:
        """The URL in the child's one line. Raises AdapterError for anything else."""
        try:
            answer = json.loads(said)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise InvalidResponse(f"the child that serves {self.file.name} speaks another language")
        if url := answer.get("url"):
            return str(url)
        detail = clean_line(str(answer.get("detail", "")))[:200]
        if answer.get("error") == "missing":
            raise ProcessFailed(f"xllamacpp cannot be loaded: {INSTALL} ({detail})")
        raise ModelNotFound(
            f"llama.cpp cannot load {self.file.path}: is the file whole, is it a model for text, "
            f"does it fit into the memory with context = {self.file.context}? ({detail})"
        )

    async def _watch(self, run: Run, lines: AsyncGenerator[bytes, None]) -> None:
        """Until the child ends: the next call starts another."""
        async with aclosing(lines):
            with suppress(AdapterError):
                async for _ in lines:
                    pass
        self._why_dead = await self._death_of(run)
        self._serving = None

    async def _death_of(self, run: Run) -> str:
        code = await run.exit_code()
        return f"the child that serves {self.file.name} {_how(code)}"

    async def _end(self) -> None:
        """End what is left of the child; a death that was our own doing is none."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        if self._run is not None:
            run, self._run = self._run, None
            await run.end()


class LocalModels:
    """The model files in use, each once. Closed with the project; then every child has ended."""

    def __init__(self, environ: Mapping[str, str], *, program: Sequence[str] = CHILD) -> None:
        self._environ = environ
        self._program = program
        self._servers: dict[ModelFile, ModelServer] = {}

    def server(self, file: ModelFile) -> ModelServer:
        """The server of this file; nothing is loaded before the first call."""
        if file not in self._servers:
            self._servers[file] = ModelServer(file, self._environ, self._program)
        return self._servers[file]

    async def close(self) -> None:
        """End every child."""
        await asyncio.gather(*(server.close() for server in self._servers.values()))


def look_at(path: Path) -> int:
    """The size in bytes of a file that begins as a GGUF file does. Blocks.

    Raises ModelNotFound for another.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
        size = path.stat().st_size
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error.strerror}; check model_path") from error
    if head != MAGIC:
        raise ModelNotFound(f"{path} is no GGUF file; check model_path")
    return size


def _how(code: int) -> str:
    match code - _SIGNAL:
        case signal.SIGILL:
            return (
                "met an instruction that this processor does not have: the wheel of xllamacpp "
                "needs AVX2; serve the file with Ollama or LM Studio instead"
            )
        case signal.SIGKILL:
            return "was killed: there may be too little memory for this model or its context"
        case number if number > 0:
            return f"crashed (signal {number})"
    return f"ended (exit code {code})"
