"""The project's own checks as the orchestrator uses them: found anew each time, run one by one."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from orchestra_tui.domain.events import CheckOutcome
from orchestra_tui.domain.ports import BlobStore
from orchestra_tui.engine.checks.detect import detect_checks
from orchestra_tui.engine.checks.model import Check, CheckResult, Detection
from orchestra_tui.engine.checks.run import run_check

OnOutput = Callable[[str], None]


class ProjectChecks:
    """Detects and runs the tests of the project at `root`, each within `timeout` seconds."""

    def __init__(self, root: Path, blobs: BlobStore, *, timeout: float) -> None:
        self._root = root
        self._blobs = blobs
        self._timeout = timeout

    async def detect(self, planned: Iterable[str] = ()) -> Detection:
        """What could run here, counting the files that a plan will create."""
        return await detect_checks(self._root, planned)

    async def run(self, check: Check, on_output: OnOutput) -> tuple[CheckOutcome, CheckResult]:
        """Run one check; its output's end is stored and its outcome returned for the log."""
        on_output(f"$ {' '.join(check.argv)}\n")
        result = await run_check(check, timeout=self._timeout, on_output=on_output)
        on_output(f"\n{result.message}\n")
        text = f"{result.message}\n\n{result.tail}"
        output = await asyncio.to_thread(self._blobs.put, text.encode("utf-8", "replace"))
        outcome = CheckOutcome(
            name=result.name,
            state=result.outcome,
            passed=result.passed,
            failed=result.failed,
            skipped=result.skipped,
            seconds=round(result.seconds, 3),
            output=output,
        )
        return outcome, result
