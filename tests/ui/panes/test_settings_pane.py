"""The settings pane: what it shows, what can be typed into it, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList, Static, TextArea

from kimi_tui.adapters.config.theme_files import themes
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.settings import Settings, parse_settings
from kimi_tui.core.settings.settings_view import settings_view
from kimi_tui.core.wire.fields import SETTABLE
from kimi_tui.ui.panes.settings_pane.editor import Editor, LookAtForm
from kimi_tui.ui.panes.settings_pane.edits import ActionRequested, Change, PresetRenamed, SettingChanged, SettingReset
from kimi_tui.ui.panes.settings_pane.row_values import RowKind
from kimi_tui.ui.panes.settings_pane.setting_rows import MOVES, SettingRow, SettingRows
from kimi_tui.ui.panes.settings_pane.settings_widget import DEFAULT_KEYS, SettingsPane
from kimi_tui.ui.text.safe_text import SafeFilter
from kimi_tui.ui.text.themes import build_theme
from tests.ui.resizing import resize

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SLOWLY = 4
"""How many characters of a text are typed key by key."""
SESSION = Session("s", NOW, NOW, "m", prompt_cache_key="key", system="Help.")


def config() -> Settings:
    settings, wrong = parse_settings(
        {"chat": {"system": "Help."}, "presets": {"mine": {"top_k": 3}, "fixed": {}}, "sampling": {"extra": {"a": 1}}}
    )
    assert not wrong
    return replace(settings, saved_presets=frozenset({"mine"}))


class Host(App[None]):
    """A pane alone, and a session that does what the pane asks for."""

    def __init__(
        self,
        width: str = "1fr",
        keys: Mapping[str, tuple[str, ...]] = DEFAULT_KEYS,
        look_at_form: LookAtForm | None = None,
        **own: object,
    ) -> None:
        super().__init__()
        self.width = width
        self.pane = SettingsPane(self.ask, keys=keys, look_at_form=look_at_form)
        self.settings = config()
        self.session = replace(SESSION, settings=own)
        self.asked: list[Change] = []
        self.told_hints = 0

    def get_line_filters(self) -> list[LineFilter]:
        return [SafeFilter(), *super().get_line_filters()]

    def compose(self) -> ComposeResult:
        yield self.pane
        yield Input(id="elsewhere")

    def on_mount(self) -> None:
        for read in themes(Path("nowhere.toml")).values():
            self.register_theme(build_theme(read()))
        self.theme = "kimi-dark"
        self.pane.styles.width = self.width
        self.show()
        self.pane.focus()

    def show(self) -> None:
        self.pane.show(settings_view(self.settings, self.session))

    def ask(self, change: Change) -> None:
        self.asked.append(change)
        match change:
            case SettingChanged(name, value):
                self.session = settings_changes.with_setting(self.settings, self.session, name, value)
            case SettingReset(name):
                self.session = settings_changes.without_own(self.settings, self.session, name)
            case _:
                return
        self.show()

    @on(SettingsPane.HintsChanged)
    def _count_hints(self) -> None:
        self.told_hints += 1

    # -- looking

    def lines(self) -> list[str]:
        """Everything on screen, row by row."""
        width, height = self.size
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips[:height]] if width else []

    def line(self, start: str) -> str:
        found = [row for row in self.query(SettingRow) if row.row.label == start]
        strip = found[0].render_lines(Region(0, 0, *found[0].size))[0]
        return strip.text.rstrip()

    @property
    def problem(self) -> str:
        statics = [static for static in self.query(".editor-problem").results(Static) if static.display]
        return " ".join(str(static.content) for static in statics)

    @property
    def help(self) -> str:
        return str(self.query_one("#settings-help", Static).content)


def editing(app: Host) -> bool:
    """Whether an editor is open."""
    return app.pane.is_editing


async def go_to(pilot: Pilot[None], label: str) -> None:
    """Move the cursor to a row, the shortest way."""
    app = pilot.app
    assert isinstance(app, Host)
    await pilot.pause()
    labels = [found.row.label for found in app.query(SettingRow) if found.row.kind is not RowKind.HEADING]
    here = next(place for place, other in enumerate(labels) if app.line(other).startswith("▸"))
    steps = labels.index(label) - here
    await pilot.press(*["down" if steps > 0 else "up"] * abs(steps))
    assert app.line(label).startswith("▸")
    await pilot.pause()


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Type a text; all but the last characters come at once, as from a paste."""
    names = {"\n": "enter", " ": "space"}
    if len(text) > SLOWLY:
        pilot.app.post_message(events.Paste(text[:-SLOWLY]))
        await pilot.pause()
    await pilot.press(*(names.get(char, char) for char in text[-SLOWLY:]))


