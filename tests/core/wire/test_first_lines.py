"""What people are shown of an error: a short first line without control characters, and the rest of the words below."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kimi_tui.core.errors import LINE_CELLS, QUOTED_CHARS, CompletionError
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.endpoint_errors import error_from_response
from kimi_tui.core.wire.frames import decode_event
from kimi_tui.core.wire.sse import SseEvent

NASTY = st.text(st.sampled_from("ab .:\x1b[2J\x07\r\n\t\x9b\u202e\u2028羊한e\u0301👩\u200d💻\ud83d\x00"), max_size=400)
ENDINGS = [400, 401, 402, 403, 404, 408, 422, 429, 500, 503, 599, 307]
HOSTILE = "\x1b]0;pwned\x07\x1b[31m" + "temperature is not what it should be, says the server " * 2


def refused(words: str, status: int = 400) -> CompletionError:
    body = json.dumps({"error": words}).encode("utf-8", "surrogateescape")
    return error_from_response(status, {}, body, DEEPINFRA.error_keys)


def in_stream(words: str) -> CompletionError:
    (frame,) = decode_event(SseEvent("message", json.dumps({"error": words})), DEEPINFRA)
    assert frame.error is not None
    return frame.error


def check(error: CompletionError) -> None:
    assert cell_len(error.summary) <= LINE_CELLS
    for shown in (error.summary, error.quote):
        assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or char == "\u202e" for char in shown)
        assert len(shown) <= QUOTED_CHARS + LINE_CELLS


@given(NASTY | st.text(max_size=400), st.sampled_from(ENDINGS))
def test_the_first_line_is_short_and_harmless_whatever_the_endpoint_says(words: str, status: int) -> None:
    check(refused(words, status))
    check(in_stream(words or "x"))


@pytest.mark.parametrize("make", [refused, in_stream])
def test_long_words_stand_below_whole(make: type[CompletionError]) -> None:
    error = make(HOSTILE)
    assert error.summary.startswith("The endpoint re")
    assert error.summary.removesuffix(").").endswith("…")
    assert error.quote.startswith("“␛]0;pwned␇␛[31mtemperature is not")
    assert error.quote.endswith("says the server”")


def test_short_words_stand_in_the_first_line() -> None:
    error = refused("no room today")
    assert (error.summary, error.quote) == ("The endpoint refused the request (HTTP 400: no room today).", "")
