"""Counts and verdicts from what the frameworks print.

The files in fixtures/checks/outputs are recordings; the samples in `WRITTEN` were written after
the formats that the tools document.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.events import CheckState
from orchestra_tui.engine.checks import Check
from orchestra_tui.engine.checks.environment import check_environment, is_secret
from orchestra_tui.engine.checks.parsers import PARSERS, counts_of
from orchestra_tui.engine.checks.verdict import judge

OUTPUTS = Path(__file__).parent.parent / "fixtures" / "checks" / "outputs"
Numbers = tuple[int | None, int | None, int | None]
NONE = (0, 0, 0)
UNKNOWN = (None, None, None)

RECORDED: dict[str, tuple[str, Numbers]] = {
    "pytest": ("pytest", (1, 2, 2)),
    "pytest-quiet": ("pytest", (1, 2, 2)),
    "pytest-collection": ("pytest", (0, 1, 0)),
    "unittest": ("unittest", (1, 2, 2)),
    "unittest-none": ("unittest", NONE),
    "jest": ("node", (1, 1, 2)),
    "jest-none": ("node", NONE),
    "vitest": ("node", (1, 1, 1)),
    "vitest-none": ("node", NONE),
    "mocha": ("node", (1, 1, 1)),
    "mocha-none": ("node", NONE),
    "node": ("node", (1, 1, 1)),
    "node-spec": ("node", (1, 1, 1)),
    "cargo": ("cargo", (1, 1, 1)),
}
WRITTEN: list[tuple[str, str, Numbers]] = [
    ("pytest", "no tests ran in 0.01s\n", NONE),
    ("pytest", "===== 2 passed, 3 warnings in 61.20s (0:01:01) =====\n", (2, 0, 0)),
    ("pytest", "ImportError while loading conftest\n", UNKNOWN),
    ("unittest", "Ran 3 tests in 0.001s\n\nOK\n", (3, 0, 0)),
    ("unittest", "Ran 3 tests in 0.001s\n\nOK (skipped=1)\n", (2, 0, 1)),
    ("go", "ok  \texample.com/a\t0.002s\nok  \texample.com/b\t(cached)\n", (None, 0, None)),
    (
        "go",
        "--- FAIL: TestAdd (0.00s)\n    a_test.go:9: 3\n--- FAIL: TestSub (0.00s)\nFAIL\n"
        "FAIL\texample.com/a\t0.002s\nFAIL\n",
        (None, 2, None),
    ),
    ("go", "FAIL\texample.com/a [build failed]\nFAIL\n", (None, 1, None)),
    ("go", "?   \texample.com/a\t[no test files]\n", NONE),
    (
        "maven",
        "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in ATest\n"
        "[INFO] Results:\n[INFO] \n"
        "[ERROR] Tests run: 5, Failures: 1, Errors: 1, Skipped: 1\n[INFO] BUILD FAILURE\n",
        (2, 2, 1),
    ),
    ("maven", "[INFO] No tests to run.\n[INFO] BUILD SUCCESS\n", UNKNOWN),
    ("gradle", "\n5 tests completed, 2 failed, 1 skipped\n\nBUILD FAILED in 1s\n", (2, 2, 1)),
    ("gradle", "> Task :test NO-SOURCE\nBUILD SUCCESSFUL in 1s\n", NONE),
    ("gradle", "> Task :test\nBUILD SUCCESSFUL in 1s\n", UNKNOWN),
    (
        "dotnet",
        "Failed!  - Failed:     1, Passed:     2, Skipped:     1, Total:     4, Duration: 12 ms\n"
        "Passed!  - Failed:     0, Passed:     3, Skipped:     0, Total:     3, Duration: 9 ms\n",
        (5, 1, 1),
    ),
    ("rspec", "Finished in 0.01 seconds\n5 examples, 1 failure, 1 pending\n", (3, 1, 1)),
    ("rspec", "0 examples, 0 failures, 1 error occurred outside of examples\n", (0, 1, 0)),
    ("rspec", "0 examples, 0 failures\n", NONE),
    ("phpunit", "OK (3 tests, 5 assertions)\n", (3, 0, 0)),
    (
        "phpunit",
        "FAILURES!\nTests: 5, Assertions: 5, Errors: 1, Failures: 1, Skipped: 1.\n",
        (2, 2, 1),
    ),
    ("phpunit", "No tests executed!\n", NONE),
    ("make", "cc a.c\n./a.out\n", UNKNOWN),
]


def numbers(framework: str, output: str) -> Numbers:
    tally = counts_of(framework, output)
    return tally.passed, tally.failed, tally.skipped


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_outputs(name: str) -> None:
    framework, expected = RECORDED[name]
    output = (OUTPUTS / f"{name}.txt").read_text()
    assert numbers(framework, output) == expected
    assert numbers(framework, f"\x1b[31m{output}\x1b[0m".replace("\n", "\r\n")) == expected


@pytest.mark.parametrize("name", [name for name in RECORDED if "none" not in name])
def test_a_framework_behind_make_is_recognised(name: str) -> None:
    output = f"make[1]: Entering directory\n{(OUTPUTS / f'{name}.txt').read_text()}"
    assert numbers("make", output) == RECORDED[name][1]


@pytest.mark.parametrize(("framework", "output", "expected"), WRITTEN)
def test_written_outputs(framework: str, output: str, expected: Numbers) -> None:
    assert numbers(framework, output) == expected


@given(st.sampled_from([*PARSERS, "make"]), st.text())
def test_no_output_makes_a_parser_raise(framework: str, output: str) -> None:
    counts_of(framework, output)


@pytest.mark.parametrize(
    ("framework", "code", "output", "outcome", "message"),
    [
        ("pytest", 0, "2 passed in 0.1s\n", CheckState.PASSED, "2 passed"),
        ("pytest", 1, "1 failed, 2 passed in 0.1s\n", CheckState.FAILED, "2 passed, 1 failed"),
        ("pytest", 2, "1 error in 0.1s\n", CheckState.FAILED, "1 failed"),
        ("pytest", 3, "INTERNALERROR> x\n", CheckState.CRASHED, "pytest had an internal error"),
        ("pytest", 4, "ERROR: usage\n", CheckState.CRASHED, "pytest was misused"),
        ("pytest", 5, "no tests ran in 0.1s\n", CheckState.NO_TESTS, "no tests ran"),
        ("unittest", 0, "Ran 0 tests in 0.0s\n\nOK\n", CheckState.NO_TESTS, "no tests ran"),
        ("unittest", 5, "Ran 0 tests in 0.0s\n", CheckState.NO_TESTS, "no tests ran"),
        ("node", 1, "No tests found, exiting with code 1\n", CheckState.NO_TESTS, "no tests ran"),
        ("node", 127, "sh: 1: jest: not found\n", CheckState.NOT_FOUND, "jest is not installed"),
        ("make", 2, "sh: 1: pytest: not found\n", CheckState.NOT_FOUND, "pytest is not installed"),
        ("make", 2, "make: *** [test] Error 1\n", CheckState.FAILED, "failed with exit code 2"),
        ("make", 0, "fine\n", CheckState.PASSED, "passed"),
        (
            "cargo",
            101,
            "error: could not compile\n",
            CheckState.FAILED,
            "failed with exit code 101",
        ),
        (
            "maven",
            1,
            "[ERROR] Could not transfer artifact a:b:pom:1 from/to central\n",
            CheckState.NOT_FOUND,
            "a dependency of the project is not here and could not be downloaded",
        ),
        ("go", -9, "", CheckState.CRASHED, "tool was ended by SIGKILL"),
    ],
)
def test_verdicts(
    framework: str, code: int, output: str, outcome: CheckState, message: str
) -> None:
    check = Check(name="x", framework=framework, argv=("tool",), cwd=Path("/"), why="")
    result = judge(check, code, output, seconds=1.0)
    assert (result.outcome, result.message) == (outcome, message)


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "GH_PAT",
        "PGPASSWORD",
        "DB_PASSWORD",
        "SSH_AUTH_SOCK",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "SENTRY_DSN",
        "npm_config__authToken",
        "OPENAI_KEY",
        "GEMINI_APIKEY",
    ],
)
def test_secrets_are_dropped(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LANG", "KEYBOARD_LAYOUT", "PATTERN", "COMPASS", "AUTHOR", "MONKEY_X"]
)
def test_ordinary_names_stay(name: str) -> None:
    assert not is_secret(name)


def test_paths_are_put_in_front_and_the_folder_is_filled_in() -> None:
    env = check_environment(
        {"PYTHONPATH": "/old", "GIT_DIR": "/x"},
        [("PYTHONPATH", "/new"), ("CARGO_TARGET_DIR", "$CHECK_TMP/target")],
        folder=Path("/tmp/run"),
        mark="m",
    )
    assert env["PYTHONPATH"].replace(";", ":") == "/new:/old"
    assert env["CARGO_TARGET_DIR"] == "/tmp/run/target"
    assert "GIT_DIR" not in env
