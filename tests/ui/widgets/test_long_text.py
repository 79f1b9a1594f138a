"""The composer with texts of any size: the same rows as ever, and a key costs what is in view."""

from __future__ import annotations

import itertools
import random
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual._wrap import compute_wrap_offsets
from textual.widgets.text_area import Selection

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer
from kimi_tui.ui.panes.prompt_pane import PromptPane
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.wrapping import LONG_LINE, RowCounts, breaks, row_end
from tests.counting import calls_in
from tests.ui.program import Program, program, talk

WIDTH, TAB = 20, 4
SIZES = (50_000, 1_000_000)
"""Characters of a small and a large paste; both fill the composer."""
SHAPES = {
    "one line of words": "some words of a file ",
    "one line without a blank": "c29tZSB3b3Jkcw",
    "one line of wide characters": "漢字かな交じり文、",
    "many short lines": "a line of a file\n",
    "long lines": "w" * 4_000 + "\n",
}
KEYS = (
    *("a", "backspace", "left", "right", "up", "down", "home", "end", "ctrl+j", "backspace", "ctrl+left", "ctrl+right"),
    *("(", ")", "left", "shift+up", "shift+down", "ctrl+w", "ctrl+z", "pageup", "pagedown", "delete"),
)


def text_of(unit: str, size: int) -> str:
    """A text of about that many characters."""
    return unit * (size // len(unit))


def test_lines_that_can_be_read_at_once_break_where_the_library_breaks_them() -> None:
    chance = random.Random(1)
    for _ in range(5_000):
        words = (
            "".join(chance.choice("abcé漢") for _ in range(chance.randrange(30))) for _ in range(chance.randrange(12))
        )
        line = "".join(word + " " * chance.choice((0, 1, 1, 2, 30)) for word in words)
        line = line if chance.random() < 0.3 else line.encode("ascii", "ignore").decode()
        assert breaks(line, WIDTH, TAB) == compute_wrap_offsets(line, WIDTH, TAB), line


@pytest.mark.parametrize("alphabet", ["ab ", "a", "a漢é\u200d\t "])
def test_rows_of_a_long_line_go_on_where_the_last_one_ends_and_fit(alphabet: str) -> None:
    line = "".join(random.Random(2).choices(alphabet, k=LONG_LINE * 3))
    places = [0, *breaks(line, WIDTH, TAB), len(line)]
    for start, end in itertools.pairwise(places):
        assert start < end == row_end(line, start, WIDTH, TAB)


def test_counts_of_rows_are_those_of_a_plain_list() -> None:
    chance, plain, counts = random.Random(3), list[int](), RowCounts()
    for _ in range(400):
        first = chance.randint(0, len(plain))
        last = chance.randint(first, min(len(plain), first + 300))
        new = [chance.randint(1, 4) for _ in range(chance.choice((0, 1, 3, 700)))]
        plain[first:last] = new
        counts.replace(first, last, new)
        assert counts.total == sum(plain)
        for line in chance.sample(range(len(plain)), min(len(plain), 5)):
            before = sum(plain[:line])
            assert counts.before(line) == before
            assert counts.find(before + plain[line] - 1) == (line, plain[line] - 1)


def check_rows(composer: Composer) -> None:
    """Everything is in exactly one row, rows fit, and the cursor is drawn where it stands."""
    wrapped, document = composer.wrapped_document, composer.document
    row = 0
    for number, line in enumerate(document.lines):
        places = [0, *wrapped.get_offsets(number), len(line)]
        assert places == sorted(places)
        assert len(set(places[:-1])) == len(places) - 1
        assert all(len(line[a:b]) <= composer.wrap_width for a, b in itertools.pairwise(places))
        assert wrapped.offset_to_location(wrapped.location_to_offset((number, 0))) == (number, 0)
        assert wrapped.location_to_offset((number, 0)).y == row
        row += len(places) - 1
    assert wrapped.height == row
    end = composer.selection.end
    assert wrapped.offset_to_location(wrapped.location_to_offset(end)) == end


async def test_edits_of_long_lines_are_those_of_a_plain_text_and_can_be_undone(tmp_path: Path) -> None:
    chance = random.Random(4)
    async with program(tmp_path) as running:
        composer = running.screen.composer
        composer.draft = text = text_of("some words ", 3_000) + "\n" + text_of("x", 2_500) + "\nshort\n"
        for _ in range(300):
            start, end = sorted(chance.randint(0, len(text)) for _ in range(2))
            end = end if chance.random() < 0.3 else min(start + chance.randrange(3), len(text))
            new = chance.choice(["", "y", " ", "\n", "words and words", "z" * 2_000, "\n\n", "漢字" * 600])
            composer.selection = Selection(*map(composer.document.get_location_from_index, (start, end)))
            composer._replace_via_keyboard(new, *composer.selection)
            text = text[:start] + new + text[end:]
            assert composer.draft == text
            check_rows(composer)
        kept = []
        for _ in range(20):
            kept.append(composer.draft)
            composer.undo()
            check_rows(composer)
        for before in reversed(kept):
            composer.redo()
            check_rows(composer)
            assert composer.draft == before


async def paste(running: Program, text: str) -> None:
    """Paste a text into the composer."""
    running.screen.composer.post_message(events.Paste(text))
    await running.pilot.pause()


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_key_costs_the_same_in_a_small_draft_and_in_a_large_one(tmp_path: Path, shape: str) -> None:
    costs: list[list[int]] = []
    for size in SIZES:
        async with program(tmp_path / str(size)) as running:
            composer, text = running.screen.composer, text_of(SHAPES[shape], size)
            await paste(running, text)
            assert composer.draft == text
            runs: list[list[int]] = []
            for _ in range(4):  # what is drawn for the first time, and a timer that is due, cost more
                composer.selection = Selection.cursor(composer.document.get_location_from_index(len(text) // 2))
                await running.pilot.pause()
                runs.append([await _cost(running, key) for key in KEYS])
            costs.append([min(cost) for cost in zip(*runs, strict=True)])
    for key, small, large in zip(KEYS, *costs, strict=True):
        assert large < small * 1.5 + 3_000, (key, small, large)


async def _cost(running: Program, key: str) -> int:
    """Functions called for a key, and for drawing what it changed."""
    composer, calls = running.screen.composer, 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        await running.pilot.press(key)
        await running.pilot.pause()
    finally:
        sys.setprofile(None)
    return calls + calls_in(lambda: [composer.render_line(y) for y in range(composer.size.height)])


async def test_what_is_typed_while_a_long_draft_is_being_written_is_kept_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, session=talk(("Hello?", "Hello."))) as running:
        begun, typed, save = threading.Event(), threading.Event(), running.files.save_draft

        def save_slowly(path: Path, text: str) -> None:
            begun.set()
            assert typed.wait(20)
            save(path, text)

        monkeypatch.setattr(running.files, "save_draft", save_slowly)
        first = running.screen.chat
        running.screen.composer.draft = text_of("words ", 300_000)
        await running.type("<ctrl+n>")
        await running.until(begun.is_set)
        await running.type("typed")  # it may be meant for the next session, which does not come for too long
        await running.until(lambda: running.screen.composer.draft.endswith("words typed"))
        typed.set()
        await running.until(lambda: running.screen.chat is not first)
        assert running.screen.composer.is_empty
        assert load_draft(first.path).endswith("words typed")


async def test_the_prompt_of_a_long_draft_is_made_while_keys_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path) as running:
        await running.type("<f5><escape>")
        begun, typed, view = threading.Event(), threading.Event(), PromptViewer.view

        def view_slowly(self: PromptViewer, *args: Any, **options: Any) -> PromptView:
            begun.set()
            assert typed.wait(20)
            return view(self, *args, **options)

        monkeypatch.setattr(PromptViewer, "view", view_slowly)
        await paste(running, text_of("words ", 300_000))
        await running.until(begun.is_set)
        await running.type("typed")  # it may be meant for the next session, which does not come for too long
        await running.until(lambda: running.screen.composer.draft.endswith("words typed"))
        typed.set()
        await running.until(lambda: "words typed" in getattr(running.screen.query_one(PromptPane).view, "text", ""))
