"""Screens above the conversation: each is left once, whatever comes twice, and what works anywhere works there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from textual import events
from textual.screen import Screen
from textual.widgets import Input, OptionList

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.core.errors import ThemeError
from kimi_tui.core.settings.layers import Key
from tests.fakes.scripted_client import Script, streaming, think_end, token
from tests.ui.program import Program, program, talk
from tests.ui.resizing import resize

CODE = "Roast it.\n\n```python\nx = 1\n```\n\n```sh\nls\n```"
TALK = talk(("Lamb?", CODE), ("More?", CODE))
TALK = replace(TALK, messages=(*TALK.messages, replace(TALK.messages[-1], id="m5")))
SHOWS = {
    "theme": "Enter keeps",
    "palette": "Search for",
    "help": "Escape closes",
    "copy-code": "Which code block?",
    "tree": "Escape leaves",
    "compare": "no difference",
    "side-by-side": "Enter takes it",
    "timeline": "end of thinking",
}
"""The screens by the actions that open them, and what they show."""
CODES = {"enter": "\r", "escape": "\x1b", "tab": "\t", "backspace": "\x7f", "space": " "}
KEYS = (
    *("enter", "escape", "tab", "shift+tab", "space", "backspace", "delete", "up", "down", "left", "right"),
    *("home", "end", "pageup", "pagedown", "ctrl+home", "ctrl+end", "f1", "f9", "ctrl+p", "q", "1", "2", "9", "x"),
)

every_screen = pytest.mark.parametrize("name", SHOWS)
idle_or_streaming = pytest.mark.parametrize(
    "is_streaming", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["idle", "streaming"]
)


def key(name: str) -> events.Key:
    return events.Key(name, CODES.get(name, name if len(name) == 1 else None))


def burst(running: Program, *names: str) -> None:
    """Press keys faster than any of them can be dealt with."""
    for name in names:
        running.app.post_message(key(name))


def click(running: Program, x: int, y: int) -> None:
    """Press the mouse and let go."""
    for event in (events.MouseDown, events.MouseUp):
        running.app.post_message(event(None, x, y, 0, 0, 1, False, False, False, x, y))


def running_reply() -> Script:
    """One that goes on and on."""
    return streaming(token("hm"), think_end(), token("yes"), asyncio.Event())


async def stream(running: Program) -> None:
    await running.type("Go on<enter>")
    await running.shows("answering")


async def open_screen(running: Program, name: str) -> Screen[object]:
    running.screen.transcript.cursor.choose(TALK.head)  # what grows has no code to choose from yet
    running.screen.dispatcher.choose(name)
    await running.shows(SHOWS[name])
    screen = running.app.screen
    if name == "palette":
        await running.until(lambda: screen.query_one(OptionList).option_count > 0)
    await running.pilot.pause()
    return screen


async def close_all(running: Program) -> None:
    """Leave what is open, by the keyboard, and find a program that can be typed into."""
    await running.pilot.pause()
    assert running.app.crash is None
    for _ in range(4):
        if len(running.app.screen_stack) > 1:
            await running.type("<escape>")
    await running.until(lambda: len(running.app.screen_stack) == 1)
    running.screen.dispatcher.choose("back" if running.screen.chat.replies.turn is None else "follow")
    running.screen.type_here()
    running.screen.composer.draft = ""
    await running.type("t")
    await running.until(lambda: running.screen.composer.draft == "t")
    assert running.app.crash is None
    running.screen.composer.draft = ""


async def do_twice(running: Program, name: str, once: Callable[[], None], *, is_streaming: bool) -> None:
    """Do it two times at once on a screen; one that stays is left open for what is done next."""
    screen = running.app.screen
    if screen is running.screen:
        if is_streaming and running.screen.chat.replies.turn is None:
            await stream(running)
        screen = await open_screen(running, name)
    once()
    once()
    await running.pilot.pause()
    assert running.app.crash is None
    if running.app.screen is not screen:
        await close_all(running)


@every_screen
@idle_or_streaming
async def test_every_key_may_come_twice(tmp_path: Path, name: str, is_streaming: bool) -> None:
    scripts = [running_reply() for _ in range(50)]
    async with program(tmp_path, *scripts, session=TALK, size=(80, 24)) as running:
        for pressed in KEYS:
            await do_twice(running, name, partial(burst, running, pressed), is_streaming=is_streaming)
        await close_all(running)


@every_screen
@idle_or_streaming
async def test_every_click_may_come_twice(tmp_path: Path, name: str, is_streaming: bool) -> None:
    scripts = [running_reply() for _ in range(50)]
    async with program(tmp_path, *scripts, session=TALK, size=(80, 24)) as running:
        for y in range(24):
            await do_twice(running, name, partial(click, running, 60, y), is_streaming=is_streaming)
        await close_all(running)


async def choose_twice(running: Program, screen: Screen[object]) -> None:
    """Choose what is marked twice, before the first choice has closed the screen."""
    options = screen.query_one(OptionList)
    for _ in range(2):
        options.action_select()
    await running.until(lambda: len(running.app.screen_stack) == 1)
    await running.pilot.pause()


async def test_a_theme_that_is_chosen_twice_at_once_is_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, session=TALK) as running:
        saved, save = list[object](), running.settings.save

        async def keep(changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
            saved.append(changes)
            return await save(changes)

        monkeypatch.setattr(running.settings, "save", keep)
        running.screen.composer.draft = "half a thought"
        await choose_twice(running, await open_screen(running, "theme"))
        assert len(saved) == 1
        assert running.screen.composer.draft == "half a thought"


async def test_a_command_that_is_chosen_twice_at_once_is_done_once(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        running.screen.composer.draft = "half a thought"
        screen = await open_screen(running, "palette")
        await running.type("thinking or instant")
        await running.until(lambda: screen.query_one(OptionList).option_count == 1)
        await choose_twice(running, screen)
        assert running.screen.chat.session.settings["thinking"] is False
        assert running.screen.composer.draft == "half a thought"


async def test_the_theme_that_was_kept_is_the_one_that_is_shown(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, "theme")
        burst(running, "down", "enter", "down", "down")
        await running.until(lambda: len(running.app.screen_stack) == 1)
        await running.until(lambda: ("ui", "theme") in running.settings.saved)
        await running.pilot.pause()
        assert running.settings.saved["ui", "theme"] == running.app.theme == "kimi-light"


async def test_a_theme_whose_file_broke_meanwhile_does_not_hold_the_chooser_open(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, "theme")

        def broken() -> None:
            raise ThemeError("it is no TOML.")

        running.services.themes["kimi-dark"] = broken  # type: ignore[index]
        await running.type("<escape>")
        await close_all(running)


@pytest.mark.parametrize(
    ("name", "ending"), [("theme", "enter"), ("theme", "escape"), ("palette", "escape"), ("help", "escape")]
)
async def test_what_is_typed_right_behind_the_last_key_goes_where_that_led_to(
    tmp_path: Path, name: str, ending: str
) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, name)
        burst(running, ending, *"half")
        running.app.post_message(events.Paste(" a thought"))
        await running.until(lambda: running.screen.composer.draft == "half a thought")


async def test_a_command_of_the_palette_gets_what_is_typed_right_behind_it(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, "palette")
        await running.type("find")
        await running.shows("Finds a text")
        burst(running, "enter", *"Roast")
        await running.shows("1/2")


@every_screen
async def test_the_key_that_ended_a_screen_does_nothing_below_it_when_it_comes_at_once_again(
    tmp_path: Path, name: str
) -> None:
    async with program(tmp_path, running_reply(), session=TALK) as running:
        await stream(running)
        running.screen.composer.draft = "half a thought"
        await open_screen(running, name)
        burst(running, "escape", "escape", "escape")
        await running.until(lambda: len(running.app.screen_stack) == 1)
        await running.pilot.pause()
        assert running.screen.chat.replies.turn is not None
        if name == "theme":
            await open_screen(running, name)
            burst(running, "enter", "enter")
            await running.until(lambda: len(running.app.screen_stack) == 1)
            await running.pilot.pause()
        assert running.screen.composer.draft == "half a thought"
        assert len(running.client.bodies) == 1


async def test_the_second_click_of_a_double_click_is_for_nothing_below(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        options = (await open_screen(running, "theme")).query_one(OptionList)
        x, y = options.content_region.offset
        click(running, x + 2, y)
        await running.until(lambda: len(running.app.screen_stack) == 1)
        click(running, x + 2, y)
        await running.type("typed")
        assert running.screen.composer.draft == "typed"
        click(running, 5, 2)
        await running.until(lambda: running.screen.focused is running.screen.transcript)


@every_screen
async def test_the_terminal_may_become_as_small_as_it_likes(tmp_path: Path, name: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, name)
        for size in ((48, 14), (20, 4), (120, 1), (6, 6), (4, 2), (1, 1), (120, 40)):
            await resize(running.pilot, *size)
            await running.type("<pageup><pagedown><down><up>")
        await close_all(running)


# -- what works anywhere


@every_screen
@pytest.mark.parametrize("pressed", ["ctrl+q", "f10"])
async def test_the_program_can_be_left_from_there_and_the_draft_is_kept(
    tmp_path: Path, name: str, pressed: str
) -> None:
    config = {"keymap": {"quit": "f10"}} if pressed == "f10" else {}
    async with program(tmp_path, session=TALK, config=config) as running:
        await running.type("half a thought")
        await open_screen(running, name)
        await running.type(f"<{pressed}>")
        await running.until(lambda: running.app._exit)
    assert load_draft(running.files.path_of(TALK)) == "half a thought"
    assert running.app.return_value == TALK.id


@pytest.mark.parametrize("name", ["theme", "tree", "compare", "side-by-side", "timeline"])
async def test_a_paste_where_nothing_takes_text_goes_into_the_composer(tmp_path: Path, name: str) -> None:
    async with program(tmp_path, running_reply(), session=TALK) as running:
        await stream(running)
        await running.type("half ")
        await open_screen(running, name)
        running.app.post_message(events.Paste("SyS\rs"))
        await running.until(lambda: running.screen.composer.draft == "half SyS\ns")
        await running.until(lambda: len(running.app.screen_stack) == 1)
        assert running.screen.chat.replies.turn is not None
        await running.type("!")
        assert running.screen.composer.draft == "half SyS\ns!"
        await close_all(running)


@pytest.mark.parametrize("pressed", ["f1", "f10"])
@every_screen
async def test_the_help_is_shown_above_every_screen(tmp_path: Path, name: str, pressed: str) -> None:
    config = {"keymap": {"help": "f10"}} if pressed == "f10" else {}
    async with program(tmp_path, session=TALK, config=config) as running:
        screen = await open_screen(running, name)
        if name != "help":
            await running.type(f"<{pressed}>")
            await running.shows(SHOWS["help"])
            assert running.app.screen_stack[-2] is screen
        await running.type(f"<{pressed}>")
        await running.until(lambda: running.app.screen is (screen if name != "help" else running.screen))
        await close_all(running)


@pytest.mark.parametrize("name", ["tree", "compare", "side-by-side", "timeline"])
async def test_q_leaves_a_view(tmp_path: Path, name: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, name)
        await running.type("q")
        await running.until(lambda: len(running.app.screen_stack) == 1)
        assert not running.screen.composer.draft


@pytest.mark.parametrize(("name", "keys"), [("tree", "/q"), ("tree", "nq"), ("help", "q"), ("palette", "q")])
async def test_q_is_a_letter_where_text_is_typed(tmp_path: Path, name: str, keys: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        screen = await open_screen(running, name)
        await running.type(keys)
        field = screen.focused
        assert running.app.screen is screen
        assert isinstance(field, Input)
        assert field.value == "q"


@every_screen
async def test_ctrl_c_leaves_the_screen_and_does_nothing_else(tmp_path: Path, name: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, name)
        burst(running, "ctrl+c", "ctrl+c")
        await running.shows("Ctrl+C once more quits")
        assert len(running.app.screen_stack) == 1
        await running.idle()
        assert not running.app._exit


@every_screen
async def test_ctrl_c_stops_no_reply_there(tmp_path: Path, name: str) -> None:
    async with program(tmp_path, running_reply(), session=TALK) as running:
        await stream(running)
        await open_screen(running, name)
        await running.type("<ctrl+c>")
        await running.until(lambda: len(running.app.screen_stack) == 1)
        assert running.screen.chat.replies.turn is not None
        await close_all(running)


async def test_ctrl_c_copies_what_is_selected_in_the_palette(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        screen = await open_screen(running, "palette")
        await running.type("sess<shift+home><ctrl+c>")
        assert running.app.clipboard == "sess"
        assert running.app.screen is screen


async def test_ctrl_c_copies_what_is_selected_in_the_help(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        screen = await open_screen(running, "help")
        screen.text_select_all()
        await running.type("<ctrl+c>")
        assert "Ctrl+Q" in running.app.clipboard
        assert running.app.screen is screen


async def test_ctrl_c_takes_the_colours_back_that_were_only_shown(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await open_screen(running, "theme")
        await running.type("<down>")
        await running.until(lambda: running.app.theme == "kimi-light")
        await running.type("<ctrl+c>")
        await running.until(lambda: running.app.theme == "kimi-dark")


async def test_no_screen_opens_above_another(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        for name in SHOWS:
            await open_screen(running, name)
            await running.type("<ctrl+p>")
            assert len(running.app.screen_stack) == 2
            await close_all(running)