# -- all fields

TYPED: dict[str, tuple[str, object]] = {
    "max_new_tokens": ("5000", 5000),
    "temperature": ("0.25", 0.25),
    "top_p": ("0.5", 0.5),
    "min_p": ("0.1", 0.1),
    "top_k": ("40", 40),
    "repetition_penalty": ("1.1", 1.1),
    "num_responses": ("3", 3),
    "presence_penalty": ("-1.5", -1.5),
    "frequency_penalty": ("2", 2),
    "user": ("a hash", "a hash"),
    "seed": ("-42", -42),
    "prompt_cache_key": ("k2", "k2"),
    "webhook": ("https://example.org/h", "https://example.org/h"),
}
WRONG: dict[str, str] = {
    "max_new_tokens": "0",
    "temperature": "101",
    "top_p": "0",
    "min_p": "-1",
    "top_k": "1000",
    "repetition_penalty": "0",
    "num_responses": "5",
    "presence_penalty": "3",
    "frequency_penalty": "x",
    "seed": "1.5",
    "webhook": "example.org",
}

BEFORE: dict[str, object] = {
    "max_new_tokens": 77, "temperature": 1.5, "top_p": 0.75, "min_p": 0.5, "top_k": 7, "repetition_penalty": 1.5,
    "num_responses": 2, "presence_penalty": 1, "frequency_penalty": 1, "seed": 5, "webhook": "https://a.b/",
}  # fmt: skip
"""Other values than those that are typed."""


@pytest.mark.parametrize("size", [(120, 40), (28, 20)], ids=["wide", "narrow"])
async def test_a_value_is_typed_in_place(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        for name, (text, value) in TYPED.items():
            before = len(app.asked)
            await go_to(pilot, name)
            await pilot.press("enter", "end", "ctrl+u")
            await type_text(pilot, text)
            await pilot.press("enter")
            await pilot.pause()
            asked = app.asked[before:]
            assert [(m.name, m.value) for m in asked if isinstance(m, SettingChanged)] == [(name, value)]
            assert app.session.settings == {name: value}
            assert app.line(name).startswith("▸*"), name
            await pilot.press("delete")
            await pilot.pause()
            assert app.session.settings == {}, name
            assert not app.line(name).startswith("▸*"), name


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_value_is_marked_while_it_is_typed_and_never_asked_for(name: str) -> None:
    app = Host()
    async with app.run_test(size=(40, 30)) as pilot:
        await go_to(pilot, name)
        await pilot.press("enter", "end", "ctrl+u")
        assert app.problem == ""
        await type_text(pilot, WRONG[name])
        assert "allowed" in app.problem
        await pilot.press("enter")
        await pilot.pause()
        assert editing(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not editing(app)
        assert app.asked == []


def test_the_cases_above_and_below_are_every_field() -> None:
    assert {*TYPED, "stop", "response_format", "stream"} == set(SETTABLE)


async def test_an_emptied_line_is_not_sent_and_an_unchanged_one_asks_for_nothing() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "temperature")
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert app.asked == []
        await pilot.press("enter", "end", "ctrl+u", "enter")
        await pilot.pause()
        assert app.session.settings == {"unset": ["temperature"]}
        assert "not sent (0.7)" in app.line("temperature")


@pytest.mark.parametrize("name", TYPED)
async def test_a_value_is_replaced_by_what_is_typed(name: str) -> None:
    text, value = TYPED[name]
    app = Host()
    app.session = replace(SESSION, settings={name: BEFORE.get(name, "before")})
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, name)
        await pilot.press("enter")
        await type_text(pilot, text)
        await pilot.press("enter")
        await pilot.pause()
        assert app.session.settings == {name: value}


async def test_a_value_can_be_changed_a_little() -> None:
    app = Host(temperature=1.5)
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "temperature")
        await pilot.press("enter", "end", "backspace", "2", "enter")
        await pilot.pause()
        assert app.session.settings == {"temperature": 1.2}


async def test_what_was_typed_before_is_gone_on_with() -> None:
    app = Host(temperature=1.5)
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "temperature")
        await pilot.press("enter", *"0.2", "escape")
        await pilot.pause()
        await pilot.press("enter", "5", "enter")
        await pilot.pause()
        assert app.session.settings == {"temperature": 0.25}


async def test_a_text_of_several_lines_is_gone_on_with() -> None:
    app = Host(stop=["one"])
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "stop")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("enter", *"two", "ctrl+o")
        await pilot.pause()
        assert app.session.settings == {"stop": ["one", "two"]}


async def test_a_digit_begins_an_edit_of_a_number() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("7", "5", "enter")
        await pilot.pause()
        assert app.session.settings == {"top_k": 75}


