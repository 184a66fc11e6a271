"""Golden logs: sessions as a release wrote them, and what they mean.

The rule a reader must not break: a golden log of a released schema is never written again. For a
new schema, `python -m tests.engine.golden_log v2-whole-run` writes the next one.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestra_tui.domain.events import SCHEMA_VERSION, Record
from orchestra_tui.domain.fold import fold
from orchestra_tui.domain.state import SessionState
from orchestra_tui.engine.store.schema import StoredEvent
from orchestra_tui.engine.store.upcast import Unreadable, read_event
from tests.engine.sample_log import records_of, whole_run

LOGS = Path(__file__).parent / "logs"


def read_golden(path: Path) -> list[Record]:
    """The records of a golden log, upcast to this release."""
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        record = read_event(StoredEvent(**row | {"data": json.dumps(row["data"])}))
        assert not isinstance(record, Unreadable), record
        records.append(record)
    return records


def meaning(records: Sequence[Record]) -> dict[str, object]:
    """What a person would say the session is: stable words, whatever the state is made of."""
    state = fold(SessionState(id=records[0].session), records)
    return {
        "seq": state.seq,
        "title": state.title,
        "provider": state.provider.value,
        "can_resume": state.can_resume,
        "runs": [
            {
                "task": run.task,
                "phase": run.phase.value,
                "outcome": run.outcome.value if run.outcome else None,
                "plan": run.plan.model_dump(mode="json", by_alias=True) if run.plan else None,
                "note": run.note,
                "steps": {step.id: step.status.value for step in run.ordered_steps},
                "changed": {path: list(blobs) for path, blobs in run.changed_files.items()},
                "calls": {key: call.status.value for key, call in run.calls.items()},
                "tokens": [run.usage.input_tokens, run.usage.output_tokens],
                "checkpoints": [point.label for point in run.checkpoints],
                "commit": run.commit,
            }
            for run in state.runs
        ],
    }


def write_golden(name: str, records: Sequence[Record]) -> None:
    """Write `name`.jsonl and `name`.meaning.json. Raises FileExistsError, never overwrites."""
    with (LOGS / f"{name}.jsonl").open("x", encoding="utf-8") as file:
        for record in records:
            row = record.model_dump(mode="json", exclude={"event"})
            row |= {
                "type": record.event.type,
                "schema_version": SCHEMA_VERSION,
                "data": record.event.model_dump(mode="json"),
            }
            file.write(json.dumps(row) + "\n")
    text = json.dumps(meaning(records), indent=1) + "\n"
    (LOGS / f"{name}.meaning.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_golden(sys.argv[1], records_of(whole_run()))
