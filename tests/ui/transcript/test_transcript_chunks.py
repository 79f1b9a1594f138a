"""Long texts as chunks: cut by the text alone, drawn alike however they came, and little of them parsed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from rich.style import Style

from kimi_tui.core.markdown import cutting
from kimi_tui.core.markdown.blocks import Block
from kimi_tui.core.markdown.chunked_text import ChunkedText
from kimi_tui.core.markdown.cutting import FORCED_CHARS, HARD_CHARS, LINE_CHARS, SAFE_CHARS, next_cut
from kimi_tui.core.markdown.source import MarkdownSource
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.transcript import viewport
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.pieces import Look, Section
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.transcript.viewport import TOP, Viewport
from tests.counting import calls_in, chars_parsed, made
from tests.ui.transcript.parts import Parts, append, append_to, live, window
from tests.ui.transcript.test_transcript_widget import MARKDOWN, Host, body, rows

TEXTS = {
    "markdown": MARKDOWN * 80,
    "fence": "Some code:\n\n```python\n" + "".join(f"x{n} = {n}\n" for n in range(4000)) + "```\n\nThe end.",
    "code in markdown": "A file:\n\n````md\n```sh\n````py\n"
    + "".join(f"Line {n}\n\n" for n in range(2500))
    + "````\n\n```\n"
    + "".join(f"Line {n}\n\n" for n in range(2500))
    + "````\n\nThe *end*.",
    "table": "| a | b |\n|---|---|\n" + "".join(f"| {n} | text |\n" for n in range(2500)) + "\nThe end.",
    "list": "- item *x*\n" * 4000 + "\nThe end.",
    "numbers": "".join(f"1. item {n}\n{'   - below' * (n % 3)}\n{chr(10) * (n % 2)}" for n in range(3000))
    + "\nThe end.",
    "paragraph": "a line of prose\n" * 3000,
    "one line": "word " * 20_000,
    "html": "<!--\n" + "a line\n\nB line\n" * 3000 + "-->\n\nThe end.",
    "links": "see [x]\n\nText.\n\n" * 2000 + "[x]: https://example.org\n",
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("is_markdown", [True, False])
def test_chunks_join_to_the_text_and_depend_on_it_alone(name: str, is_markdown: bool) -> None:
    text, chance = TEXTS[name], random.Random(3)
    whole = ChunkedText(text, is_markdown=is_markdown)
    assert whole.text == text
    assert all(len(chunk.text) <= HARD_CHARS for chunk in whole.chunks)
    assert len(whole.chunks) > 1
    view, place = GrowingText(), 0
    grown = ChunkedText(view, is_markdown=is_markdown)
    while place < len(text):
        size = chance.choice([1, 7, 300, 5000])
        view.append(text[place : place + size])
        grown.grow()
        place += size
    assert [(c.text, c.opening, c.is_inside, c.start) for c in grown.chunks] == [
        (c.text, c.opening, c.is_inside, c.start) for c in whole.chunks
    ]


def test_where_chunks_end() -> None:
    prose = "Prose.\n\n"
    assert next_cut(prose * 20, "", is_markdown=True) is None
    cut = next_cut(prose * 9000, "", is_markdown=True)
    assert cut is not None
    assert SAFE_CHARS <= cut.chars < SAFE_CHARS + 10
    assert not cut.is_inside
    fence = next_cut("~~~py\n" + "Line\n\n" * 9000, "", is_markdown=True)
    assert fence is not None
    assert FORCED_CHARS <= fence.chars < FORCED_CHARS + 10
    assert fence.opening == "~~~py\n"
    deep = next_cut("- a\n" + "  deep\n" * 9000, "", is_markdown=True)
    assert deep is not None
    assert LINE_CHARS <= deep.chars < LINE_CHARS + 10
    line = next_cut("x" * 90_000, "", is_markdown=True)
    assert line is not None
    assert line.chars == HARD_CHARS


@pytest.mark.parametrize("name", ["markdown", "fence", "code in markdown", "table", "list", "numbers", "links"])
async def test_a_long_reply_that_was_streamed_is_drawn_as_one_that_was_loaded(name: str) -> None:
    text, chance = TEXTS[name][:60_000], random.Random(5)
    async with Host().run_test(size=(60, 200)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        done = Entry("live", EntryKind.ASSISTANT, "Kimi", text)
        transcript.set_entries([done])
        whole = pages(transcript)
        transcript.set_entries([])
        transcript.set_entries([live()])
        place = 0
        while place < len(text):
            size = chance.choice([3, 40, 400])
            append(transcript, ReplyPart.ANSWER, text[place : place + size])
            if chance.random() < 0.2:
                rows(transcript)
            place += size
        transcript.update_entry(done)
        assert pages(transcript) == whole


PIECES = [
    "# H\n", "word word word\n", "see [r][id] and [id], [^1]\n", "\n", "\n", "\n", "[id]: http://u.v/\n", "> [id]: /q 't'\n", "> q\n",
    "- item\n", "  - below\n", "- [b]: /b\n", "1. one [b]\n", "[^1]: a note\n", "    [c]: /c\n", "| a | [c] |\n|---|---|\n",
    "| 1 | 2 |\n| 3 | [r][id] |\n", "```py\n", "x = [1]\n\n[d]: /code\n", "```\n", "```md\n", "[d] *x*\n", "<!--\n", "-->\n", "---\n", "[d]: /d\n\n[e]: /e\n",
    "[e]:\n/late\n", "[e]\r\n", "[f\\]]: /f\n", "[f\\]] ", "words that go on " * 9,
]  # fmt: skip
"""Pieces of Markdown, of which many define or name targets of links."""


def drawn(view: Viewport) -> list[Line]:
    """All lines, twice: what is read later may change what was drawn before."""
    list(view.walk(TOP))
    return [line for _, line in view.walk(TOP)]


@pytest.mark.parametrize("seed", range(4))
def test_streamed_in_any_cuts_long_texts_are_drawn_as_when_loaded(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"SAFE_CHARS": 60, "FORCED_CHARS": 90, "LINE_CHARS": 130, "HARD_CHARS": 200, "WORD_CHARS": 20}
    for name, limit in limits.items():
        monkeypatch.setattr(cutting, name, limit)
    chance, look = random.Random(seed), Look(Styles({}, Style()), 40)
    count = 0
    for _ in range(100):
        text = "".join(chance.choices(PIECES, k=chance.randint(5, 50)))
        done = Entry("r", EntryKind.ASSISTANT, "Kimi", text)
        streamed, item = window(replace(done, text=GrowingText(), is_streaming=True), look, 8)
        place = 0
        while place < len(text):
            size = chance.choice([1, 5, 40, 200])
            append_to(item, text[place : place + size])
            place += size
            if chance.random() < 0.5:
                streamed.rows()
            if chance.random() < 0.1:
                chance.choice(item.section(Section.BODY).chunks).drop()
        item.update(done)
        loaded, _ = window(done, look, 8)
        assert [line for _, line in loaded.rows()] == [line for _, line in streamed.rows()]
        assert drawn(loaded) == drawn(streamed)
        count += len(item.section(Section.BODY).chunks)
    assert count > 300


@pytest.mark.parametrize("definition", ["# H\n[id]: http://u.v/", "> [id]: http://u.v/", "- [id]: http://u.v/"])
async def test_a_link_target_is_known_however_the_text_came_and_whatever_is_in_view(definition: str) -> None:
    long = "\n\nSome words.\n" * 2_500
    text = f"See [r][id] here.\n\n{long}\n{definition}\n{long}\nSee [r][id] there."
    async with Host().run_test(size=(60, 20)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([Entry("r", EntryKind.ASSISTANT, "Kimi", text)])
        assert "See r (http://u.v/) there." in "\n".join(body(transcript))
        transcript.set_entries([])
        transcript.set_entries([live()])
        for place in range(0, len(text), 1_000):
            append(transcript, ReplyPart.ANSWER, text[place : place + 1_000])
            rows(transcript)
        transcript.update_entry(Entry("live", EntryKind.ASSISTANT, "Kimi", text))
        assert "See r (http://u.v/) there." in "\n".join(body(transcript))
        transcript.view.scroll_to_top()
        assert "See r (http://u.v/) here." in "\n".join(body(transcript))


def test_code_inside_of_long_markdown_is_shown_as_one_block() -> None:
    text = ChunkedText(TEXTS["code in markdown"], is_markdown=True)
    for chunk in text.chunks:
        chunk.parse(is_streaming=False)
    blocks = [block for chunk in text.chunks for block in chunk.blocks if isinstance(block, Block)]
    assert {block.kind for block in blocks[1:-1]} == {"fence"}
    assert [block.kind for block in blocks if not block.goes_on] == ["paragraph", "fence", "paragraph"]
    code = "".join(block.tokens[0].content for block in blocks[1:-1])
    assert code == text.text.partition("````md\n")[2].removesuffix("````\n\nThe *end*.")


def test_a_text_of_targets_alone_is_parsed_once() -> None:
    text = ChunkedText("".join(f"[a{n}]: /b{n}\n" for n in range(3_000)), is_markdown=True)
    text.parse(0, is_streaming=False)
    with chars_parsed() as again:
        for _ in range(5):
            text.parse(0, is_streaming=False)
    assert again.total == 0
    assert len(text.references) == 3_000


def test_a_text_that_lost_its_end_can_grow_again() -> None:
    view = GrowingText()
    text = ChunkedText(view, is_markdown=True)
    for place in range(0, 26_000, 500):
        view.append(("Some words.\n\n" * 2_000)[place : place + 500])
        text.grow()
        text.parse(len(text.chunks) - 1, is_streaming=True)
    shorter = GrowingText(text.chunks[0].text)
    text.change_to(shorter)
    shorter.append("- The end.")
    text.grow()
    text.parse(0, is_streaming=False)
    last = text.chunks[0].blocks[-1]
    assert isinstance(last, Block)
    assert last.source == "- The end."


def pages(transcript: Transcript) -> list[str]:
    transcript.view.scroll_to_top()
    seen: list[str] = []
    while not transcript.is_following:
        seen += body(transcript)[:-3]
        transcript.view.scroll_lines(transcript.size.height - 3)
    return seen + body(transcript)


def test_targets_are_those_that_the_parser_finds() -> None:
    chance = random.Random(7)
    for _ in range(1_500):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 12)))
        chunk = ChunkedText(text, is_markdown=True).chunks[0]
        assert chunk.targets() == MarkdownSource(text).references, text
        assert not chunk.blocks


def test_of_a_long_text_only_what_is_in_view_is_parsed() -> None:
    parts = Parts(77, 24)
    parts.set_entries([Entry("r", EntryKind.ASSISTANT, "Kimi", MARKDOWN * 4000)])
    assert "The end." in "\n".join(parts.texts())
    part = parts.viewport.items[0].section(Section.BODY)
    assert len(part.chunks) > 50
    assert sum(bool(chunk.pieces) for chunk in part.chunks) <= 2
    parts.view.scroll_to_top()
    assert "Lamb" in "\n".join(parts.texts())
    assert sum(bool(chunk.pieces) for chunk in part.chunks) <= 4


@pytest.mark.parametrize(
    ("text", "most_made"),
    [
        ("- an item of *many*\n  1. one below it\n" * 25_000, 200),
        ("- an item\n" * 100_000, 200),
        ("| a | b |\n|---|---|\n" + "| one | two |\n" * 5_000, 550),  # in parts of 30 rows
    ],
    ids=["list", "plain list", "table"],
)
def test_a_jump_into_a_giant_block_reads_and_lays_out_little_of_it(text: str, most_made: int) -> None:
    parts = Parts(77, 24)
    with chars_parsed() as parsed, made(Line) as lines:
        parts.set_entries([Entry("r", EntryKind.ASSISTANT, "Kimi", text)])
        parts.texts()
        parts.view.scroll_to_line(parts.view.scroll_bar().total // 2)
        assert all(line.strip() for line in parts.texts())
    assert lines.total <= most_made
    assert parsed.total <= 5 * FORCED_CHARS


def test_what_lies_far_away_is_dropped_and_looks_alike_when_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewport, "KEPT_LINES", 400)
    monkeypatch.setattr(viewport, "KEPT_CHARS", 50_000)
    parts = Parts(77, 50)
    parts.set_entries([Entry(f"r{n}", EntryKind.ASSISTANT, "Kimi", MARKDOWN * 80) for n in range(4)])
    parts.view.scroll_to_top()
    first = parts.texts()
    for _ in range(250):
        parts.view.scroll_lines(45)
        parts.texts()
        parts.viewport.trim()
    assert parts.viewport.is_following
    chunks = [chunk for item in parts.viewport.items for section in Section for chunk in item.section(section).chunks]
    assert sum(len(piece.lines or ()) for chunk in chunks for piece in chunk.pieces) < 1_500
    assert sum(len(chunk.source.text) for chunk in chunks if chunk.pieces) <= 60_000
    _, above, total = parts.view.scroll_bar()
    assert above + 50 == total  # all was seen, so the heights are exact, dropped or not
    parts.view.scroll_to_top()
    assert parts.texts() == first


def test_a_changed_text_keeps_the_chunks_that_are_the_same() -> None:
    text = ChunkedText(MARKDOWN * 100, is_markdown=True)
    before = list(text.chunks)
    changed = text.text[:-500] + "another end"
    text.change_to(changed)
    assert text.text == changed
    assert text.chunks[:-1] == before[: len(text.chunks) - 1]
    text.change_to("short")
    assert text.text == "short"
    view = GrowingText()
    text.change_to(view)
    assert text.text == ""
    view.append("again")
    text.grow()
    assert text.text == "again"


def test_what_was_cut_before_is_not_cut_again_in_the_place_of_another_sessions_message() -> None:
    giant = Entry("m1", EntryKind.ASSISTANT, "Kimi", "a word\n\n" * 200_000)
    parts = Parts()
    parts.set_entries([replace(giant, text="short")])
    assert list(parts.viewport.pieces_from(TOP))  # it is laid out
    parts.viewport.items.prepare([giant], None)
    assert calls_in(lambda: parts.set_entries([giant])) < 20_000
    item = parts.entries.item("m1")
    assert item is not None
    assert item.entry is giant
