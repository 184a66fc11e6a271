"""The keyring of the desktop or the system, through the library `keyring` where it is installed.

The rule a reader must not break: a keyring may hang, ask a person or crash, and none of that is
ours to suffer. It is asked in a child process that is killed when its time is over; a value goes
through pipes, never through an argument.
"""

import asyncio
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from orchestra_tui.domain.text import clean_line, redact

SERVICE = "orchestra-tui"
"""The name under which the keys stand; the user's name of an entry is the variable."""
READ_SECONDS = 5.0
WRITE_SECONDS = 60.0
"""To unlock a keyring, a person may have to type a password."""
CHILD = Path(__file__).with_name("keyring_child.py")
MAX_WORDS = 200


class KeyringUnusable(Exception):
    """There is no keyring here that works; the text says why, and holds no key."""


class SystemKeyring:
    """Keys in the system keyring. `environ` is what the child sees: session bus, home, display."""

    def __init__(self, environ: Mapping[str, str], *, seconds: float | None = None) -> None:
        self._environ = environ
        self._seconds = seconds

    @property
    def is_installed(self) -> bool:
        """The library is there (extra `orchestra-tui[keyring]`); whether it works is not known."""
        return importlib.util.find_spec("keyring") is not None

    async def get(self, names: Iterable[str]) -> tuple[Mapping[str, str], str]:
        """The keys that are there, by name, and what the keyring is called.

        A system without a safe keyring has none of them. Raises KeyringUnusable if there is one
        that does not answer.
        """
        answer = await self._ask({"do": "get", "names": list(names)}, READ_SECONDS)
        values = answer.get("values")
        found = values if isinstance(values, dict) else {}
        return {str(name): str(value) for name, value in found.items()}, _name(answer)

    async def store(self, name: str, value: str) -> str:
        """Store one key; what the keyring is called. Raises KeyringUnusable."""
        asked = {"do": "set", "name": name, "value": value}
        answer = await self._ask(asked, WRITE_SECONDS, secret=value)
        if answer.get("unusable"):
            raise KeyringUnusable(f"this system offers no safe one ({_name(answer)})")
        return _name(answer)

    async def remove(self, name: str) -> bool:
        """Take one key out; False if it was not there. Raises KeyringUnusable."""
        answer = await self._ask({"do": "delete", "name": name}, WRITE_SECONDS)
        return answer.get("was_there") is True

    async def _ask(
        self, question: Mapping[str, object], seconds: float, *, secret: str = ""
    ) -> Mapping[str, object]:
        if not self.is_installed:
            raise KeyringUnusable('there is none: pip install "orchestra-tui[keyring]"')
        seconds = self._seconds or seconds
        asked = json.dumps({"service": SERVICE, **question}).encode()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(self._environ),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                said, complaints = await process.communicate(asked)
        except TimeoutError:
            why = f"it gave no answer within {seconds:g} s; is it locked?"
            raise KeyringUnusable(why) from None
        finally:
            await _end(process)
        answer = _parsed(said)
        if process.returncode or not answer:
            last = (complaints.decode("utf-8", "replace").strip().splitlines() or ["no answer"])[-1]
            raise KeyringUnusable(clean_line(redact(last, (secret,)))[:MAX_WORDS])
        return answer


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the child and what it started, if it still runs."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _parsed(said: bytes) -> dict[str, object]:
    try:
        answer = json.loads(said)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _name(answer: Mapping[str, object]) -> str:
    return clean_line(str(answer.get("backend", "keyring")))[:80]
