"""The user's own editor ($VISUAL, $EDITOR) on a text, while the app steps aside."""

import asyncio
import os
import shlex
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported


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
        await asyncio.to_thread(path.write_text, text, encoding="utf-8")
        try:
            # Batched updates: a record that arrives now must not paint over the editor.
            with app.batch_update(), app.suspend():
                process = await asyncio.create_subprocess_exec(*command, str(path))
                code = await process.wait()
        except SuspendNotSupported as error:
            raise EditorError("this terminal cannot be lent to an editor") from error
        except OSError as error:
            raise EditorError(f"cannot start {command[0]}: {error.strerror}") from error
        if code != 0:
            raise EditorError(f"{command[0]} ended with {code}; nothing was changed")
        try:
            return await asyncio.to_thread(path.read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EditorError(f"the edited text cannot be read: {error}") from error


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
