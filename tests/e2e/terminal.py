"""The real program on a real pseudo-terminal, with a screen that can be read."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import pyte

PATIENCE = 45.0
"""Seconds to wait for something to appear; a busy machine draws late."""


class Terminal:
    """A program on a terminal of `columns` x `rows`; use as a context."""

    def __init__(
        self,
        *words: str,
        cwd: Path,
        env: Mapping[str, str],
        columns: int = 120,
        rows: int = 40,
    ) -> None:
        self._words = words
        self._cwd = cwd
        self._env = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self._size = (columns, rows)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self.raw = bytearray()

    async def __aenter__(self) -> "Terminal":
        self._leader, self._follower = pty.openpty()
        self.resize(*self._size)
        self.modes_before = termios.tcgetattr(self._follower)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._words,
            cwd=self._cwd,
            env=self._env,
            stdin=self._follower,
            stdout=self._follower,
            stderr=self._follower,
            start_new_session=True,
        )
        os.set_blocking(self._leader, False)
        asyncio.get_running_loop().add_reader(self._leader, self._read)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        asyncio.get_running_loop().remove_reader(self._leader)
        os.close(self._leader)
        os.close(self._follower)

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The program; only inside the context."""
        assert self._process is not None
        return self._process

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def modes(self) -> list[object]:
        """The terminal's line settings now."""
        return list(termios.tcgetattr(self._follower))

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as a person drags a window."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, size)
        self._screen.resize(rows, columns)
        if self._process is not None:
            # It is in a session of its own, so the kernel does not tell it by itself.
            self._process.send_signal(signal.SIGWINCH)

    def press(self, keys: str) -> None:
        """Type these keys."""
        os.write(self._leader, keys.encode())

    async def until(self, is_there: Callable[[str], bool], what: str = "") -> None:
        """Wait until the screen is so; fails with the screen when it never is."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_there(self.text):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"never seen: {what}\n{self.text}") from None

    async def shows(self, words: str) -> None:
        """Wait until these words stand on the screen."""
        await self.until(lambda text: words in text, words)

    async def press_until(self, keys: str, is_there: Callable[[str], bool]) -> None:
        """Press again until the screen is so: a dialog ignores keys for its first moment."""
        for _ in range(int(PATIENCE)):
            self.press(keys)
            try:
                async with asyncio.timeout(1):
                    while not is_there(self.text):
                        self._changed.clear()
                        await self._changed.wait()
                    return
            except TimeoutError:
                continue
        raise AssertionError(f"{keys!r} changes nothing\n{self.text}")

    async def ended(self, within: float) -> int:
        """The exit code; fails if the program is still there after `within` seconds."""
        async with asyncio.timeout(within):
            code = await self.process.wait()
        self._read()
        return code

    def _read(self) -> None:
        try:
            while data := os.read(self._leader, 65536):
                self.raw += data
                self._stream.feed(data)
        except (BlockingIOError, OSError):
            pass
        self._changed.set()
