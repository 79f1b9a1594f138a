"""Search: what is found, counted, marked and gone to."""

from __future__ import annotations

import pytest
from textual.events import Key
from textual.message import Message
from textual.pilot import Pilot

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.transcript.item import Item
from kimi_tui.ui.transcript.painter import Mark
from kimi_tui.ui.transcript.pieces import Section
from kimi_tui.ui.transcript.search import ENTRY_COST, PIECE_CHARS, SLICE, Hit, Search
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.ui.transcript.test_transcript_view import live
from tests.ui.transcript.test_transcript_widget import Host, body, remove, reply, rows, user

TRIES = 3000


async def all_read(pilot: Pilot[None], transcript: Transcript) -> None:
    """Wait until the search has read everything."""
    for _ in range(TRIES):
        if transcript._search is not None and transcript._search.is_done:
            return
        await pilot.pause(0.01)
    raise AssertionError("the search came to no end")


class Recorder(Host):
    def __init__(self) -> None:
        super().__init__()
        self.seen = list[Message]()

    def on_transcript_found(self, event: Transcript.Found) -> None:
        self.seen.append(event)

    @property
    def last(self) -> tuple[str, int, int]:
        found = [event for event in self.seen if isinstance(event, Transcript.Found)][-1]
        return found.text, found.count, found.current


def marks(transcript: Transcript) -> list[tuple[str, Mark]]:
    """The marked texts in view."""
    rows(transcript)
    looks = transcript._row_looks()
    return [
        (line.text[span.start : span.end], span.mark)
        for look, (_, line) in zip(looks, transcript._rows, strict=False)
        for span in look.spans
    ]


async def test_hits_are_marked_counted_and_gone_to_in_turn() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([
            user(1, "A lamb."), reply(1, "**Lamb** and\n\n- la*mb*\n- lamb chops", "the lamb thought"),
            Entry("n", EntryKind.NOTICE, "", "lamb notice"), user(2, "LAMB"),
        ])  # fmt: skip
        transcript.scroll_to_top()
        transcript.find("lamb")
        await pilot.pause()
        assert app.last == ("lamb", 5, 1)
        assert marks(transcript)[:2] == [("lamb", Mark.CURRENT_HIT), ("Lamb", Mark.HIT)]
        transcript.move_hit(1)
        assert not transcript.is_folded("r1")
        assert ("lamb", Mark.CURRENT_HIT) in marks(transcript)
        assert any("lamb thought" in row and row.startswith("›") for row in body(transcript))
        for number in (3, 4, 5, 1):
            transcript.move_hit(1)
            await pilot.pause()
            assert app.last == ("lamb", 5, number)
        transcript.move_hit(-1)
        await pilot.pause()
        assert app.last == ("lamb", 5, 5)
        assert ("LAMB", Mark.CURRENT_HIT) in marks(transcript)
        transcript.find("")
        assert marks(transcript) == []
        await pilot.pause()
        assert app.last == ("", 0, 0)


async def test_typing_on_looks_from_the_same_place() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([user(n, f"number {n} of all") for n in range(60)])
        transcript.scroll_to_top()
        transcript.scroll_lines(30)
        transcript.find("number 1")
        await pilot.pause()
        text, count, current = app.last
        assert (text, count) == ("number 1", 11)
        transcript.find("number 12")
        await pilot.pause()
        assert app.last == ("number 12", 1, 1)
        transcript.find("number 1")
        await pilot.pause()
        assert app.last == (text, count, current)
        transcript.find("nowhere")
        await pilot.pause()
        assert app.last == ("nowhere", 0, 0)
        before = body(transcript)
        transcript.move_hit(1)
        assert body(transcript) == before
        transcript.add(user(99, "nowhere"))
        await pilot.pause()
        assert app.last == ("nowhere", 1, 0)
        assert body(transcript)[:-1] == before[:-1]


async def test_a_hidden_hit_shows_its_think_line_and_unfolds_when_gone_to() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries(
            [*(user(n) for n in range(20)), reply(1, "answer", "line\n" * 50 + "needle\n" + "line\n" * 50)]
        )
        transcript.scroll_to_top()
        transcript.find("needle")
        await pilot.pause()
        assert app.last == ("needle", 1, 1)
        assert transcript.is_folded("r1")
        assert "▸ Thought" in "\n".join(body(transcript))
        transcript.move_hit(1)
        assert not transcript.is_folded("r1")
        assert marks(transcript) == [("needle", Mark.CURRENT_HIT)]


async def test_what_arrives_is_found_too_and_moves_nothing() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([*(user(n, "lamb") for n in range(20)), live()])
        transcript.scroll_to_top()
        transcript.find("lamb")
        before = body(transcript)[:-1]
        for part in ("some la", "mb and lam", "b", "\n\nand more"):
            transcript.append("live", ReplyPart.ANSWER, part)
            await pilot.pause()
        assert app.last == ("lamb", 22, 1)
        assert body(transcript)[:-1] == before
        transcript.rename_entry("live", reply(9, "some lamb only"))
        await pilot.pause()
        assert app.last == ("lamb", 21, 1)
        remove(transcript, "u19")
        await pilot.pause()
        assert app.last == ("lamb", 20, 1)
        transcript.add(user(50, "lamb"))
        await pilot.pause()
        assert app.last == ("lamb", 21, 1)


async def test_a_long_conversation_is_read_in_slices_and_parsed_only_where_it_is_seen() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(n, "some *prose* with a lamb\n\n" * 100) for n in range(1000)])
        rows(transcript)
        laid_out = sum(item.laid_out_lines for item in transcript._view.items)
        transcript.find("lamb")
        search = transcript._search
        assert search is not None
        assert search.read_chars < 1_100_000
        assert [search.is_done] == [False]
        while not search.is_done:
            await pilot.pause()
        assert app.last[1] == 100_000
        rows(transcript)
        assert sum(item.laid_out_lines for item in transcript._view.items) - laid_out < 200


