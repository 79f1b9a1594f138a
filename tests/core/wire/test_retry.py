"""When an attempt is made again, and what HTTP errors mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kimi_tui.core import errors
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.endpoint_errors import error_from_response, retry_after_s
from kimi_tui.core.wire.retry import retry_delay_s


def test_pauses_double_and_end() -> None:
    error = errors.ServerFaultError("x")
    assert [retry_delay_s(error, attempt, 3, 0.0) for attempt in range(1, 5)] == [0.5, 1.0, 2.0, None]
    assert retry_delay_s(error, 1, 0, 0.0) is None
    assert retry_delay_s(error, 4, 99, 0.0) is None


def test_what_the_endpoint_asks_for_is_honoured_up_to_a_point() -> None:
    assert retry_delay_s(errors.RateLimitedError("x", retry_after_s=30), 1, 3, 0.9) == 30
    assert retry_delay_s(errors.RateLimitedError("x", retry_after_s=31), 1, 3, 0.9) is None
    assert retry_delay_s(errors.AuthenticationError("x"), 1, 3, 0.9) is None


@pytest.mark.parametrize("senseless", [float("nan"), -1.0])
def test_a_senseless_wish_is_passed_over(senseless: float) -> None:
    assert retry_delay_s(errors.RateLimitedError("x", retry_after_s=senseless), 1, 3, 0.0) == 0.5


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        ("0", 0),
        ("nan", None),
        ("inf", None),
        ("-1", None),
        ("soon", None),
        (None, None),
        ("Mon, 23 Nov 2026 08:15:09 GMT", 9),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, datetime(2026, 11, 23, 8, 15, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, b'{"detail":{"error":"bad key"}}', errors.AuthenticationError, "bad key"),
        (402, b'{"detail":"pay"}', errors.PaymentRequiredError, "pay"),
        (403, b"", errors.PermissionDeniedError, "HTTP 403"),
        (404, b'{"error":"no such model"}', errors.ModelNotFoundError, "no such model"),
        (
            422,
            b'{"detail":[{"loc":["body","top_p"],"msg":"too large","type":"v"}]}',
            errors.RejectedRequestError,
            "top_p: too large",
        ),
        (429, b'{"error":{"message":"slow"}}', errors.RateLimitedError, "slow"),
        (500, b"<html><title>Bad gateway</title>", errors.ServerFaultError, "Bad gateway"),
        (503, b"plain words", errors.ServerFaultError, "plain words"),
        (418, b"", errors.RejectedRequestError, "418"),
        (302, b"", errors.RejectedRequestError, "redirects"),
    ],
)
def test_statuses(status: int, body: bytes, kind: type[errors.CompletionError], words: str) -> None:
    error = error_from_response(status, {"retry-after": "2"}, body, DEEPINFRA.error_keys)
    assert type(error) is kind
    assert words in error.summary
    assert error.hint
    assert (error.status, error.retry_after_s) == (status, 2)
    assert error.retryable is (status == 429 or status >= 500)


def test_how_long_the_endpoint_asks_to_wait_is_told() -> None:
    assert "120 s" in error_from_response(429, {"retry-after": "120"}, b"", DEEPINFRA.error_keys).hint
    assert "0 s" not in error_from_response(429, {"retry-after": "0"}, b"", DEEPINFRA.error_keys).hint
