"""The list of sessions while their files are read: it is there at once, and keys go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimi_tui.core.session.listing import Listing, SessionSummary
from kimi_tui.ui.panes.sessions_pane.session_rows import SessionRows
from kimi_tui.ui.panes.sessions_pane.sessions_widget import SessionsPane
from tests.ui.program import NOW, Program, program


def part(*numbers: int, is_whole: bool = False) -> Listing:
    """Sessions by their numbers."""
    rows = (
        SessionSummary(f"s{n}", f"Stew {n}", NOW, NOW.replace(minute=n), 1, "m", (), f"/s/{n}.toml") for n in numbers
    )
    return Listing(tuple(sorted(rows, key=lambda row: row.updated, reverse=True)), (), is_whole)


class SlowFolder:
    """A folder whose parts are told one by one, when it is allowed."""

    def __init__(self, *parts: Listing) -> None:
        self._parts, self.may_go_on, self.threads = parts, threading.Semaphore(0), set[threading.Thread]()
        self.ended = 0

    def listings(self) -> Iterator[Listing]:
        try:
            for listing in self._parts:
                assert self.may_go_on.acquire(timeout=20)
                self.threads.add(threading.current_thread())
                yield listing
        finally:
            self.ended += 1


@pytest.fixture
def folder() -> Iterator[SlowFolder]:
    slow = SlowFolder(part(7, 8, 9), part(5, 7, 8, 9, 20, 21), part(1, 5, 7, 8, 9, 20, 21, is_whole=True))
    yield slow
    slow.may_go_on.release(100)


def pane(running: Program) -> SessionsPane:
    return running.screen.query_one(SessionsPane)


async def test_the_cursor_stays_on_its_row_while_rows_come(
    tmp_path: Path, folder: SlowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path) as running:
        monkeypatch.setattr(running.files, "listings", folder.listings)
        await running.type("<f2>")
        await running.shows("Reading the sessions")
        folder.may_go_on.release()
        await running.shows("Stew 7")
        await running.type("<down>")
        assert pane(running).cursor_path == Path("/s/8.toml")
        folder.may_go_on.release()
        await running.shows("Stew 21")
        assert pane(running).cursor_path == Path("/s/8.toml")
        assert "still reading" in running.text
        await running.type("<down>")
        assert pane(running).cursor_path == Path("/s/7.toml")
        folder.may_go_on.release()
        await running.shows("Stew 1 ")
        assert pane(running).cursor_path == Path("/s/7.toml")
        assert "still reading" not in running.text
        assert threading.main_thread() not in folder.threads


async def test_a_filter_holds_for_the_rows_that_come(
    tmp_path: Path, folder: SlowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path) as running:
        monkeypatch.setattr(running.files, "listings", folder.listings)
        await running.type("<f2>")
        folder.may_go_on.release()
        await running.shows("Stew 7")
        await running.type("/stew 2")
        await running.until(lambda: "Stew 7" not in running.text)
        assert "Reading the sessions" in running.text
        folder.may_go_on.release()
        await running.shows("Stew 20")
        assert "Stew 7" not in running.text
        await running.type("1")
        await running.until(lambda: "Stew 20" not in running.text)
        assert pane(running).cursor_path == Path("/s/21.toml")


async def test_another_change_begins_the_list_anew_without_an_end(
    tmp_path: Path, folder: SlowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path) as running:
        monkeypatch.setattr(running.files, "listings", folder.listings)
        await running.type("<f2>")
        folder.may_go_on.release()
        await running.shows("Stew 7")
        running.screen.redraw.listed()
        folder.may_go_on.release(100)
        await running.shows("Stew 1 ")
        await running.until(lambda: folder.ended == 2)
        assert running.screen.query_one(SessionRows).cursor_row is not None