@pytest.mark.parametrize("text", ["İstanbul lamb", "lamb LAMB lAmB", "plain", "ſ K lamb", "a" * 30])
@pytest.mark.parametrize(
    ("needle", "counts"), [("lamb", (1, 3, 0, 1, 0)), ("aa", (0, 0, 0, 0, 15)), ("tan", (1, 0, 0, 0, 0))]
)
def test_case_does_not_matter_and_hits_are_where_they_are(text: str, needle: str, counts: tuple[int, ...]) -> None:
    search = Search(needle)
    search.look_at([0])
    search.read([Item(Entry("k", EntryKind.USER, "You", text), is_folded=True)])
    starts = search.hits_in(0, Section.BODY, 0, len(text))
    assert all(text[start : start + len(needle)].lower() == needle.lower() for start in starts)
    texts = ["İstanbul lamb", "lamb LAMB lAmB", "plain", "ſ K lamb", "a" * 30]
    assert len(starts) == search.count == counts[texts.index(text)]


@pytest.mark.parametrize("cuts", [(1,), (3, 4), (2, 5, 6)])
def test_a_hit_over_the_end_of_what_was_read_is_found_once(cuts: tuple[int, ...]) -> None:
    item = Item(Entry("k", EntryKind.ASSISTANT, "Kimi", "", is_streaming=True), is_folded=True)
    search, text = Search("aab"), "aabaabaab"
    for start, end in zip((0, *cuts), (*cuts, len(text)), strict=True):
        item.append(ReplyPart.ANSWER, text[start:end])
        search.look_at([0])
        search.read([item])
    assert search.hits_in(0, Section.BODY, 0, 99) == [0, 3, 6]


def items(*texts: str) -> list[Item]:
    return [Item(Entry(str(place), EntryKind.USER, "You", text), is_folded=True) for place, text in enumerate(texts)]


def test_hits_go_round() -> None:
    search = Search("x", 3)
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
    search = Search("x", 4)
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
    search = Search("needle", 1)
    search.look_at([0])
    while not search.is_done:
        search.read(items(text), ENTRY_COST + 1)
    assert search.hits_in(0, Section.BODY, 0, len(text)) == [text.index("needle"), text.rindex("needle")]
    assert search.read_chars == len(text)


@pytest.mark.parametrize("text", ["a" * 3_000_000, "\u4e2d" * 3_000_000], ids=["all of it", "nothing"])
def test_one_long_text_is_read_in_slices_too(text: str) -> None:
    search, entries = Search("a", 1), items(text)
    search.look_at([0])
    read = list[int]()
    while not search.is_done:
        search.read(entries)
        read.append(search.read_chars - sum(read))
    assert sum(read) == len(text)
    assert max(read) <= SLICE // 10 + PIECE_CHARS
    assert search.count == text.count("a")


def slices(count: int) -> list[int]:
    """How many entries each slice of a search looks at."""
    search, entries = Search("lamb", count), items("a lamb or two") * count
    search.look_at(range(count))
    looked = list[int]()
    while not search.is_done:
        search.read(entries)
        looked.append(search.read_items - sum(looked))
    assert (sum(looked), search.count) == (count, count)
    return looked


def test_a_slice_looks_at_as_many_entries_however_many_there_are() -> None:
    assert max(slices(2_000)) == max(slices(20_000)) < 1_000


def test_typing_on_reads_only_where_the_shorter_text_was_found() -> None:
    entries = items(*(["a lamb"] * 5 + ["a lam"] * 5 + ["an ox"] * 90))
    search = Search("lam", 100)
    search.look_at(range(100))
    search.read(entries)
    assert search.places_for("lamb", 100) == list(range(10))
    assert search.places_for("slam", 100) == list(range(10))
    assert search.places_for("LAMB", 100) == search.places_for("ox", 100) == range(100)
    search.look_at([50])
    assert search.places_for("lamb", 100) == [*range(10), 50]


async def test_typing_on_finds_what_was_not_read_before() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(n, LONG if n % 2 else "a lamb") for n in range(2000)])
        transcript.scroll_to_top()
        for text in ("l", "la", "lam", "lamb"):
            transcript.find(text)
        assert transcript._search is not None
        await all_read(pilot, transcript)
        await pilot.pause()
        assert app.last == ("lamb", 101_000, 1)


LONG = "some prose \u2026 with a lamb\n\n" * 100


async def test_a_key_is_taken_between_two_slices() -> None:
    class Keys(Recorder):
        def on_key(self) -> None:
            was_done.append(transcript._search is None or transcript._search.is_done)

    was_done, app = list[bool](), Keys()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(n, LONG) for n in range(4000)])
        await pilot.pause()
        transcript.find("lamb")
        app.post_message(Key("x", "x"))
        await all_read(pilot, transcript)
        assert was_done == [False]
        await pilot.pause()
        assert app.last[1] == 400_000
        assert not [event for event in app.seen if isinstance(event, Transcript.Found)][-1].is_reading


async def test_reading_begins_where_the_view_is() -> None:
    app = Recorder()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = pilot.app.query_one(Transcript)
        transcript.set_entries([reply(n, LONG) for n in range(2000)])
        transcript.choose("r1500")
        transcript.find("lamb")
        search = transcript._search
        assert search is not None
        assert (search.is_done, search.current) == (False, Hit(1500, Section.BODY, LONG.index("lamb")))
        await all_read(pilot, transcript)
        await pilot.pause()
        assert app.last == ("lamb", 200_000, 150_001)
