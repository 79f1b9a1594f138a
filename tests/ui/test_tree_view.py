"""The tree view: every branch by the keyboard alone, and what is done to the session from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.screens.tree_screen import TreeScreen
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import NOW, Program, program
from tests.ui.resizing import resize

ROWS: tuple[tuple[str, int | None], ...] = (
    ("Name two ways.", None),
    ("Roast it, or grill it.", 1),
    ("And fish?", 2),
    ("Steam it.", 3),
    ("Vegetarian?", 4),
    ("Aubergines.", 5),
    ("Rice?", 4),
    ("A pilaf.", 7),
    ("Three ways, then.", 1),
)
"""Texts, and the number of the message above each."""


def cooking() -> Session:
    """Two replies to the first question; below the first of them two questions to go on with."""
    session = Session("20261123-081500-k3f9", NOW, NOW, "moonshotai/Kimi-K2.5", title="Cooking", prompt_cache_key="k")
    for number, (text, above) in enumerate(ROWS, start=1):
        is_reply = number in {2, 4, 6, 8, 9}
        session = session.with_message(
            Message(
                f"m{number}", Role.ASSISTANT if is_reply else Role.USER, text, f"m{above}" if above else None,
                NOW + timedelta(minutes=number), state=MessageState.COMPLETE if is_reply else None,
            )
        )  # fmt: skip
    return replace(session, head="m8")


def growing(*gates: asyncio.Event) -> Script:
    return streaming(token("hm"), think_end(), token("Yes, "), *gates, token("indeed."), end(), DONE)


class View(Program):
    @property
    def tree(self) -> TreeScreen:
        screen = self.app.screen
        assert isinstance(screen, TreeScreen)
        return screen

    def is_open(self) -> bool:
        return isinstance(self.app.screen, TreeScreen)

    @property
    def lines(self) -> list[str]:
        """The rows of the view, without their figures."""
        rows = [line[1:-1].rstrip() for line in self.text.splitlines()[2:] if "below" in line or "08:" in line]
        return [row.rpartition("  ")[0].rstrip() for row in rows]

    @property
    def at(self) -> str:
        """The message of the row with the cursor."""
        return self.tree.cursor_id or ""

    @property
    def session(self) -> Session:
        return self.screen.chat.session

    def stored(self, session: Session | None = None) -> Session:
        """What the file holds."""
        return SessionFiles(self.files.folder, self.files.trash).read_only(self.files.path_of(session or self.session))

    async def saved(self) -> None:
        await self.until(lambda: self.stored() == self.session)


@asynccontextmanager
async def view(
    tmp_path: Path,
    *scripts: Script,
    session: Session | None = None,
    size: tuple[int, int] = (120, 40),
    keys: str = "<alt+t>",
) -> AsyncIterator[View]:
    async with program(tmp_path, *scripts, session=session or cooking(), size=size) as running:
        await running.type(keys)
        yield View(**vars(running))


async def test_it_is_folded_where_nothing_branches(tmp_path: Path) -> None:
    async with view(tmp_path) as running:
        assert "Branches · 9 messages · 2 forks" in running.text
        assert running.lines == [
            "│   You Name two ways.",
            "│ ▾ 1/2  Kimi Roast it, or grill it.",
            "│   ▸ 1 turn  You And fish?",
            "    ▸ 1/2  You Vegetarian?",
            "│   ▾ 2/2  You Rice?",
            "●       Kimi A pilaf.",
            "    2/2  Kimi Three ways, then.",
        ]
        assert running.at == "m8"
        await running.type("<up><up><up><right>")
        assert running.lines[2:5] == [
            "│   ▾ 1 turn  You And fish?",
            "│       You And fish?",
            "│       Kimi Steam it.",
        ]
        await running.type("<left><home><down><left>")
        assert running.lines == [
            "│   You Name two ways.",
            "│ ▸ 1/2  Kimi Roast it, or grill it.",
            "    2/2  Kimi Three ways, then.",
        ]
        await running.type("<right><right><right><right><down><left><left>")
        assert running.at == "m3"
        await running.type("<left>")
        assert running.at == "m2"
        await running.type("<end>")
        assert running.at == "m9"
        await running.type("<pageup>")
        assert running.at == "m1"
        await running.type("<pagedown><up><space>")
        assert running.at == "m8"


async def test_enter_shows_the_branch_and_the_message(tmp_path: Path) -> None:
    async with view(tmp_path) as running:
        await running.type("<up><up><enter>")
        assert not running.is_open()
        assert running.session.head == "m6"
        assert running.scope is Scope.TRANSCRIPT
        assert running.screen.transcript.cursor.chosen == "m5"
        await running.shows("Aubergines.")
        await running.saved()
        await running.type("<alt+t><home><down><enter>")  # on the branch that is shown only the cursor goes
        assert running.session.head == "m6"
        assert running.screen.transcript.cursor.chosen == "m2"


async def test_escape_leaves_and_what_was_typed_goes_on(tmp_path: Path) -> None:
    async with view(tmp_path, keys="half<alt+t>") as running:
        assert running.is_open()
        await running.type("<down><escape>")
        assert not running.is_open()
        await running.type(" a thought")
        assert running.screen.composer.draft == "half a thought"
        running.screen.composer.draft = ""
        await running.type("/tree<enter>")
        assert running.is_open()
        await running.type("<escape>x")
        assert running.screen.composer.draft == "x"


async def test_the_chosen_message_has_the_cursor_and_gets_the_keys_back(tmp_path: Path) -> None:
    async with view(tmp_path, keys="<shift+tab><up><alt+t>") as running:
        assert running.at == "m7"
        await running.type("<escape>")
        assert running.screen.transcript.cursor.chosen == "m7"
        await running.type("<up>")
        assert running.screen.transcript.cursor.chosen == "m4"


async def test_a_name_is_typed_where_the_branch_begins(tmp_path: Path) -> None:
    async with view(tmp_path) as running:
        await running.type("n")
        assert running.at == "m7"
        await running.type("With  rice<enter>")
        await running.shows("The branch is called “With rice” now.")
        assert "2/2  You [With rice] Rice?" in running.text
        assert running.session.messages[6].name == "With rice"
        await running.saved()
        await running.type("<home>n<escape>")
        assert running.is_open()
        await running.type("<escape>")
        await running.shows("With rice  ◂ 2/2")
        await running.type("<alt+t>n<backspace><enter>")
        await running.shows("The branch has no name any more.")
        await running.type("u")
        await running.shows("The branch is called “With rice” again.")
        await running.type("u")
        await running.shows("The branch has no name again.")
        assert running.session == cooking()
        await running.type("u")
        await running.shows("There is no step to undo here.")


async def test_pruning_and_its_undoing(tmp_path: Path) -> None:
    async with view(tmp_path) as running:
        await running.type("<home><down>d")
        await running.shows("Deleted 7 messages; u brings them back.")
        assert [it.id for it in running.session.messages] == ["m1", "m9"]
        assert running.session.head == "m9"
        assert running.at == "m1"  # one row is left: nothing branches any more
        await running.saved()
        await running.type("u")
        await running.shows("Brought back 7 messages.")
        assert running.session == cooking()
        assert running.at == "m2"
        await running.type("<home>d")
        await running.shows("No message is left; u brings back what was deleted.")
        await running.type("<enter>gbn<left><right>du")
        await running.shows("Brought back 9 messages.")
        await running.type("d<escape>")
        assert not running.session.messages
        await running.type("/undo<enter>")
        assert running.session == cooking()


async def test_a_branch_becomes_a_session_and_the_old_one_stays(tmp_path: Path) -> None:
    async with view(tmp_path, keys="a draft<alt+t>") as running:
        old = running.files.path_of(cooking())
        before = old.read_bytes()
        await running.type("<home><down><down>b")
        await running.shows("This is a session of its own now, with 4 messages of “Cooking”")
        assert not running.is_open()
        assert [it.id for it in running.session.messages] == ["m1", "m2", "m3", "m4"]
        assert running.session.messages == cooking().messages[:4]
        assert running.session.id != cooking().id
        assert running.session.prompt_cache_key != "k"
        stored = running.stored()
        assert stored == running.session
        assert stored.extra["source"] == "20261123-081500-k3f9 m4"
        assert stored.title == "Cooking (branch)"
        assert old.read_bytes() == before
        assert running.screen.composer.draft == ""
        await running.type(f"/resume {cooking().id}<enter>")
        await running.until(lambda: running.session == cooking())
        assert running.screen.composer.draft == "a draft"


async def test_in_the_conversation(tmp_path: Path) -> None:
    async with view(tmp_path, keys="<shift+tab><up>/name Grains<enter>") as running:
        await running.shows("The branch is called “Grains” now.")
        assert running.session.messages[6].name == "Grains"
        await running.shows("Grains  ◂ 2/2")
        await running.type("<shift+tab>B")
        await running.shows("This is a session of its own now, with 6 messages")
        assert running.session.title == "Cooking (Grains)"
        assert running.session.head == "m8"
        await running.type("/branch<enter>")
        await running.until(lambda: running.session.title == "Cooking (Grains) (branch)")


async def test_the_palette_asks_for_the_name_and_knows_the_old_one(tmp_path: Path) -> None:
    async with view(tmp_path, keys="/name Grains<enter>") as running:
        running.screen.dispatcher.choose("name")
        await running.pilot.pause()
        assert running.screen.composer.draft == "/name Grains"
        await running.type("Rye<enter>")
        assert running.session.messages[6].name == "Rye"
        await running.type("/name<enter><shift+tab>u")
        assert running.session.messages[6].name == "Rye"
        await running.type("uu")
        assert running.session == cooking()


async def test_going_on_from_anywhere(tmp_path: Path) -> None:
    async with view(tmp_path, growing()) as running:
        await running.type("<home><down>g")
        assert not running.is_open()
        assert running.scope is Scope.COMPOSER
        await running.shows("What you send now goes on from here.")
        assert running.session.head == "m2"
        await running.type("Dessert?<enter>")
        await running.idle()
        assert [it.parent for it in running.session.messages[9:]] == ["m2", "m10"]
        await running.type("<alt+t><home>g")
        await running.shows("What you send now is an alternative to this question.")


async def test_the_filter_lists_what_fits(tmp_path: Path) -> None:
    named = tuple(replace(it, name="Grains") if it.id == "m7" else it for it in cooking().messages)
    async with view(tmp_path, session=replace(cooking(), messages=named)) as running:
        await running.type("/WAY")
        assert running.lines == ["│   You Name two ways.", "    2/2  Kimi Three ways, then."]
        await running.shows("2 messages found")
        await running.type(" three")
        assert running.at == "m9"
        await running.type("<escape>")
        assert running.is_open()
        assert running.at == "m9"
        assert len(running.lines) == 7
        await running.type("/grains")
        assert running.at == "m7"
        await running.type("<escape>/nothing like it")
        await running.shows("Nothing fits.")
        await running.type("<enter>")
        assert running.is_open()
        await running.type("<escape>/steam<escape>")  # what was found is unfolded then
        assert running.at == "m4"
        assert "│       Kimi Steam it." in running.lines
        await running.type("/aubergines<enter>")
        assert not running.is_open()
        assert running.screen.transcript.cursor.chosen == "m6"
        assert running.session.head == "m6"


async def test_while_a_reply_runs(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with view(tmp_path, growing(gate), keys="More?<enter>") as running:
        await running.shows("answering")
        await running.type("<alt+t><right><end><up>")
        assert "Kimi being written …" in running.text
        assert running.at == "m11"
        for key, words in (
            ("d", "This reply is still being written."), ("n", "This reply is still being written."),
            ("b", "This reply is still being written."), ("<home>d", "A reply is running in this session."),
            ("g", "A reply is running in this session."), ("u", "A reply is running in this session."),
        ):  # fmt: skip
            await running.type(key)
            await running.shows(words)
        await running.type("<end>nOther<enter>")
        await running.shows("The branch is called “Other” now.")
        await running.type("<enter>")
        assert running.session.head == "m9"
        await running.type("<alt+t>/more<escape><down>")
        assert "being written" in running.text
        gate.set()
        await running.idle()
        await running.until(lambda: running.is_open() and "Yes, indeed." in running.text)
        assert running.session.head == "m9"
        assert running.session.messages[8].name == "Other"
        await running.saved()


async def test_a_name_that_is_given_while_alternatives_grow_is_for_the_branch_on_screen(tmp_path: Path) -> None:
    gate = asyncio.Event()
    session = replace(cooking(), messages=cooking().messages[:2], head="m2")
    async with view(tmp_path, growing(gate), growing(gate), session=session, keys="/regenerate 2<enter>") as running:
        await running.shows("2 side by side")
        await running.type("/name Other<enter>")
        await running.shows("This reply is still being written.")
        await running.type("<ctrl+u><alt+t><up>")
        assert running.at == "m2"
        await running.type("nOld<enter>")
        await running.shows("The branch is called “Old” now.")
        await running.type("<escape><shift+tab><left>")
        assert running.screen.chat.branch_name(running.screen.transcript.cursor.chosen) == "Old"
        await running.type("/name Older<enter>")
        await running.shows("The branch is called “Older” now.")
        await running.type("<shift+tab><home>/name First<enter>")
        await running.shows("The branch is called “First” now.")
        gate.set()
        await running.idle()
        assert [message.name for message in running.session.messages] == ["First", "Older", "", ""]


async def test_a_name_that_is_given_while_the_only_reply_grows(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with view(tmp_path, growing(gate), keys="More?<enter>") as running:
        await running.shows("answering")
        await running.type("/name Grains<enter>")
        await running.shows("The branch is called “Grains” now.")
        assert running.screen.chat.branch_name(None) == "Grains"
        gate.set()
        await running.idle()
        assert [message.id for message in running.session.messages if message.name] == ["m7"]


async def test_going_back_to_the_reply_that_runs(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with view(tmp_path, growing(gate), keys="More?<enter>") as running:
        await running.shows("answering")
        await running.type("<alt+t><end><enter>")
        assert running.session.head == "m9"
        await running.type("<alt+t>/more<escape><down>")
        assert running.at == "m11"
        await running.type("<enter>")
        await running.shows("Yes,")
        gate.set()
        await running.idle()
        assert running.session.head == "m11"


async def test_a_session_that_others_hold_is_looked_at_and_branched(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path / "sessions", tmp_path / "trash")
    files.save_now(cooking())
    held = files.open(files.path_of(cooking()))
    before = held.path.read_bytes()
    async with view(tmp_path) as running:
        for keys in ("d", "nX", "<end><enter>", "<end>g"):
            await running.type(keys)
            await running.shows("read-only: The session is open elsewhere")
            assert running.is_open()
        await running.type("<home><down><enter>")
        assert running.screen.transcript.cursor.chosen == "m2"
        await running.type("<alt+t><end>b")
        await running.shows("This is a session of its own now")
        assert [it.id for it in running.session.messages] == ["m1", "m9"]
        assert not running.screen.chat.open_session.read_only
    held.release()
    assert held.path.read_bytes() == before


async def test_it_fits(tmp_path: Path) -> None:
    long = tuple(replace(it, content=it.content * 40, name="x" * 60) for it in cooking().messages)
    async with view(tmp_path, session=replace(cooking(), messages=long)) as running:
        for size in ((120, 40), (80, 24), (60, 20), (45, 14)):
            await resize(running.pilot, *size)
            lines = running.text.splitlines()
            assert len(lines) == size[1]
            assert lines[-1].startswith("╰")
            assert "Escape leaves" in running.text
            assert [line[-1] for line in lines[1:-1]] == ["│"] * (size[1] - 2)
            await running.type("n")
            assert "Enter names the branch" in running.text
            await running.type("<escape>")
        await running.type("<home>")
        assert running.at == "m1"


EVIL = "\x1b]0;yours\x07 [bold]x[/] \u202e\ttab"


async def test_foreign_texts_are_made_visible(tmp_path: Path) -> None:
    evil = replace(cooking(), messages=tuple(replace(it, content=EVIL, name=EVIL) for it in cooking().messages))
    async with view(tmp_path, session=evil) as running:
        assert "␛]0;yours␇ [bold]x[/] ‹U+202E› tab" in running.text
        assert "\x1b" not in running.text
        await running.type("d")
        await running.type("u<escape>")
        await running.shows("␛]0;yours␇ [bold]x[/] ‹U+202E›")


async def test_by_the_mouse(tmp_path: Path) -> None:
    async with view(tmp_path) as running:
        row = next(n for n, line in enumerate(running.text.splitlines()) if "1/2  You Vegetarian?" in line)
        await running.pilot.click(offset=(5, row))
        await running.until(lambda: "Aubergines." in running.text)
        await running.pilot.click(offset=(30, row + 1))
        assert running.is_open()
        assert running.at == "m6"
        await asyncio.sleep(0.6)
        await running.pilot.click(offset=(30, row + 1))
        assert not running.is_open()
        assert running.session.head == "m6"


async def test_keys_that_come_in_one_burst_act_in_their_order(tmp_path: Path) -> None:
    async with view(tmp_path, keys="") as running:
        await running.pilot.press(
            "alt+t", "end", "n", "F", "a", "r", "enter", "slash", "f", "a", "r", "enter", "escape", "x"
        )
        await running.pilot.pause()
        assert running.session.messages[8].name == "Far"
        assert running.session.head == "m9"
        assert running.screen.composer.draft == "x"
