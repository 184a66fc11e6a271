"""The events that tell how a change ended, made from the intent or the activity."""

import hashlib

from orchestra_tui.domain.activities import Activity
from orchestra_tui.domain.events import ConflictFound, FileIntended, FileWritten, RevertRefused
from orchestra_tui.domain.ids import ActivityKey, BlobHash, StepId


def token(activity: ActivityKey, path: str) -> str:
    """Names the temporary files of a change; the same again after a crash."""
    return hashlib.sha256(f"{activity}\0{path}".encode()).hexdigest()[:16]


def step_of(activity: Activity, step: StepId | None) -> StepId:
    """The step named, else the activity's own. Raises ValueError if there is neither."""
    chosen = step or activity.step
    if chosen is None:
        raise ValueError(f"{activity.key} has no step: name the one whose file is changed")
    return chosen


def written(intent: FileIntended) -> FileWritten:
    """The change that was intended, made."""
    return FileWritten.model_validate(intent.model_dump(exclude={"type"}))


def conflict(intent: FileIntended, found: BlobHash | None) -> ConflictFound:
    """The change that was intended, not made because `found` stood there."""
    return ConflictFound(
        run=intent.run,
        activity=intent.activity,
        step=intent.step,
        path=intent.path,
        expected=intent.before,
        found=found,
    )


def refused(activity: Activity, step: StepId, path: str, message: str) -> RevertRefused:
    """A file that is not given back."""
    return RevertRefused(
        run=activity.run, activity=activity.key, step=step, path=path, message=message
    )
