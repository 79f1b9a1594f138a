"""The errors that this program raises on purpose, and what each says to a person.

    KimiError
    ├── UsageError                 the command line asks for something that cannot be (exit status 2)
    ├── ConfigError                a config or saved file cannot be used (exit status 2)
    ├── FieldError                 a request field holds a value outside its range (exit status 2)
    ├── ThemeError                 a theme file cannot be used
    ├── KeyMissingError            no API key, or one that no request could carry (exit status 2)
    ├── StorageError               a session cannot be read, written or found
    │   ├── SessionHeldError       another process has the session open
    │   └── ConversionError        a value that the target format cannot hold
    └── CompletionError            a request failed (exit status 1)
        ├── InputTooLargeError     refused before sending: the context window is too small
        ├── AuthenticationError    the key is missing or wrong
        ├── PaymentRequiredError   the account has no funds
        ├── PermissionDeniedError  the key may not do this
        ├── ModelNotFoundError     the model is unknown or retired
        ├── RateLimitedError       slow down, or the model is busy
        ├── RejectedRequestError   the endpoint refused the request's fields
        ├── ServerFaultError       5xx, or an error reported inside the stream
        ├── ConnectionFailedError  no connection, or it was lost
        ├── TimedOutError          nothing came for too long
        └── BrokenStreamError      the stream broke off, or what came is no reply

`summary` is one line that says what happened; `hint` is one line that says what to do next, or empty.
Neither ever contains the API key. Both may contain foreign text: make it visible before display.
"""

from __future__ import annotations


class KimiError(Exception):
    """Something went wrong that a person can be told about."""

    kind = "error"
    """Stable word for the kind, as `ask --json` prints it."""

    def __init__(self, summary: str, hint: str = "") -> None:
        """Keep one line on what happened and one on what to do next ("" = nothing to suggest)."""
        super().__init__(summary)
        self.summary = summary
        self.hint = hint

    def reword(self, summary: str) -> None:
        """Say in other words what happened, wherever it is said."""
        self.summary, self.args = summary, (summary,)


class UsageError(KimiError):
    """The command line asks for something that cannot be."""

    kind = "usage"


class ConfigError(KimiError):
    """A config file cannot be read or used."""

    kind = "config"


class FieldError(KimiError):
    """A request field holds a value that the endpoint would refuse.

    `summary` reads `FIELD: found VALUE, allowed RANGE`.
    """

    kind = "field"

    def __init__(self, field: str, found: str, allowed: str) -> None:
        """Name the field, what was found and what is allowed, each as shown to the user."""
        super().__init__(f"{field}: found {found}, allowed {allowed}")
        self.field = field
        self.found = found
        self.allowed = allowed


class ThemeError(KimiError):
    """A theme file cannot be read or used."""

    kind = "theme"


class KeyMissingError(KimiError):
    """There is no API key, or it holds characters that no request can carry."""

    kind = "key"


class StorageError(KimiError):
    """A session cannot be read, written or found."""

    kind = "storage"


class SessionHeldError(StorageError):
    """Another process has the session open; `summary` names it."""

    kind = "held"


class ConversionError(StorageError):
    """A value cannot be written in the target format; `summary` names its key."""

    kind = "conversion"


class CompletionError(KimiError):
    """A request for a completion failed."""

    kind = "request"
    retryable = False
    """Whether the same request may be sent again before its first token."""

    def __init__(
        self,
        summary: str,
        hint: str = "",
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        """Keep what is known of the failure.

        Args:
            summary: One line on what happened.
            hint: One line on what to do next.
            status: HTTP status, None when there was none.
            request_id: The endpoint's name for the request, None when it gave none.
            retry_after_s: Seconds the endpoint asks to wait, None when it did not say.
            retryable: Overrides the class's own answer.
        """
        super().__init__(summary, hint)
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        if retryable is not None:
            self.retryable = retryable


class InputTooLargeError(CompletionError):
    """The input surely exceeds the context window; nothing was sent."""

    kind = "too-large"


class AuthenticationError(CompletionError):
    """The key is wrong (401)."""

    kind = "authentication"


class PaymentRequiredError(CompletionError):
    """The account has no funds (402)."""

    kind = "payment"


class PermissionDeniedError(CompletionError):
    """The key is missing or may not do this (403)."""

    kind = "permission"


class ModelNotFoundError(CompletionError):
    """The model is unknown or retired (404)."""

    kind = "model"


class RateLimitedError(CompletionError):
    """Too many requests, or the model is busy (429)."""

    kind = "rate-limit"
    retryable = True


class RejectedRequestError(CompletionError):
    """The endpoint refused the request (other 4xx)."""

    kind = "rejected"


class ServerFaultError(CompletionError):
    """The endpoint failed (5xx), or reported an error inside the stream."""

    kind = "server"
    retryable = True


class ConnectionFailedError(CompletionError):
    """No connection could be made, or it was lost; a request that was on its way may have been billed."""

    kind = "connection"


class TimedOutError(CompletionError):
    """Nothing came for too long."""

    kind = "timeout"


class BrokenStreamError(CompletionError):
    """The reply broke off, or what came is not a reply."""

    kind = "stream"