@pytest.mark.parametrize(("steps", "value"), [(("up",), None), (("down",), False)])
async def test_streaming_is_chosen(steps: tuple[str, ...], value: object) -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "stream")
        await pilot.press("enter", *steps, "enter")
        await pilot.pause()
        assert app.session.settings == settings_changes.with_setting(Settings(), SESSION, "stream", value).settings


async def test_streaming_that_is_overruled_says_so() -> None:
    app = Host(num_responses=2)
    async with app.run_test() as pilot:
        await go_to(pilot, "stream")
        assert "false" in app.line("stream")
        assert app.line("stream").endswith("!")
        assert "Sent as false" in app.help


async def test_stop_strings_are_edited_one_a_line() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        await go_to(pilot, "stop")
        await pilot.press("enter")
        area = app.query_one(TextArea)
        assert area.text == "<|im_end|>\n[EOS]"
        await type_text(pilot, "\n\\q")
        assert "in line 3" in app.problem
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert editing(app)
        assert app.asked == []
        await pilot.press("backspace", "backspace")
        await type_text(pilot, "\\nUser:")
        assert app.problem == ""
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.session.settings == {"stop": ["<|im_end|>", "[EOS]", "\nUser:"]}


async def test_all_stop_strings_taken_away_are_an_empty_list_with_a_warning() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        await go_to(pilot, "stop")
        await pilot.press("enter")
        app.query_one(TextArea).text = ""
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.session.settings == {"stop": []}
        assert "not sent" in app.line("stop")
        assert "<|im_end|>" in app.help


async def test_an_object_format_is_chosen() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "response_format")
        await pilot.press("enter", "home", "down", "enter")
        await pilot.pause()
        assert app.session.settings == {"response_format": '{"type": "json_object"}'}
        await pilot.press("enter", "end", "enter")
        await pilot.pause()
        assert app.session.settings == {"unset": ["response_format"]}


async def test_a_schema_is_edited_and_checked() -> None:
    app = Host()
    async with app.run_test(size=(60, 40)) as pilot:
        await go_to(pilot, "response_format")
        await pilot.press("enter", "home", "down", "down", "enter")
        await pilot.pause()
        await type_text(pilot, '{"type": 1')
        assert "line 1, column 11" in app.problem
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.asked == []
        await type_text(pilot, "}")
        assert app.problem == ""
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert app.session.settings == {
            "response_format": '{"type": "json_schema", "json_schema": {"name": "reply", "schema": {"type": 1}}}'
        }
        assert "json_schema reply" in app.line("response_format")


async def test_a_schema_is_looked_at_when_typing_pauses_and_can_be_taken_all_the_same() -> None:
    looked = list[object]()

    def look(form: object) -> str:
        looked.append(form)
        return "$.type: 1 is no type"

    app = Host(look_at_form=look)
    async with app.run_test(size=(60, 40)) as pilot:
        await go_to(pilot, "response_format")
        await pilot.press("enter", "home", "down", "down", "enter")
        await pilot.pause()
        await type_text(pilot, '{"type": 1}')
        for _ in range(100):
            if app.problem:
                break
            await pilot.pause(0.02)
        assert app.problem == "$.type: 1 is no type"
        assert looked == [{"type": "json_schema", "json_schema": {"name": "reply", "schema": {"type": 1}}}]
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert "json_schema reply" in app.line("response_format")


async def test_a_pattern_is_edited_and_doubted() -> None:
    app = Host()
    async with app.run_test(size=(60, 40)) as pilot:
        await go_to(pilot, "response_format")
        await pilot.press("enter", "home", "down", "down", "down", "enter")
        await pilot.pause()
        await type_text(pilot, "(a")
        assert "at character 1" in app.problem
        await type_text(pilot, "|b)")
        assert app.problem == ""
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.session.settings == {"response_format": '{"type": "regex", "regex": "(a|b)"}'}


# -- mode, preset, system prompt


async def test_thinking_is_switched_and_taken_back() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "thinking")
        await pilot.press("enter")
        await pilot.pause()
        assert app.session.settings == {"thinking": False}
        assert "instant" in app.line("thinking")
        assert "0.6" in app.line("temperature")
        await pilot.press("backspace")
        await pilot.pause()
        assert app.session.settings == {}


async def test_a_preset_is_chosen() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "preset")
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert app.asked == []
        await pilot.press("enter", "down", "down", "enter")
        await pilot.pause()
        assert app.session.settings == {"preset": "mine"}
        assert "mine" in app.line("preset")
        assert app.line("top_k").split() == ["top_k", "3"]


