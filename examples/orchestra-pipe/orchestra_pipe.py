"""An adapter for any program that reads a question on stdin and prints its answer on stdout."""

import asyncio
import codecs
import os
import shutil
import signal
import sys
from contextlib import suppress

from orchestra_tui.adapter_api import (
    Adapter,
    AdapterContext,
    AdapterInfo,
    Completion,
    CompletionRequest,
    FinishReason,
    OnDelta,
    ProcessFailed,
    Usage,
    UsageError,
    clean_line,
)

KEPT = ("HOME", "LANG", "PATH", "SYSTEMROOT", "TMPDIR", "USERPROFILE", "XDG_CONFIG_HOME")


class PipeAdapter:
    """One program. Clocks, fallback and journal are Orchestra's; this asks once."""

    def __init__(self, name: str, argv: list[str], env: list[str]) -> None:
        self._name = name
        self._argv = argv
        # The environment holds keys of others: only what is named goes on.
        self._environment = {n: os.environ[n] for n in (*KEPT, *env) if n in os.environ}

    def info(self) -> AdapterInfo:
        return AdapterInfo(name=self._name, model=" ".join(self._argv), provider="pipe")

    async def is_available(self) -> bool:
        return await asyncio.to_thread(shutil.which, self._argv[0]) is not None

    async def close(self) -> None:
        pass

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        # The question goes through the pipe: arguments are seen by every user of the machine.
        question = "\n\n".join(message.text for message in request.messages)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessFailed(f"{self._name}: it cannot be started: {error}") from error
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        if not (stdin and stdout and stderr):
            raise ProcessFailed(f"{self._name}: it has no pipes")
        try:
            # Both pipes are served at once, or a program that talks while it reads would block.
            feeding = asyncio.create_task(_feed(stdin, question.encode("utf-8", "replace")))
            complaining = asyncio.create_task(stderr.read())
            text = ""
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            while piece := await stdout.read(4096):
                text += (words := decoder.decode(piece))
                on_delta(words)
            complaint = (await complaining).decode("utf-8", "replace").strip()
            await feeding
            if await process.wait():
                why = clean_line(complaint[-300:]) or f"exit status {process.returncode}"
                raise ProcessFailed(f"{self._name}: {why}")
        finally:
            # Also when the call is cancelled or its time is over: nothing stays behind.
            _end(process)
            await process.wait()
        return Completion(text, FinishReason.STOP, Usage(), model=self._argv[0])


def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the program and, where there are process groups, what it started."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


async def _feed(stdin: asyncio.StreamWriter, question: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(question)
        await stdin.drain()
        stdin.close()


def build(context: AdapterContext) -> Adapter:
    """The entry point. A UsageError is shown to the user as it is."""
    options = {"argv": [], "env": [], **context.settings.options}
    if unknown := options.keys() - {"argv", "env"}:
        raise UsageError(f"there is no option {', '.join(sorted(unknown))}: there are argv and env")
    for name, words in options.items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise UsageError(f'write options.{name} as a list of words, such as ["llm", "-m", "x"]')
    if not options["argv"]:
        raise UsageError("options.argv is missing: the program and its arguments")
    return PipeAdapter(context.settings.name, options["argv"], options["env"])
