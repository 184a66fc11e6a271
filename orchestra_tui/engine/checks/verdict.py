"""What an exit code and an output mean together.

The rule a reader must not break: a run in which no test ran is neither passed nor failed, and a
missing tool is no failure of the code.
"""

import re
import signal

from orchestra_tui.domain.events import CheckState
from orchestra_tui.engine.checks.model import Check, CheckResult, Tally
from orchestra_tui.engine.checks.parsers import counts_of

_MISSING = re.compile(
    r"No module named '?(?:pytest|unittest)\b|^(?:/bin/)?(?:sh|bash|dash)(?:: line)?:? ?(?:\d+: )?"
    r"(?P<tool>[\w./@-]+): (?:command )?not found|could not find gem|"
    r"is not recognized as an internal or external command",
    re.MULTILINE,
)
_OFFLINE = re.compile(
    r"(?:PluginResolutionException|DependencyResolutionException|Could not resolve all (?:files|"
    r"dependencies)|Could not transfer artifact|failed to download from|Could not resolve host|"
    r"dial tcp: lookup|ENOTFOUND|error NU1301)"
)
_EMPTY_EXITS = {("pytest", 5), ("unittest", 5)}
_CRASH_EXITS = {("pytest", 3): "pytest had an internal error", ("pytest", 4): "pytest was misused"}
_COMMAND_NOT_FOUND = 127


def judge(check: Check, code: int, output: str, *, seconds: float) -> CheckResult:
    """The result of a run that ended by itself with `code` (negative: killed by a signal)."""
    tally = counts_of(check.framework, output)
    outcome, message = _outcome(check, code, output, tally)
    return CheckResult(
        name=check.name,
        outcome=outcome,
        message=message,
        passed=tally.passed,
        failed=tally.failed,
        skipped=tally.skipped,
        seconds=seconds,
        exit_code=code,
        tail=output,
    )


def _outcome(check: Check, code: int, output: str, tally: Tally) -> tuple[CheckState, str]:
    if code < 0:
        return CheckState.CRASHED, f"{check.argv[0]} was ended by {_signal_name(-code)}"
    if code != 0 and not tally.failed and (reason := _missing_tool(code, output)):
        return CheckState.NOT_FOUND, reason
    if (check.framework, code) in _EMPTY_EXITS or (tally.is_empty and not tally.failed):
        return CheckState.NO_TESTS, "no tests ran"
    if crash := _CRASH_EXITS.get((check.framework, code)):
        return CheckState.CRASHED, crash
    if code == 0:
        return CheckState.PASSED, _numbers(tally) or "passed"
    return CheckState.FAILED, _numbers(tally) or f"failed with exit code {code}"


def _missing_tool(code: int, output: str) -> str | None:
    found = _MISSING.search(output)
    if found is not None and found.group("tool"):
        return f"{found.group('tool')} is not installed"
    if found is not None:
        return found.group(0).strip()
    if _OFFLINE.search(output):
        return "a dependency of the project is not here and could not be downloaded"
    return "a program of the test command is not installed" if code == _COMMAND_NOT_FOUND else None


def _numbers(tally: Tally) -> str:
    words = (("passed", tally.passed), ("failed", tally.failed), ("skipped", tally.skipped))
    return ", ".join(f"{number} {word}" for word, number in words if number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
