"""Retry-After: whatever stands in the header, the wait is finite and sane."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.engine.adapters.retry_after import (
    MAX_SECONDS,
    duration_seconds,
    retry_after_in_text,
    retry_after_seconds,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("1", 1.0),
        (" 2.5 ", 2.5),
        ("-3", 0.0),
        ("inf", MAX_SECONDS),
        ("-inf", 0.0),
        ("nan", None),
        ("1e400", MAX_SECONDS),
        ("99999999999", MAX_SECONDS),
        ("", None),
        ("tomorrow", None),
        ("Mon, 23 Nov 2026 12:00:10 GMT", 10.0),
        ("Mon, 23 Nov 2026 13:00:10 +0100", 10.0),
        ("Mon, 23 Nov 2026 12:00:10 -0000", 10.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2626 11:00:00 GMT", MAX_SECONDS),
        ("Mon, 99 Nov 2026 11:00:00 GMT", None),
    ],
)
def test_forms(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value}, now=NOW) == seconds


def test_milliseconds_win() -> None:
    headers = {"retry-after-ms": "250", "retry-after": "9"}
    assert retry_after_seconds(headers, now=NOW) == 0.25


def test_milliseconds_that_are_none_do_not_hide_the_seconds() -> None:
    headers = {"retry-after-ms": "soon", "retry-after": "9"}
    assert retry_after_seconds(headers, now=NOW) == 9.0


def test_a_date_is_counted_from_the_clock_of_the_server() -> None:
    headers = {
        "retry-after": "Mon, 23 Nov 2026 20:00:10 GMT",
        "date": "Mon, 23 Nov 2026 20:00:00 GMT",
    }
    assert retry_after_seconds(headers, now=NOW) == 10.0


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text()))
def test_anything_gives_nothing_or_a_sane_wait(headers: dict[str, str]) -> None:
    seconds = retry_after_seconds(headers, now=NOW)
    assert seconds is None or 0.0 <= seconds <= MAX_SECONDS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("34.074824224s", 34.074824224),
        ("60s", 60.0),
        ("900ms", 0.9),
        ("1h2m3s", 3723.0),
        ("2 minutes", 120.0),
        (" 0s ", 0.0),
        ("999999999999s", MAX_SECONDS),
        ("9999999999999999999999s", None),
        ("-3s", None),
        ("12", None),
        ("s", None),
        ("5 sheep", None),
        ("nan s", None),
        ("", None),
        ("1s" * 5000, None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached. Please try again in 20s. Visit https://x", 20.0),
        ("Please try again in 6m0s.", 360.0),
        ("Please try again in 7.66s.", 7.66),
        ("please TRY AGAIN IN 250ms", 0.25),
        ("Please retry in 12.3s.", 12.3),
        ("Please retry after 20 seconds.", 20.0),
        ("Please wait for 2 minutes", 120.0),
        ("try again in about 1 hour", 3600.0),
        ("Try again later", None),
        ("in 5 models", None),
        ("Please try again in 5 models", None),
        ("limit 10s per call", None),
    ],
)
def test_sentences(text: str, seconds: float | None) -> None:
    assert retry_after_in_text(text) == seconds


@given(st.one_of(st.text(), st.from_regex(r"try again in [0-9.]{1,30}(ms|s|m|h)?")))
def test_any_text_gives_nothing_or_a_sane_wait(text: str) -> None:
    seconds = retry_after_in_text(text)
    assert seconds is None or 0.0 <= seconds <= MAX_SECONDS
