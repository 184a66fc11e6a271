"""How long each case took with the real thing: `seconds.json`, written by `make test-clients`.

The rule a reader must not break: a number in the file was measured, by the versions that stand
beside it. What was not measured is not in it.
"""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("seconds.json")


class Recorded:
    """What was measured: `{"programs": {name: {"version", "date", "seconds": {case: s}}}}`."""

    def __init__(self, programs: dict[str, dict[str, Any]]) -> None:
        self._programs = programs

    def seconds(self, name: str, case: str) -> str:
        """In words; `-` if it was not measured."""
        found = self._programs.get(name, {}).get("seconds", {}).get(case)
        return "-" if found is None else f"{found:.1f} s"

    def sentence(self) -> str:
        """What was measured when: names with one version and date stand together."""
        names: dict[tuple[str, str], list[str]] = {}
        for name, one in self._programs.items():
            names.setdefault((one["date"], one["version"]), []).append(name)
        told = [f"{', '.join(same)}: {what} ({date})" for (date, what), same in names.items()]
        return f"Measured on two busy cores. {'; '.join(told) or 'Nothing yet'}."

    def put(self, name: str, *, version: str, date: str, seconds: dict[str, float]) -> None:
        """Keep what one run measured of one adapter; cases that it left out stay as they were."""
        known = self._programs.get(name, {}).get("seconds", {})
        kept = {case: round(took, 1) for case, took in {**known, **seconds}.items()}
        self._programs[name] = {"version": version, "date": date, "seconds": kept}
        text = json.dumps({"programs": dict(sorted(self._programs.items()))}, indent=1)
        FILE.write_text(f"{text}\n", encoding="utf-8")


def recorded() -> Recorded:
    """What stands in the file."""
    programs = json.loads(FILE.read_text(encoding="utf-8"))["programs"] if FILE.exists() else {}
    return Recorded(programs)
