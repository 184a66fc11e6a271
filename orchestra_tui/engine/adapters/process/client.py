"""The port behind which each client is one small module: how it is started and how it is read.

The rule a reader must not break: a client module touches no process, no file and no clock.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from orchestra_tui.engine.adapters.process.events import EventReader


@dataclass(frozen=True)
class ClientSettings:
    """What a person configured for one client; `key` is a secret and shown nowhere."""

    name: str
    command: str | None = None
    model: str | None = None
    base_url: str | None = None
    key: str | None = field(default=None, repr=False)
    keep: tuple[str, ...] = ()
    """Names of further variables that the client may see."""


@dataclass(frozen=True)
class Job:
    """One call: the folder to work in, a folder for the client's own files, may it write."""

    folder: Path
    scratch: Path
    may_write: bool


@dataclass(frozen=True)
class Launch:
    """How a call is started: arguments after the program, variables beyond the common ones.

    `files` are written below `Job.scratch` before; `stop` is the polite signal.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    stop: signal.Signals = signal.SIGTERM


class Client(Protocol):
    """One agent command line.

    `keys` are the variables it needs to reach its provider. `first_event` and `between_events`
    are the seconds of silence that are normal for it: some say nothing until a message is whole.
    """

    name: str
    program: str
    provider: str
    keys: tuple[str, ...]
    first_event: float
    between_events: float

    def launch(self, settings: ClientSettings, job: Job) -> Launch:
        """How one call is started."""
        ...

    def reader(self) -> EventReader:
        """A reader for one run."""
        ...
