"""The errors that this program raises on purpose, and what each says to a person.

    KimiError
    ├── UsageError                 the command line asks for something that cannot be (exit status 2)
    ├── ConfigError                a config or saved file cannot be used (exit status 2)
    ├── FieldError                 a request field holds a value outside its range (exit status 2)
    ├── ThemeError                 a theme file cannot be used
    ├── KeyMissingError            no API key, or one that no request could carry (exit status 2)
    ├── LeftOutError               no failure: old turns were not sent, for want of room
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
Neither ever contains the API key. Both may contain foreign text: make it visible before display. What the endpoint
says itself stands in `summary` as far as that stays short, and else whole in `quote`.
"""

from __future__ import annotations

from kimi_tui.core.text.cells import cells_of, cut
from kimi_tui.core.text.visible import one_line

TRY_AGAIN = "Try again."
"""The hint that says no more than that: the screen leaves it out, since it offers how to do so."""
LINE_CELLS = 70
"""Most cells of a summary with the endpoint's words: 80 columns hold it with what stands before it."""
QUOTED_CHARS = 300
"""Most characters of the endpoint's own words that are repeated."""
SAID_CHARS = 16 * 1024
"""Most characters of them that are kept: many times more, since they are cut once the key is out of them."""


class KimiError(Exception):
    kind = "error"
    """Stable word for the kind, as `ask --json` prints it."""
    quote = ""
    """The endpoint's own words on one line, where `summary` has no room for all of them; "" = it has."""

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


class LeftOutError(KimiError):
    kind = "left-out"


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
        said: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        """None = there was none, or the endpoint did not say; `retryable` overrides the class's own answer.

        `said` = the endpoint's own words, which `summary` is to repeat.
        """
        super().__init__(summary, hint)
        self._headline, self._said = summary, ""
        self.repeat(said)
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        if retryable is not None:
            self.retryable = retryable

    @property
    def said(self) -> str:
        """The endpoint's own words; "" = it gave none."""
        return self._said

    def repeat(self, words: str) -> None:
        """Repeat the endpoint's own words: behind what we say ourselves, and, where that would be long, below it."""
        self._said = words[:SAID_CHARS]
        quoted = one_line(self._said, QUOTED_CHARS)
        if not quoted:
            return
        head, end = self._headline.removesuffix("."), ""
        if head.endswith(")"):
            head, end = head.removesuffix(")"), ")."
        begins = cut(quoted, max(LINE_CELLS - cells_of(head) - 2 - len(end), 1))
        self.reword(f"{head}: {begins}{end}")
        self.quote = "" if begins == quoted else f"“{quoted}”"


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