async def test_a_preset_that_is_not_there_is_mended() -> None:
    app = Host(preset="gone", temperature=300)
    async with app.run_test(size=(60, 30)) as pilot:
        assert "no preset" in app.line("preset")
        assert "found 300" in app.line("temperature")
        await go_to(pilot, "preset")
        await pilot.press("enter", "enter")
        await pilot.pause()
        await go_to(pilot, "temperature")
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert app.session.settings == {"preset": "recommended", "temperature": 1.0}


async def test_the_system_prompt_is_edited_exactly() -> None:
    app = Host()
    text = "a\u2028b\r\nc\x0bd\re"
    async with app.run_test(size=(60, 30)) as pilot:
        app.session = replace(app.session, system=text)
        app.show()
        await go_to(pilot, "system prompt")
        await pilot.press("enter", "ctrl+o")
        await pilot.pause()
        assert app.asked == []
        await pilot.press("enter", "enter", "x", "ctrl+o")
        await pilot.pause()
        assert app.session.system == text + "\nx"


async def test_pasting_into_the_system_prompt_keeps_its_lines() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        await go_to(pilot, "system prompt")
        await pilot.press("enter")
        app.query_one(TextArea).post_message(events.Paste("\rone\r\ntwo\x1b"))
        await pilot.pause()
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.session.system == "Help.\none\ntwo\x1b"


async def test_escape_leaves_the_system_prompt_as_it_was() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        await go_to(pilot, "system prompt")
        await pilot.press("enter", "x", "escape")
        await pilot.pause()
        assert app.asked == []
        assert app.session.system == "Help."


@pytest.mark.parametrize(("key", "system"), [("delete", "Help."), ("u", None)])
async def test_the_system_prompt_goes_only_after_a_question(key: str, system: str | None) -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        app.session = replace(app.session, system="Cook.")
        app.show()
        await go_to(pilot, "system prompt")
        await pilot.press(key, "enter")
        await pilot.pause()
        assert app.asked == []
        await pilot.press(key, "down", "enter")
        await pilot.pause()
        assert app.session.system == system


# -- reset, unset and the rows at the end


async def test_a_field_is_left_out_and_taken_back() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "temperature")
        await pilot.press("u")
        await pilot.pause()
        assert app.session.settings == {"unset": ["temperature"]}
        await pilot.press("u")
        await pilot.pause()
        assert len(app.asked) == 1
        assert "It is not sent" in app.help
        await pilot.press("backspace", "backspace")
        await pilot.pause()
        assert app.session.settings == {}
        assert len(app.asked) == 2
        assert "nothing to take back" in app.help


async def test_keys_are_those_it_was_given_and_methods_can_be_called() -> None:
    app = Host(keys={"reset-field": ("r",), "unset-field": ("x", "slash")}, top_k=4)
    async with app.run_test() as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("u", "delete")
        await pilot.pause()
        assert app.asked == []
        await pilot.press("r")
        await pilot.pause()
        assert app.session.settings == {}
        app.pane.do_unset_field()
        await pilot.pause()
        assert app.asked[1:] == []
        await go_to(pilot, "temperature")
        app.pane.do_unset_field()
        await pilot.pause()
        app.pane.do_reset_field()
        await pilot.pause()
        assert [type(message) for message in app.asked[1:]] == [SettingChanged, SettingReset]


async def test_a_field_of_another_server_and_a_wrong_list_are_taken_back() -> None:
    app = Host(extra={"b": 2}, unset=["nope"])
    async with app.run_test(size=(60, 50)) as pilot:
        await go_to(pilot, "unset")
        await pilot.press("delete")
        await pilot.pause()
        assert app.session.settings == {"extra": {"b": 2}}
        await go_to(pilot, "b")
        await pilot.press("delete")
        await pilot.pause()
        assert app.session.settings == {}
        assert [row.row.label for row in app.query(SettingRow)].count("b") == 0
        app.session = replace(app.session, settings={"extra": {"z": 1}})
        app.show()
        await pilot.pause()
        labels = [row.row.label for row in app.query(SettingRow)]
        assert labels.index("z") == labels.index("a") + 1


async def test_everything_is_taken_back_after_a_question() -> None:
    app = Host(temperature=0.5, thinking=False)
    async with app.run_test(size=(60, 50)) as pilot:
        await go_to(pilot, "Reset all")
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert app.asked == []
        await pilot.press("enter", "down", "enter")
        await pilot.pause()
        assert app.session.settings == {}
        await pilot.press("enter")
        assert not editing(app)


