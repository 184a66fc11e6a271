"""The run screen's values: who works, in which grid, and how the steps flow."""

import pytest
from textual.geometry import Size

from orchestra_tui.domain.activities import ActivityKind, FixReason
from orchestra_tui.domain.state import StepStatus
from orchestra_tui.widgets.agent_work import WorkState, working_agents
from orchestra_tui.widgets.call_context import context_summary
from orchestra_tui.widgets.figures import bar_text, clock_text, count_text, size_text
from orchestra_tui.widgets.pane_grid import grid_shape
from orchestra_tui.widgets.step_strip import StripItem, flow
from tests.ui.stub_client import StubClient
from tests.ui.work_story import CONTEXT, SCRIPT, Story


@pytest.mark.parametrize(
    ("count", "size", "columns", "rows"),
    [
        (1, (118, 34), 1, 1),
        (2, (118, 34), 2, 1),
        (3, (118, 34), 2, 2),
        (4, (118, 34), 2, 2),
        (6, (118, 34), 2, 3),
        (9, (118, 34), 2, 3),
        (9, (198, 54), 3, 3),
        (4, (78, 14), 1, 1),
        (2, (78, 30), 1, 2),
        (0, (10, 2), 1, 1),
    ],
)
def test_grid_fits_the_room(count: int, size: tuple[int, int], columns: int, rows: int) -> None:
    """As square as the room allows, never a pane too small to read."""
    shape = grid_shape(count, Size(*size))
    assert (shape.columns, shape.rows) == (columns, rows)


def test_work_tells_what_the_log_knows() -> None:
    """Preparing, calling, retrying, refused, recovering: each is told apart."""
    client = StubClient()
    story = Story(client).started().approved()
    first = story.begun("s1")
    run = client.state.run
    assert run is not None
    assert working_agents(run)[0].state is WorkState.PREPARING
    story.called(first)
    story.call_failed(first, retry_in=4.0)
    story.called(story.begun("s2"), adapter=SCRIPT)
    story.begun("s3", ActivityKind.FIX, attempt=2, reason=FixReason.RECOVERY)
    run = client.state.run
    assert run is not None
    retrying, calling, fixing = working_agents(run)
    assert retrying.state is WorkState.RETRYING
    assert calling.state is WorkState.CALLING
    assert calling.is_rehearsal
    assert retrying.adapter == "glm/glm-4.7"
    assert fixing.title == "Consultant · recovery 2/3"


def test_refusal_of_the_last_reply_goes_with_the_next_try() -> None:
    """The second try says why the first was not enough."""
    client = StubClient()
    story = Story(client).started().approved()
    first = story.begun("s1")
    story.called(first)
    story.refused(first, reason="no end mark")
    story.begun("s1", attempt=2)
    run = client.state.run
    assert run is not None
    (work,) = working_agents(run)
    assert (work.title, work.refusal) == ("Executor · try 2/3", "no end mark")


def test_steps_flow_and_are_put_together_where_they_do_not_fit() -> None:
    """Nothing in trouble ever disappears behind a number of quiet ones."""
    items = [StripItem(f"s{n}", StepStatus.ACCEPTED, f"folder/file_{n}.py") for n in range(60)]
    items.append(StripItem("bad", StepStatus.FAILED, "folder/bad.py"))
    lines = flow(items, 80, rows=2)
    texts = [item.text for line in lines for item in line]
    assert texts == ["60 accepted", "folder/bad.py"]
    assert all(sum(item.width + 2 for item in line) - 2 <= 80 for line in lines)
    assert len(flow(items[:3], 80, rows=2)) == 1


def test_context_says_what_was_left_out() -> None:
    """Sizes of what went out and of what did not."""
    assert context_summary(CONTEXT) == "sent 3 items, 11.5 kB; left out 233 kB of 2 items"
    assert context_summary(CONTEXT[:1]) == "sent 1 item, 2.1 kB"
    assert context_summary(()) == "sent the task and the plan, no files"


def test_figures_keep_their_width() -> None:
    """Numbers that do not dance."""
    assert [clock_text(s) for s in (0, 21, 161, 3_729)] == ["00:00", "00:21", "02:41", "1:02:09"]
    assert [count_text(n) for n in (412, 9_840, 120_000, 1_200_000)] == [
        "412", "9.8k", "120k", "1.2M",
    ]  # fmt: skip
    assert [size_text(n) for n in (999, 12_400, 999_600, 3_000_000)] == [
        "999 B", "12.4 kB", "1.0 MB", "3.0 MB",
    ]  # fmt: skip
    assert bar_text(1, 3, 6, full="#", empty=".") == "##...."
    assert bar_text(0, 0, 4, full="#", empty=".") == "...."
