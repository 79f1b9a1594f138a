"""What an endpoint's errors mean, whatever shape they come in; a dialect says under which keys they stand.

Source of the shapes: what raw completion servers answer, such as words alone, words within words, a list of findings,
and a proxy's HTML.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from kimi_tui.core.errors import (
    TRY_AGAIN,
    AuthenticationError,
    CompletionError,
    ModelNotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RejectedRequestError,
    ServerFaultError,
    TimedOutError,
)
from kimi_tui.core.text.quoting import without_password

MAX_DEPTH = 4
"""How deep words are looked for; no honest error lies deeper."""
MAX_ITEMS = 20
"""Most findings of one answer that are repeated."""
PROXY_LOGIN_HINT = "They belong into its address: http://USER:PASSWORD@HOST:PORT (any that stand there were not taken)."

_Meaning = tuple[type[CompletionError], str, str]
_MEANINGS: Mapping[int, _Meaning] = {
    401: (AuthenticationError, "The endpoint does not accept the key", "Check {key}."),
    402: (PaymentRequiredError, "The account has no funds", "Add funds at the endpoint's site, then try again."),
    403: (PermissionDeniedError, "No key, or one that may not do this", "Check {key}."),
    404: (
        ModelNotFoundError,
        "The model is unknown or retired",
        "Check --model and --base-url, or [api] in the config.",
    ),
    407: (RejectedRequestError, "A proxy wants a user and a password", PROXY_LOGIN_HINT),
    408: (TimedOutError, "The endpoint gave up waiting", TRY_AGAIN),
    429: (RateLimitedError, "Too many requests, or a busy model", "Wait a little, then try again."),
}
_REFUSED: _Meaning = (
    RejectedRequestError,
    "The endpoint refused the request",
    "Check the values of the request fields.",
)
REDIRECT_HINT = "It is not followed, so that the key goes nowhere else. Check --base-url, or [api] base_url."
_REFUSING = re.compile("valid|bad.?request|unprocessable|value.?error|type.?error", re.IGNORECASE)


class ErrorKeys(NamedTuple):
    words: tuple[str, ...]
    """Keys of what an error says, the likeliest first."""
    kind: str = ""
    """Key of its kind, said on its own where nothing else is; "" = there is none."""
    named: str = ""
    """The one of `words` before which the kind is said."""
    kinds: tuple[str, ...] = ()
    """Keys of names by which a refusal can be told from a failure."""
    statuses: tuple[str, ...] = ()
    """Keys of a status as HTTP has it."""
    place: str = ""
    """Key of where one of several findings lies: a list, the outermost part first."""
    place_root: str = ""
    """A part of that which all have, and so is not said."""
    findings: tuple[str, ...] = ()
    """Keys of what a finding says, the likeliest first."""
    key_variable: str = "the key"
    """What is to be checked where the key is refused."""


def error_words(document: object, keys: ErrorKeys) -> str | None:
    """As they stand; None = the document holds no error."""
    return _words_in(document, keys, MAX_DEPTH) if isinstance(document, dict) else None


def _words_in(document: Mapping[str, object], keys: ErrorKeys, depth: int) -> str | None:
    found = document.get(keys.kind)
    kind = found if isinstance(found, str) else ""
    for key in keys.words:
        if (words := _words(document.get(key), keys, depth)) is not None:
            return f"{kind}: {words}" if kind and key == keys.named else words
    return kind or None


def _words(value: object, keys: ErrorKeys, depth: int) -> str | None:
    if not value or value is True:
        return None
    if isinstance(value, dict) and depth:
        return _words_in(value, keys, depth - 1) or _plain(value)
    if isinstance(value, list):
        return "; ".join(_item(item, keys) for item in value[:MAX_ITEMS])
    return value if isinstance(value, str) else _plain(value)


def _item(item: object, keys: ErrorKeys) -> str:
    """One finding of a 422: where and what."""
    if not isinstance(item, dict):
        return item if isinstance(item, str) else _plain(item)
    place = item.get(keys.place)
    where = ".".join(_plain(part) for part in place if part != keys.place_root) if isinstance(place, list) else ""
    what = next(filter(None, map(item.get, keys.findings)), None)
    words = what if isinstance(what, str) else "not accepted"
    return f"{where}: {words}" if where else words


def _plain(value: object) -> str:
    """A value that should have been words."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "…"


def error_in_stream(document: Mapping[str, object], words: str, keys: ErrorKeys) -> CompletionError:
    """Where an error inside a successful answer refuses the request, trying again is no help."""
    reason = "" if words.strip() else ": it gave no reason"
    return ServerFaultError(f"The endpoint reported an error{reason}.", _hint_in(document, keys), said=words)


def _hint_in(document: Mapping[str, object], keys: ErrorKeys) -> str:
    """What to do about an error, by a status of HTTP, the name of its kind, or the findings that it lists."""
    inner = [value for value in map(document.get, keys.words) if isinstance(value, dict)]
    for part in (document, *inner):
        for status in map(part.get, keys.statuses):
            if isinstance(status, int) and 400 <= status < 500:
                return _MEANINGS.get(status, _REFUSED)[2].format(key=keys.key_variable)
        names = [name for name in map(part.get, keys.kinds) if isinstance(name, str)]
        if any(map(_REFUSING.search, names)) or any(isinstance(part.get(key), list) for key in keys.words):
            return _REFUSED[2]
    return TRY_AGAIN


def body_message(body: bytes, keys: ErrorKeys) -> str:
    """The words of an error; "" = it has none that help."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        text = body[:20_000].decode("utf-8", "replace")
        title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return title[1] if title else "" if "<" in text else text
    if isinstance(document, str):
        return document
    return error_words(document, keys) or ""


def retry_after_s(value: str | None, now: datetime | None = None) -> float | None:
    """Of seconds or a date; None = absent or senseless."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value, now)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(value: str, now: datetime | None) -> float | None:
    moment = None if now is None else moment_of(value)
    return None if now is None or moment is None else max((moment - now).total_seconds(), 0.0)


def moment_of(value: str) -> datetime | None:
    """Read a date as headers write it; None = it is none."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few answers name a date that matters

    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def error_from_response(
    status: int, headers: Mapping[str, str], body: bytes, keys: ErrorKeys, now: datetime | None = None
) -> CompletionError:
    """`headers` are looked up in lower case; `body` = what was read of it; `now` serves a Retry-After with a date."""
    fault = (ServerFaultError, "The endpoint failed", "Try again in a little while.")
    redirect = (RejectedRequestError, "The endpoint redirects", REDIRECT_HINT)
    kind, summary, hint = _MEANINGS.get(status, fault if status >= 500 else _REFUSED if status >= 400 else redirect)
    target = headers.get("location", "") if 300 <= status < 400 else ""
    words = f"to {without_password(target)}" if target else body_message(body, keys).strip()
    hint = hint.format(key=keys.key_variable)
    wait_s = retry_after_s(headers.get("retry-after"), now)
    if wait_s:
        hint = f"The endpoint asks to wait {wait_s:.0f} s before it is asked again."
    return kind(
        f"{summary} (HTTP {status}).",
        hint,
        said=words,
        status=status,
        request_id=headers.get("x-request-id"),
        retry_after_s=wait_s,
        retryable=status in {408, 429} or status >= 500,
    )
