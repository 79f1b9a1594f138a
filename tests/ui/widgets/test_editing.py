"""Editing a text, wherever one is typed: steps by whole characters, deletions that can be put in again, undo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import wcwidth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from kimi_tui.core.settings.keymap import DEFAULT_KEYS
from kimi_tui.ui.panes.settings_pane.editor import ExactTextArea
from kimi_tui.ui.widgets import graphemes
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.editing import EditArea, Editing, EditLine, Kills
from tests.ui.program import program, talk

CODER, FLAGS, THUMB, ACCENT, HANGUL, HINDI = "👩‍💻", "🇩🇪🇫🇷", "👍🏽", "e\u0301", "각", "क्षि"
CHARACTERS = ["a", " ", ".", CODER, "🇩🇪", THUMB, ACCENT, HANGUL, HINDI, "界", "❤️", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "a\u0308\u0323"]
EDITORS = ["composer", "area", "line"]


def editor(kind: str) -> TextArea | Input:
    match kind:
        case "composer":
            return Composer()
        case "area":
            return ExactTextArea("")
        case _:
            return EditLine()


class EditorApp(App[None]):
    """Two editors."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.editor, self.other = editor(kind), EditLine()
        self.kills = Kills()

    def on_editing_opened(self, event: Editing.Opened) -> None:
        event.editor.kills = self.kills

    def compose(self) -> ComposeResult:
        yield self.editor
        yield self.other

    def on_mount(self) -> None:
        self.editor.focus()

    @property
    def text(self) -> str:
        return text_of(self.editor)

    async def begin(self, pilot: Pilot[None], text: str) -> None:
        """Let a text stand there with the cursor behind it."""
        if isinstance(self.editor, TextArea):
            self.editor.text = text
            self.editor.move_cursor(self.editor.document.end)
        else:
            self.editor.value = text
            self.editor.cursor_position = len(text)
        await pilot.pause()

    async def type(self, pilot: Pilot[None], text: str) -> None:
        """Type characters as a terminal's input method gives them, whatever they are."""
        for char in text:
            self.editor.post_message(events.Key(char, char))
            await pilot.pause()


def text_of(widget: TextArea | Input) -> str:
    return widget.text if isinstance(widget, TextArea) else widget.value


# -- the steps themselves


@given(st.lists(st.sampled_from(CHARACTERS) | st.characters(codec="utf-8"), max_size=40).map("".join))
def test_steps_to_the_right_are_those_of_the_segmentation(text: str) -> None:
    places, at = [], 0
    while at < len(text):
        at = graphemes.end_after(text, at)
        places.append(at)
    ends, end = [], 0
    for character in wcwidth.iter_graphemes(text):
        end += len(character)
        ends.append(end)
    assert places == ends


@given(st.lists(st.sampled_from(CHARACTERS), max_size=60).map("".join))
def test_steps_to_the_left_are_those_to_the_right(text: str) -> None:
    to_right, at = [0], 0
    while at < len(text):
        at = graphemes.end_after(text, at)
        to_right.append(at)
    to_left = [len(text)]
    while to_left[-1] > 0:
        to_left.append(graphemes.start_before(text, to_left[-1]))
    assert to_left[::-1] == to_right
    assert {graphemes.snapped(text, place) for place in range(len(text) + 1)} == set(to_right)


@given(st.text(max_size=40), st.integers(0, 40))
def test_steps_get_on_and_stay_inside(text: str, place: int) -> None:
    at = graphemes.snapped(text, min(place, len(text)))
    assert 0 <= at <= len(text)
    assert graphemes.snapped(text, at) == at
    for step in (graphemes.start_before, graphemes.word_start_before):
        assert 0 <= step(text, at) < at or at == 0
    for step in (graphemes.end_after, graphemes.word_end_after):
        assert at < step(text, at) <= len(text) or at == len(text)


