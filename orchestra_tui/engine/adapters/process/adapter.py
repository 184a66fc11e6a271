"""The adapter around a client: a private copy, one run, its watchdogs, and the answer.

The rule a reader must not break: an answer is what the client's final event called a success. A
run that was cut, timed out or cancelled gives no file, whatever stands in the copy by then.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from orchestra_tui.domain.calls import AdapterInfo, FinishReason, ProviderKind, Usage
from orchestra_tui.domain.secret_forms import forms_of, looks_secret
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.base import (
    AdapterError,
    Completion,
    CompletionRequest,
    EmptyResponse,
    InvalidResponse,
    ModelNotFound,
    OnDelta,
    ProcessFailed,
)
from orchestra_tui.engine.adapters.clocks import ReplyClock
from orchestra_tui.engine.adapters.detect_programs import look_for_program
from orchestra_tui.engine.adapters.process.client import Client, ClientSettings, Job
from orchestra_tui.engine.adapters.process.delivery import file_reply, prompt_of, writes
from orchestra_tui.engine.adapters.process.environment import (
    client_environment,
    find_program,
    temporary_folder,
)
from orchestra_tui.engine.adapters.process.events import EventReader
from orchestra_tui.engine.adapters.process.failures import Failure
from orchestra_tui.engine.adapters.process.private_tree import PrivateCopy, PrivateTree
from orchestra_tui.engine.adapters.process.talk import EventStream, Talk, Turn
from orchestra_tui.engine.adapters.process.transport import Command, Run, start
from orchestra_tui.engine.adapters.whole_text import whole_text, with_marks

VERSION_TIMEOUT = 15.0
"""Seconds for `--version`: those on node take several to start on a busy machine."""
EXIT_GRACE = 2.0
"""Seconds a client gets to end by itself after its final event."""
SCRATCH = "orchestra-client-"
TEMPORARY = "tmp"


class ProcessAdapter:
    """One client as an adapter. `own_pace` False takes a request's timeouts as they are.

    With `own_pace`, silence that is normal for this client does not count as lateness: some say
    nothing until a whole message is written.
    """

    def __init__(
        self,
        client: Client,
        settings: ClientSettings,
        environ: Mapping[str, str],
        tree: PrivateTree,
        *,
        own_pace: bool = True,
        talk: Talk | None = None,
        has_version: bool = True,
    ) -> None:
        self._client = client
        self._talk = talk or EventStream()
        self._settings = settings
        self._environ = environ
        self._tree = tree
        self._own_pace = own_pace
        self._has_version = has_version
        self._environment = client_environment(environ, (*client.keys, *settings.keep))
        seen = (*client.keys, *filter(looks_secret, settings.keep))
        self._secrets = forms_of(filter(None, (settings.key, *map(environ.get, seen))))
        self._info = AdapterInfo(
            name=settings.name,
            model=settings.model or "its default",
            provider=client.provider,
            kind=ProviderKind.REAL,
        )

    def info(self) -> AdapterInfo:
        """The configured name, the model asked for, and whose client it is."""
        return self._info

    async def is_available(self) -> bool:
        """True if the program is there and `--version` answers; its login is not tried.

        Some have no `--version`: they would begin to serve.
        """
        command = self._settings.command or self._client.program
        if not self._has_version:
            return await asyncio.to_thread(find_program, command, self._environ) is not None
        line = await look_for_program(command, self._environment, seconds=VERSION_TIMEOUT)
        return line.state == "found"

    async def close(self) -> None:
        """Nothing is kept between calls."""

    async def execute(self, request: CompletionRequest, on_delta: OnDelta) -> Completion:
        """Run the client once. Raises AdapterError, with the text that had come."""
        program = await asyncio.to_thread(
            find_program, self._settings.command or self._client.program, self._environ
        )
        if program is None:
            what = f"{self._settings.command or self._client.program} is not there"
            # No further try helps: a matter of configuration, like a model file that is missing.
            missing = ModelNotFound(self._sentence(f"{what}; install it or set `command`"))
            missing.usage = Usage(input_tokens=0, output_tokens=0)
            raise missing
        try:
            view = self._tree.copied(request.path, is_shared=self._talk.is_two_way)
            async with view as copy, _scratch() as scratch:
                return await self._in_copy(program, copy, scratch, request, on_delta)
        except OSError as error:
            why = f"no private copy of the project could be used: {error}"
            raise ProcessFailed(self._sentence(why)) from error

    async def _in_copy(
        self,
        program: str,
        copy: PrivateCopy,
        scratch: Path,
        request: CompletionRequest,
        on_delta: OnDelta,
    ) -> Completion:
        job = Job(copy.root, scratch, may_write=writes(request))
        launch = self._client.launch(self._settings, job)
        await asyncio.to_thread(_lay_out, scratch, launch.files)
        temporary = temporary_folder(scratch / TEMPORARY)
        command = Command(
            argv=(program, *launch.arguments),
            environment=self._environment | temporary | dict(launch.environment),
            folder=copy.root,
            stop=launch.stop,
            wrapped=copy.wrapped,
        )
        reader = self._client.reader()
        try:
            await self._run(command, reader, scratch, request, on_delta, copy)
            return await self._answer(reader, copy, request, on_delta)
        except AdapterError as error:
            error.partial = with_marks(error.partial or reader.text)
            if reader.cost is not None:
                # Zeros prove nothing: clients say them also after a stream that was cut.
                error.usage, error.cost = reader.usage, reader.cost
            raise

    async def _run(
        self,
        command: Command,
        reader: EventReader,
        scratch: Path,
        request: CompletionRequest,
        on_delta: OnDelta,
        copy: PrivateCopy,
    ) -> None:
        """Start the client, read it to its end, and see that nothing is left."""
        run: Run | None = None

        def hear(line: str) -> None:
            reader.hear(line)
            if reader.hopeless() and run:
                run.let_go()

        prompt = prompt_of(request, left_out=copy.left_out)
        first = None if self._talk.is_two_way else prompt.encode("utf-8", "replace")
        try:
            run = await start(command, first, hear)
        except OSError as error:
            failure = ProcessFailed(self._sentence(f"it cannot be started: {error}"))
            failure.usage = Usage(input_tokens=0, output_tokens=0)
            raise failure from error
        try:
            async with self._clock(request) as clock:
                turn = Turn(
                    label=self._settings.name,
                    run=run,
                    reader=reader,
                    clock=clock,
                    copy=copy,
                    prompt=prompt,
                    may_write=writes(request),
                    show=on_delta,
                )
                await self._talk.lead(turn)
            with suppress(TimeoutError):
                await asyncio.wait_for(run.exit_code(), EXIT_GRACE)
        finally:
            await run.end()
        stderr = run.last_words
        await asyncio.to_thread(reader.close, await run.exit_code(), stderr, scratch)
        if reader.finish is None and reader.failure is None:
            said = (stderr.strip().splitlines() or [""])[-1]
            code = await run.exit_code()
            reader.failure = reader.hopeless() or Failure(f"exit code {code}: {said}".rstrip(": "))

    def _clock(self, request: CompletionRequest) -> ReplyClock:
        first, idle = request.first_byte_timeout, request.idle_timeout
        if self._own_pace:
            first = max(first, self._client.first_event)
            idle = max(idle, self._client.between_events)
        return ReplyClock(first_byte=first, idle=idle, total=request.total_timeout)

    async def _answer(
        self,
        reader: EventReader,
        copy: PrivateCopy,
        request: CompletionRequest,
        on_delta: OnDelta,
    ) -> Completion:
        if reader.failure is not None:
            raise reader.failure.error(self._settings.name, self._secrets, reader.text)
        finish = reader.finish or FinishReason.UNKNOWN
        text = whole_text(reader.text)
        if text is None:
            raise InvalidResponse(
                self._sentence("its answer holds half a character, which no file can")
            )
        if writes(request) and request.path and finish is FinishReason.STOP:
            data = await self._changed(copy, request.path)
            text = text if data is None else file_reply(request.path, data)
            others = await asyncio.to_thread(copy.others_changed, request.path)
            if others:
                on_delta(f"\n[not taken: {clean_line(', '.join(others))}]\n")
        if finish is FinishReason.STOP and not text.strip():
            if reader.excuse is not None:
                raise reader.excuse.error(self._settings.name, self._secrets)
            raise EmptyResponse(self._sentence("it ended without a text and without the file"))
        model = reader.model or self._settings.model or self._info.model
        return Completion(text, finish, reader.usage, model, cost=reader.cost)

    async def _changed(self, copy: PrivateCopy, path: str) -> bytes | None:
        try:
            return await asyncio.to_thread(copy.changed, path)
        except OSError as error:
            what = f"what it made of {path} cannot be used: {error}"
            raise InvalidResponse(self._sentence(what)) from error

    def _sentence(self, what: str) -> str:
        return f"{self._settings.name}: {clean_line(what)}"


def _lay_out(scratch: Path, files: Mapping[str, str]) -> None:
    """Write the client's own files, and make its folder for temporary ones. Blocks."""
    for name, text in files.items():
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_text(text, encoding="utf-8")
    # gemini, for one, leaves a report with the whole prompt where temporary files are.
    (scratch / TEMPORARY).mkdir()


@asynccontextmanager
async def _scratch() -> AsyncIterator[Path]:
    """A folder for the client's own files, removed at the end."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=SCRATCH))
    try:
        yield folder
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
