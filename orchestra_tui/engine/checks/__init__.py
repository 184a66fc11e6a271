"""The project's own tests: which there are, running them, and what they said.

`detect_checks` reads the project's configuration, `run_check` runs one check in a process group
that leaves nothing behind. No command line ever comes from a model.
"""

from orchestra_tui.engine.checks.detect import detect_checks
from orchestra_tui.engine.checks.model import Check, CheckResult, Detection
from orchestra_tui.engine.checks.run import run_check

__all__ = ["Check", "CheckResult", "Detection", "detect_checks", "run_check"]
