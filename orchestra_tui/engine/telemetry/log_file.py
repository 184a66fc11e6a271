"""The log file of a project: `.orchestra/logs/orchestra.log`, a few megabytes, rotated.

The rule a reader must not break: nothing of it ever reaches the terminal, and no line leaves
without being cleaned and freed of secrets, tracebacks included.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.secret_forms import forms_of
from orchestra_tui.domain.text import clean, redact

LOGGER = "orchestra_tui"
"""The name above every logger of this package: `logging.getLogger(__name__)` is below it."""
MAX_BYTES = 2 * 1024 * 1024
KEPT_FILES = 3
MAX_LINE = 64 * 1024
"""Characters of one entry; a provider's error page is cut here."""


class SafeFormatter(logging.Formatter):
    """One entry per line; further lines are indented, so that no text can forge an entry."""

    def __init__(self, secrets: Iterable[str], label: str = "") -> None:
        mark = f" [{label}]" if label else ""
        super().__init__(f"%(asctime)s %(levelname)s{mark} %(name)s: %(message)s")
        self._secrets = forms_of(secrets)

    def hide(self, secret: str) -> None:
        """Keep one more secret out of every later entry."""
        if secret not in self._secrets:
            self._secrets = (*forms_of([secret]), *self._secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The entry as text, cleaned, redacted and bounded."""
        text = redact(super().format(record), self._secrets)
        # Redacted twice: cleaning could join the halves of a secret that an escape kept apart.
        text = redact(clean(text), self._secrets)
        if len(text) > MAX_LINE:
            text = f"{text[:MAX_LINE]} ... {len(text) - MAX_LINE} more characters"
        return text.replace("\n", "\n    ")


class _QuietFile(RotatingFileHandler):
    """A full disk or a removed folder loses log lines; it must not write on the screen."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the entry."""

    def close(self) -> None:
        """Let go of the file; what the disk does not take is lost."""
        with suppress(OSError):
            super().close()


class _WholeRecords(QueueHandler):
    """Hands records over as they are: the formatter behind the queue must see the exception."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Only the arguments are worked in, while they still have the values of this moment."""
        record.msg, record.args = record.getMessage(), None
        return record

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the entry."""


class LogFile:
    """The open log. Entries are written by a thread of their own, so logging never blocks."""

    def __init__(
        self,
        path: Path,
        handler: logging.Handler,
        listener: QueueListener,
        formatter: SafeFormatter,
    ) -> None:
        self.path = path
        self.hide = formatter.hide
        self._handler = handler
        self._listener = listener

    @classmethod
    def open(cls, folder: Path, *, secrets: Iterable[str] = (), label: str = "") -> Self:
        """Begin to log into `folder`, which must be there.

        `secrets` are values that may never be written; `label` stands in every entry
        (`REHEARSAL - no AI`).

        Raises:
            StorageError: the file cannot be written.
        """
        path = folder / "orchestra.log"
        try:
            file = _QuietFile(path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8")
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}") from error
        formatter = SafeFormatter(secrets, label)
        file.setFormatter(formatter)
        queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
        listener = QueueListener(queue, file)
        handler = _WholeRecords(queue)
        logger = logging.getLogger(LOGGER)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        if not logger.handlers:
            # Without any handler, also after `close`, logging itself would print warnings.
            logger.addHandler(logging.NullHandler())
        logger.addHandler(handler)
        listener.start()
        return cls(path, handler, listener, formatter)

    def close(self) -> None:
        """Write what waits and let go of the file."""
        logger = logging.getLogger(LOGGER)
        logger.removeHandler(self._handler)
        # As it was found, unless another project's log is still open.
        logger.propagate = not any(isinstance(one, _WholeRecords) for one in logger.handlers)
        self._listener.stop()
        for handler in self._listener.handlers:
            handler.close()