async def test_a_preset_is_saved_under_a_name_that_may_be_used() -> None:
    app = Host()
    async with app.run_test(size=(60, 50)) as pilot:
        await go_to(pilot, "Save as preset …")
        await pilot.press("enter")
        for name, words in (("fixed", "config file"), ("endpoint", "ships with the program")):
            await type_text(pilot, name)
            assert words in app.problem
            await pilot.press("enter", "ctrl+u")
        await type_text(pilot, "my own")
        await pilot.press("enter")
        await pilot.pause()
        assert app.asked == [ActionRequested("save-preset", "my own")]


async def test_only_a_preset_of_ones_own_is_renamed() -> None:
    app = Host()
    async with app.run_test(size=(60, 50)) as pilot:
        await go_to(pilot, "Rename preset …")
        await pilot.press("enter")
        assert not editing(app)
        app.session = replace(app.session, settings={"preset": "mine"})
        app.show()
        await pilot.press("enter", "end", "ctrl+u")
        await type_text(pilot, "fixed")
        assert "config file" in app.problem
        await pilot.press("ctrl+u", "y", "enter")
        await pilot.pause()
        (message,) = app.asked
        assert isinstance(message, PresetRenamed)
        assert (message.old, message.new) == ("mine", "y")


async def test_the_default_is_asked_for() -> None:
    app = Host()
    async with app.run_test(size=(60, 50)) as pilot:
        await go_to(pilot, "Make default")
        await pilot.press("enter")
        await pilot.pause()
        assert app.asked == [ActionRequested("make-default")]


# -- what comes from outside while one types


async def test_a_view_from_outside_keeps_what_is_being_typed() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("enter", "4")
        app.session = replace(app.session, settings={"temperature": 0.1, "extra": {"x": 1}, "top_k": 9})
        app.show()
        await pilot.pause()
        assert "0.1" in app.line("temperature")
        await pilot.press("2", "enter")
        await pilot.pause()
        assert app.session.settings["top_k"] == 42


async def test_another_session_gets_nothing_of_what_is_being_typed_and_its_own_gets_it_back() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        await go_to(pilot, "response_format")
        await pilot.press("enter", "home", "down", "down", "down", "enter")
        await pilot.pause()
        await type_text(pilot, "abc")
        first = app.session
        app.session = replace(SESSION, id="other")
        app.show()
        await pilot.pause()
        assert not editing(app)
        app.session = first
        app.show()
        await pilot.pause()
        assert editing(app)
        app.pane.focus()
        await pilot.press("d", "ctrl+o")
        await pilot.pause()
        assert app.session.settings == {"response_format": '{"type": "regex", "regex": "abcd"}'}


async def test_keys_beside_an_open_editor_are_its_own() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("enter", "4")
        app.query_one(SettingRows).focus()
        await pilot.pause()
        await pilot.press("2", "0")
        assert shown_texts(app) == ["420"]
        app.query_one(SettingRows).focus()
        await pilot.pause()
        await pilot.press("escape")
        assert not editing(app)
        assert "changed, not taken" in app.line("top_k")


async def test_a_pane_that_is_shown_to_before_it_is_mounted_shows_it() -> None:
    app = Host(top_k=5)
    app.show()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "5" in app.line("top_k")


async def test_typing_elsewhere_is_no_business_of_the_pane() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("enter", "4")
        app.query_one("#elsewhere").focus()
        await pilot.press("u", "escape")
        assert editing(app)
        assert app.query_one("#elsewhere", Input).value == "u"


# -- moving, mouse, sizes


async def test_moving_by_pages_and_to_the_ends() -> None:
    app = Host()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press("end")
        assert app.line("Reset all").startswith("▸")
        await pilot.press("down", "pageup")
        assert not app.line("Reset all").startswith("▸")
        await pilot.press("pageup", "pageup", "pageup", "up")
        assert app.line("thinking").startswith("▸")
        assert app.lines()[0].startswith("─ This session")
        await pilot.press("down", "down", "down", "down", "up")
        assert app.line("system prompt").startswith("▸")
        await pilot.press("pagedown", "pagedown", "pagedown", "pagedown")
        assert app.line("Reset all").startswith("▸")


async def test_a_click_chooses_a_row_and_another_one_edits_it() -> None:
    app = Host()
    async with app.run_test(size=(60, 40)) as pilot:
        row = next(row for row in app.query(SettingRow) if row.row.id == "top_k")
        await pilot.click(row)
        assert app.line("top_k").startswith("▸")
        assert not editing(app)
        await pilot.click(row)
        await pilot.pause()
        assert editing(app)
        await pilot.press("7", "enter")
        await pilot.pause()
        assert app.session.settings == {"top_k": 7}
        await pilot.click(next(row for row in app.query(SettingRow) if row.row.id == "make-default"))
        await pilot.pause()
        assert app.asked[-1] == ActionRequested("make-default")


