"""How many tests passed, failed and were skipped, read from a framework's own output.

The rule a reader must not break: a number that the output does not state is None, never 0.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from orchestra_tui.engine.checks.model import Tally

Parser = Callable[[str], Tally | None]

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_PYTEST_END = re.compile(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.:]+", re.MULTILINE)
_UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_UNITTEST_END = re.compile(r"^(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?\s*$", re.MULTILINE)
_JEST = re.compile(r"^Tests:\s+(.*\d+ total)", re.MULTILINE)
_VITEST = re.compile(r"^\s*Tests\s+((?:no tests)|.*\d+.*)$", re.MULTILINE)
_NODE = re.compile(r"^(?:#|\u2139) (tests|pass|fail|cancelled|skipped|todo) (\d+)", re.MULTILINE)
_MOCHA = re.compile(r"^\s+(\d+) (passing|failing|pending)\b", re.MULTILINE)
_CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)
_GO = re.compile(r"^(ok|FAIL|---\sFAIL:|\?)\s+\S+", re.MULTILINE)
_MAVEN = re.compile(
    r"^(?:\[\w+\] )?Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)\s*$",
    re.MULTILINE,
)
_GRADLE = re.compile(
    r"^(\d+) tests? completed(?:, (\d+) failed)?(?:, (\d+) skipped)?", re.MULTILINE
)
_DOTNET = re.compile(
    r"Failed:\s+(\d+), Passed:\s+(\d+), Skipped:\s+(\d+), Total:\s+\d+", re.MULTILINE
)
_RSPEC = re.compile(
    r"^(\d+) examples?, (\d+) failures?(?:, (\d+) pending)?(?:, (\d+) errors? occurred)?",
    re.MULTILINE,
)
_PHPUNIT_OK = re.compile(r"^OK \((\d+) tests?,", re.MULTILINE)
_PHPUNIT = re.compile(r"^Tests: (\d+), Assertions: \d+(.*)$", re.MULTILINE)
_NONE = re.compile(
    r"no tests ran|^No tests found, exiting|^No test files found|No tests executed!|"
    r"Error: No test files found|:test NO-SOURCE|^No examples found\.|No test is available in|"
    r"^NO TESTS RAN",
    re.MULTILINE,
)
NO_TESTS = Tally(passed=0, failed=0, skipped=0)


def counts_of(framework: str, output: str) -> Tally:
    """The counts that `output` states; all None if it states none.

    A framework that another one may stand behind (npm, make) is tried with every parser.
    """
    text = _ESCAPE.sub("", output).replace("\r\n", "\n")
    for parser in PARSERS.get(framework, ANY):
        if (counts := parser(text)) is not None:
            return counts
    return NO_TESTS if _NONE.search(text) else Tally()


def _pytest(text: str) -> Tally | None:
    ends = _PYTEST_END.findall(text)
    if not ends:
        return None
    counts = _words(ends[-1])
    return Tally(
        passed=_sum(counts, "passed", "xpassed"),
        failed=_sum(counts, "failed", "error", "errors"),
        skipped=_sum(counts, "skipped", "xfailed"),
    )


def _unittest(text: str) -> Tally | None:
    ran = _UNITTEST.findall(text)
    if not ran:
        return None
    ends = _UNITTEST_END.findall(text)
    notes = dict(re.findall(r"([a-z ]+)=(\d+)", ends[-1])) if ends else {}
    number = {name.strip(): int(value) for name, value in notes.items()}
    failed = _sum(number, "failures", "errors", "unexpected successes")
    skipped = _sum(number, "skipped", "expected failures")
    return Tally(passed=max(int(ran[-1]) - failed - skipped, 0), failed=failed, skipped=skipped)


def _jest(text: str) -> Tally | None:
    ends = _JEST.findall(text)
    if not ends:
        return None
    counts = _words(ends[-1])
    return Tally(
        passed=_sum(counts, "passed"),
        failed=_sum(counts, "failed"),
        skipped=_sum(counts, "skipped", "todo"),
    )


def _vitest(text: str) -> Tally | None:
    ends = [end for end in _VITEST.findall(text) if "no tests" in end or _words(end)]
    if not ends or "Test Files" not in text:
        return None
    counts = _words(ends[-1])
    return Tally(
        passed=_sum(counts, "passed"),
        failed=_sum(counts, "failed"),
        skipped=_sum(counts, "skipped", "todo"),
    )


def _node_test(text: str) -> Tally | None:
    counts = {name: int(number) for name, number in _NODE.findall(text)}
    if "tests" not in counts:
        return None
    return Tally(
        passed=counts.get("pass", 0),
        failed=_sum(counts, "fail", "cancelled"),
        skipped=_sum(counts, "skipped", "todo"),
    )


def _mocha(text: str) -> Tally | None:
    counts = {name: int(number) for number, name in _MOCHA.findall(text)}
    if "passing" not in counts:
        return None
    return Tally(
        passed=counts["passing"],
        failed=counts.get("failing", 0),
        skipped=counts.get("pending", 0),
    )


def _cargo(text: str) -> Tally | None:
    results = _CARGO.findall(text)
    if not results:
        return None
    passed, failed, skipped = (sum(int(row[i]) for row in results) for i in range(3))
    return Tally(passed=passed, failed=failed, skipped=skipped)


def _go(text: str) -> Tally | None:
    """Go names failed tests and good packages, so the good tests stay unknown."""
    marks = [mark.split()[0] for mark in _GO.findall(text)]
    if not marks:
        return None
    if set(marks) == {"?"}:
        return NO_TESTS
    failed = sum(1 for mark in marks if mark == "---") or sum(1 for mark in marks if mark == "FAIL")
    return Tally(failed=failed)


def _maven(text: str) -> Tally | None:
    results = _MAVEN.findall(text)
    if not results:
        return None
    ran, failures, errors, skipped = (sum(int(row[i]) for row in results) for i in range(4))
    failed = failures + errors
    return Tally(passed=max(ran - failed - skipped, 0), failed=failed, skipped=skipped)


def _gradle(text: str) -> Tally | None:
    results = [[int(n or 0) for n in row] for row in _GRADLE.findall(text)]
    if not results:
        return None
    ran, failed, skipped = (sum(row[i] for row in results) for i in range(3))
    return Tally(passed=max(ran - failed - skipped, 0), failed=failed, skipped=skipped)


def _dotnet(text: str) -> Tally | None:
    results = _DOTNET.findall(text)
    if not results:
        return None
    failed, passed, skipped = (sum(int(row[i]) for row in results) for i in range(3))
    return Tally(passed=passed, failed=failed, skipped=skipped)


def _rspec(text: str) -> Tally | None:
    results = _RSPEC.findall(text)
    if not results:
        return None
    ran, failures, pending, errors = (int(n or 0) for n in results[-1])
    return Tally(passed=max(ran - failures - pending, 0), failed=failures + errors, skipped=pending)


def _phpunit(text: str) -> Tally | None:
    if good := _PHPUNIT_OK.findall(text):
        return Tally(passed=int(good[-1]), failed=0, skipped=0)
    results = _PHPUNIT.findall(text)
    if not results:
        return None
    ran, rest = int(results[-1][0]), results[-1][1]
    notes = {name.lower(): int(number) for name, number in re.findall(r"(\w+): (\d+)", rest)}
    failed = _sum(notes, "failures", "errors")
    skipped = _sum(notes, "skipped", "incomplete")
    return Tally(passed=max(ran - failed - skipped, 0), failed=failed, skipped=skipped)


def _words(text: str) -> dict[str, int]:
    """`3 passed, 1 failed` as a mapping of word to number."""
    return {name: int(number) for number, name in re.findall(r"(\d+) ([a-z]+)", text)}


def _sum(counts: Mapping[str, int], *names: str) -> int:
    return sum(counts.get(name, 0) for name in names)


ANY: tuple[Parser, ...] = (
    _pytest,
    _unittest,
    _jest,
    _vitest,
    _node_test,
    _cargo,
    _maven,
    _gradle,
    _dotnet,
    _rspec,
    _phpunit,
    _mocha,
    _go,
)
PARSERS: Mapping[str, tuple[Parser, ...]] = MappingProxyType(
    {
        "pytest": (_pytest,),
        "unittest": (_unittest,),
        "node": (_jest, _vitest, _node_test, _mocha),
        "go": (_go,),
        "cargo": (_cargo,),
        "maven": (_maven,),
        "gradle": (_gradle,),
        "dotnet": (_dotnet,),
        "rspec": (_rspec,),
        "phpunit": (_phpunit,),
    }
)
