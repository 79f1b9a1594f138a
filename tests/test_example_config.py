"""The example config cannot drift from the code: every key, its default, its range."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from kimi_tui.core.settings.settings import ALL_SECTIONS, RULES, SECTIONS, Settings, keys_of, parse_settings
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.fields import FIELDS, SETTABLE

TEXT = (Path(__file__).parents[1] / "config.example.toml").read_text("utf-8")
LINES = TEXT.splitlines()


def test_it_says_the_defaults() -> None:
    api = replace(Settings().api, base_url=Settings().base_url)  # of the default dialect: no other is named
    assert parse_settings(tomllib.loads(TEXT)) == (Settings(api), ())


@pytest.mark.parametrize("section", SECTIONS)
def test_it_holds_every_key_with_a_line_of_help(section: str) -> None:
    assert list(tomllib.loads(TEXT)[section]) == list(keys_of(SECTIONS[section]))
    for key in keys_of(SECTIONS[section]):
        assert any(re.match(rf"{key} = .+  # .", line) for line in LINES), key


def test_ranges_of_whole_numbers_and_seconds_are_told() -> None:
    for (_, key), rule in RULES.items():
        ends = re.search(r"in \[(.+), (.+)\]", rule.allowed)
        if ends:
            line = next(line for line in LINES if line.startswith(f"{key} = "))
            assert f"{ends[1]} to {ends[2]}" in line


@pytest.mark.parametrize("name", SETTABLE)
def test_every_request_field_is_there_with_help_and_range(name: str) -> None:
    place = next(place for place, line in enumerate(LINES) if line.startswith(f"# {name} = "))
    above = LINES[place - 2 : place + 1]
    assert f"# {FIELDS[name].help}" in above
    assert DEEPINFRA.fields[name].allowed in " ".join(above)


def test_what_is_commented_out_is_right_as_well() -> None:
    wanted = re.sub(r"^# (?=[a-z_]+ = |\[)", "", TEXT, flags=re.MULTILINE)
    document = tomllib.loads(wanted)
    assert {name for name in SETTABLE if name in document["sampling"]} == set(SETTABLE)
    assert set(document) == set(ALL_SECTIONS)
    document["sampling"].pop("unset")  # it names a field that has a value now
    assert parse_settings(document)[1] == ()