async def test_the_mouse_takes_a_choice_and_leaves_an_editor() -> None:
    app = Host()
    async with app.run_test(size=(60, 40)) as pilot:
        await go_to(pilot, "preset")
        await pilot.press("enter")
        await pilot.click(OptionList, offset=(2, 1))
        await pilot.pause()
        assert app.session.settings == {"preset": "endpoint"}
        await go_to(pilot, "system prompt")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        await pilot.click(next(row for row in app.query(SettingRow) if row.row.id == "system"))
        await pilot.press("left")
        assert isinstance(app.focused, TextArea)
        await pilot.click(app.query_one("#leave", Button))
        await pilot.pause()
        assert not editing(app)


@pytest.mark.parametrize("width", [28, 30, 37, 38, 40, 60])
async def test_no_row_is_wider_than_the_pane_and_names_are_whole(width: int) -> None:
    app = Host(width=str(width), min_p=7, user="x" * 100, stop=["界" * 40])
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.pause()
        for row in app.query(SettingRow):
            strip = row.render_lines(Region(0, 0, *row.size))[0]
            assert strip.cell_length == row.size.width <= width
            assert row.row.label in strip.text


@pytest.mark.parametrize("size", [(28, 20), (60, 20), (80, 24), (40, 12)])
@pytest.mark.parametrize(
    "label", ["system prompt", "stop", "preset", "response_format", "Reset all", "frequency_penalty"]
)
async def test_an_open_editor_is_wholly_in_sight(size: tuple[int, int], label: str) -> None:
    app = Host(top_k=3)
    async with app.run_test(size=size) as pilot:
        await go_to(pilot, label)
        await pilot.press("enter")
        await pilot.pause()
        assert editing(app)
        rows = app.query_one("#settings-rows").region
        focused = app.focused
        assert focused is not None
        assert rows.contains_region(focused.region) or focused.region.height > rows.height


async def test_an_editor_stays_in_sight_when_the_screen_shrinks() -> None:
    app = Host()
    async with app.run_test(size=(100, 40)) as pilot:
        await go_to(pilot, "webhook")
        await pilot.press("enter", "x")
        await resize(pilot, 100, 16)
        await pilot.pause()
        await pilot.pause()
        assert app.focused is not None
        assert app.query_one("#settings-rows").region.contains_region(app.focused.region)
        assert app.query_one("#settings-rows Input", Input).value == "x"


async def test_the_cursor_stays_in_sight_when_the_screen_shrinks() -> None:
    app = Host()
    async with app.run_test(size=(100, 40)) as pilot:
        await go_to(pilot, "stream")
        await resize(pilot, 100, 16)
        await pilot.pause()
        row = next(row for row in app.query(SettingRow) if row.row.id == "stream")
        assert app.query_one("#settings-rows").region.contains_region(row.region)


HOSTILE = "a\x1b[31mb\u202ec[bold]d"


async def test_foreign_text_is_text() -> None:
    app = Host(user=HOSTILE, stop=[HOSTILE], preset=HOSTILE, extra={HOSTILE: HOSTILE})
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.pause()
        shown = "\n".join(row.render_line(0).text for row in app.query(SettingRow))
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert shown.count("[bold]") >= 3
        for label in ("user", "stop"):
            await go_to(pilot, label)
            await pilot.press("enter", "escape")
            await pilot.pause()
        assert app.asked == []


async def test_a_text_that_no_line_can_hold_is_edited_as_lines() -> None:
    app = Host(user="a\nb")
    async with app.run_test(size=(60, 40)) as pilot:
        await go_to(pilot, "user")
        await pilot.press("enter", "c", "ctrl+o")
        await pilot.pause()
        assert app.session.settings == {"user": "a\nbc"}


async def test_colours_follow_the_theme() -> None:
    app = Host(temperature=0.5)
    async with app.run_test(size=(60, 40)) as pilot:
        row = next(row for row in app.query(SettingRow) if row.row.id == "temperature")
        before = row.render_lines(Region(0, 0, *row.size))[0]
        app.theme = "kimi-light"
        await pilot.pause()
        after = row.render_lines(Region(0, 0, *row.size))[0]
        assert before.text == after.text
        assert [segment.style for segment in before] != [segment.style for segment in after]


# -- what was typed and not taken


SCHEMA_STEPS = ("enter", "home", "down", "down", "enter")
TEXT_ROWS = [
    pytest.param("system prompt", ("enter",), "x\ny", id="system"),
    pytest.param("stop", ("enter",), "\nz", id="stop"),
    pytest.param("response_format", SCHEMA_STEPS, '{"a', id="schema"),
    pytest.param("response_format", (*SCHEMA_STEPS[:-1], "down", "enter"), "(a", id="pattern"),
    pytest.param("webhook", ("enter",), "nowhere", id="line"),
    pytest.param("Save as preset …", ("enter",), "my own", id="preset"),
]


