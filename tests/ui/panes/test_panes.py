"""The side panes at work: opened, closed, arranged, fed, and what they change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.keys import _character_to_key

from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.ui.keys.input_order import COMMANDS
from kimi_tui.ui.panes import side_panes
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import NOW, Program, program, settle, talk
from tests.ui.resizing import resize

TALK = talk(("Lamb?", "Roast it."), ("More?", "Braise it."))
PANES = {"sessions": "f2", "reasoning": "f3", "settings": "f4", "prompt": "f5"}
SHOWN = {"sessions": "/ filter", "reasoning": "Thought for", "settings": "temperature", "prompt": "ChatMessageRole"}


def reply(text: str) -> Script:
    return streaming(token("hm"), think_end(), token(text), end(), DONE)


def scope(running: Program) -> Scope:
    return running.scope


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=["wide", "narrow", "small"])
@pytest.mark.parametrize("pane", PANES)
async def test_a_pane_is_shown_with_the_focus_and_hidden_again(
    tmp_path: Path, pane: str, size: tuple[int, int]
) -> None:
    async with program(tmp_path, session=TALK, size=size) as running:
        await running.type(f"<{PANES[pane]}>")
        await running.shows(SHOWN[pane])
        await running.until(lambda: scope(running) is Scope(f"in the {pane} pane"))
        await running.type(f"<{PANES[pane]}>")
        await running.until(lambda: scope(running) is Scope.COMPOSER)
        await running.type("typed")
        await running.shows("typed")


async def test_escape_leaves_a_docked_pane_open_and_closes_one_that_covers(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f5>")
        await running.until(lambda: scope(running) is Scope.PROMPT)
        await running.type("<escape>")
        assert scope(running) is Scope.COMPOSER
        assert "ChatMessageRole" in running.text
        await running.type("<f5><f5>")
        await resize(running.pilot, 60, 20)
        await running.until(lambda: "Message Kimi" not in running.text)
        await running.type("<escape>")
        await running.shows("Message Kimi")


async def test_a_terminal_that_is_too_small_says_what_it_needs_and_loses_nothing(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("half a thought<f3>")
        await resize(running.pilot, 40, 12)
        await running.shows("kimi-tui needs 45 columns")
        await resize(running.pilot, 120, 40)
        await running.shows("half a thought")
        await running.shows("[Reasoning F3]")


async def test_panes_of_the_settings_are_open_at_the_start(tmp_path: Path) -> None:
    config = {"ui": {"panes": ["sessions", "prompt"]}}
    async with program(tmp_path, session=TALK, config=config) as running:
        await running.shows("[Prompt F5]")
        assert "[Sessions F2]" in running.text
        assert scope(running) is Scope.COMPOSER


async def test_a_width_is_changed_by_key_and_remembered(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f5><alt+right>")
        await running.until(lambda: running.settings.saved == {("ui", "widths", "prompt"): 48})
        assert running.side("prompt").outer_size.width == 48


@pytest.mark.parametrize("pane", PANES)
async def test_letters_that_mean_nothing_in_a_pane_change_nothing(tmp_path: Path, pane: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type(f"<{PANES[pane]}>")
        await running.shows(SHOWN[pane])
        await running.until(lambda: running.scope is Scope(f"in the {pane} pane"))
        await settle(running)
        shown, kept = running.text, {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        table = running.screen.keymap
        printable = map(chr, range(33, 127))
        idle = [it for it in printable if table.action(running.scope, _character_to_key(it), it) is None]
        assert len(idle) > 70
        await running.pilot.press(*idle)
        await settle(running)
        assert running.text == shown
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == kept


async def test_a_width_that_has_no_room_here_is_kept_for_larger_windows(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(80, 24)) as running:
        await running.type("<f5>" + "<alt+right>" * 12)
        await running.until(lambda: running.side("prompt").outer_size.width == 40)
        await running.pilot.resize_terminal(120, 40)
        await running.until(lambda: running.side("prompt").outer_size.width == 44)


async def test_keys_do_not_wait_until_a_width_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_panes, "SAVE_DELAY_S", 60.0)
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f5><alt+right>")
        await running.until(lambda: running.side("prompt").outer_size.width == 48)
        assert not [worker for worker in running.app.workers if worker.group == COMMANDS and not worker.is_finished]
        assert not running.settings.saved
    assert running.settings.saved == {("ui", "widths", "prompt"): 48}  # leaving remembers it at once


async def test_an_edge_is_dragged(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f2>")
        await running.shows("/ filter")
        side = running.side("sessions")
        await running.pilot.mouse_down(side, offset=(27, 10))
        await running.pilot.hover(side, offset=(35, 10))
        await running.pilot.mouse_up(side, offset=(35, 10))
        await running.until(lambda: side.outer_size.width == 36)


# -- settings


async def test_a_setting_is_seen_in_the_prompt_of_the_body_and_in_the_file(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Yes."), session=TALK) as running:
        await running.type("<f4><down><down><down><down><down><down><enter>")
        await running.type("<ctrl+a><ctrl+k>0.5<enter>")
        await running.until(lambda: running.screen.chat.session.settings.get("temperature") == 0.5)
        await running.type("<escape>And now?<enter>")
        await running.idle()
        assert running.client.bodies[0]["temperature"] == 0.5
        saved = running.files.read_only(running.files.path_of(running.screen.chat.session))
        assert saved.settings["temperature"] == 0.5
        await running.type("<f4><f4><down><down><down><down><down><down><delete>")
        await running.until(lambda: "temperature" not in running.screen.chat.session.settings)


async def test_a_wrong_value_is_marked_and_never_sent(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Yes."), session=TALK) as running:
        await running.type("<f4><down><down><down><down><down><down>500")
        await running.shows("[0, 100]")
        await running.type("<enter>")
        assert "temperature" not in running.screen.chat.session.settings


async def test_everything_that_the_session_sets_is_taken_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/set temperature 0.5<enter>/set top_k 7<enter>")
        await running.until(lambda: running.screen.chat.session.settings == {"temperature": 0.5, "top_k": 7})
        await running.type("<f4><end><enter><down><enter>")
        await running.until(lambda: running.screen.chat.session.settings == {})


async def test_a_field_without_a_value_is_shown_and_stays(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/set temperature<enter>")
        await running.shows("temperature = 1.0. Allowed: a number in [0, 100].")
        assert running.screen.chat.session.settings == {}
        await running.type("/set temperature null<enter>")
        await running.shows("temperature is not sent.")
        assert running.screen.chat.session.settings == {"unset": ["temperature"]}


async def test_make_default_and_presets_are_saved(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/set temperature 0.5<enter>/make-default<enter>")
        await running.until(lambda: running.settings.saved == {("sampling", "temperature"): 0.5})
        await running.type("/set top_k 7<enter>/save-preset careful<enter>")
        await running.until(lambda: "careful" in running.settings.value.presets)
        assert running.screen.chat.session.settings == {"preset": "careful"}
        assert resolve_request(running.settings.value, running.screen.chat.session).fields["top_k"] == 7


async def test_a_preset_is_deleted_and_brought_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/restore-preset<enter>")
        await running.shows("There is no step to undo here: no preset was deleted")
        await running.type("/set top_k 7<enter>/save-preset quite careful<enter>")
        await running.until(lambda: running.screen.chat.session.settings == {"preset": "quite careful"})
        await running.type("/delete-preset quite careful<enter>")
        await running.shows("Deleted preset quite careful.")
        assert ("presets", "quite careful") not in running.settings.saved
        assert running.screen.chat.session.settings == {}
        await running.type("/restore-preset<enter>")
        await running.shows("Preset quite careful is back.")
        assert "Deleted" not in running.text
        assert running.screen.chat.session.settings == {"preset": "quite careful"}
        assert resolve_request(running.settings.value, running.screen.chat.session).fields["top_k"] == 7
        await running.type("/delete-preset endpoint<enter>")
        await running.shows("endpoint cannot be changed here")


async def test_the_chosen_preset_is_deleted_in_its_pane(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/save-preset careful<enter>")
        await running.until(lambda: running.screen.chat.session.settings == {"preset": "careful"})
        await running.type("<f4><end><up><up><enter>")
        await running.shows("Deleted preset careful.")
        assert "careful" not in running.settings.value.presets
        assert scope(running) is Scope.SETTINGS


# -- prompt


async def test_the_prompt_is_live_and_what_is_sent(tmp_path: Path) -> None:
    async with program(tmp_path, reply("Yes."), session=TALK) as running:
        await running.type("<f5><escape>And now?")
        await running.shows("And now?<|im_end|>")
        await running.type("<f5><f5>y")
        copied = running.app.clipboard
        await running.type("b")
        body = json.loads(running.app.clipboard)
        await running.type("c")
        assert "https://api.deepinfra.com/v1/inference/moonshotai/Kimi-K2.5" in running.app.clipboard
        assert "$DEEPINFRA_TOKEN" in running.app.clipboard
        await running.type("<escape><enter>")
        await running.idle()
        assert running.client.bodies[0] == body
        assert body["input"] == copied


async def test_a_command_that_is_typed_is_no_part_of_the_prompt(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f5><escape>/set")
        await running.shows("open turn")
        assert "draft" not in running.text


async def test_the_exact_request_of_a_reply(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab><up><up>i")
        await running.shows("Request of m2")
        assert "More?<|im_end|>" not in running.text


async def test_typing_brings_the_next_prompt_back(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<shift+tab><up><up>i")
        await running.shows("Request of m2")
        await running.type("<escape>And now?")
        await running.shows("And now?<|im_end|>")
        assert "Request of m2" not in running.text


# -- reasoning


async def test_reasoning_streams_into_its_pane_and_follows_the_chosen_message(tmp_path: Path) -> None:
    gate = asyncio.Event()
    script = streaming(token("Deep "), token("thought"), gate, think_end(), token("Yes."), end(), DONE)
    async with program(tmp_path, script, session=TALK) as running:
        await running.type("<f3>")
        await running.shows("The user asks.")
        await running.type("<escape>And now?<enter>")
        await running.shows("Deep thought")
        gate.set()
        await running.idle()
        await running.type("<shift+tab><home><down>")
        await running.shows("The user asks.")


# -- search


async def test_a_search_marks_counts_and_goes_from_hit_to_hit(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<ctrl+f>it")
        await running.shows("/2")
        await running.type("<enter>")
        await running.shows("2/2")
        await running.type("<escape>")
        await running.until(lambda: "2/2" not in running.text)


async def test_a_search_finds_folded_reasoning_and_opens_it(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/find user asks<enter>")
        await running.until(lambda: "The user asks." in running.text)


# -- themes


async def test_a_theme_is_shown_as_it_is_chosen_and_kept(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f9>")
        before = running.app.theme
        await running.type("<down>")
        assert running.app.theme != before
        await running.type("<escape>")
        assert running.app.theme == before
        await running.type("<f9><down><enter>")
        await running.until(lambda: ("ui", "theme") in running.settings.saved)
        assert running.settings.saved["ui", "theme"] == running.app.theme != before


async def test_a_theme_that_the_config_overrules_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with program(tmp_path, session=TALK) as running:

        async def save(changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
            return tuple(changes)  # nothing of it has an effect

        monkeypatch.setattr(running.settings, "save", save)
        await running.type("/theme kimi-light<enter>")
        await running.shows('the config file says theme = "kimi-dark", which goes first')
        assert running.app.theme == "kimi-light"
        await running.type("/theme kimi-dark<enter>")
        await running.until(lambda: running.app.theme == "kimi-dark")


async def test_keys_of_the_config(tmp_path: Path) -> None:
    config = {"keymap": {"prompt": "f10", "copy": "z"}}
    async with program(tmp_path, session=TALK, config=config) as running:
        await running.type("<f10>")
        await running.shows("[Prompt F10]")
        await running.type("<escape><shift+tab>z")
        assert running.app.clipboard == "Braise it."


async def test_reasoning_that_fits_its_pane_says_of_nothing_new_below(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f3>")
        await running.shows("The user asks.")
        await running.type("<f2><escape>")
        await running.until(lambda: running.side("sessions").display)
        assert "↓ new" not in running.text


# -- sessions


@pytest.mark.parametrize(
    ("title", "name"), [("Fish", "“Fish”"), (" ", "“untitled”"), ("f" * 70, f"“{'f' * 59}…”"), ("a\x1b\nb", "“a")]
)
async def test_notices_name_sessions_by_their_titles(tmp_path: Path, title: str, name: str) -> None:
    async with program(tmp_path, session=TALK, size=(150, 40)) as running:
        other = replace(talk(("Hello", "Hello.")), id="20261122-081500-fish", title=title, updated=NOW - timedelta(1))
        running.files.save_now(other)
        await running.type("<f2>")
        await running.shows("Yesterday")
        await running.type("<end>c")
        await running.shows(f"Copied {name}")
        await running.type("<end>d")
        await running.shows(f"Moved to the trash: {name}")
        await running.until(lambda: not running.files.path_of(other).exists())
        await running.type("u")
        await running.shows(f"Brought back: {name}")
        assert "fish" not in running.text


async def test_the_session_on_screen_is_named_by_its_title_as_it_stands_now(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/rename Stew<enter>/duplicate<enter>")
        await running.shows("Copied “Stew”; the sessions list the copy first.")
        await running.type("/delete-session<enter>")
        await running.shows("Moved to the trash: “Stew”.")
        await running.type("/restore-session<enter>")
        await running.shows("Brought back: “Stew”.")
        assert "Moved to the trash" not in running.text


async def test_the_list_keeps_the_keys_when_the_session_on_screen_is_deleted(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/rename Stew<enter><f2>")
        await running.shows("Today")
        await running.type("d")
        await running.shows("Moved to the trash: “Stew”.")
        await running.type("u")
        await running.shows("Brought back: “Stew”.")
        assert running.screen.composer.draft == ""


def sessions_pane(running: Program) -> str:
    """What the sessions pane shows, its lines joined."""
    x, y, width, height = running.screen.query_one("#sessions-pane").region
    lines = [line.ljust(x + width)[x : x + width].strip() for line in running.text.splitlines()[y : y + height]]
    return " ".join(lines)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=["wide", "narrow", "small"])
@pytest.mark.parametrize("is_on_screen", [True, False], ids=["the one on screen", "another"])
async def test_the_list_says_how_a_deleted_session_comes_back(
    tmp_path: Path, size: tuple[int, int], is_on_screen: bool
) -> None:
    async with program(tmp_path, session=replace(TALK, title="Stew"), size=size) as running:
        other = replace(talk(("Hello", "Hello.")), id="20261122-081500-fish", title="Fish", updated=NOW - timedelta(1))
        running.files.save_now(other)
        await running.type("/rename Stew<enter><f2>")
        await running.shows("Yesterday")
        await running.type("d" if is_on_screen else "<end>d")
        name = "“Stew”" if is_on_screen else "“Fish”"
        await running.until(lambda: f"{name} is in the trash. u brings it back." in sessions_pane(running))
        await running.type("u")
        await running.until(lambda: f"{name} is back." in sessions_pane(running))
        await running.type("<f2><f2>")
        await running.until(lambda: scope(running) is Scope.SESSIONS)
        assert "is back" not in sessions_pane(running)


async def test_one_step_too_far_into_the_sessions_deletes_nothing_without_a_word(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/rename Stew<enter><f2><escape><shift+tab><shift+tab>")
        await running.until(lambda: scope(running) is Scope.SESSIONS and "Stew" in sessions_pane(running))
        await running.type("d")
        await running.until(lambda: "“Stew” is in the trash. u brings it back." in sessions_pane(running))


async def test_the_list_says_why_nothing_was_deleted(tmp_path: Path) -> None:
    async with program(tmp_path, streaming(asyncio.Event()), session=TALK) as running:
        await running.type("And now?<enter>")
        await running.shows("waiting")
        await running.type("<f2>")
        await running.until(lambda: "Today" in sessions_pane(running))
        await running.type("d")
        await running.until(lambda: "A reply is running in this session." in sessions_pane(running))
        await running.type("u")
        await running.until(lambda: "There is no step to undo here: no session was deleted" in sessions_pane(running))


async def test_a_file_that_cannot_be_read_is_neither_copied_nor_deleted_and_it_says_so(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        bad = running.files.path_of(TALK).with_name("bad.toml")
        bad.write_text("no [session", "utf-8")
        await running.type("<f2>")
        await running.shows("! bad.toml")
        for key in "cdr":
            running.screen.remark("before")
            await running.shows("before")
            await running.type(f"<end>{key}")
            await running.shows("This file cannot be read, so it stays as it is.")
        assert bad.exists()


async def test_the_footer_says_what_keys_do_when_the_filter_gets_them(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f2>")
        await running.until(lambda: scope(running) is Scope.SESSIONS)
        await running.type("/f")
        await running.shows("Escape clears")


@pytest.mark.parametrize("opening", ["/", "r"], ids=["filter", "rename"])
async def test_deleting_a_character_deletes_no_session(tmp_path: Path, opening: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f2>")
        await running.until(lambda: scope(running) is Scope.SESSIONS)
        await running.type(f"{opening}talk<home><delete>")
        await running.shows("alk")
        assert running.files.list().summaries
        assert not running.files.trashed().summaries


@pytest.mark.parametrize("keys", ["501<backspace>", "<ctrl+u>150<home><delete>"])
async def test_a_value_can_be_mended_while_it_is_typed(tmp_path: Path, keys: str) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type(f"<f4><down><down><down><down><down><down>{keys}<enter>")
        await running.until(lambda: running.screen.chat.session.settings.get("temperature") == 50)


async def test_one_key_takes_what_is_typed_in_every_editor_and_opens_no_other_session(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        running.files.save_now(replace(talk(("Hello", "Hello.")), id="20261122-081500-fish"))
        await running.type("<f4><down><down><down><down><down><down>0.5<ctrl+o>")
        await running.until(lambda: running.screen.chat.session.settings.get("temperature") == 0.5)
        await running.type("<f2>")
        await running.until(lambda: scope(running) is Scope.SESSIONS)
        await running.type("r!<ctrl+o>?")
        await running.shows("!?")
        assert running.screen.chat.session.id == TALK.id


async def row_under_the_cursor(running: Program) -> str:
    """The name of the row that has the cursor of the settings; it is in view."""
    await running.until(lambda: scope(running) is Scope.SETTINGS and any("▸" in line for line in pane_lines(running)))
    await running.pilot.pause()
    line = next(line for line in pane_lines(running) if "▸" in line)
    return line.partition("▸")[2].lstrip("*").split()[0]


def pane_lines(running: Program) -> list[str]:
    """What the settings show, a line each."""
    x, y, _, height = running.screen.query_one("#settings-pane").region
    return [line[x:] for line in running.text.splitlines()[y : y + height]]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=["wide", "narrow", "small"])
@pytest.mark.parametrize(("name", "wrong"), [("temperature", 500), ("stream", "maybe"), ("seed", "x"), ("stop", 3)])
async def test_the_settings_open_at_the_field_that_was_refused(
    tmp_path: Path, name: str, wrong: object, size: tuple[int, int]
) -> None:
    session = replace(TALK, settings={name: wrong})
    async with program(tmp_path, session=session, size=size) as running:
        await running.type("And now?<enter>")
        await running.shows("Nothing was sent")
        await running.type("<f4>")
        assert await row_under_the_cursor(running) == name
        await running.type("<up><up><f4><f4>")
        assert await row_under_the_cursor(running) == name


async def test_the_settings_open_at_the_first_row_where_no_field_was_named(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f4><down><down><down><down><down>")
        assert await row_under_the_cursor(running) != "thinking"
        await running.type("<f4><f4>")
        assert await row_under_the_cursor(running) == "thinking"
        await running.type("<escape>/set top_k 1000<enter>")
        await running.shows("top_k: found")
        await running.type("<f4><f4>")
        assert await row_under_the_cursor(running) == "top_k"
        await running.type("<f4>/nothing<enter>")
        await running.shows("There is no command")
        await running.type("<f4>")
        assert await row_under_the_cursor(running) == "thinking"


async def test_an_editor_that_was_left_open_is_there_again(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("<f4><down><down><down><down><down><down><enter>0.3<f4>")
        await running.until(lambda: scope(running) is Scope.COMPOSER)
        await running.type("<f4>5<enter>")
        await running.until(lambda: running.screen.chat.session.settings.get("temperature") == 0.35)


async def test_a_session_that_gets_another_name_has_it_in_the_list_too(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK, size=(120, 30)) as running:
        await running.type("<f2>")
        await running.until(lambda: "Enter open" in running.text)
        await running.type("<escape>/rename Stew<enter>")
        await running.until(lambda: running.text.count("Stew") == 2)
