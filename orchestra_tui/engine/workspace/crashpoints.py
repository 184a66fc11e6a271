"""Named places where a test may kill the process, to prove that a resumed run loses nothing.

Only the variable `ORCHESTRA_CRASH_AT` arms one: `apply.exchanged` dies at the first passage,
`apply.exchanged:3` at the third. Unset, which is always outside tests, `reach` does nothing.
"""

import os
import signal
from collections import Counter

ENVIRONMENT = "ORCHESTRA_CRASH_AT"
_passed: Counter[str] = Counter()


def reach(name: str) -> None:
    """Pass the point `name`; kill this process at once, without cleanup, if it is armed."""
    armed = os.environ.get(ENVIRONMENT)
    if not armed:
        return
    wanted, _, nth = armed.rpartition(":") if armed.rpartition(":")[2].isdigit() else (armed, "", 1)
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == int(nth):
        _die()


def _die() -> None:
    kill = getattr(signal, "SIGKILL", None)
    if kill is None:  # Windows has no SIGKILL; leaving without cleanup is its nearest kin.
        os._exit(137)
    os.kill(os.getpid(), kill)
