"""The words of failing clients, and what they mean; none of these is in a whole recording."""

import pytest

from orchestra_tui.engine.adapters import base
from orchestra_tui.engine.adapters.process.failures import Failure
from orchestra_tui.engine.adapters.retry_after import MAX_SECONDS

CAUSES = {
    "peer closed connection without sending complete message body": base.StreamCut,
    "Model stream ended without a finish reason.": base.StreamCut,
    "stream disconnected before completion: idle timeout waiting for SSE": base.IdleTimeout,
    "Invalid API key · Please run /login": base.AuthenticationFailed,
    "You've hit your usage limit. Upgrade to Pro": base.QuotaExhausted,
    "Your input exceeds the context window of this model": base.ContextTooLong,
    "The model `gpt-9` does not exist": base.ModelNotFound,
    "Unterminated string in JSON at position 19": base.InvalidResponse,
    "getaddrinfo ENOTFOUND api.anthropic.com": base.ConnectionFailed,
    "API Error: 529 overloaded_error": base.Overloaded,
    "last status: 418 I'm a teapot": base.RequestRefused,
    "Segmentation fault": base.ProcessFailed,
}


@pytest.mark.parametrize(("words", "cause"), CAUSES.items())
def test_a_cause_is_known_by_its_words(words: str, cause: type[base.AdapterError]) -> None:
    assert Failure(words).cause is cause


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please retry in 34.07s.", 34.07),
        ("Please try again in 900ms", 0.9),
        ("Suggested retry after 1s.. Max attempts reached", 1.0),
        ("try again in 2 hours", 7200.0),
        ("try again in 1m30s", 90.0),
        ("try again in 1 hour 20 minutes", 4800.0),
        ("try again in 3 days 4 hours", MAX_SECONDS),
        ("try again in 99999999h", MAX_SECONDS),
        ("try again later", None),
    ],
)
def test_the_wait_is_read_from_the_words(words: str, seconds: float | None) -> None:
    assert Failure(words).wait == (None if seconds is None else pytest.approx(seconds))


def test_a_quota_of_a_minute_is_a_rate_limit() -> None:
    said = "You exceeded your current quota, please check your plan."
    assert Failure(f"{said} Please retry in 34s.").cause is base.RateLimited
    assert Failure(f"{said} quotaId: RequestsPerDay. Please retry in 34s.").cause is (
        base.QuotaExhausted
    )
    assert Failure(said).cause is base.QuotaExhausted


def test_only_what_the_chain_decides_better_ends_a_client_at_once() -> None:
    assert Failure("Too Many Requests", status=429).is_for_the_chain
    assert Failure("Unauthorized", status=401).is_for_the_chain
    assert not Failure("oops", status=500).is_for_the_chain


def test_an_error_shows_no_secret_and_no_escape() -> None:
    error = Failure("bad key sk-123456 \x1b[31m" + "x" * 1000).error("mine", ("sk-123456",))
    assert "sk-123456" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 500
