"""Search: what is found, counted, marked and gone to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.events import Key
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.hits import ENTRY_COST, PIECE_CHARS, SLICE, Hit, HitIndex
from kimi_tui.ui.transcript.items import Items
from kimi_tui.ui.transcript.lines import Line
from kimi_tui.ui.transcript.painter import SPOT, Mark
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.counting import chars_parsed, made
from tests.ui.transcript.parts import Parts, append, append_to, live
from tests.ui.transcript.test_transcript_widget import Host, reply, user

TRIES = 3000


class Recorder(Host):
    def __init__(self) -> None:
        super().__init__()
        self.seen = list[Message]()

    def on_transcript_found(self, event: Transcript.Found) -> None:
        self.seen.append(event)

    @property
    def last(self) -> tuple[str, int, int]:
        found = self.last_found
        return found.text, found.count, found.current

    @property
    def last_found(self) -> Transcript.Found:
        return [event for event in self.seen if isinstance(event, Transcript.Found)][-1]

    async def all_read(self, pilot: Pilot[None]) -> None:
        """Wait until the search has read everything."""
        for _ in range(TRIES):
            await pilot.pause(0.01)
            if self.seen and not self.last_found.is_reading:
                return
        raise AssertionError("the search came to no end")


def told(parts: Parts) -> tuple[str, int, int]:
    """What is known of the search once all is read."""
    parts.read_all()
    return parts.found[-1].text, parts.found[-1].count, parts.found[-1].current


async def test_what_is_found_is_drawn_and_told() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(1, "A lamb."), reply(1, "**Lamb** and\n\n- la*mb*\n- lamb chops")])
        before = transcript.render_lines(Region(0, 0, *transcript.size))
        transcript.search.find("lamb")
        await pilot.pause()
        assert app.last == ("lamb", 3, 1)
        after = transcript.render_lines(Region(0, 0, *transcript.size))
        assert [row for row, strip in enumerate(after) if strip != before[row]] == [
            1,
            4,
            7,
        ]  # what the marks of Markdown part is not found
        transcript.search.find("")
        await pilot.pause()
        assert app.last == ("", 0, 0)
        assert transcript.render_lines(Region(0, 0, *transcript.size)) == before


def test_hits_are_marked_counted_and_gone_to_in_turn() -> None:
    parts = Parts()
    parts.set_entries([
        user(1, "A lamb."), reply(1, "**Lamb** and\n\n- la*mb*\n- lamb chops", "the lamb thought"),
        Entry("n", EntryKind.NOTICE, "", "lamb notice"), user(2, "LAMB"),
    ])  # fmt: skip
    parts.view.scroll_to_top()
    parts.search.find("lamb")
    assert told(parts) == ("lamb", 5, 1)
    assert parts.marks()[:2] == [("lamb", Mark.CURRENT_HIT), ("Lamb", Mark.HIT)]
    parts.search.move_hit(1)
    assert "  │ the lamb thought" in parts.texts()
    assert ("lamb", Mark.CURRENT_HIT) in parts.marks()
    (spot,) = [row for row, look in enumerate(parts.looks()) if look.gutter == SPOT]
    assert parts.texts()[spot] == "  │ the lamb thought"
    for number in (3, 4, 5, 1):
        parts.search.move_hit(1)
        assert told(parts) == ("lamb", 5, number)
    parts.search.move_hit(-1)
    assert told(parts) == ("lamb", 5, 5)
    assert ("LAMB", Mark.CURRENT_HIT) in parts.marks()
    parts.search.find("")
    assert parts.marks() == []
    assert told(parts) == ("", 0, 0)


def test_typing_on_looks_from_the_same_place() -> None:
    parts, entries = Parts(), [user(n, f"number {n} of all") for n in range(60)]
    parts.set_entries(entries)
    parts.view.scroll_to_top()
    parts.view.scroll_lines(30)
    parts.search.find("number 1")
    text, count, current = told(parts)
    assert (text, count) == ("number 1", 11)
    parts.search.find("number 12")
    assert told(parts) == ("number 12", 1, 1)
    parts.search.find("number 1")
    assert told(parts) == (text, count, current)
    parts.search.find("nowhere")
    assert told(parts) == ("nowhere", 0, 0)
    before = parts.texts()
    parts.search.move_hit(1)
    assert parts.texts() == before
    parts.set_entries([*entries, user(99, "nowhere")])
    assert told(parts) == ("nowhere", 1, 0)
    assert parts.texts() == before


def test_a_hidden_hit_shows_its_think_line_and_unfolds_when_gone_to() -> None:
    parts = Parts()
    parts.set_entries([*(user(n) for n in range(20)), reply(1, "answer", "line\n" * 50 + "needle\n" + "line\n" * 50)])
    parts.view.scroll_to_top()
    parts.search.find("needle")
    assert told(parts) == ("needle", 1, 1)
    assert "  ▸ Thought for 1.0 s" in parts.texts()
    assert parts.marks() == []
    parts.search.move_hit(1)
    assert parts.marks() == [("needle", Mark.CURRENT_HIT)]


def test_what_arrives_is_found_too_and_moves_nothing() -> None:
    parts, users = Parts(), [user(n, "lamb") for n in range(20)]
    parts.set_entries([*users, live()])
    parts.view.scroll_to_top()
    parts.search.find("lamb")
    before = parts.texts()
    for text in ("some la", "mb and lam", "b", "\n\nand more"):
        append(parts, ReplyPart.ANSWER, text)
        parts.read_all()
    assert told(parts) == ("lamb", 22, 1)
    assert parts.texts() == before
    last = replace(reply(9, "some lamb only"), key="live")
    parts.changed(parts.entries.update(last))
    assert told(parts) == ("lamb", 21, 1)
    parts.set_entries([*users[:-1], last])
    assert told(parts) == ("lamb", 20, 1)
    parts.set_entries([*users[:-1], last, user(50, "lamb")])
    assert told(parts) == ("lamb", 21, 1)


def test_a_long_conversation_is_read_in_slices_and_parsed_only_where_it_is_seen() -> None:
    parts = Parts()
    parts.set_entries([reply(n, "some *prose* with a lamb\n\n" * 100) for n in range(1000)])
    parts.texts()
    with chars_parsed() as parsed, made(Line) as lines:
        parts.search.find("lamb")
        assert parts.found[-1].is_reading
        assert parts.found[-1].count < 40_000
        assert told(parts)[1] == 100_000
        parts.texts()
    assert parsed.total == lines.total == 0


@pytest.mark.parametrize("text", ["İstanbul lamb", "lamb LAMB lAmB", "plain", "ſ K lamb", "a" * 30])
@pytest.mark.parametrize(
    ("needle", "counts"), [("lamb", (1, 3, 0, 1, 0)), ("aa", (0, 0, 0, 0, 15)), ("tan", (1, 0, 0, 0, 0))]
)
def test_case_does_not_matter_and_hits_are_where_they_are(text: str, needle: str, counts: tuple[int, ...]) -> None:
    search = HitIndex(needle)
    search.look_at([0])
    search.read(items(text))
    starts = search.hits_in(0, Section.BODY, 0, len(text))
    assert all(text[start : start + len(needle)].lower() == needle.lower() for start in starts)
    texts = ["İstanbul lamb", "lamb LAMB lAmB", "plain", "ſ K lamb", "a" * 30]
    assert len(starts) == search.count == counts[texts.index(text)]


@pytest.mark.parametrize("cuts", [(1,), (3, 4), (2, 5, 6)])
def test_a_hit_over_the_end_of_what_was_read_is_found_once(cuts: tuple[int, ...]) -> None:
    texts = items(GrowingText())
    search, text = HitIndex("aab"), "aabaabaab"
    for start, end in zip((0, *cuts), (*cuts, len(text)), strict=True):
        append_to(texts[0], text[start:end])
        search.look_at([0])
        search.read(texts)
    assert search.hits_in(0, Section.BODY, 0, 99) == [0, 3, 6]


def items(*texts: str | GrowingText) -> Items:
    found = Items(fold_reasoning=True)
    entries = [Entry(str(place), EntryKind.USER, "You", text) for place, text in enumerate(texts)]
    found.change_to(entries, [entry.key for entry in entries], None, ())
    return found


def test_hits_go_round() -> None:
    search = HitIndex("x", 3)
    search.look_at(range(3))
    search.read(items("x.x", "x.x", "x.x"))
    forward, hit = [], Hit(1, Section.BODY, 0)
    for _ in range(6):
        search.current = hit = search.next_hit(hit, 1) or hit
        forward.append((hit.item, hit.chars, search.number))
    assert forward == [(1, 2, 4), (2, 0, 5), (2, 2, 6), (0, 0, 1), (0, 2, 2), (1, 0, 3)]
    back = []
    for _ in range(3):
        search.current = hit = search.next_hit(hit, -1) or hit
        back.append((hit.item, hit.chars))
    assert back == [(0, 2), (0, 0), (2, 2)]


def test_hits_move_with_their_entries() -> None:
    search = HitIndex("x", 4)
    search.look_at(range(4))
    search.read(items("x", "-", "xx", "x"))
    search.current = Hit(2, Section.BODY, 1)
    search.move({1: 0, 2: 3, 3: 1})
    assert (search.count, search.current, search.number) == (3, Hit(3, Section.BODY, 1), 3)
    assert search.next_hit(search.current, 1) == Hit(1, Section.BODY, 0)
    search.forget(3)
    assert (search.count, search.number) == (1, 0)


def test_a_hit_over_the_end_of_a_slice_is_found_once() -> None:
    text = "-" * (PIECE_CHARS - 3) + "needle" + "-" * PIECE_CHARS + "needle"
    search = HitIndex("needle", 1)
    search.look_at([0])
    while not search.is_done:
        search.read(items(text), ENTRY_COST + 1)
    assert search.hits_in(0, Section.BODY, 0, len(text)) == [text.index("needle"), text.rindex("needle")]


@pytest.mark.parametrize("text", ["a" * 3_000_000, "\u4e2d" * 3_000_000], ids=["all of it", "nothing"])
def test_one_long_text_is_read_in_slices_too(text: str) -> None:
    search, entries = HitIndex("a", 1), items(text)
    search.look_at([0])
    slices = 0
    while not search.is_done:
        search.read(entries)
        slices += 1
    assert slices >= len(text) // (SLICE // 10 + PIECE_CHARS)
    assert search.count == text.count("a")


def slices(count: int) -> list[int]:
    """How many entries each slice of a search looks at; each holds the text once."""
    search, entries = HitIndex("lamb", count), items(*["a lamb or two"] * count)
    search.look_at(range(count))
    looked = list[int]()
    while not search.is_done:
        search.read(entries)
        looked.append(search.count - sum(looked))
    assert sum(looked) == count
    return looked


def test_a_slice_looks_at_as_many_entries_however_many_there_are() -> None:
    assert max(slices(2_000)) == max(slices(20_000)) < 1_000


def test_typing_on_reads_only_where_the_shorter_text_was_found() -> None:
    entries = items(*(["a lamb"] * 5 + ["a lam"] * 5 + ["an ox"] * 90))
    search = HitIndex("lam", 100)
    search.look_at(range(100))
    search.read(entries)
    assert search.places_for("lamb", 100) == list(range(10))
    assert search.places_for("slam", 100) == list(range(10))
    assert search.places_for("LAMB", 100) == search.places_for("ox", 100) == range(100)
    search.look_at([50])
    assert search.places_for("lamb", 100) == [*range(10), 50]


LONG = "some prose \u2026 with a lamb\n\n" * 100


def test_typing_on_finds_what_was_not_read_before() -> None:
    parts = Parts()
    parts.set_entries([reply(n, LONG if n % 2 else "a lamb") for n in range(2000)])
    parts.view.scroll_to_top()
    for text in ("l", "la", "lam", "lamb"):
        parts.search.find(text)
    assert told(parts) == ("lamb", 101_000, 1)


def test_reading_begins_where_the_view_is() -> None:
    parts = Parts()
    parts.set_entries([reply(n, LONG) for n in range(2000)])
    parts.cursor.choose("r1500")
    parts.search.find("lamb")
    assert (parts.found[-1].is_reading, parts.found[-1].current) == (True, 1)
    assert parts.marks()[0] == ("lamb", Mark.CURRENT_HIT)
    assert parts.view.top.item == 1500
    assert told(parts) == ("lamb", 200_000, 150_001)


async def test_a_key_is_taken_between_two_slices() -> None:
    class Keys(Recorder):
        def on_key(self) -> None:
            was_reading.append(self.last_found.is_reading)

    was_reading, app = list[bool](), Keys()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(n, LONG) for n in range(4000)])
        await pilot.pause()
        transcript.search.find("lamb")
        await pilot.pause(0)
        app.post_message(Key("x", "x"))
        await app.all_read(pilot)
        assert was_reading == [True]
        assert app.last[1] == 400_000