def test_a_step_in_a_long_line_looks_at_its_neighbourhood_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def before(text: str, at: int) -> int:
        seen.append(len(text))
        return at - 1

    monkeypatch.setattr(wcwidth, "grapheme_boundary_before", before)
    line = "界" * 100_000
    assert graphemes.start_before(line, len(line)) == len(line) - 1
    assert max(seen) <= graphemes.REACH


@pytest.mark.parametrize(
    ("text", "start"),
    [("foo bar", 4), ("foo bar  ", 4), ("foo, ", 3), (f"caf{ACCENT}", 0), (f"so {CODER}{THUMB}", 3), (f".{ACCENT}a", 1), ("  ", 0)],
)  # fmt: skip
def test_a_word_before_the_cursor_is_whole(text: str, start: int) -> None:
    assert graphemes.word_start_before(text, len(text)) == start


def test_ascii_needs_no_segmentation() -> None:
    code = (
        "import sys; from kimi_tui.ui.widgets import graphemes as g; import kimi_tui.ui.app.chat_screen\n"
        "assert (g.start_before('ab c', 4), g.end_after('ab c', 0), g.word_start_before('ab c', 4)) == (3, 1, 3)\n"
        "sys.exit('wcwidth' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- in every editor


@pytest.mark.parametrize("kind", EDITORS)
@pytest.mark.parametrize("character", [CODER, "🇩🇪", THUMB, ACCENT, HANGUL, HINDI, "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "❤️"])
async def test_keys_take_characters_as_wholes(kind: str, character: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await app.begin(pilot, f"x{character}{character}y")
        await pilot.press("left", "backspace")
        assert app.text == f"x{character}y"
        await pilot.press("left", "delete")
        assert app.text == "xy"
        await app.begin(pilot, f"x{character}y")
        await pilot.press("home", "right", "right", "1", "left", "left", "2")
        assert app.text == f"x2{character}1y"
        await app.begin(pilot, f"x{character}y")
        await pilot.press("left", "shift+left", "3")
        assert app.text == "x3y"
        await app.begin(pilot, f"x{character}y")
        await pilot.press("home", "right", "shift+right", "4")
        assert app.text == "x4y"


@pytest.mark.parametrize("kind", ["composer", "area"])
async def test_no_movement_and_no_click_ends_inside_a_character(kind: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        area = app.editor
        assert isinstance(area, TextArea)
        await app.begin(pilot, f"abcdefgh\n{CODER}{FLAGS}{CODER}{HINDI}")
        line = area.document[1]
        ends = {graphemes.snapped(line, place) for place in range(len(line) + 1)}
        for column in range(8):
            area.move_cursor((0, column))
            await pilot.press("down")
            assert area.cursor_location[1] in ends
            await pilot.click(area, offset=(column + 2, 2 if kind == "composer" else 1))
            assert area.cursor_location[1] in ends or area.cursor_location[0] == 0


@pytest.mark.parametrize("kind", EDITORS)
async def test_joiners_blanks_and_private_characters_can_be_typed(kind: str) -> None:
    typed = f"{CODER}a\xa0b\u202fc\u3000d\u2028e\u2029f\uf8ff"
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await app.type(pilot, typed)
        assert (app.editor.exact(app.text) if isinstance(app.editor, EditArea) else app.text) == typed


@pytest.mark.parametrize("kind", EDITORS)
async def test_what_is_typed_before_a_mark_stays_behind_what_was_typed_before(kind: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await app.begin(pilot, "कत")
        await pilot.press("left")
        await app.type(pilot, "\u094dसx")  # the sign joins its neighbours to one character
        assert app.text == "क\u094dसxत"


WHOLE = [CODER, "🇩🇪", THUMB, HINDI, "❤️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
STEPS = [
    *("left", "right", "up", "down", "home", "end", "ctrl+left", "ctrl+right", "shift+left", "shift+right", "shift+up"),
    *("backspace", "delete", "ctrl+w", "alt+d", "ctrl+k", "ctrl+u", "ctrl+y", "ctrl+z", "alt+z", "alt+b", "alt+f"),
    *("shift+home", "shift+end", "shift+down", "pageup", "pagedown", "ctrl+x"),
]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(EDITORS), st.lists(st.sampled_from(WHOLE), min_size=1, max_size=40), st.lists(st.sampled_from(STEPS), max_size=25))  # fmt: skip
async def test_no_key_takes_a_character_apart(kind: str, characters: list[str], keys: list[str]) -> None:
    app = EditorApp(kind)
    async with app.run_test(size=(20, 12)) as pilot:
        await app.begin(pilot, "".join(characters))
        for key in keys:
            await pilot.press(key)
            assert set(wcwidth.iter_graphemes(app.text)) <= {*WHOLE, "\n"}, key


KILLS = [
    ("ctrl+u", "one two", ""),
    ("ctrl+w", "one two", "one "),
    ("alt+backspace", "one two", "one "),
    ("home ctrl+k", "one two", ""),
    ("home alt+d", "one two", " two"),
    ("home alt+delete", "one two", " two"),
    ("alt+b ctrl+k", "one two", "one "),
    ("home alt+f ctrl+k", "one two", "one"),
    ("home shift+right alt+d", "one two", "ne two"),
]


@pytest.mark.parametrize("kind", EDITORS)
@pytest.mark.parametrize(("keys", "text", "rest"), KILLS, ids=[keys for keys, _, _ in KILLS])
async def test_what_was_killed_is_put_in_again(kind: str, keys: str, text: str, rest: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await app.begin(pilot, text)
        await pilot.press(*keys.split())
        assert app.text == rest
        await pilot.press("ctrl+y")
        assert app.text == text
        app.other.focus()
        await pilot.press("ctrl+y")
        assert rest.strip() + app.other.value.strip() in {text.replace(" ", ""), text} or app.other.value in text


@pytest.mark.parametrize("kind", EDITORS)
async def test_what_is_killed_piece_by_piece_is_put_in_as_a_whole(kind: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await app.begin(pilot, "one two three")
        await pilot.press("ctrl+w", "ctrl+w", "ctrl+y")
        assert app.text == "one two three"
        await pilot.press("home", "alt+d", "alt+d", "end", "ctrl+y")
        assert app.text == " threeone two"
        await pilot.press("ctrl+w", "x", "ctrl+w", "ctrl+y")  # something was typed between
        assert app.text == " threeone x"


@pytest.mark.parametrize("kind", ["composer", "area"])
async def test_lines_are_killed_one_after_the_other(kind: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await app.begin(pilot, "one\ntwo\nthree")
        await pilot.press(*["ctrl+u"] * 4)
        assert app.text == "one"
        await pilot.press("ctrl+y")
        assert app.text == "one\ntwo\nthree"
        await pilot.press("up", "home", *["ctrl+k"] * 3)
        assert app.text == "one\n"
        app.other.focus()
        await pilot.press("ctrl+y")
        assert app.other.value == "two three"


async def test_odd_line_ends_come_back_as_they_were() -> None:
    app = EditorApp("composer")
    async with app.run_test() as pilot:
        composer = app.editor
        assert isinstance(composer, Composer)
        composer.draft = "one\u2028two\x85three"
        await pilot.press("ctrl+a", "ctrl+k", "ctrl+y")
        assert composer.draft == "one\u2028two\x85three"


# -- undo


@pytest.mark.parametrize("kind", ["composer", "area"])
@pytest.mark.parametrize("kill", ["ctrl+u", "ctrl+w", "alt+d", "ctrl+k", "alt+backspace", "ctrl+x"])
@pytest.mark.parametrize("other", ["ctrl+u", "ctrl+w", "backspace"])
async def test_undo_takes_back_one_kill_at_a_time(kind: str, kill: str, other: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await pilot.press(*"alpha beta")
        if kill in {"alt+d", "ctrl+k"}:
            await pilot.press("home")
        await pilot.press(kill)
        assert app.text != "alpha beta"
        await pilot.press("ctrl+z")
        assert app.text == "alpha beta"
        await pilot.press("end", other)
        assert app.text != "alpha beta"
        await pilot.press("ctrl+z")
        assert app.text == "alpha beta"


@pytest.mark.parametrize("kind", ["composer", "area"])
async def test_what_is_done_after_undo_is_a_step_of_its_own(kind: str) -> None:
    app = EditorApp(kind)
    async with app.run_test() as pilot:
        await pilot.press(*"alpha", "backspace", "ctrl+z", "backspace", "ctrl+z")
        assert app.text == "alpha"
        await pilot.press("backspace", "ctrl+z", "x", "ctrl+z")
        assert app.text == "alpha"


EDITS = ["a", "b", " ", "ctrl+u", "ctrl+w", "ctrl+k", "alt+d", "ctrl+y", "ctrl+j", "ctrl+z", "alt+z", "backspace", "left", "ctrl+a", "delete"]  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(keys=st.lists(st.sampled_from(EDITS), max_size=25))
async def test_undoing_a_key_brings_back_the_text_that_it_found(keys: list[str]) -> None:
    """What is deleted by words or lines is deleted by one step, whatever was done before."""
    app = EditorApp("composer")
    async with app.run_test() as pilot:
        for key in keys:
            before = app.text
            await pilot.press(key)
            if key.startswith(("ctrl+u", "ctrl+w", "ctrl+k", "alt+d", "ctrl+y")) and app.text != before:
                after = app.text
                await pilot.press("ctrl+z")
                assert app.text == before
                await pilot.press("alt+z")
                assert app.text == after


async def test_a_prompt_that_was_brought_back_does_not_cost_what_undo_knew(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("half a thought<ctrl+u><up>")
        assert running.screen.composer.draft == "Lamb?"
        await running.type("<ctrl+z><ctrl+z>")
        assert running.screen.composer.draft == "half a thought"


async def test_a_completed_command_does_not_cost_what_undo_knew(tmp_path: Path) -> None:
    async with program(tmp_path) as running:
        await running.type("half a thought<ctrl+u>/thi<tab><ctrl+u>")
        for _ in range(12):
            if running.screen.composer.draft == "half a thought":
                return
            await running.type("<ctrl+z>")
        raise AssertionError(running.screen.composer.draft)


async def test_what_was_killed_in_the_composer_can_be_looked_for(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type("Roast<ctrl+u><ctrl+f><ctrl+y>")
        await running.shows("1/1")


@pytest.mark.parametrize("key", ["<ctrl+p>", "<f1>"])
async def test_what_was_killed_is_put_in_again_where_actions_are_looked_for(tmp_path: Path, key: str) -> None:
    async with program(tmp_path, session=talk(("Lamb?", "Roast it."))) as running:
        await running.type(f"stop<ctrl+u>{key}")
        await running.until(lambda: running.app.screen is not running.screen)
        await running.type("<ctrl+y>")
        assert running.app.screen.query_one(Input).value == "stop"
        await running.type("<ctrl+u>")
        assert running.app.screen.query_one(Input).value == ""
        await running.type("the <ctrl+y>")
        await running.shows("Stops the running reply")
        assert running.app.screen.query_one(Input).value == "the stop"
        await running.type("<escape><escape><ctrl+y>")
        await running.until(lambda: running.screen.composer.draft == "stop")


@pytest.mark.parametrize("action", ["delete-word", "yank", "undo-edit", "redo-edit"])
async def test_the_keys_are_those_of_the_key_map(action: str) -> None:
    keys: dict[str, Any] = {**DEFAULT_KEYS, action: ("f11",)}
    app = EditorApp("composer")
    app.editor = Composer(keys)
    async with app.run_test() as pilot:
        await pilot.press(*"one two", "ctrl+u")
        done = {"yank": "one two", "undo-edit": "one two", "redo-edit": "", "delete-word": ""}
        if action in {"redo-edit", "delete-word"}:
            await pilot.press("ctrl+z", "home")
        await pilot.press("f11")
        assert app.text == done[action] or (action == "delete-word" and app.text == " two")
