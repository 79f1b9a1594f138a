"""The sessions pane: what is drawn, where the cursor goes, and what each key asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.geometry import Offset
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from kimi_tui.core.session.listing import Listing, SessionSummary, Unreadable, session_list
from kimi_tui.core.settings.keymap import DEFAULT_KEYS
from kimi_tui.core.text.visible import visible
from kimi_tui.ui.panes.sessions_pane.session_rows import SessionRows
from kimi_tui.ui.panes.sessions_pane.sessions_widget import SessionsPane
from kimi_tui.ui.text.fit import fit
from kimi_tui.ui.text.safe_text import SafeFilter
from kimi_tui.ui.widgets.filtered_rows import RowEditor
from tests.ui.resizing import resize

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
TITLES = ("Cooking lamb", "SSE parser", "", "Lamb stew", "Fish")


def listing(titles: Sequence[str] = TITLES, *, hours: int = 7, unreadable: Sequence[str] = ()) -> Listing:
    """Sessions s0, s1, …, each so many hours older than the one before."""
    return Listing(
        tuple(
            SessionSummary(f"s{n}", title, NOW, NOW - timedelta(hours=hours * n), 1, "m", (), f"/s/{n}.toml")
            for n, title in enumerate(titles)
        ),
        tuple(Unreadable(f"/s/{name}", "line 3: what is this?") for name in unreadable),
    )


class Host(App[None]):
    def __init__(self, keys: Mapping[str, tuple[str, ...]] = DEFAULT_KEYS) -> None:
        super().__init__()
        self.pane = SessionsPane(keys=keys)
        self.seen = list[Message]()

    def get_line_filters(self) -> list[LineFilter]:
        return [SafeFilter(), *super().get_line_filters()]

    def compose(self) -> ComposeResult:
        yield self.pane
        yield Input(id="elsewhere")

    def show(self, listing: Listing) -> None:
        self.pane.show_list(session_list(listing, NOW, lambda time: time))

    def on_event_seen(self, event: Message) -> None:
        self.seen.append(event)

    on_sessions_pane_requested = on_sessions_pane_leave_requested = on_event_seen
    on_sessions_pane_refused = on_sessions_pane_hints_changed = on_event_seen
    on_input_changed = on_input_submitted = on_event_seen

    def take(self) -> list[Message]:
        """What was asked for since the last time."""
        seen, self.seen = self.seen, []
        return [event for event in seen if not isinstance(event, SessionsPane.HintsChanged)]


@asynccontextmanager
async def running(shown: Listing | None = None, *, width: int = 28, height: int = 14) -> AsyncIterator[Pilot[None]]:
    host = Host()
    async with host.run_test(size=(width, height + 4)) as pilot:
        host.pane.styles.height = height
        await pilot.pause()
        host.show(listing() if shown is None else shown)
        host.pane.focus_list()
        await pilot.pause()
        yield pilot


def host_of(pilot: Pilot[None]) -> Host:
    assert isinstance(pilot.app, Host)
    return pilot.app


def pane_of(pilot: Pilot[None]) -> SessionsPane:
    return host_of(pilot).pane


def taken(pilot: Pilot[None]) -> list[Message]:
    assert isinstance(pilot.app, Host)
    return pilot.app.take()


def lines(pilot: Pilot[None]) -> list[str]:
    """What the list shows, without the blanks at the right."""
    rows = pilot.app.query_one(SessionRows)
    return [rows.render_line(y).text.rstrip() for y in range(rows.size.height)]


def cursor(pilot: Pilot[None]) -> str:
    path = pane_of(pilot).cursor_path
    return path.stem if path else ""


async def test_sessions_stand_under_their_days_with_marks() -> None:
    async with running(listing(unreadable=["bad.toml"])) as pilot:
        marks: dict[str, Sequence[str]] = {"running": ["1"], "unread": ["2", "1", "3"], "failed": ["3", "1"]}
        pane_of(pilot).set_marks(
            "/s/0.toml", **{mark: {f"/s/{name}.toml" for name in names} for mark, names in marks.items()}
        )
        assert lines(pilot) == [
            " Today",
            " ▸ Cooking lamb       18:00",
            "   SSE parser       ● 11:00",
            "   untitled         ✓ 04:00",
            " Yesterday",
            "   Lamb stew        ✗ 21:00",
            "   Fish               14:00",
            " Cannot be read",
            " ! bad.toml",
            "   line 3: what is this?",
            "",
            "",
            "",
        ]


@pytest.mark.parametrize("width", [1, 2, 3, 5, 12, 23, 24, 28, 60])
async def test_every_line_is_as_wide_as_the_list(width: int) -> None:
    titles = [
        "料理の基本と日本の伝統について",
        "👨‍👩‍👧‍👦 e\u0301",
        "x" * 90,
        "\x1b[31m[b]",
        "\u202ex",
        "\t\n",
        "a\u200db" * 400,
    ]
    async with running(listing(titles, unreadable=["b\x1bad.toml"]), width=width) as pilot:
        pane_of(pilot).set_marks("/s/0.toml", {"/s/1.toml"}, {"/s/2.toml"}, {"/s/3.toml"})
        rows = pilot.app.query_one(SessionRows)
        for y in range(rows.size.height):
            text = rows.render_line(y).text
            assert cell_len(text) == rows.size.width
            assert visible(text) == text


@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from("ab 料👨\u200d\u0301\u202e\x1b"))), st.integers(0, 30)
)
def test_a_text_fits_exactly(text: str, width: int) -> None:
    fitted = fit(text, width)
    assert cell_len(fitted) == width
    assert visible(fitted) == fitted


def test_a_text_that_fits_is_whole_and_another_one_says_that_it_is_cut() -> None:
    assert [fit("lamb", width) for width in (5, 4, 3, 1, 0)] == ["lamb ", "lamb", "la…", "…", ""]
    assert fit("料理の本", 7) == "料理の…"
    assert fit("料理の本", 6) == "料理… "
    assert fit("lamb" + "\u0301" * 10_000, 6).endswith("… ")


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (23, "   Cooking lamb, slowly"[:21] + "…"),
        (24, "   Cooking lamb,… 18:00"),
        (40, f"   Cooking lamb, slowly{'18:00':>16}"),
    ],
)
async def test_sessions_of_one_title_are_told_apart_by_their_times(width: int, line: str) -> None:
    async with running(listing(["Cooking lamb, slowly"] * 2), width=width) as pilot:
        assert lines(pilot)[1] == line
        assert lines(pilot)[2] == line.replace("18:00", "11:00")
        rows = pilot.app.query_one(SessionRows)
        assert rows.render_line(2).text.endswith(("11:00 ", "… "))
        if width > 23:
            time = next(segment for segment in rows.render_line(2) if "11:00" in segment.text)
            title = next(segment for segment in rows.render_line(2) if "lam" in segment.text)
            assert time.style != title.style


async def test_an_empty_list_says_so() -> None:
    async with running(Listing()) as pilot:
        assert lines(pilot)[0] == " No session yet."
        await pilot.press("enter", "r", "d", "c", "up", "down", "home", "end", "pageup", "pagedown")
        assert taken(pilot) == []
        host_of(pilot).show(listing())
        await pilot.press("/", "q", "q")
        assert lines(pilot)[0] == " Nothing fits."


async def test_a_list_that_is_not_there_yet_does_not_say_that_it_is_empty() -> None:
    host = Host()
    async with host.run_test() as pilot:
        host.pane.set_marks("/s/0.toml", (), ())
        await pilot.press("/", "q")
        assert lines(pilot)[0] == " Reading the sessions …"
        host.pane.show_failure()
        assert lines(pilot)[0] == " The sessions cannot be read."
        host.show(Listing())
        assert lines(pilot)[0] == " No session yet."


async def test_the_cursor_skips_what_cannot_be_chosen() -> None:
    async with running(listing(unreadable=["bad.toml", "odd.toml"]), height=5) as pilot:
        seen = [cursor(pilot)]
        for key in (
            "up",
            "down",
            "down",
            "down",
            "down",
            "down",
            "down",
            "down",
            "up",
            "home",
            "end",
            "pageup",
            "pagedown",
        ):
            await pilot.press(key)
            seen.append(cursor(pilot))
        assert seen == ["0", "0", "1", "2", "3", "4", "bad", "odd", "odd", "bad", "0", "odd", "4", "odd"]


async def test_the_cursor_stays_in_view_with_its_heading_and_its_reason() -> None:
    async with running(listing(unreadable=["bad.toml"]), height=5) as pilot:
        assert lines(pilot)[0] == " Today"
        await pilot.press("end")
        assert lines(pilot)[2:] == [" ! bad.toml", "   line 3: what is this?"]
        await pilot.press("home")
        assert lines(pilot)[:2] == [" Today", "   Cooking lamb      18:00"]


async def test_each_key_asks_for_what_it_means() -> None:
    async with running() as pilot:
        path = Path("/s/1.toml")
        await pilot.press("down", "enter", "c", "d", "delete", "u", "escape")
        assert taken(pilot) == [
            SessionsPane.Requested("open-session", path),
            SessionsPane.Requested("duplicate", path),
            SessionsPane.Requested("delete-session", path),
            SessionsPane.Requested("delete-session", path),
            SessionsPane.Requested("restore-session"),
            SessionsPane.LeaveRequested(),
        ]


async def test_keys_can_be_others() -> None:
    host = Host({"delete-session": ("x", "ctrl+t"), "filter-sessions": ("question_mark",), "nonsense": ("y",)})
    async with host.run_test() as pilot:
        host.show(listing())
        host.pane.focus_list()
        await pilot.press("d", "c", "y", "x", "ctrl+t", "question_mark", "x")
        assert [getattr(event, "action_id", "") for event in host.take()] == ["delete-session"] * 2
        assert host.pane.filter.value == "x"


async def test_what_cannot_be_read_can_only_be_opened() -> None:
    async with running(listing((), unreadable=["bad.toml"])) as pilot:
        bad = Path("/s/bad.toml")
        await pilot.press("r", "c", "d", "enter")
        assert taken(pilot) == [*[SessionsPane.Refused(bad)] * 3, SessionsPane.Requested("open-session", bad)]


async def test_filter_as_one_types() -> None:
    async with running() as pilot:
        await pilot.press("down", "/", *"lamb")
        assert lines(pilot)[:5] == [
            " Today",
            "   Cooking lamb       18:00",
            " Yesterday",
            "   Lamb stew          21:00",
            "",
        ]
        assert cursor(pilot) == "0"
        await pilot.press("down", "enter")
        assert [getattr(event, "path", None) for event in taken(pilot)] == [Path("/s/3.toml")]
        await pilot.press("escape")
        assert (pane_of(pilot).filter.value, cursor(pilot), len([line for line in lines(pilot) if line])) == (
            "",
            "3",
            7,
        )
        await pilot.press("d", "escape")
        assert [type(event) for event in taken(pilot)] == [SessionsPane.Requested, SessionsPane.LeaveRequested]


async def test_an_empty_filter_is_left_by_one_escape() -> None:
    async with running() as pilot:
        await pilot.press("/", "escape")
        assert taken(pilot) == [SessionsPane.LeaveRequested()]


async def test_a_renamed_session_stays_in_view_until_the_filter_changes() -> None:
    async with running() as pilot:
        await pilot.press("/", *"lamb", "down")
        pane_of(pilot).focus_list()
        await pilot.press("r", "ctrl+a", "ctrl+k", *"Stew", "enter")
        assert taken(pilot) == [SessionsPane.Requested("rename-session", Path("/s/3.toml"), "Stew")]
        host_of(pilot).show(listing([*TITLES[:3], "Stew", "Fish"]))
        assert [line.split()[0] for line in lines(pilot) if line] == ["Today", "Cooking", "Yesterday", "Stew"]
        await pilot.press("d")
        assert taken(pilot) == [SessionsPane.Requested("delete-session", Path("/s/3.toml"))]
        await pilot.press("/", "backspace")
        assert [line.split()[0] for line in lines(pilot) if line] == ["Today", "Cooking"]


async def test_hints_tell_what_keys_do_where_the_focus_is() -> None:
    async with running() as pilot:
        assert isinstance(pilot.app, Host)
        told = list[str]()
        for keys in (["/"], ["f"], ["i"], ["escape"], ["down"], ["r"], ["x"], ["escape"]):
            pilot.app.seen.clear()
            await pilot.press(*keys)
            has_changed = any(isinstance(event, SessionsPane.HintsChanged) for event in pilot.app.seen)
            told.append(pane_of(pilot).hints if has_changed else "as before")
        assert told == [
            "Enter open · Up Down move · Escape leaves",
            "Enter open · Up Down move · Escape clears",
            "as before",
            "",
            "as before",
            "Enter saves · Escape leaves",
            "as before",
            "",
        ]
        await pilot.press("/")
        pilot.app.seen.clear()
        pilot.app.query_one("#elsewhere").focus()
        await pilot.pause()
        assert pane_of(pilot).hints == ""
        assert SessionsPane.HintsChanged() in pilot.app.seen


async def test_escape_in_the_list_takes_the_filter_back_before_it_leaves() -> None:
    async with running() as pilot:
        await pilot.press("/", "f")
        pane_of(pilot).focus_list()
        await pilot.press("escape")
        assert (pane_of(pilot).filter.value, taken(pilot)) == ("", [])
        await pilot.press("escape")
        assert [type(event) for event in taken(pilot)] == [SessionsPane.LeaveRequested]


async def test_a_title_is_selected_so_that_what_is_typed_takes_its_place() -> None:
    async with running() as pilot:
        await pilot.press("r", *"New name", "enter")
        assert taken(pilot) == [SessionsPane.Requested("rename-session", Path("/s/0.toml"), "New name")]


async def test_a_title_is_edited_in_its_row() -> None:
    async with running() as pilot:
        await pilot.press("down", "r")
        editor = pilot.app.query_one(RowEditor)
        rows = pilot.app.query_one(SessionRows)
        assert editor.value == "SSE parser"
        assert editor.region.offset == rows.region.offset + Offset(3, 2)
        assert editor.region.right == rows.region.right - 1
        await pilot.press("end", "!", "enter")
        assert taken(pilot) == [SessionsPane.Requested("rename-session", Path("/s/1.toml"), "SSE parser!")]
        assert not editor.display
        assert pilot.app.focused is rows


@pytest.mark.parametrize("keys", [["!", "escape"], ["enter"], ["home", *["delete"] * 10, "enter"], ["space", "enter"]])
async def test_an_editor_that_changes_nothing_asks_for_nothing(keys: list[str]) -> None:
    async with running() as pilot:
        await pilot.press("down", "r", *keys)
        assert taken(pilot) == []
        await pilot.press("d")
        assert [getattr(event, "action_id", "") for event in taken(pilot)] == ["delete-session"]


async def test_an_editor_lasts_while_its_row_is_there() -> None:
    async with running(listing([f"t{n}" for n in range(40)], hours=1), height=8) as pilot:
        await pilot.press("end", "up", "r", "end", "!")
        editor = pilot.app.query_one(RowEditor)
        pilot.app.query_one(SessionRows).scroll_home(animate=False)
        await pilot.pause()
        line = next(line for line in lines(pilot) if "t38" in line)
        assert editor.region.y == pilot.app.query_one(SessionRows).region.y + lines(pilot).index(line)
        await resize(pilot, 40, 30)
        host_of(pilot).show(listing([f"new{n}" for n in range(40)], hours=1))
        await pilot.pause()
        assert (editor.display, editor.value) == (True, "t38!")
        host_of(pilot).show(listing(["only"]))
        await pilot.pause()
        assert not editor.display


async def test_an_editor_closes_when_the_focus_goes_elsewhere() -> None:
    async with running() as pilot:
        await pilot.press("r", "end", "!")
        pilot.app.query_one("#elsewhere").focus()
        await pilot.pause()
        assert not pilot.app.query_one(RowEditor).display
        assert not [event for event in taken(pilot) if isinstance(event, SessionsPane.Requested)]


async def test_an_editor_stays_when_the_terminal_loses_the_focus() -> None:
    async with running() as pilot:
        await pilot.press("r", "end", "!")
        pilot.app.post_message(events.AppBlur())
        await pilot.pause()
        pilot.app.post_message(events.AppFocus())
        await pilot.pause()
        await pilot.press("?", "enter")
        assert taken(pilot) == [SessionsPane.Requested("rename-session", Path("/s/0.toml"), "Cooking lamb!?")]


async def test_the_cursor_stays_on_its_session_when_the_list_changes() -> None:
    async with running() as pilot:
        await pilot.press("down", "down")
        host_of(pilot).show(Listing((*listing(["new"]).summaries, *listing().summaries[2:])))
        assert cursor(pilot) == "2"
        host_of(pilot).show(listing())
        host_of(pilot).show(Listing((*listing().summaries[:2], *listing().summaries[3:])))
        assert cursor(pilot) == "3"
        host_of(pilot).show(Listing(listing().summaries[:1]))
        assert cursor(pilot) == "0"
        host_of(pilot).show(listing())


async def test_the_cursor_begins_on_the_open_session() -> None:
    async with running() as pilot:
        pane_of(pilot).set_marks("/s/3.toml", (), ())
        assert cursor(pilot) == "3"
        host_of(pilot).show(listing())
        assert cursor(pilot) == "3"
        await pilot.press("up")
        pane_of(pilot).set_marks("/s/3.toml", {"/s/3.toml"}, ())
        host_of(pilot).show(listing())
        assert cursor(pilot) == "2"


async def test_a_new_session_gets_the_cursor_when_it_is_saved() -> None:
    async with running() as pilot:
        await pilot.press("down")
        pane_of(pilot).set_marks("/s/5.toml", (), ())
        assert cursor(pilot) == "1"
        host_of(pilot).show(listing([*TITLES, "new"]))
        assert cursor(pilot) == "5"


async def test_the_open_session_is_found_whichever_is_told_first() -> None:
    host = Host()
    async with host.run_test(size=(28, 9)):
        host.pane.set_marks("/s/39.toml", (), ())
        host.show(listing([f"t{n}" for n in range(40)]))
        assert host.pane.cursor_path == Path("/s/39.toml")


async def test_what_is_looked_at_stays_on_its_line_when_sessions_come_above() -> None:
    many = [f"t{n}" for n in range(40)]
    async with running(listing(many, hours=1), height=8) as pilot:
        await pilot.press("pagedown", "pagedown", "pagedown", "up", "up")
        before = lines(pilot)
        newer = SessionSummary("n", "new", NOW, NOW + timedelta(hours=1), 1, "m", (), "/s/new.toml")
        host_of(pilot).show(Listing((newer, *listing(many, hours=1).summaries)))
        await pilot.pause()
        assert lines(pilot) == before


async def test_mouse() -> None:
    async with running(listing([f"t{n}" for n in range(40)], hours=1), height=8) as pilot:
        await pilot.click(SessionRows, offset=(5, 0))
        assert (cursor(pilot), taken(pilot)) == ("0", [])
        await pilot.click(SessionRows, offset=(5, 3))
        assert (cursor(pilot), taken(pilot)) == ("2", [])
        await pilot.click(SessionRows, offset=(5, 3))
        assert taken(pilot) == [SessionsPane.Requested("open-session", Path("/s/2.toml"))]
        for _ in range(2):
            await pilot.double_click(SessionRows, offset=(5, 5))
            assert taken(pilot) == [SessionsPane.Requested("open-session", Path("/s/4.toml"))]


async def test_a_key_costs_two_lines_and_a_letter_one_screen_of_ten_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = list[int]()
    draw = SessionRows.render_line

    def counted(rows: SessionRows, y: int) -> object:
        drawn.append(y)
        return draw(rows, y)

    async with running(listing([f"t{n}" for n in range(10_000)], hours=1), height=8) as pilot:
        monkeypatch.setattr(SessionRows, "render_line", counted)
        await pilot.press("down")
        assert len(drawn) == 2
        await pilot.press("/")
        drawn.clear()
        await pilot.press("9")
        assert len(drawn) <= 3 * 7
