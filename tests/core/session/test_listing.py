from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session.listing import (
    Listing,
    RowKind,
    SessionList,
    SessionSummary,
    Unreadable,
    day_name,
    session_list,
)

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
PLUS_9 = timezone(timedelta(hours=9))


def utc(time: datetime) -> datetime:
    return time


def summary(name: str, hours: float = 0, title: str = "", tags: tuple[str, ...] = ()) -> SessionSummary:
    return SessionSummary(name, title, NOW, NOW - timedelta(hours=hours), 1, "m", tags, f"/s/{name}.toml")


def texts(sessions: SessionList, filter_text: str = "") -> list[str]:
    return [f"# {row.text}" if row.kind is RowKind.HEADING else row.text for row in sessions.rows(filter_text)]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 11, 24), "Today"),
        (date(2026, 11, 23), "Yesterday"),
        (date(2026, 11, 22), "Sunday"),
        (date(2026, 11, 18), "Wednesday"),
        (date(2026, 11, 17), "17 November"),
        (date(2026, 1, 1), "1 January"),
        (date(2025, 12, 31), "31 December 2025"),
        (date(2026, 11, 25), "25 November"),
    ],
)
def test_the_name_of_a_day(day: date, name: str) -> None:
    assert day_name(day, date(2026, 11, 24)) == name


def test_newest_first_under_their_days_and_what_cannot_be_read_last() -> None:
    listing = Listing(
        (summary("b", 20, "Stew"), summary("a", 1, "Lamb"), summary("c", 2, "Fish")),
        (Unreadable("/s/bad.toml", "line 3"),),
    )
    sessions = session_list(listing, NOW, utc)
    assert texts(sessions) == [
        "# Today",
        "Lamb",
        "Fish",
        "# Yesterday",
        "Stew",
        "# Cannot be read",
        "bad.toml",
        "line 3",
    ]
    rows = sessions.rows()
    assert [row.can_be_chosen for row in rows] == [False, True, True, False, True, False, True, False]
    assert (rows[1].path, rows[1].time, rows[6].path, rows[6].time) == ("/s/a.toml", "17:00", "/s/bad.toml", "")


def test_days_are_counted_where_the_user_is() -> None:
    sessions = session_list(Listing((summary("a", 2.5), summary("b", 3.5))), NOW, lambda time: time.astimezone(PLUS_9))
    assert [(row.text, row.time) for row in sessions.rows()] == [
        ("Today", ""), ("", "00:30"), ("Yesterday", ""), ("", "23:30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["Cooking lamb", "ÉCLAIRS", "Parser"]),
        ("  ", ["Cooking lamb", "ÉCLAIRS", "Parser"]),
        ("LAMB cook", ["Cooking lamb"]),
        ("lamb parser", []),
        ("food", ["Cooking lamb", "ÉCLAIRS"]),
        ("food éc", ["ÉCLAIRS"]),
        ("e\u0301clairs", ["ÉCLAIRS"]),
        ("k3f9", ["Parser"]),
        ("lamb2026", []),
        ("bfood", []),
    ],
)
def test_every_word_has_to_occur_somewhere(words: str, found: list[str]) -> None:
    listing = Listing(
        (
            summary("2026-a", 0, "Cooking lamb", ("food",)),
            summary("2026-b", 1, "ÉCLAIRS", ("Food", "sweet")),
            summary("2026-k3f9", 2, "Parser"),
        )
    )
    rows = session_list(listing, NOW, utc).rows(words)
    assert [row.text for row in rows if row.kind is RowKind.SESSION] == found
    assert [row.text for row in rows if row.kind is RowKind.HEADING] == ["Today"] * bool(found)


def test_a_kept_session_stays_whether_it_fits_or_not() -> None:
    listing = Listing((summary("a", 0, "Lamb"), summary("b", 1, "Fish"), summary("c", 2, "Stew")))
    sessions = session_list(listing, NOW, utc)
    found = [row.text for row in sessions.rows("lamb cook", {"/s/b.toml", "/s/gone.toml"})]
    assert found == ["Today", "Fish"]


def test_unreadable_files_are_found_by_their_names() -> None:
    listing = Listing((), (Unreadable("/s/bad.toml", "line 3"), Unreadable("/s/odd.json", "empty")))
    sessions = session_list(listing, NOW, utc)
    assert texts(sessions, "ODD") == ["# Cannot be read", "odd.json", "empty"]
    assert texts(sessions, "line") == []


@given(st.text())
def test_every_title_is_found_by_itself(text: str) -> None:
    sessions = session_list(Listing((summary("a", 0, text, ("x",)),)), NOW, utc)
    assert len(sessions.rows(text)) == 2


def test_rows_are_made_once_per_listing() -> None:
    sessions = session_list(Listing(tuple(summary(f"s{n}", n, f"Title {n}") for n in range(50))), NOW, utc)
    made = {id(row) for row in sessions.rows() if row.kind is RowKind.SESSION}
    assert {id(row) for row in sessions.rows("title") if row.kind is RowKind.SESSION} == made


@pytest.mark.parametrize(("drafts", "latest"), [((), "/s/lamb.toml"), (("/s/typed.toml",), "/s/typed.toml")])
def test_the_latest_session_is_none_that_holds_nothing(drafts: tuple[str, ...], latest: str) -> None:
    empty, typed = (replace(summary(name), messages=0) for name in ("empty", "typed"))
    assert Listing((empty, typed, summary("lamb", 1))).latest(lambda path: path in drafts) == latest


def test_where_all_sessions_hold_nothing_the_latest_is_the_first() -> None:
    assert Listing((replace(summary("empty"), messages=0),)).latest(lambda _: False) == "/s/empty.toml"
