"""Long tables: their columns are as wide from the first row to the last, streamed or loaded, and each row is measured once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from kimi_tui.core.markdown import cutting
from kimi_tui.core.markdown.blocks import Block
from kimi_tui.core.markdown.chunked_text import ChunkedText
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.long_tables import LongTables
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.viewport import Place, Viewport
from tests.ui.transcript.parts import Parts, append, append_to, live, window
from tests.ui.transcript.test_transcript_widget import Host, body

STYLES = Styles({}, Style(color="white", bgcolor="black"))
LATE = "| Option | OK |\n|---|---|\n" + "".join(
    f"| opt{n} | {'yes' if n < 36 else 'only together with --force on Linux'} |\n" for n in range(45)
)
NUMBERED = "Table:\n\n| n | name | value |\n|--:|:--|:-:|\n" + "".join(
    f"| {n} | row **{n}** text | `v{n * 7}` |\n" for n in range(5000)
)
CELLS = [
    "", "a", "yes", "some words", "**bold**", "`code`", "*em* and `x`", "snake_case", "a \\| b", "2 * 3", "羊肉", "é", "👩\u200d💻", "x<br>yy",
    "[x]", "[link](https://example.org)", "![a](b.png)", "https://e.org/a", "$x^2$", "&amp;", "a\tb", "averyveryverylongwordindeed",
    "a cell that is much longer than all the others and wraps on most screens", "**", "[x", "`", "\x1b", "\\*no\\*",
]  # fmt: skip
TABLES = st.tuples(
    st.integers(1, 4),
    st.integers(20, 100),
    st.sampled_from(["", "\nThe end.\n", "\n[x]: https://example.org/x\n", "# H | x\n", "- a | b\n"]),
    st.randoms(use_true_random=False),
)


def table(columns: int, count: int, end: str, chance: random.Random) -> str:
    """A table whose wider cells come late."""
    heads = "".join(f"| h{n} " for n in range(columns)) + "|\n" + "|---" * columns + "|\n"
    body = ""
    for row in range(count):
        known = CELLS[: 3 + row * len(CELLS) // count]
        inner = " | ".join(chance.choice(known) for _ in range(max(columns + chance.choice([0, 0, 0, 0, -1, 1]), 1)))
        body += f"| {inner} |\n" if chance.random() < 0.95 else f"x | {inner}\n"
    return f"Text.\n\n{heads}{body}{end}"


def all_lines(view: Viewport) -> list[Line]:
    top = Place(0, Section.BODY)
    assert list(view.pieces_from(top))  # all is parsed, so that the targets of all links are known
    return [line for _, line in view.walk(top)]


def bars(lines: list[str]) -> set[tuple[int, ...]]:
    """In which cells the bars of the rows stand."""
    return {tuple(cell_len(line[:at]) for at, char in enumerate(line) if char in "│┼") for line in lines if "│" in line}


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, chars in (("SAFE_CHARS", 1200), ("FORCED_CHARS", 1400), ("LINE_CHARS", 2000), ("HARD_CHARS", 3200)):
        monkeypatch.setattr(cutting, name, chars)


async def test_a_cell_that_comes_late_has_the_room_there_is() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([Entry("r", EntryKind.ASSISTANT, "Kimi", LATE)])
        last = body(transcript)
        assert last[-2].strip(" ┃") == "opt44  │ only together with --force on Linux"
        transcript.view.scroll_to_top()
        assert bars(body(transcript)) == bars(last)


def test_the_bars_of_a_giant_table_stand_in_the_same_columns_everywhere() -> None:
    parts = Parts(77, 24)
    parts.set_entries([Entry("r", EntryKind.ASSISTANT, "Kimi", NUMBERED)])
    known = bars(parts.texts())
    assert len(known) == 1
    for line in (0, 380, 395, 1130, 1145, 2500):
        parts.view.scroll_to_line(line)
        assert bars(parts.texts()) == known


@settings(max_examples=40, deadline=None)
@given(TABLES, st.sampled_from([12, 40, 100]))
def test_a_table_that_was_streamed_is_one_that_was_loaded(
    parts: tuple[int, int, str, random.Random], width: int
) -> None:
    check_streaming(table(*parts), parts[-1], width)


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("seed", range(12))
def test_a_table_of_several_chunks_that_was_streamed_is_one_that_was_loaded(seed: int) -> None:
    chance = random.Random(seed)
    text = table(
        chance.randint(1, 4), 150, chance.choice(["", "\nThe end.\n", "\n[x]: https://example.org/x\n"]), chance
    )
    assert len(Item(Entry("r", EntryKind.ASSISTANT, "K", text), is_folded=True).section(Section.BODY).chunks) > 1
    check_streaming(text, chance, chance.choice([12, 40, 100]))


def check_streaming(text: str, chance: random.Random, width: int) -> None:
    look = Look(STYLES, width)
    done = Entry("r", EntryKind.ASSISTANT, "Kimi", text)
    whole = all_lines(window(done, look)[0])
    backwards, item = window(done, look)
    last = len(item.section(Section.BODY).chunks) - 1
    list(backwards.pieces_before(Place(0, Section.BODY, last, 10_000)))
    assert all_lines(backwards) == whole
    view, grown = window(live(), look)
    place = 0
    while place < len(text):
        size = chance.choice([1, 7, 40, 300])
        append_to(grown, text[place : place + size])
        if chance.random() < 0.3:
            view.rows()
        place += size
    if "]:" not in text:  # what it measured while it grew is right
        assert bars([line.text for line in all_lines(view)]) == bars([line.text for line in whole])
    grown.update(done)
    assert all_lines(view) == whole
    assert len(bars([line.text for line in whole])) <= 1


def test_a_new_row_is_read_and_none_above_it_again() -> None:
    read: list[int] = []

    class Watched(ChunkedText):
        def chunk_at(self, chars: int) -> int:
            read.append(chars)
            return super().chunk_at(chars)

    whole = GrowingText(NUMBERED)
    text = Watched(whole, is_markdown=True)
    text.parse(0, is_streaming=True)
    table, tables = text.chunks[0].blocks[1], LongTables(text)
    assert isinstance(table, Block)
    widths = tables.widths(table, 0, 1, 80)
    assert read == [table.start, *(chunk.start for chunk in text.chunks[1:])]
    for number in range(50):
        read.clear()
        known = text.chars
        whole.append(f"| {number} | a row | `x` |\n")
        text.grow()
        assert tables.widths(table, 0, 1, 80) == widths
        assert read[0] == known
    whole.append("| a wider cell than all before | b | c |\n")
    text.grow()
    assert tables.widths(table, 0, 1, 80) != widths


def test_rows_are_laid_out_again_only_where_columns_get_other_widths() -> None:
    view, item = window(live(), Look(STYLES, 60))
    append_to(item, "| a | b |\n|---|---|\n" + "| one | two |\n" * 40)

    def first_lines(row: str) -> list[Line]:
        append_to(item, row)
        view.scroll_to(Place(0, Section.BODY, line=20))
        view.rows()
        return view.lines(Place(0, Section.BODY))

    known = first_lines("")
    assert first_lines("| six | ten |\n") is known
    wider = first_lines("| three | more |\n")
    assert wider is not known
    assert first_lines("| one | **two** |\n") is wider
    widest = first_lines(f"| one | {'word ' * 20} |\n")
    assert first_lines(f"| one | {'word ' * 30} |\n") is widest
    assert first_lines(f"| one | {'x' * 300} |\n") is widest


@pytest.mark.parametrize("line", [5, 40, 61])
def test_a_column_that_grows_moves_no_line_that_is_read(line: int) -> None:
    parts = Parts(41, 12)
    parts.set_entries([live()])
    text = "".join(f"| {n} | some words that wrap on a narrow screen | no |\n" for n in range(60))
    append(parts, ReplyPart.ANSWER, f"| n | what | b |\n|---|---|---|\n{text}")
    parts.texts()
    parts.view.scroll_lines(-1)
    parts.view.scroll_to(Place(0, Section.BODY, 0, 0 if line < 60 else 1, line % 60))
    before = parts.texts()
    seen = set()
    for size in range(1, 40):
        append(parts, ReplyPart.ANSWER, f"| {59 + size} | more | {'y' * size} |\n")
        now = parts.texts()
        number = next(row for row in now if row.split("│")[0].strip()).split("│")[0]
        assert number == next(row for row in before if row.split("│")[0].strip()).split("│")[0]
        seen |= bars(now)
    assert len(seen) > 3
