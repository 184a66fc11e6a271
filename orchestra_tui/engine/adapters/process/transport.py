"""One run of a client: the prompt goes in, lines come out, and nothing stays behind.

The rule a reader must not break: a client is always left through `Run.end`, whatever happened; it
returns when the client and everything it started are gone, two seconds after it was asked to at
the latest. The prompt is never an argument: other users read those, and Linux allows 128 KiB.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestra_tui.engine.adapters.base import InvalidResponse
from orchestra_tui.engine.adapters.process import warden

GRACE = 1.0
"""Seconds between the polite signal and the kill."""
PATIENCE = 1.7
"""Seconds until a warden that does not end is killed with everything below it."""
MAX_LINE = 4 * 1024 * 1024
MAX_OUTPUT = 64 * 1024 * 1024
MAX_STDERR = 16 * 1024
PIECE = 64 * 1024

Hear = Callable[[str], None]


@dataclass(frozen=True)
class Command:
    """What is started: arguments (the program first), environment, folder, and how it is stopped.

    `stop` is the polite signal: SIGINT where the client then still says what it used.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    stop: signal.Signals = signal.SIGTERM
    wrapped: Callable[[Sequence[str]], Sequence[str]] = tuple
    """Puts what makes the project visible before the whole command, our warden included."""


@dataclass
class Run:
    """A client that is running. `stderr` is the end of what it said there."""

    process: asyncio.subprocess.Process
    leash: int | None
    stderr: bytearray = field(default_factory=bytearray)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Each line of standard output without its end. Raises InvalidResponse beyond limits."""
        stream = self.process.stdout
        buffer = bytearray()
        size = 0
        while stream and (piece := await stream.read(PIECE)):
            size += len(piece)
            buffer += piece
            *whole, rest = buffer.split(b"\n") if b"\n" in piece else (buffer,)
            if size > MAX_OUTPUT or len(rest) > MAX_LINE or any(len(w) > MAX_LINE for w in whole):
                raise InvalidResponse(
                    f"its output is larger than {MAX_OUTPUT >> 20} MiB, or one line of it larger "
                    f"than {MAX_LINE >> 20} MiB"
                )
            buffer = bytearray(rest)
            for line in whole:
                yield bytes(line)
        if buffer:
            yield bytes(buffer)

    async def exit_code(self) -> int:
        """The client's exit code once it has ended; 128 + n for signal n."""
        while self.process.returncode is None:
            # `wait` also waits for the pipes, which something else may hold open.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), 0.05)
        return self.process.returncode

    async def end(self) -> None:
        """Stop the client if it still runs, and return when nothing of it is left.

        Cancelling this does not shorten it.
        """
        ending = asyncio.ensure_future(self._end())
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _end(self) -> None:
        self.let_go()
        try:
            await asyncio.wait_for(self.exit_code(), PATIENCE)
        except TimeoutError:
            await asyncio.to_thread(_kill_tree, self.process.pid)
            await self.exit_code()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.process.stdin:
            self.process.stdin.close()
        # Read to its end, so that the pipe is closed here and not when the loop is.
        if self.process.stdout:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    while await self.process.stdout.read(PIECE):
                        pass

    @property
    def last_words(self) -> str:
        """The end of standard error. A word that was cut is left out: half a key is not found."""
        said = bytes(self.stderr)
        if len(said) == MAX_STDERR:
            said = b"".join(re.split(rb"\s", said, maxsplit=1)[1:])
        return said.decode("utf-8", "replace")

    def let_go(self) -> None:
        """Have the client stopped; its output then comes to an end."""
        if self.leash is not None:
            os.close(self.leash)
            self.leash = None
        elif sys.platform == "win32" and self.process.returncode is None:
            _kill_tree(self.process.pid)

    async def tell(self, line: bytes) -> None:
        """Write to its standard input; a client that does not read it is no error."""
        stdin = self.process.stdin
        if stdin is None or stdin.is_closing():
            return
        with suppress(BrokenPipeError, ConnectionResetError):
            stdin.write(line)
            await stdin.drain()

    async def feed(self, prompt: bytes) -> None:
        """Write the prompt and close the pipe."""
        await self.tell(prompt)
        if self.process.stdin:
            self.process.stdin.close()

    async def listen(self, hear: Hear) -> None:
        """Keep the end of standard error and pass on its lines, cut where they are too long."""
        stream = self.process.stderr
        line = bytearray()
        while stream and (piece := await stream.read(PIECE)):
            self.stderr += piece
            del self.stderr[:-MAX_STDERR]
            *whole, rest = (line + piece).split(b"\n")
            for one in whole:
                hear(one.decode("utf-8", "replace"))
            line = bytearray(rest[-MAX_STDERR:])

    def begin(self, prompt: bytes | None, hear: Hear) -> None:
        """Start writing the prompt and reading standard error, beside whoever reads the lines."""
        self._tasks = [asyncio.create_task(self.listen(hear))]
        if prompt is not None:
            self._tasks.append(asyncio.create_task(self.feed(prompt)))


async def start(command: Command, prompt: bytes | None, hear: Hear) -> Run:
    """Start a client in a process group of its own; `hear` gets the lines of standard error.

    Without a prompt its standard input stays open for `Run.tell`. Raises OSError if it cannot be
    started.
    """
    argv = tuple(command.argv)
    if sys.platform == "win32":
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        run = Run(await _spawn(argv, command, creationflags=flags), None)
    else:
        held, leash = os.pipe()
        program = (sys.executable, "-I", "-S", warden.__file__)
        try:
            numbers = (str(held), str(int(command.stop)), str(GRACE))
            whole = command.wrapped((*program, *numbers, *argv))
            process = await _spawn(whole, command, pass_fds=(held,))
        except BaseException:
            os.close(leash)
            raise
        finally:
            os.close(held)
        run = Run(process, leash)
    run.begin(prompt, hear)
    return run


async def _spawn(
    argv: Sequence[str],
    command: Command,
    *,
    pass_fds: Sequence[int] = (),
    creationflags: int = 0,
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=command.folder,
        env=dict(command.environment),
        start_new_session=sys.platform != "win32",
        pass_fds=pass_fds,
        creationflags=creationflags,
    )


def _kill_tree(root: int) -> None:
    """Kill a process and everything below it at once."""
    if sys.platform == "win32":
        subprocess.run(  # noqa: S603 - fixed program, a number as its only input
            ["taskkill", "/T", "/F", "/PID", str(root)],  # noqa: S607 - in System32
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return
    warden.kill_all(warden.descendants(root) | {root})
