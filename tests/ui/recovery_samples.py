"""Runs in every kind of trouble, for the recovery screen."""

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.ids import blob_hash
from orchestra_tui.domain.ports import GetBlob
from orchestra_tui.domain.recovery import AttemptOutcome, RecoveryApproach
from orchestra_tui.domain.review import Diagnostic
from tests.ui.stub_client import StubClient
from tests.ui.work_story import CODEX, PATHS, R1, Story

WHOLE = '"""Token buckets."""\n\n\ndef take(key: str) -> bool:\n    return bool(key)\n'
DAMAGED = '"""Token buckets."""\n\n\ndef take(key: str, limits=(1,\n'
MINE = '"""What the user wrote meanwhile."""\n'
CUT = Diagnostic(kind="truncated", line=4, message="the text ends inside a bracket")
TRIED = (
    None,
    RecoveryApproach.CONSULT,
    RecoveryApproach.OTHER_ADAPTER,
    RecoveryApproach.PIECES,
)
BLOBS = {blob_hash(text.encode()): text for text in (WHOLE, DAMAGED, MINE)}


def troubled(client: StubClient | None = None) -> StubClient:
    """Three damaged replies, a conflict, a revert, and one that came through."""
    client = client or StubClient()
    client.answers[GetBlob] = lambda query: BLOBS.get(query.blob)
    story = Story(client).started().approved(PATHS)
    story.accepted("s1")
    for attempt, approach in enumerate(TRIED):
        kind = ActivityKind.EXECUTE if approach is None else ActivityKind.RECOVER
        trying = story.begun("s2", kind, attempt=max(1, attempt), approach=approach)
        if approach is RecoveryApproach.OTHER_ADAPTER:
            story.attempted(trying, AttemptOutcome.IMPOSSIBLE, "no other adapter")
            continue
        story.called(trying)
        story.refused(
            trying,
            reason="the reply stops in the middle of line 4",
            diagnostics=(CUT,),
            text=blob_hash(DAMAGED.encode()),
        )
    writing = story.begun("s3")
    assert writing.step is not None
    client.emit(
        ev.ConflictFound(
            run=R1,
            activity=writing.key,
            step=writing.step,
            path=PATHS[2],
            expected=None,
            found=blob_hash(MINE.encode()),
        )
    )
    refused = story.begun("s4")
    story.called(refused)
    story.refused(refused, reason="two files in one reply")
    again = story.begun("s4", attempt=2)
    story.written(again, WHOLE)
    story.audited("s4")
    story.written(story.begun("s5"), WHOLE)
    story.reverted("s5", "no fix was enough")
    return client


def attempting() -> tuple[StubClient, str]:
    """A reply was cut off, continuing was damaged again, the Consultant writes now; its stream."""
    client = StubClient(answers={GetBlob: lambda query: BLOBS.get(query.blob)})
    story = Story(client).started().approved(PATHS).accepted("s1")
    cut(story)
    again = story.begun("s2", ActivityKind.RECOVER, attempt=2, approach=RecoveryApproach.CONSULT)
    key = story.called(again, adapter=CODEX)
    story.called(story.begun("s3"))
    return client, key


def recovered() -> StubClient:
    """The Consultant's text was good; the file was audited."""
    client = StubClient(answers={GetBlob: lambda query: BLOBS.get(query.blob)})
    story = Story(client).started().approved(PATHS).accepted("s1")
    cut(story)
    again = story.begun("s2", ActivityKind.RECOVER, attempt=2, approach=RecoveryApproach.CONSULT)
    story.called(again, adapter=CODEX)
    story.answered(again)
    story.attempted(again, AttemptOutcome.WRITTEN)
    story.written(again, WHOLE)
    story.audited("s2")
    return client


def cut(story: Story) -> None:
    """The reply for `s2` stops in its fourth line, and nothing certain can be repaired."""
    for kind, approach in (
        (ActivityKind.EXECUTE, None),
        (ActivityKind.RECOVER, RecoveryApproach.CONTINUE),
    ):
        trying = story.begun("s2", kind, approach=approach)
        story.called(trying)
        story.answered(trying)
        story.refused(
            trying,
            reason="the text ends inside a bracket",
            diagnostics=(CUT,),
            text=blob_hash(DAMAGED.encode()),
        )
