"""The figures of told sessions: what counts where, and what counts nowhere."""

from decimal import Decimal

import pytest

from orchestra_tui.domain import events as ev
from orchestra_tui.domain.activities import ActivityKind
from orchestra_tui.domain.metrics import Metrics, metrics_of
from tests.ui.budget_story import answered, asked, cost, spending
from tests.ui.stub_client import StubClient
from tests.ui.work_story import GLM, R1, SCRIPT, Story


@pytest.fixture
def told() -> Metrics:
    client, _ = spending()
    return metrics_of([client.state])


def test_everything_is_counted_once(told: Metrics) -> None:
    total = told.total
    assert (told.sessions, told.runs) == (1, 1)
    assert (total.calls, total.finished, total.failures, total.cached) == (6, 4, 1, 1)
    assert sum(row.calls for row in told.adapters) == total.calls
    assert sum(row.calls for row in told.roles) == total.calls
    assert total.money.usd == Decimal("1.9321")
    assert total.money.unknown == 1, "the call that broke off"
    assert total.usage.output_tokens == 3 * 412 + 900
    assert total.unknown_usage == 1


def test_rows_are_by_adapter_and_model_and_the_dearest_first(told: Metrics) -> None:
    names = [(row.name, row.model) for row in told.adapters]
    assert names == [("codex", "gpt-5"), ("glm", "glm-4.7"), ("gemini", "gemini-3")]
    glm = told.adapters[1]
    assert glm.failed == {"rate_limited": 1}
    assert glm.hops == {"rate_limited": 1}, "it was left, and codex was asked"
    assert told.adapters[0].hops == {}
    assert glm.success == 0.5


def test_a_kept_answer_costs_nothing_and_saves(told: Metrics) -> None:
    gemini = told.adapters[2]
    assert (gemini.cached, gemini.finished) == (1, 1)
    assert gemini.saved.input_tokens == 3_000
    assert gemini.saved_usd == Decimal("0.051")
    assert gemini.median_seconds == 3.2, "its zero seconds are no latency"
    assert gemini.success == 1.0


def test_a_rehearsal_is_in_no_rate_of_success_and_costs_nothing() -> None:
    client, _ = spending(is_rehearsal=True)
    told = metrics_of([client.state])
    assert told.total.is_rehearsal
    assert told.total.success is None
    assert (told.total.money.usd, told.total.money.unknown) == (0, 0)
    assert told.total.finished == 2
    mixed = metrics_of([client.state, spending()[0].state])
    assert mixed.total.success == metrics_of([spending()[0].state]).total.success
    assert [row.is_rehearsal for row in mixed.adapters].count(True) == 1


def test_waits_cut_off_calls_and_refused_answers() -> None:
    client = StubClient()
    story = Story(client).started().approved()
    work = story.begun("s1")
    client.emit(
        ev.CallDelayed(run=R1, activity=work.key, adapter="glm", reason="it rests", seconds=9)
    )
    asked(story, work, 1, GLM)
    client.emit(ev.ActivityAbandoned(run=R1, activity=work))
    again = story.begun("s1")
    asked(story, again, 1, GLM)
    story.answered(again)
    story.refused(again)
    [glm] = metrics_of([client.state]).adapters
    assert glm.waited == 1.0, "a second a record passes in these tests"
    assert glm.cut_off == 1, "and it is not forgotten when it is asked again"
    assert (glm.finished, glm.refused, glm.success) == (1, 1, 0.0)
    assert glm.money.unknown == 2, "cut off, and without a price"


def test_latency_is_the_middle_and_the_slowest_twentieth() -> None:
    client = StubClient()
    story = Story(client).started().approved([f"f{n}.py" for n in range(1, 21)])
    for number in range(1, 21):
        answered(story, f"s{number}", GLM, cost("0.01"), seconds=float(number))
    [glm] = metrics_of([client.state]).adapters
    assert (glm.median_seconds, glm.p95_seconds) == (10.5, 19.0)
    assert glm.money.usd == Decimal("0.20")


def test_of_nothing_there_are_no_figures() -> None:
    told = metrics_of([])
    assert told == Metrics()
    client = StubClient()
    story = Story(client).started().approved()
    asked(story, story.begun("s1", ActivityKind.EXECUTE), 1, SCRIPT)
    running = metrics_of([client.state]).total
    assert (running.calls, running.finished, running.unknown_usage) == (1, 0, 0)
    assert Metrics.model_validate_json(told.model_dump_json()) == told
