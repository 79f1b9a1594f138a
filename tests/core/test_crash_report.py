"""A report of a fault holds kinds and places, whatever the exceptions say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.crash_report import MAX_CHARS, MAX_ERRORS, MAX_PLACES, crash_report
from kimi_tui.core.wire.endpoint_errors import retry_after_s

KEY = "sk-secret-0123456789"
DIARY = "Dear diary, \x1b]52;c;eA==\x07 羊"


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    diary, key = DIARY, KEY
    try:
        raise error from cause
    except BaseException as caught:
        assert len(diary) < len(diary + key)
        return caught


def recursion(depth: int) -> None:
    if depth:
        recursion(depth - 1)
    raise ValueError(DIARY)


def two_by_turns(depth: int, other: bool = False) -> None:
    if not depth:
        raise ValueError(DIARY)
    if other:
        two_by_turns(depth - 1)
    else:
        two_by_turns(depth - 1, True)


def check(report: str) -> None:
    for hostile in (KEY, DIARY, "Dear", "diary", "secret", "\x1b", "羊"):
        assert hostile not in report


def test_it_tells_kinds_places_and_facts() -> None:
    try:
        retry_after_s(1j)  # type: ignore[arg-type]
    except TypeError as error:
        report = crash_report(raised(RuntimeError(KEY), error), {"Python": "3.11"})
    lines = report.split("\n")
    assert "Python: 3.11" in lines
    assert "RuntimeError" in lines
    assert "because of: TypeError" in lines
    assert re.search(r"^  kimi_tui/core/wire/endpoint_errors.py, line \d+, in retry_after_s$", report, re.MULTILINE)
    assert str(Path(__file__).parents[2]) not in report
    check(report)


def test_no_words_get_in_whatever_holds_them() -> None:
    error = raised(ValueError(DIARY, KEY), KeyError(KEY))
    error.add_note(f"{DIARY} {KEY}")
    error.__context__ = OSError(2, KEY, DIARY)
    group = ExceptionGroup(f"{DIARY} {KEY}", [ValueError(KEY), ExceptionGroup(DIARY, [KeyError(KEY)])])
    for each in (error, raised(group), SystemExit(KEY), UnicodeDecodeError("utf-8", DIARY.encode(), 0, 1, KEY)):
        check(crash_report(each, {}))
    assert crash_report(group, {}).count("in it: ") == 3


def test_names_of_classes_and_code_are_cut_and_cleaned() -> None:
    hostile = type(f"\x1b[2J{'羊' * 500}", (Exception,), {"__module__": "a\nb"})
    scope: dict[str, object] = {}
    exec(compile("def f(): raise ValueError", f"/home/{DIARY}/x\x1b.py", "exec"), scope)
    try:
        scope["f"]()  # type: ignore[operator]
    except ValueError as error:
        report = crash_report(raised(hostile(), error), {"a": "\x1b[2J\n羊"})
    assert "\x1b" not in report
    assert "羊" not in report
    assert "Dear" not in report
    assert all(len(line) < 3 * MAX_CHARS for line in report.split("\n"))


def test_a_recursion_is_counted_and_long_ways_are_cut() -> None:
    with pytest.raises(ValueError, match="diary") as straight:
        recursion(300)
    assert "in recursion × 300" in crash_report(straight.value, {})
    with pytest.raises(ValueError, match="diary") as winding:
        two_by_turns(300)
    report = crash_report(winding.value, {})
    assert report.count(", in two_by_turns") == MAX_PLACES - 1
    assert "more …" in report


def test_endless_chains_end() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert crash_report(first, {}).count("handled: ") == 1
    chain: BaseException = ValueError()
    for _ in range(1000):
        chain = raised(ValueError(KEY), chain)
    assert crash_report(chain, {}).count("because of: ") == MAX_ERRORS - 1


@pytest.mark.parametrize("kind", [ValueError, KeyError, OSError, RuntimeError, ExceptionGroup])
@given(words=st.text(min_size=4).filter(lambda text: not text.isascii()))
def test_no_foreign_character_gets_in(kind: type[Exception], words: str) -> None:
    error = ExceptionGroup(words, [ValueError(words)]) if kind is ExceptionGroup else kind(words)
    assert words not in crash_report(raised(error), {"about": words})
