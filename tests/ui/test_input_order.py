"""Keys and pastes that arrive in one read do what they do one by one."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from textual import events
from textual.app import ScreenStackError
from textual.screen import Screen
from textual.widgets import Input, TextArea

from kimi_tui.core.errors import KeyMissingError
from kimi_tui.ui.keys.input_order import InputOrder
from kimi_tui.ui.panes.sessions_pane.session_rows import SessionRows
from kimi_tui.ui.panes.settings_pane.setting_rows import SettingRows
from kimi_tui.ui.terminal.terminal_input import TerminalInput
from tests.ui.program import NOW, Program, program, settle, talk

SESSION = talk(("first question", "A first *answer*\n\n```\ncode\n```"), ("second one", "lamb, and\n\n- more lamb"))
UP, DOWN, RIGHT, LEFT, HOME, END = (f"\x1b[{letter}" for letter in "ABCDHF")
BACKSPACE, DELETE, ENTER, TAB, ESCAPE = "\x7f", "\x1b[3~", "\r", "\t", "\x1b[27u"
PASTE = "\x1b[200~two\rlines\x1b[201~"
EDITING = [*"ab /é", UP, DOWN, LEFT, RIGHT, HOME, END, BACKSPACE, DELETE, "\x17", "\x15", "\x01", "\x05", "\n", PASTE]
MOVING = [ENTER, TAB, ESCAPE, "\x1b[Z", "\x06", "\x10", "\x0e", "\x14", "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS"]
MOVING += ["\x1b[15~", "\x1b[17~", "\x1b[20~", "\x1b[5~", "\x1b[6~", "\x12"]
"""Enter, Tab, Escape, Shift+Tab, Ctrl+F, Ctrl+P, Ctrl+N, Ctrl+T, F1 to F6, F9, PgUp, PgDn, Ctrl+R."""


class Turn(events.Callback, events.AppFocus):
    """Waits for its turn, as what is typed does, and calls back."""


Turn.handler_name = events.Callback.handler_name


async def write(running: Program, *pieces: str) -> None:
    """Write to the terminal, each piece at once, and wait until all is done in between."""
    reader, driver = TerminalInput(), running.app._driver
    assert driver is not None
    for piece in pieces:
        for message in reader.feed(piece):
            driver.process_message(message)
        acted = asyncio.Event()
        driver.process_message(Turn(acted.set))
        await running.until(acted.is_set)
        await settle(running)


async def state(tmp_path: Path, *pieces: str) -> tuple[object, ...]:
    """What there is after that was written."""
    missing = KeyMissingError("There is no key.", "Set one.")
    async with program(tmp_path, session=SESSION, key_problem=missing, size=(100, 30)) as running:
        await settle(running)
        await write(running, *pieces)
        chat = running.screen
        top: Screen[Any] = running.app.screen
        screens: set[Screen[Any]] = {top, chat}
        widgets = [widget for screen in sorted(screens, key=str) for widget in screen.query("*")]
        editors = [(w.id, w.value, w.cursor_position) for w in widgets if isinstance(w, Input)]
        texts = [(w.id, w.text, w.cursor_location) for w in widgets if isinstance(w, TextArea)]
        rows = [w.cursor for w in widgets if isinstance(w, SettingRows)]
        sessions = [
            Path(w.cursor_row.path).name for w in widgets if isinstance(w, SessionRows) and w.cursor_row is not None
        ]
        shown = {w.id for w in widgets if w.id and all(node.display for node in w.ancestors_with_self)}
        session = replace(chat.chat.session, prompt_cache_key="", updated=NOW)
        place = (str(top), str(top.focused), chat.transcript.cursor.chosen, running.app.theme)
        return place, editors, texts, rows, sessions, shown, session, running.settings.saved


@pytest.mark.parametrize(
    ("keys", "draft"),
    [
        (["hello", BACKSPACE, "p"], "hellp"),
        (["abc", LEFT, LEFT, "X"], "aXbc"),
        (["abc", HOME, "X", END, "Y"], "XabcY"),
        (["ab", PASTE, "c", BACKSPACE, "d"], "abtwo\nlinesd"),
        (["ab", LEFT, PASTE, "c"], "atwo\nlinescb"),
        (["one two", "\x17", "three"], "one three"),
        (["Hel\xa0lo\u202fx\u3000y\u2028z", BACKSPACE, "\u200d"], "Hel\xa0lo\u202fx\u3000y\u2028\u200d"),
        (["abc", "\x01", DELETE, "\x05", "d", "\n", "e"], "bcd\ne"),
    ],
)
async def test_a_draft_typed_in_one_read(tmp_path: Path, keys: list[str], draft: str) -> None:
    async with program(tmp_path) as running:
        await write(running, "".join(keys))
        assert running.screen.composer.draft == draft


@pytest.mark.parametrize(
    "keys",
    [
        ["\x06", "lamp", BACKSPACE, "b", LEFT, "x", BACKSPACE, ENTER],
        ["\x06", "and", ENTER, ENTER, ESCAPE, "abc", LEFT, "X"],
        ["\x1bOQ", "/", "fisrt", LEFT, LEFT, BACKSPACE, RIGHT, "r", ESCAPE, ESCAPE, "x"],
        ["\x1bOQ", "r", "neu", BACKSPACE, "w", HOME, "a", ENTER, ESCAPE, "x"],
        ["\x1bOS", DOWN, ENTER, "0.15", BACKSPACE, LEFT, "2", DELETE, ENTER, DOWN, ESCAPE, "x"],
        ["\x1bOS", DOWN, DOWN, "0.7", LEFT, BACKSPACE, ".", END, BACKSPACE, "5", ENTER, UP, ESCAPE],
        ["\x10", "fot", BACKSPACE, "ld", ENTER, "abc", BACKSPACE],
        ["\x10", "theem", BACKSPACE, BACKSPACE, "m", DOWN, ENTER, DOWN, ENTER, "x"],
        ["/thinx", BACKSPACE, "k", TAB, "off", ENTER, "abc"],
        ["/find lamb", ENTER, "x", BACKSPACE, ENTER, ESCAPE, "y"],
        ["draft", "\x0e", "other", BACKSPACE, "\x1bOQ", DOWN, ENTER, "x"],
        ["\x1b[Z", UP, UP, "y", "e", "X", BACKSPACE, "Y", ESCAPE, "z"],
        ["\x1b[17~", "Titlw", BACKSPACE, "e", ENTER, "x"],
        ["\x1bOP", "q", "a", "\x1b[20~", DOWN, ESCAPE, "b"],
        ["text", ENTER, "more", BACKSPACE, PASTE],
    ],
    ids=range(15),
)
async def test_keys_in_one_read_go_where_they_go_one_by_one(tmp_path: Path, keys: list[str]) -> None:
    at_once = await state(tmp_path / "1", "".join(keys))
    assert at_once == await state(
        tmp_path / "2", *[char for key in keys for char in ([key] if key[0] == "\x1b" else key)]
    )


FIELD = "\x1bOS" + DOWN * 9  # top_k of the settings


@pytest.mark.parametrize(
    ("keys", "own", "row"),
    [
        (
            ["75", ENTER, DOWN, "1.25", BACKSPACE, ENTER, DOWN, "u"],
            {"top_k": 75, "repetition_penalty": 1.2, "unset": ["stop"]},
            "stop",
        ),
        ([ENTER, "4", ESCAPE, DOWN], {}, "repetition_penalty"),
        ([ENTER, "4", ESCAPE, ENTER, "2", ENTER], {"top_k": 42}, "top_k"),
        ([DOWN, DOWN, ENTER, ENTER, "a", "\n", "b", "\x0f", UP], {"stop": ["<|im_end|>", "[EOS]", "a", "b"]},
         "repetition_penalty"),
        ([DOWN * 4, ENTER, HOME, DOWN * 3, ENTER, "(a|b)", "\x0f", "u"], {"unset": ["response_format"]}, "response_format"),
    ],
)  # fmt: skip
async def test_settings_typed_in_one_read(tmp_path: Path, keys: list[str], own: dict[str, object], row: str) -> None:
    async with program(tmp_path, session=SESSION, size=(100, 30)) as running:
        await write(running, FIELD + "".join(keys))
        assert running.screen.chat.session.settings == own
        assert running.screen.query_one(SettingRows).cursor == row


def chance(seed: int) -> list[str]:
    """Some keys, most of them for editing."""
    keys = random.Random(seed)
    return [keys.choice(MOVING if keys.random() < 0.2 else EDITING) for _ in range(25)]


@pytest.mark.parametrize("seed", range(4))
async def test_any_keys_in_one_read_do_what_they_do_one_by_one(tmp_path: Path, seed: int) -> None:
    keys = chance(seed)
    at_once = await state(tmp_path / "1", "".join(keys))
    assert at_once == await state(tmp_path / "2", *keys), keys


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 24))
async def test_many_more_keys_in_one_read_do_what_they_do_one_by_one(tmp_path: Path, seed: int) -> None:
    await test_any_keys_in_one_read_do_what_they_do_one_by_one(tmp_path, seed)


class LeftApp:
    """A program whose last screen has gone."""

    focused = None
    workers: tuple[()] = ()
    is_giving_keys = False

    async def ready_for(self, event: events.Event) -> bool:
        return False

    @property
    def screen(self) -> Screen[object]:
        raise ScreenStackError("there is none")


async def test_keys_that_come_while_the_program_is_left_end_nothing() -> None:
    order = InputOrder(cast(Any, LeftApp()), [events.Key("down", None)])
    await asyncio.wait_for(order.run(), 5)
