"""Commands while they are typed: the list of them, what Enter takes of it, arguments that are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len
from textual.app import App

from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.state.slash import Completion
from kimi_tui.ui.widgets.command_hints import CommandHints
from tests.ui.program import Program, program, talk

TALK = talk(("Lamb?", "Roast it."))


def lists(running: Program) -> bool:
    return running.screen.query_one(CommandHints).has_class("-open")


async def test_enter_takes_the_marked_command_where_none_was_typed(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.pilot.press(*"/sess", "enter")
        await running.until(lambda: running.scope is Scope.SESSIONS)
        assert running.screen.composer.draft == ""
        assert "There is no command" not in running.text


async def test_enter_completes_a_command_that_needs_an_argument(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/expo<enter>")
        assert running.screen.composer.draft == "/export "
        await running.type("<ctrl+u>/set temp<down><enter>")
        assert running.screen.composer.draft == "/set temperature"


async def test_enter_does_the_command_that_was_typed_whatever_begins_like_it(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/set<enter>")
        await running.shows("Sent with the next message:")


async def test_enter_takes_no_command_from_a_list_that_was_closed(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/sess<escape><enter>")
        await running.shows("There is no command /sess")


async def test_the_list_is_there_only_while_the_composer_has_the_keys(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("/se")
        await running.until(lambda: lists(running))
        await running.type("<f3>")
        await running.until(lambda: not lists(running))
        await running.type("<escape>")
        await running.until(lambda: lists(running))
        assert running.screen.composer.draft == "/se"


async def test_the_key_of_the_system_prompt_lets_it_be_edited(tmp_path: Path) -> None:
    async with program(tmp_path, session=TALK) as running:
        await running.type("half<f7>Be brief.<enter>")
        await running.until(lambda: running.screen.chat.session.system == "Be brief.")
        assert running.screen.composer.draft == "half"
        await running.type("<f7>")
        assert running.screen.composer.draft == "/system Be brief."
        await running.type("<end> Be kind.<enter>")
        await running.until(lambda: running.screen.chat.session.system == "Be brief. Be kind.")
        await running.type("<f7><escape>")
        assert running.screen.composer.draft == "half"


async def test_what_an_imported_list_holds_besides_is_told(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    path.write_text('{"role": "user", "content": "Leek?"}\n{"role": "assistant", "content": "Boil it.", "id": 1}\n')
    async with program(tmp_path, session=TALK) as running:
        await running.type(f"/import {path}<enter>")
        await running.shows("This is a copy of")
        assert "Boil it." in running.text
        assert "messages[1].id" in running.text


async def test_a_row_of_the_list_is_one_line_whatever_it_says() -> None:
    class Host(App[None]):
        def compose(self) -> Iterator[CommandHints]:
            yield CommandHints()

    async with Host().run_test(size=(60, 12)) as pilot:
        hints = pilot.app.query_one(CommandHints)
        rows = tuple(
            Completion(f"/preset {name}", f"/preset {name}", name * 30) for name in ("a", "日本語", "👩\u200d💻")
        )
        hints.show(rows, 1)
        await pilot.pause()
        lines = [strip.text for strip in hints.render_lines(hints.size.region)]
        assert len(lines) == len(rows)
        assert [line.strip()[:1] for line in lines] == ["/", "▸", "/"]
        assert [cell_len(line.partition(name)[0]) for name, line in zip("a日👩", lines, strict=True)] == [12, 12, 12]
