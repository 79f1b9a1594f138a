"""What a terminal sends becomes keys, pastes and sizes: a paste is a text, whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from kimi_tui.ui.terminal import terminal_input
from kimi_tui.ui.terminal.terminal_input import CUT_NOTE, PASTE_SILENCE_S, Paste, TerminalInput
from tests.fakes.clock import HandClock

START, END = "\x1b[200~", "\x1b[201~"
LOG = "first\r\x1b[1;32mok\x1b[0m two\r\x1b[A\x1b\x1b[Z\x1bOP\x1b[200~three \x00\x07\x9b5~\x7f\tend\x1b"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    clock = HandClock()
    monkeypatch.setattr(terminal_input, "monotonic", clock.monotonic)
    return clock


def read(data: str) -> list[str]:
    return told(TerminalInput().feed(data))


def told(messages: Iterable[Message]) -> list[str]:
    """Keys by name, pastes as texts in quotes, the rest by kind."""
    found: list[str] = []
    for message in messages:
        if isinstance(message, events.Paste):
            found.append(f"'{message.text}'")
        else:
            found.append(message.key if isinstance(message, events.Key) else type(message).__name__)
    return found


def test_keys_are_the_librarys() -> None:
    assert read("a\x1b[A\x1b[3~\r\x1bOP\x7f") == ["a", "up", "delete", "enter", "f1", "backspace"]


def test_a_paste_is_one_text_without_control_characters() -> None:
    expected = "'first\r[1;32mok[0m two\r[A[ZOP[200~three 5~\tend'"
    assert read(f"a{START}{LOG}{END}b\r") == ["a", expected, "b", "enter"]


def test_what_came_is_known_exactly() -> None:
    exact = [message.exact for message in TerminalInput().feed(f"{START}{LOG}{END}") if isinstance(message, Paste)]
    assert exact == [LOG]


@pytest.mark.parametrize("chars", [9, 10, 11, 15, 16, 17, 40, 1000])
@pytest.mark.parametrize("size", [1, 3, 7, 2000])
def test_a_paste_without_end_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch, chars: int, size: int) -> None:
    monkeypatch.setattr(terminal_input, "MAX_PASTE_CHARS", 10)
    data = f"{START}{'x' * chars}{END}b"
    reader = TerminalInput()
    found = [word for begin in range(0, len(data), size) for word in told(reader.feed(data[begin : begin + size]))]
    assert found == [f"'{'x' * min(chars, 10)}{CUT_NOTE if chars > 10 else ''}'", "b"]


@given(st.lists(st.integers(1, 200), max_size=12))
def test_it_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    data = f"a\x1b[B{START}{LOG}{END}\x7f{START}{END}x{START}y{END}{END}\x1b[C"
    whole = read(data)
    reader, found = TerminalInput(), list[str]()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        found += told(reader.feed(data[begin:end]))
    assert found == whole
    assert whole[-3:] == ["x", "'y'", "right"]


def test_it_is_the_same_one_character_at_a_time() -> None:
    data = f"a{START}{LOG}{END}b"
    reader = TerminalInput()
    found = [word for char in data for word in [*told(reader.feed(char)), *told(reader.tick())]]
    assert found == read(data)


@given(st.lists(st.text(st.characters(exclude_characters="\x1b")) | st.sampled_from(["\x1b", "\x1b[", START, "\r\n"])))
def test_everything_between_the_marks_is_text(parts: list[str]) -> None:
    text = "".join(parts)
    if END not in text + END[:-1]:
        kept = re.sub("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]", "", text)
        assert read(f"{START}{text}{END}q") == [f"'{kept}'", "q"]


def test_a_paste_without_an_end_is_handed_over_when_nothing_more_comes(clock: HandClock) -> None:
    reader = TerminalInput()
    assert told(reader.feed(f"{START}lost \x1b[20")) == []
    clock.time_s += PASTE_SILENCE_S - 1
    assert told(reader.tick()) == []
    assert told(reader.feed("1x")) == []
    clock.time_s += PASTE_SILENCE_S
    assert told(reader.tick()) == ["'lost [201x'"]
    assert told(reader.feed(f"a\r{END}b{START}c{END}")) == ["a", "enter", "b", "'c'"]


def test_a_mark_that_comes_slowly_is_a_mark_and_the_escape_key_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.constants.ESCAPE_DELAY", -1)  # the library waits no longer for the rest of a sequence
    reader = TerminalInput()
    assert [*told(reader.feed("\x1b[20")), *told(reader.tick())] == []
    assert [*told(reader.feed(f"0~x{END}")), *told(reader.feed("\x1b"))] == ["'x'"]
    assert told(reader.tick()) == ["escape"]


def test_the_parser_sees_nothing_of_a_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads character by character; so the cost of a paste does not depend on what is in it."""
    reader, seen = TerminalInput(), list[str]()
    feed = XTermParser.feed

    def see(parser: XTermParser, data: str) -> Iterable[Message]:
        seen.append(data)
        return feed(parser, data)

    monkeypatch.setattr(XTermParser, "feed", see)
    pieces = [START, *["\x1b[31m text \r" * 400] * 100, END]
    expected = "[31m text \r" * 40_000
    assert [word for piece in pieces for word in told(reader.feed(piece))] == [f"'{expected}'"]
    assert "".join(seen) == START + END


@pytest.mark.parametrize("cells", ["0;0", "24;0", "0;80"])
def test_a_size_of_nothing_is_not_known(cells: str) -> None:
    assert read(f"\x1b[48;{cells};0;0t") == []


def test_the_mouse_works_where_the_size_in_pixels_is_not_known() -> None:
    found = list(TerminalInput().feed("\x1b[48;24;80;0;0t\x1b[<0;3;5M\x1b[48;0;0;0;0t\x1b[<0;3;5m"))
    assert told(found) == ["Resize", "MouseDown", "MouseUp"]
    assert [(event.x, event.y) for event in found if isinstance(event, events.MouseEvent)] == [(2, 4)] * 2
