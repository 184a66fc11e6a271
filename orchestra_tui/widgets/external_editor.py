"""The user's own editor ($VISUAL, $EDITOR) on a text, while the app steps aside.

The rule a reader must not break: the terminal is taken back whatever happens to the editor.
"""

import asyncio
import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

_LENT = "-lent"
_LAST_WORDS = 2.0
"""Seconds that an editor has to put things away when the app must leave."""


class EditorError(Exception):
    """The editor cannot be used; the message says why and what to do."""


async def edit_text(app: App[object], text: str, *, suffix: str, name: str = "plan") -> str:
    """What the user makes of `text` in his editor; the engine goes on meanwhile.

    The editor sees a file called `name` and `suffix`; both must be safe in a file name.

    Raises EditorError when there is no editor, it fails, or the terminal cannot be lent.
    """
    command = editor_command()
    with tempfile.TemporaryDirectory(prefix="orchestra-edit-") as folder:
        path = Path(folder) / f"{name}{suffix}"
        await asyncio.to_thread(path.write_bytes, text.encode())
        try:
            with _lent(app):
                code = await _run(*command, str(path))
        except SuspendNotSupported as error:
            raise EditorError("this terminal cannot be lent to an editor") from error
        except OSError as error:
            raise EditorError(f"cannot start {command[0]}: {error.strerror}") from error
        if code != 0:
            raise EditorError(f"{command[0]} ended with {code}; nothing was changed")
        try:
            # As bytes: reading as text would turn the line ends of Windows into ours.
            return (await asyncio.to_thread(path.read_bytes)).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise EditorError(f"the edited text cannot be read: {error}") from error


def is_lent(app: App[Any]) -> bool:
    """An editor has the terminal, so keys such as ctrl+c are for it."""
    return app.has_class(_LENT)


@contextmanager
def _lent(app: App[object]) -> Iterator[None]:
    suspension = app.suspend()
    # Batched updates: a record that arrives now must not paint over the editor.
    with app.batch_update():
        suspension.__enter__()
        app.add_class(_LENT)
        try:
            yield
        finally:
            app.remove_class(_LENT)
            if app.return_code is None:
                # Told of an exception, it would leave the terminal as it is: deaf, without a frame.
                suspension.__exit__(None, None, None)
            # Else the app is on its way out: it must not take up the terminal once more.


async def _run(*command: str) -> int:
    """The exit code of the editor; it does not outlive a cancelled wait. Raises OSError."""
    process = await asyncio.create_subprocess_exec(*command)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await process.wait()
        raise


def editor_command() -> list[str]:
    """The user's editor as an argument list. Raises EditorError if none is set or it is unclear."""
    configured = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _default()
    try:
        command = shlex.split(configured, posix=os.name != "nt")
    except ValueError as error:
        raise EditorError(f"$EDITOR cannot be read: {error}") from error
    if not command:
        raise EditorError("set $EDITOR to the editor you like")
    return command


def _default() -> str:
    return "notepad" if os.name == "nt" else "vi"