def shown_texts(app: Host) -> list[str]:
    """What stands in the open editor."""
    fields = app.query("#settings-rows Input").results(Input)
    areas = app.query("#settings-rows TextArea").results(TextArea)
    return [*(field.value for field in fields), *(area.text for area in areas)]


@pytest.mark.parametrize(("label", "steps", "text"), TEXT_ROWS)
async def test_what_was_typed_outlives_escape(label: str, steps: tuple[str, ...], text: str) -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, label)
        before = app.line(label)
        await pilot.press(*steps)
        await pilot.pause()
        await type_text(pilot, text)
        typed = shown_texts(app)
        assert text in typed[-1]
        await pilot.press("escape")
        await pilot.pause()
        assert not editing(app)
        assert app.asked == []
        assert "changed, not taken" in app.line(label)
        assert "Typed, but not taken" in app.help
        await pilot.press("enter")
        await pilot.pause()
        assert shown_texts(app) == typed
        await pilot.press("escape", "delete", "enter")
        await pilot.pause()
        assert "changed, not taken" in app.line(label)
        await pilot.press("delete", "down", "enter")
        await pilot.pause()
        assert app.line(label) == before
        assert app.asked == []


async def test_taking_the_text_ends_it_and_so_does_typing_the_old_one() -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "system prompt")
        await pilot.press("enter", "x", "escape", "enter", "backspace", "escape")
        await pilot.pause()
        assert "not taken" not in app.line("system prompt")
        await pilot.press("enter", "y", "escape", "enter", "ctrl+o")
        await pilot.pause()
        assert app.session.system == "Help.y"
        assert "not taken" not in app.line("system prompt")


async def test_a_line_that_was_emptied_and_left_is_empty_when_it_is_opened_again() -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "temperature")
        await pilot.press("enter", "end", "ctrl+u", "escape", "enter")
        await pilot.pause()
        assert shown_texts(app) == [""]


async def test_taking_back_what_the_session_sets_ends_what_was_typed_too() -> None:
    app = Host(top_k=5)
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("enter", "1", "escape", "delete", "down", "enter")
        await pilot.pause()
        assert app.session.settings == {}
        assert "not taken" not in app.line("top_k")


async def test_each_session_keeps_what_was_typed_in_all_its_rows() -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("enter", "4", "escape")
        await go_to(pilot, "Save as preset …")
        await pilot.press("enter", "m", "y")
        first = app.session
        app.session = replace(SESSION, id="other")
        app.show()
        await pilot.pause()
        assert not editing(app)
        assert "not taken" not in app.line("top_k")
        app.session = first
        app.show()
        await pilot.pause()
        assert shown_texts(app) == ["my"]
        assert "changed, not taken" in app.line("top_k")


async def test_an_editor_that_is_hidden_is_as_it_was_when_it_is_shown_again() -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "system prompt")
        await pilot.press("enter", "x")
        app.pane.display = False
        app.query_one("#elsewhere").focus()
        await pilot.pause()
        app.pane.display = True
        app.show()
        app.pane.focus()
        await pilot.press("y")
        assert shown_texts(app) == ["Help.xy"]


@pytest.mark.parametrize("width", [28, 40])
async def test_a_narrow_row_says_that_something_was_not_taken(width: int) -> None:
    app = Host(width=str(width))
    async with app.run_test(size=(60, 40)) as pilot:
        await go_to(pilot, "system prompt")
        await pilot.press("enter", "x", "escape")
        await pilot.pause()
        assert "not taken" in app.line("system prompt")
        assert "not taken!" not in app.line("system prompt")


# -- keys of the editors


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter", "enter"])
async def test_a_new_line_is_begun_as_in_the_composer(key: str) -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "system prompt")
        await pilot.press("enter", key, "x", "ctrl+o")
        await pilot.pause()
        assert app.session.system == "Help.\nx"


async def test_the_keymap_says_what_begins_a_line() -> None:
    app = Host(keys={"new-line": ("ctrl+l",)})
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "system prompt")
        await pilot.press("enter", "ctrl+l", "x", "ctrl+j", "ctrl+o")
        await pilot.pause()
        assert app.session.system == "Help.\nx"


@pytest.mark.parametrize(("typed", "value"), [(".5", 0.5), ("-.5", -0.5)])
async def test_a_number_may_begin_with_its_point(typed: str, value: float) -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "presence_penalty")
        for char in typed:
            await pilot.press({".": "full_stop", "-": "minus"}.get(char, char))
        assert app.problem == ""
        await pilot.press("enter")
        await pilot.pause()
        assert app.session.settings == {"presence_penalty": value}


