"""Selection with mouse and keyboard: what is marked, and that what is copied is the source."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.style import Style
from textual.events import Key, MouseMove
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, contrast
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.text.colours import FewColoursFilter, colourless
from kimi_tui.ui.text.themes import build_theme
from kimi_tui.ui.transcript.selection_range import SelectionRange, point_at
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.ui.program import shipped_themes
from tests.ui.resizing import resize
from tests.ui.transcript.parts import Parts
from tests.ui.transcript.test_transcript_widget import Host, body, reply, select_all, selected, user

SOURCE = """Some **bold** words and `code`.

* first
* second
  + inner

```py
def f():
\treturn 1
```

| a | b |
|---|--:|
| x | 1 |
| y | 2 |

> quoted *text*

The end."""


class Recorder(Host):
    def __init__(self) -> None:
        super().__init__()
        self.seen = list[Message]()

    def on_transcript_copy_requested(self, event: Transcript.CopyRequested) -> None:
        self.seen.append(event)

    def on_transcript_selection_mode_changed(self, event: Transcript.SelectionModeChanged) -> None:
        self.seen.append(event)


def strips(transcript: Transcript) -> list[Strip]:
    return transcript.render_lines(Region(0, 0, *transcript.size))


def row_of(transcript: Transcript, text: str) -> int:
    return next(row for row, line in enumerate(body(transcript)) if text in line)


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(Transcript, offset=start)
    await pilot._post_mouse_events([MouseMove], Transcript, offset=end, button=1)
    await pilot.mouse_up(Transcript, offset=end)


async def test_a_whole_message_is_copied_as_it_was_written() -> None:
    async with Host().run_test(size=(60, 50)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, SOURCE)])
        select_all(transcript)
        assert selected(transcript) == f"Kimi\n{SOURCE}"
        assert pilot.app.screen.get_selected_text() == f"Kimi\n{SOURCE}"
        await pilot.press("escape")


async def test_several_messages_are_copied_as_they_were_written() -> None:
    words = " ".join(f"word{n}" for n in range(30))
    async with Host().run_test(size=(40, 30)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, words), reply(2, SOURCE, "hm"), user(3, "a\tb\n")])
        select_all(transcript)
        assert selected(transcript) == f"You\n{words}\n\nKimi\n{SOURCE}\n\nYou\na\tb"


async def test_a_drag_copies_the_words_under_it() -> None:
    words = " ".join(f"word{n}" for n in range(30))
    async with Host().run_test(size=(40, 30)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, words)])
        await drag(pilot, (3, 1), (10, 2))
        copied = pilot.app.screen.get_selected_text() or ""
        assert copied.startswith("word0 word1 ")
        assert copied in words
        assert copied.endswith("word6 w")
        assert transcript.cursor.chosen is None


@pytest.mark.parametrize(
    ("first", "last", "copied"),
    [
        ("Some bold", "Some bold", "Some **bold** words and `code`."),
        ("def f", "return 1", "def f():\n\treturn 1"),
        ("return 1", "return 1", "\treturn 1"),
        ("x │", "y │", "| x | 1 |\n| y | 2 |"),
        ("first", "inner", "* first\n* second\n  + inner"),
        ("quoted", "The end", "> quoted *text*\n\nThe end."),
        ("inner", "def f", "  + inner\n\ndef f():"),
    ],
)
async def test_whole_lines_are_copied_as_their_source(first: str, last: str, copied: str) -> None:
    async with Host().run_test(size=(60, 50)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, SOURCE)])
        await drag(pilot, (0, row_of(transcript, first)), (58, row_of(transcript, last)))
        assert selected(transcript) == copied


@pytest.mark.parametrize(
    ("source", "first", "last", "copied"),
    [
        ("```sh\nls\n```\n\n1. first\n2. second\n", "q", "1. fi", "q\n\nKimi\n```sh\nls\n```\n\n1. fi"),
        ("```sh\nls\n```\n> quoted *text*", "q", "▌ quo", "q\n\nKimi\n```sh\nls\n```\n> quo"),
        ("One more.\n\nTwo more.", "ne", "Two", "ne more.\n\nTwo"),
        ("One more.\n\n```\ncode\n```", "ne", "co", "ne more.\n\nco"),
        ("# One\n- a\n\n- bcd", "ne", "• b", "ne\n- a\n\n- b"),
        ("One.\n\n```\n\ncode\n\nmore\n```", "code", "mo", "code\n\nmo"),
    ],
)
async def test_a_part_is_copied_with_as_many_blank_lines_as_were_written(
    source: str, first: str, last: str, copied: str
) -> None:
    async with Host().run_test(size=(60, 50)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "q"), reply(1, source)])
        start, end = (
            (body(transcript)[row].index(text), row) for text in (first, last) for row in [row_of(transcript, text)]
        )
        await drag(pilot, start, (end[0] + len(last), end[1]))
        assert selected(transcript) == copied


@pytest.mark.parametrize(
    ("first", "copied"),
    [
        ("Kimi", "Kimi\nSome words."),
        ("note", "Some words."),
        ("Thought", "Some words."),
        ("q", "q\n\nKimi\nSome words."),
    ],
)
@pytest.mark.parametrize("is_upwards", [False, True])
async def test_a_heading_is_copied_where_it_is_marked(first: str, copied: str, is_upwards: bool) -> None:
    async with Host().run_test(size=(60, 50)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "q"), replace(reply(1, "Some words.", "hm"), detail="note")])
        lines = body(transcript)
        start = next((line.index(first), at) for at, line in enumerate(lines) if first in line)
        end = next((len(line.rstrip()), at) for at, line in enumerate(lines) if "Some words." in line)
        await drag(pilot, *((end, start) if is_upwards else (start, end)))
        assert selected(transcript) == copied


async def test_a_selection_over_a_fence_copies_its_marks() -> None:
    async with Host().run_test(size=(60, 50)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, SOURCE)])
        await drag(pilot, (0, row_of(transcript, "Some bold")), (58, row_of(transcript, "The end")))
        assert selected(transcript) == SOURCE


async def test_a_selection_is_marked_where_it_is_and_goes_with_a_click() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "some words")])
        before = strips(transcript)
        await drag(pilot, (3, 1), (7, 1))
        after = strips(transcript)
        assert [row for row, strip in enumerate(after) if strip != before[row]] == [1]
        assert after[1].text == before[1].text
        assert selected(transcript) == "some"
        await pilot.click(Transcript, offset=(20, 8))
        assert selected(transcript) == ""
        assert strips(transcript) == before


async def test_a_drag_beyond_the_edge_scrolls_and_selects_on() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(n, f"message {n}") for n in range(60)])
        await pilot.mouse_down(Transcript, offset=(3, 5))
        transcript.post_message(MouseMove(transcript, 3, -5, 0, 0, 1, False, False, False))
        for _ in range(500):
            await pilot.pause(0.01)
            if "message 39" in "\n".join(body(transcript)):
                break
        assert "message 59" not in "\n".join(body(transcript))
        copied = selected(transcript)
        await pilot.mouse_up(Transcript, offset=(3, 0))
        assert "message 40\n\nYou\nmessage 41\n\nYou" in copied


async def test_a_selection_stays_on_its_words_when_lines_break_elsewhere() -> None:
    words = " ".join(f"word{n}" for n in range(300))
    async with Host().run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, words)])
        await drag(pilot, (3, 3), (10, 6))
        copied = selected(transcript)
        await resize(pilot, 33, 12)
        assert selected(transcript) == copied


async def test_the_keyboard_selects_by_characters_lines_and_pages() -> None:
    app = Recorder()
    async with app.run_test(size=(40, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "first line\nsecond line"), *(user(n) for n in range(2, 30))])
        transcript.focus()
        transcript.cursor.choose("u1")
        transcript.start_selection()
        await pilot.press("right", "right", "v", "shift+right", "right", "right")
        assert selected(transcript) == "rst"
        await pilot.press("end", "down")
        assert selected(transcript) == "rst line\nsecond lin"
        await pilot.press("pagedown", "pagedown", "pagedown")
        assert selected(transcript).count("Hello") > 5
        await pilot.press("ctrl+home")
        assert selected(transcript) == "You\nfi"
        await pilot.press("y")
        assert not transcript.hints
        assert selected(transcript) == ""
        transcript.start_selection()
        await pilot.press("right", "escape")
        assert selected(transcript) == ""
        await pilot.pause()
        assert [event for event in app.seen if isinstance(event, Transcript.CopyRequested)] == [app.seen[2]]
        assert isinstance(app.seen[2], Transcript.CopyRequested)
        assert app.seen[2].text == "You\nfi"


async def test_a_double_click_selects_the_word() -> None:
    async with Host().run_test(size=(40, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, "some *words* here\n\n- a\n- b")])
        await pilot.double_click(Transcript, offset=(9, 1))
        assert selected(transcript) == "words"
        await pilot.triple_click(Transcript, offset=(5, 3))
        assert selected(transcript) == "- a\n- b"


async def test_a_triple_click_selects_all_parts_of_a_list() -> None:
    async with Host().run_test(size=(40, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, "some words\n\n- a\n- b\n\n- c\n\n1. another\n2. list\n")])
        await pilot.triple_click(Transcript, offset=(5, 4))
        assert selected(transcript) == "- a\n- b\n\n- c"
        await pilot.triple_click(Transcript, offset=(5, 9))
        assert selected(transcript) == "1. another\n2. list"


async def test_what_goes_is_selected_no_more() -> None:
    async with Host().run_test(size=(40, 30)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, "answer", "thought\n" * 5), user(2), user(3, "kept words")])
        transcript.folds.toggle("r1")
        await drag(pilot, (5, 2), (9, 3))
        assert "thought" in selected(transcript)
        transcript.folds.toggle("r1")
        assert selected(transcript) == ""
        await drag(pilot, (3, row_of(transcript, "kept")), (7, row_of(transcript, "kept")))
        transcript.set_entries([user(2), user(3, "kept words")])
        assert selected(transcript) == "kept"
        transcript.set_entries([Entry("w", EntryKind.WELCOME, "Hi", "there")])
        assert selected(transcript) == ""


@pytest.mark.parametrize("has_keys", [False, True])
@pytest.mark.parametrize("end", ["fold", "fold all", "replace", "remove"])
def test_it_is_told_when_what_was_selected_goes(end: str, has_keys: bool) -> None:
    parts = Parts(height=40)
    parts.set_entries([user(0), reply(1, "answer", "thought\n" * 5)])
    parts.folds.toggle("r1")
    lines = [place for place, line in parts.view.rows if "thought" in line.text]
    if has_keys:
        parts.selection.begin(1)
    viewport = parts.viewport
    parts.selection.select(SelectionRange(point_at(viewport, lines[0], 0), point_at(viewport, lines[2], 9)))
    assert (parts.selected[-1], bool(parts.marks())) == (True, True)
    match end:
        case "fold":
            parts.folds.toggle("r1")
        case "fold all":
            parts.folds.toggle_all()
        case "replace":
            parts.changed(parts.entries.update(reply(1, "another answer")))
        case "remove":
            parts.set_entries([user(0)])
    assert not parts.selected[-1]
    assert parts.modes == [True, False] * has_keys
    assert not parts.marks()
    assert not parts.selection.text()


async def test_the_footer_is_told_what_the_keys_do_while_they_select() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "some words")])
        assert transcript.hints == ""
        transcript.start_selection()
        assert transcript.hints == "arrows extend · y copies · Escape ends"
        transcript.on_key(Key("escape", None))
        assert transcript.hints == ""


DEPTHS = {
    "full": None,
    "256": FewColoursFilter(is_16=False),
    "16": FewColoursFilter(is_16=True),
    "8 behind": FewColoursFilter(is_16=True, has_bright_backgrounds=False),
}


def contrast_of(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    return contrast(style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex)


@pytest.mark.parametrize("has_shades", [True, False])
@pytest.mark.parametrize("theme", sorted(shipped_themes()))
async def test_selected_text_can_be_read(theme: str, has_shades: bool) -> None:
    async with Host().run_test(size=(60, 50)) as pilot:
        pilot.app.register_theme(build_theme(shipped_themes()[theme](), has_shades=has_shades))
        pilot.app.theme = theme
        await pilot.pause()
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(1, SOURCE, "thought"), Entry("p", EntryKind.PROMPT, "", "a<think></think>")])
        select_all(transcript)
        ground = transcript.screen.get_component_rich_style("screen--selection").bgcolor
        selected = [
            segment for strip in strips(transcript) for segment in strip
            if segment.text.strip(" ─│┼▌") and segment.style and segment.style.bgcolor == ground
        ]  # fmt: skip
        assert {"Some ", "<think>", "</think>"} <= {segment.text for segment in selected}
        for text, style, _ in selected:
            assert style is not None
            for depth, few in DEPTHS.items():
                drawn = style if few is None else few.fit(style, text)
                assert contrast_of(drawn) >= TEXT_CONTRAST, (text, depth)
            assert has_shades or colourless(style, pilot.app.current_theme.dark).reverse, text


async def test_selected_text_keeps_its_colour_where_a_theme_has_none_for_it() -> None:
    async with Host().run_test(size=(60, 10)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "some words")])
        select_all(transcript)
        (style,) = [segment.style for segment in strips(transcript)[1] if segment.text == "some words"]
        assert style is not None
        assert style.color == transcript.rich_style.color
        assert contrast_of(style) >= TEXT_CONTRAST
