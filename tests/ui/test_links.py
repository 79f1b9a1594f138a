"""Links are opened by key, command and click, and never before the whole address was shown and a yes came."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Session
from kimi_tui.ui.transcript.transcript_widget import Transcript
from tests.clipboards import put_on_path
from tests.terminal import kimi_tui
from tests.ui.program import Program, program, talk

ONE = talk(("Where?", "See [the guide](https://аpple.example/ä) for more."))
SEVERAL = talk(
    ("Where?", "[a](https://a.example/) [b](https://good.example@evil.example/) [c](/etc/passwd) https://d.example/d")
)


@dataclass
class HandOpener:
    program: str = "xdg-open"
    opened: list[str] = field(default_factory=list)

    async def open(self, address: str) -> str:
        self.opened.append(address)
        return self.program


@pytest.fixture
def opener() -> HandOpener:
    return HandOpener()


async def on_the_message(running: Program) -> None:
    await running.type("<shift+tab>")


async def test_the_whole_address_is_shown_and_asked_for(tmp_path: Path, opener: HandOpener) -> None:
    async with program(tmp_path, session=ONE, link_opener=opener) as running:
        await on_the_message(running)
        await running.type("l")
        await running.shows("Open this link?")
        assert "https://xn--pple-43d.example/%C3%A4" in running.text.split("Open this link?")[1]
        assert "written as аpple.example, in letters of Cyrillic and Latin" in running.text
        assert opener.opened == []
        await running.type("<escape>")
        assert opener.opened == []
        await running.type("l")
        await running.shows("Open this link?")
        await running.type("<enter>")
        await running.shows("Given to xdg-open: xn--pple-43d.example")
        assert opener.opened == ["https://xn--pple-43d.example/%C3%A4"]


async def test_several_are_numbered(tmp_path: Path, opener: HandOpener) -> None:
    async with program(tmp_path, session=SEVERAL, link_opener=opener) as running:
        await on_the_message(running)
        await running.type("l")
        await running.shows("4  https://d.example/d")
        await running.type("4")
        await running.shows("Host: d.example")
        await running.type("<enter>")
        await running.until(lambda: opener.opened == ["https://d.example/d"])


@pytest.mark.parametrize(("number", "why"), [(2, "a user name before the host"), (3, "does not begin with http")])
async def test_what_may_not_be_opened_can_be_copied_only(
    tmp_path: Path, opener: HandOpener, number: int, why: str
) -> None:
    async with program(tmp_path, session=SEVERAL, link_opener=opener) as running:
        await running.type(f"/open-link {number}<enter>")
        await running.shows("This link is not opened")
        assert why in running.text
        assert "in the browser" not in running.text
        await running.type("<enter>")
        await running.shows("The address is sent to the terminal")
        assert running.app.clipboard == ["https://good.example@evil.example/", "/etc/passwd"][number - 2]
        assert opener.opened == []


async def test_a_number_that_is_none_is_told(tmp_path: Path) -> None:
    async with program(tmp_path, session=SEVERAL) as running:
        await running.type("/open-link 5<enter>")
        await running.shows("The message has 4 links; /open-link takes the number of one.")


async def test_a_message_without_links_has_none(tmp_path: Path) -> None:
    async with program(tmp_path, session=talk(("a", "`https://in.code/`"))) as running:
        await running.type("/open-link<enter>")
        await running.shows("Open a link: there is no link here.")


async def click_on(running: Program, text: str) -> None:
    rows = running.text.split("\n")
    row = next(number for number, line in enumerate(rows) if text in line)
    transcript = running.screen.query_one(Transcript).region
    at = rows[row].index(text) - transcript.x, row - transcript.y
    await running.pilot.click(Transcript, offset=at)


@pytest.mark.parametrize("text", ["the guide", "(https://xn--"])
async def test_a_click_asks_too(tmp_path: Path, opener: HandOpener, text: str) -> None:
    async with program(tmp_path, session=ONE, link_opener=opener) as running:
        await click_on(running, text)
        await running.shows("Host: xn--pple-43d.example")
        await running.type("<escape>")
        await click_on(running, "for more")
        assert "Host:" not in running.text
        assert opener.opened == []


def test_clicks_in_the_real_program(tmp_path: Path) -> None:
    """A double click on a link asks once, and what it then hits is no answer."""
    session = talk(("Where?", "\n\n".join(f"[a link](https://a.example/{n})" for n in range(40))))
    SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash").save_now(session)
    put_on_path(tmp_path, "browser", 'echo "$1" >"$0.words"')
    opened = tmp_path / "browser.words"
    env = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "KIMI_TUI_CONFIG": str(tmp_path / "config.toml"),
        "BROWSER": str(tmp_path / "browser"),
    }
    with kimi_tui(["--demo", "--data-dir", str(tmp_path / "data"), "-r"], env, 80, 24) as terminal:
        terminal.until("https://a.example/39")
        terminal.rest()
        rows = [number for number, line in enumerate(terminal.text.split("\n")) if "a link" in line]
        for row in rows[-4:]:
            click = f"\x1b[<0;6;{row + 1}M\x1b[<0;6;{row + 1}m"
            terminal.send(click)
            terminal.until("Open this link?")
            terminal.send(click)
            terminal.rest()
            assert not opened.exists()
            terminal.send("\x1b")
            terminal.until_gone("Open this link?")
            terminal.rest()
        terminal.send("l")
        terminal.until("Which link?")
        terminal.send("\r")
        terminal.until("Open it in the browser")
        row = next(n for n, line in enumerate(terminal.text.split("\n")) if "Open it in the browser" in line)
        terminal.send(f"\x1b[<0;6;{row + 1}M\x1b[<0;6;{row + 1}m")
        terminal.until("Given to browser: a.example")
        assert opened.read_text() == "https://a.example/0\n"
        terminal.send("\x11")
        assert terminal.end() == 0


@pytest.mark.parametrize("opener", [None, HandOpener("")], ids=["none", "all fail"])
async def test_without_a_program_the_address_is_copied_and_shown(tmp_path: Path, opener: HandOpener | None) -> None:
    async with program(tmp_path, session=ONE, link_opener=opener) as running:
        await running.type("/open-link<enter>")
        await running.shows("Open this link?")
        await running.type("<enter>")
        await running.shows("No program here could open the link; its address is copied")
        assert running.app.clipboard == "https://xn--pple-43d.example/%C3%A4"


def long_address() -> Session:
    return talk(("Where?", f"[a](https://a.example/{'long/' * 300}end)"))


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_a_long_address_can_be_read_to_its_end(tmp_path: Path, size: tuple[int, int]) -> None:
    async with program(tmp_path, session=long_address(), size=size) as running:
        await running.type("/open-link<enter>")
        await running.shows("PgDn shows more")
        assert all(words in running.text for words in ("Host: a.example", "Open it", "Copy", "Leave it"))
        for _ in range(6):
            await running.type("<pagedown>")
        await running.shows("end")


async def test_links_of_my_own_messages_and_of_images(tmp_path: Path, opener: HandOpener) -> None:
    session = talk(("see https://mine.example/x", "![pic](https://pic.example/a.png)"))
    async with program(tmp_path, session=session, link_opener=opener) as running:
        await click_on(running, "▣ pic")
        await running.shows("Host: pic.example")
        await running.type("<escape>")
        await running.type("<up>l")
        await running.shows("Host: mine.example")
