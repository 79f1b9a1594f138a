"""The errors that this program raises on purpose, and what each says to a person.

    KimiError
    ├── UsageError                 the command line asks for something that cannot be (exit status 2)
    ├── ConfigError                a config or saved file cannot be used (exit status 2)
    ├── FieldError                 a request field holds a value outside its range (exit status 2)
    ├── ThemeError                 a theme file cannot be used
    ├── KeyMissingError            no API key, or one that no request could carry (exit status 2)
    ├── StorageError               a session cannot be read, written or found
    │   ├── SessionHeldError       another process has the session open
    │   ├── SessionReadOnlyError   the session that is open can be read, not changed
    │   └── ConversionError        a value that the target format cannot hold
    └── CompletionError            a request failed (exit status 1)
        ├── InputTooLargeError     refused before sending: the context window is surely too small
        ├── AuthenticationError    401: the key is wrong
        ├── PaymentRequiredError   402: the account has no funds
        ├── PermissionDeniedError  403: the key is missing or may not do this
        ├── ModelNotFoundError     404: the model is unknown or retired
        ├── RateLimitedError       429: slow down, or the model is busy
        ├── RejectedRequestError   other 4xx: the endpoint refused the request's fields
        ├── ServerFaultError       5xx, or an error reported inside the stream
        ├── ConnectionFailedError  no connection, or it was lost
        ├── TimedOutError          nothing came for too long
        └── BrokenStreamError      the stream broke off, or what came is no reply

`summary` is one line that says what happened; `hint` is one line that says what to do next, or empty.
Neither ever contains the API key. Both may contain foreign text: make it visible before display.
"""

from __future__ import annotations


class KimiError(Exception):
    kind = "error"
    """Stable word for the kind, as `ask --json` prints it."""

    def __init__(self, summary: str, hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint

    def reword(self, summary: str) -> None:
        self.summary, self.args = summary, (summary,)


class UsageError(KimiError):
    kind = "usage"


class ConfigError(KimiError):
    kind = "config"


class FieldError(KimiError):
    """`summary` reads `FIELD: found VALUE, allowed RANGE`, each part as shown to the user."""

    kind = "field"

    def __init__(self, field: str, found: str, allowed: str) -> None:
        super().__init__(f"{field}: found {found}, allowed {allowed}")
        self.field = field
        self.found = found
        self.allowed = allowed


class ThemeError(KimiError):
    kind = "theme"


class KeyMissingError(KimiError):
    kind = "key"


class StorageError(KimiError):
    kind = "storage"


class SessionHeldError(StorageError):
    """`summary` names the process that has it open."""

    kind = "held"


class SessionReadOnlyError(StorageError):
    """`summary` begins with "read-only", and says why."""

    kind = "read-only"


class ConversionError(StorageError):
    """`summary` names the value's key."""

    kind = "conversion"


class CompletionError(KimiError):
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
        """None = there was none, or the endpoint did not say; `retryable` overrides the class's own answer."""
        super().__init__(summary, hint)
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        if retryable is not None:
            self.retryable = retryable


class InputTooLargeError(CompletionError):
    kind = "too-large"


class AuthenticationError(CompletionError):
    kind = "authentication"


class PaymentRequiredError(CompletionError):
    kind = "payment"


class PermissionDeniedError(CompletionError):
    kind = "permission"


class ModelNotFoundError(CompletionError):
    kind = "model"


class RateLimitedError(CompletionError):
    kind = "rate-limit"
    retryable = True


class RejectedRequestError(CompletionError):
    kind = "rejected"


class ServerFaultError(CompletionError):
    kind = "server"
    retryable = True


class ConnectionFailedError(CompletionError):
    """A request that was on its way may have been billed."""

    kind = "connection"


class TimedOutError(CompletionError):
    kind = "timeout"


class BrokenStreamError(CompletionError):
    kind = "stream"
