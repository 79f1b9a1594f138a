"""Errors of the endpoint on the screen: whole, in the width, and without a control character."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.endpoint_errors import error_from_response
from kimi_tui.ui.state.entries import error_text, notice
from tests.fakes.scripted_client import Script
from tests.ui.program import program
from tests.ui.transcript.parts import Parts

WORDS = {
    "escapes": '{"error": "\\u001b[2J\\u001b]0;x\\u0007' + "too hot for a lamb, says the server. " * 4 + 'END"}',
    "wide": '{"error": "' + "羊한" * 70 + 'END"}',
    "marks": '{"error": "' + "e\\u0301" * 120 + " \\u202eEND" + '"}',
}


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=str)
@pytest.mark.parametrize("name", WORDS)
async def test_long_and_hostile_words_are_shown_within_the_screen(
    tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    refusal = error_from_response(400, {}, WORDS[name].encode(), DEEPINFRA.error_keys)
    async with program(tmp_path, Script([], refuse=refusal), size=size) as running:
        await running.type("Hello<enter>")
        await running.shows("END")
        rows = running.text.split("\n")
    assert all(cell_len(row) <= size[0] for row in rows)
    assert not any(ord(char) < 32 or "\x7f" <= char <= "\x9f" or char == "\u202e" for row in rows for char in row)
    (first,) = (row for row in rows if "✗" in row)
    assert first.strip().startswith("✗ The endpoint refused the request (HTTP 400:")


SAID = st.text(st.sampled_from("ab .:\x1b[2J\x07\r\n\t\x9b\u202e\u2028羊한e\u0301👩\u200d💻\ufe0f\x00"), max_size=400)


@given(SAID | st.text(max_size=400), st.sampled_from([60, 80, 120]))
def test_a_notice_keeps_every_width(words: str, columns: int) -> None:
    refusal = error_from_response(400, {}, json.dumps({"error": words}).encode(), DEEPINFRA.error_keys)
    parts = Parts(columns, 400)
    parts.set_entries([notice("n", error_text(refusal, "Nothing is lost."), "error")])
    lines = parts.texts()
    assert all(cell_len(line) <= columns for line in lines)
    assert not any(
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or char == "\u202e" for char in "".join(lines)
    )
    assert lines[0].lstrip().startswith("✗ The endpoint refused the request (HTTP 400")
