"""A reviewed run with four kinds of files, for the diff screen."""

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind, FixReason
from orchestra_tui.domain.changes import FileDiff
from orchestra_tui.domain.ports import DiffReport, GetDiff
from orchestra_tui.domain.review import Issue, Severity
from orchestra_tui.engine.git.diff import diff_bytes
from tests.ui.stub_client import StubClient
from tests.ui.work_story import R1, Story

LOGIN = '''"""Login route."""

from app.users import find
from app.web import LoginForm, router


@router.post("/login")
async def login(form: LoginForm):
    user = await find(form.email)
    if user is None or not user.check(form.password):
        raise Unauthorized("wrong name or password")
    return user.token()


def total(a, b):
    return a+b


def other():
    x = 1
    y = 2
    z = 3
    return x + y + z


def last():
    return None
'''
NEW_LOGIN = (
    LOGIN.replace("    user = await", "    await limiter.check(form.email)\n    user = await")
    .replace("wrong name", "wrong e-mail")
    .replace("from app.users", "from app.limits import limiter\nfrom app.users")
    .replace("    return None\n", '    return "漢字"  # ' + "a long comment " * 8 + "\n")
)
LIMITS = '"""Token buckets."""\n\n\nclass TokenBucket:\n    """Refills."""\n\n    rate = 1.0\n'
PATHS = ("app/limits.py", "app/routes/login.py", "tests/test_limits.py", "logo.png")
MESSAGE = "feat(login): rate limit sign-in attempts per account\n\n- app/limits.py: token buckets"


def sample_files() -> tuple[FileDiff, ...]:
    """A new file, a changed one with two hunks, a small one, a binary one."""
    return (
        diff_bytes(PATHS[0], None, LIMITS.encode()),
        diff_bytes(PATHS[1], LOGIN.encode(), NEW_LOGIN.encode()),
        diff_bytes(PATHS[2], None, b"def test_x():\n    assert True\n"),
        diff_bytes(PATHS[3], b"\x89PNG\x00\x01", b"\x89PNG\x00\x02"),
    )


def sample_report(**changes: object) -> DiffReport:
    """The report of the sample, with fields replaced."""
    report = DiffReport(files=sample_files(), message=MESSAGE, has_git=True)
    return report.model_copy(update=changes)


def reviewed(
    report: DiffReport | None = None, *, checks: ev.CheckState | None = ev.CheckState.PASSED
) -> StubClient:
    """A client whose run waits for review; decisions and commits are recorded as told."""
    client = StubClient(answers={GetDiff: report or sample_report()})
    story = Story(client).started().approved(PATHS)
    for number in range(1, 5):
        writing = story.begun(f"s{number}")
        story.called(writing)
        story.answered(writing)
        story.written(writing, f"text {number}")
        if number != 2:
            story.audited(f"s{number}")
            continue
        story.audited("s2", (Issue(severity=Severity.WARNING, line=10, message="too late"),))
        fixing = story.begun("s2", ActivityKind.FIX, reason=FixReason.AUDIT)
        story.called(fixing)
        story.answered(fixing)
        story.written(fixing, "fixed")
        audit = story.begun("s2", ActivityKind.AUDIT, attempt=2)
        assert audit.step is not None
        left = Issue(
            severity=Severity.INFO,
            line=10,
            message="check before parsing the form",
            suggestion="move it up",
        )
        client.emit(ev.AuditPassed(run=R1, activity=audit.key, step=audit.step, issues=(left,)))
    if checks is not None:
        story.checked(checks, failed=2 if checks is ev.CheckState.FAILED else 0)
    return client
