"""A model file, the adapters for it, and the stand-in for the child that loads it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from orchestra_tui.domain.ids import CallKey, Role
from orchestra_tui.domain.settings import AdapterSettings
from orchestra_tui.engine.adapters.base import CompletionRequest, Message
from orchestra_tui.engine.adapters.local.adapter import LocalAdapter
from orchestra_tui.engine.adapters.local.models import LocalModels

STUB = Path(__file__).parents[1] / "stubs" / "model_child.py"
PROGRAM = (sys.executable, "-I", str(STUB))


class LocalBench:
    """A model file and the adapters for it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tiny.gguf"
        self.models = LocalModels(dict(os.environ), program=PROGRAM)

    def file(self, **play: object) -> None:
        self.path.write_bytes(b"GGUF" + json.dumps(play).encode())

    def adapter(self, **fields: object) -> LocalAdapter:
        settings = AdapterSettings.model_validate(
            {"name": "mine", "kind": "local", "model_path": str(self.path), **fields}
        )
        return LocalAdapter(settings, self.models, owns=False)

    @property
    def notes(self) -> list[dict[str, Any]]:
        place = self.path.with_suffix(".notes")
        lines = place.read_text().splitlines() if place.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def pids(self) -> list[int]:
        return [note["pid"] for note in self.notes if "pid" in note]


def asked(
    *, first_byte: float = 30.0, idle: float = 30.0, schema: dict[str, object] | None = None
) -> CompletionRequest:
    """A question to a local model."""
    return CompletionRequest(
        CallKey("r1/plan/1/call/1"),
        role=Role.ARCHITECT,
        path=None,
        task="t",
        messages=(Message("user", "hi"),),
        json_schema=schema,
        first_byte_timeout=first_byte,
        idle_timeout=idle,
    )
