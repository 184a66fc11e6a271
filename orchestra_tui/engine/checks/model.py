"""What a check is and how it ended.

The rule a reader must not break: an argv is built by this room from the project's own
configuration files, never from the words of a model; plans hold names only.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from orchestra_tui.domain.events import CheckState


class Check(BaseModel):
    """One test run of the project. `framework` names the parser of its output.

    `cwd` is absolute; `why` says what it was detected by. `env` is added to the environment;
    `$CHECK_TMP` in a value stands for the run's own temporary folder.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    framework: str
    argv: tuple[str, ...]
    cwd: Path
    why: str
    env: tuple[tuple[str, str], ...] = ()


class Detection(BaseModel):
    """All checks of a project. With no check, `why` says what was looked for in vain."""

    model_config = ConfigDict(frozen=True)

    checks: tuple[Check, ...] = ()
    why: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order in which the checks run."""
        return tuple(check.name for check in self.checks)


class Tally(BaseModel):
    """How many tests ended how; None where the output does not say."""

    model_config = ConfigDict(frozen=True)

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None

    @property
    def is_empty(self) -> bool:
        """True if the output says that no test ran at all."""
        known = [n for n in (self.passed, self.failed, self.skipped) if n is not None]
        return bool(known) and not any(known)


class CheckResult(BaseModel):
    """How one check ended. `tail` is the bounded end of its output, as it came (not cleaned).

    `message` is one line for a person. `exit_code` is None where the process never ran or was
    stopped; `seconds` is wall time.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    outcome: CheckState
    message: str
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    seconds: float = 0.0
    exit_code: int | None = None
    tail: str = ""
