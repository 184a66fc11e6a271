"""What giving a step's files back means, told from the state of the run alone."""

from dataclasses import dataclass

from orchestra_tui.domain.ids import BlobHash, StepId
from orchestra_tui.domain.state import RunState


@dataclass(frozen=True)
class Undo:
    """One file to give back: `ours` is what we last wrote, `original` what it shall be again."""

    path: str
    ours: BlobHash | None
    original: BlobHash | None
    mode: int | None = None
    """Permission bits of a file that we removed."""


def undos_of(run: RunState, step: StepId, *, to_good: bool = False) -> tuple[Undo, ...]:
    """What giving back the step's files means, all its writes collapsed to the oldest state, or
    with `to_good` to the state in which the step was last accepted."""
    state = run.steps[step]
    target = (run.base or {}) | (state.good if to_good else {})
    return tuple(
        Undo(path, ours, target.get(path), state.modes.get(path))
        for path, ours in state.files.items()
        if ours != target.get(path)
    )