@pytest.mark.parametrize("label", ["system prompt", "stop"])
async def test_a_text_is_as_tall_as_there_is_room(label: str) -> None:
    app = Host()
    async with app.run_test(size=(70, 50)) as pilot:
        await go_to(pilot, label)
        await pilot.press("enter")
        await pilot.pause()
        for height in (50, 30):
            await resize(pilot, 70, height)
            await pilot.pause()
            await pilot.pause()
            rows = app.query_one("#settings-rows").region
            editor = app.query_one(Editor)
            assert editor.region.height == rows.height - 1
            assert rows.contains_region(editor.region)
            assert app.query_one(TextArea).region.height >= rows.height - 4


# -- hints


async def test_the_hints_say_what_keys_do_now() -> None:
    app = Host(keys={"reset-field": ("r",), "unset-field": ("n",)}, top_k=5)
    async with app.run_test(size=(70, 50)) as pilot:
        found = {}
        for label in ("thinking", "top_k", "temperature", "min_p", "a", "Rename preset …", "Make default"):
            await go_to(pilot, label)
            found[label] = app.pane.hints
        assert found == {
            "thinking": "Enter change",
            "top_k": "Enter change · r reset · n not sent",
            "temperature": "Enter change · n not sent",
            "min_p": "Enter change",
            "a": "",
            "Rename preset …": "",
            "Make default": "Enter do it",
        }
        await go_to(pilot, "top_k")
        await pilot.press("enter")
        assert app.pane.hints == "Enter set · Escape leave"
        await pilot.press("escape")
        await go_to(pilot, "system prompt")
        await pilot.press("enter")
        assert app.pane.hints == "Ctrl+O take · Escape leave"
        await pilot.press("x", "escape")
        assert app.pane.hints == "Enter change · r reset · n not sent"
        await go_to(pilot, "stream")
        await pilot.press("enter")
        assert app.pane.hints == "Enter choose · Escape leave"


async def test_other_hints_are_told_once() -> None:
    app = Host()
    async with app.run_test(size=(70, 50)) as pilot:
        await go_to(pilot, "temperature")
        told = app.told_hints
        await go_to(pilot, "top_p")
        assert app.told_hints == told
        await pilot.press("enter")
        await pilot.pause()
        assert app.told_hints == told + 1
        await pilot.press("escape")
        await pilot.pause()
        assert app.told_hints == told + 2


# -- marks, names


async def test_only_what_differs_is_marked_and_it_can_be_taken_back_all_the_same() -> None:
    app = Host()
    async with app.run_test(size=(70, 40)) as pilot:
        await go_to(pilot, "thinking")
        await pilot.press("enter")
        await pilot.pause()
        assert app.line("thinking").startswith("▸*")
        await pilot.press("enter")
        await pilot.pause()
        assert app.session.settings == {"thinking": True}
        assert app.line("thinking").startswith("▸thinking") or app.line("thinking").startswith("▸ thinking")
        assert "reset" in app.pane.hints
        await pilot.press("delete")
        await pilot.pause()
        assert app.session.settings == {}


async def test_a_preset_whose_name_has_blanks_is_renamed() -> None:
    app = Host(preset="my own one")
    own = "my own one"
    app.settings = replace(
        app.settings,
        presets={**app.settings.presets, own: replace(app.settings.presets["mine"], name=own)},
        saved_presets=frozenset({own}),
    )
    async with app.run_test(size=(70, 50)) as pilot:
        await go_to(pilot, "Rename preset …")
        await pilot.press("enter")
        await pilot.pause()
        assert shown_texts(app) == [own]
        await pilot.press("end")
        await type_text(pilot, " and only")
        app.session = replace(app.session, settings={})
        app.show()  # another preset is chosen meanwhile: the name is still for the first
        await pilot.press("enter")
        await pilot.pause()
        (message,) = app.asked
        assert isinstance(message, PresetRenamed)
        assert (message.old, message.new) == (own, "my own one and only")


async def test_a_key_that_comes_before_the_rows_does_nothing() -> None:
    rows = SettingRows()
    for key in MOVES:
        rows.move(key)
    assert rows.row is None


async def test_the_cursor_stays_in_sight_on_the_line_that_is_edited() -> None:
    app = Host()
    async with app.run_test(size=(80, 60)) as pilot:
        await go_to(pilot, "top_k")
        await pilot.press("enter")
        await pilot.pause()
        assert [line for line in app.lines() if line.startswith("▸ top_k")]
