"""Identifiers: what names a session, a run, a step, an activity, a call and a piece of content.

The rule a reader must not break: activity and call keys are *structural* (`r1/s2/execute/1`,
`r1/s2/execute/1/call/2`), never random, because a resumed run finds finished work by its key.
"""

import hashlib
from enum import StrEnum
from typing import NewType

SessionId = NewType("SessionId", str)
RunId = NewType("RunId", str)
StepId = NewType("StepId", str)
ActivityKey = NewType("ActivityKey", str)
CallKey = NewType("CallKey", str)
BlobHash = NewType("BlobHash", str)
"""40 hex digits: the git object id of the raw bytes (no filters)."""


class Role(StrEnum):
    """Who an agent is in the run; every screen gives each role one colour."""

    ARCHITECT = "architect"
    EXECUTOR = "executor"
    AUDITOR = "auditor"
    CONSULTANT = "consultant"


def blob_hash(data: bytes) -> BlobHash:
    """The git blob id of `data`; the same value `git hash-object --no-filters` prints."""
    header = b"blob %d\0" % len(data)
    return BlobHash(hashlib.sha1(header + data, usedforsecurity=False).hexdigest())


def activity_key(run: RunId, step: StepId | None, verb: str, attempt: int) -> ActivityKey:
    """`r1/s2/execute/1` for the work of a step, `r1/plan/1` for the work of the run."""
    middle = f"{step}/" if step else ""
    return ActivityKey(f"{run}/{middle}{verb}/{attempt}")


def call_key(activity: ActivityKey, number: int) -> CallKey:
    """The key of the `number`-th model call (from 1) of an activity."""
    return CallKey(f"{activity}/call/{number}")
