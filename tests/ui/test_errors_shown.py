"""Errors of the endpoint on the screen: whole, in the width, and without a control character."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.endpoint_errors import error_from_response
from tests.fakes.scripted_client import Script
from tests.ui.program import program

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
