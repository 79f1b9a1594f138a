"""Settings: strict, all mistakes at once, and what is wrong keeps what lies below."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.settings.layers import PRESETS, ConfigProblem, Preset, SamplingLayer
from kimi_tui.core.settings.settings import (
    ALL_SECTIONS,
    RULES,
    SECTIONS,
    ChatSettings,
    Settings,
    keys_of,
    parse_settings,
)
from kimi_tui.core.wire.fields import SETTABLE


def finding(document: dict[str, object]) -> ConfigProblem:
    """The one finding of a document; everything else has its default."""
    settings, problems = parse_settings(document)
    (found,) = problems
    assert settings == Settings()
    return found


def test_nothing_gives_the_defaults() -> None:
    assert parse_settings({}) == (Settings(), ())
    assert parse_settings({name: {} for name in ALL_SECTIONS}) == (Settings(), ())


def test_every_section_is_read() -> None:
    settings, problems = parse_settings(
        {
            "api": {"retries": 0, "read_timeout": 5, "headers": {"X-Team": "blue"}, "base_url": "http://127.0.0.1:8080/v1"},
            "chat": {"thinking": False, "system": "Be\nbrief.", "preset": "mine"},
            "ui": {"theme": "kimi-light", "mouse": False},
            "sessions": {"format": "json", "folder": "~/chats"},
            "sampling": {"top_k": 5, "stop": [], "unset": ["top_p"], "extra": {"mirostat": 2}},
            "presets": {"mine": {"temperature": 0.3, "instant": {"temperature": 0.1}}},
        }
    )  # fmt: skip
    assert problems == ()
    default = Settings()
    assert settings == Settings(
        replace(default.api, retries=0, read_timeout_s=5.0, headers={"X-Team": "blue"}, base_url="http://127.0.0.1:8080/v1"),
        replace(default.chat, thinking=False, system="Be\nbrief.", preset="mine"),
        replace(default.ui, theme="kimi-light", mouse=False),
        replace(default.sessions, format="json", folder="~/chats"),
        SamplingLayer({"top_k": 5, "stop": []}, frozenset({"top_p"}), {"mirostat": 2}),
        presets={**PRESETS, "mine": Preset("mine", {"temperature": 0.3}, {"temperature": 0.1})},
    )  # fmt: skip
    assert isinstance(settings.api.read_timeout_s, float)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("api", "retries", 4),
        ("api", "retries", -1),
        ("api", "retries", 1.0),
        ("api", "retries", True),
        ("api", "context_tokens", 0),
        pytest.param("api", "context_tokens", 1 << 20_000, id="huge"),
        pytest.param("api", "read_timeout", 1 << 20_000, id="huge seconds"),
        ("api", "read_timeout", math.nan),
        ("api", "read_timeout", math.inf),
        ("api", "read_timeout", True),
        ("api", "connect_timeout", 0),
        ("api", "base_url", "api.deepinfra.com"),
        ("api", "dialect", "gibberish"),
        ("api", "base_url", "ftp://host"),
        ("api", "base_url", "https://"),
        ("api", "base_url", "https://host:99999999/"),
        ("api", "base_url", "https://[1"),
        ("api", "base_url", "http://example.org/v1"),
        ("api", "base_url", "https://name:word@host/v1"),
        ("api", "base_url", "https://host/v1?a=b"),
        ("api", "base_url", "https://ho st/"),
        ("api", "model", ""),
        ("api", "model", "a\nb"),
        ("api", "template", "chatml"),
        ("api", "api_key", 5),
        ("api", "keyring", "yes"),
        ("api", "headers", []),
        ("api", "proxy", "socks5://host"),
        ("api", "proxy", date(2026, 1, 1)),
        ("chat", "system", False),
        ("chat", "thinking", 1),
        ("chat", "preset", "none"),
        ("ui", "theme", "a\n"),
        ("ui", "mouse", "on"),
        ("sessions", "format", "yaml"),
        ("sessions", "folder", "a\0b"),
    ],
)
def test_a_value_that_is_not_allowed(section: str, key: str, value: object) -> None:
    found = finding({section: {key: value}})
    assert found.key == (section, key)
    assert found.allowed
    assert 0 < len(found.found) <= 60


@pytest.mark.parametrize(
    ("document", "key", "allowed"),
    [
        ({"apy": {}}, ("apy",), "api"),
        ({"plugins": {}}, ("plugins",), ", ".join(ALL_SECTIONS)),
        ({"api": {"modle": "x"}}, ("api", "modle"), "model"),
        ({"api": {"flavour": "x"}}, ("api", "flavour"), ", ".join(keys_of(SECTIONS["api"]))),
        ({"sampling": {"top_q": 1}}, ("sampling", "top_q"), "top_p or top_k"),
        ({"sampling": {"unsett": []}}, ("sampling", "unsett"), "unset or user"),
        ({"presets": {"recommended": 1}}, ("presets", "recommended"), "a table"),
        ({"presets": {"": {}}}, ("presets", ""), "a name"),
        ({"api": 5}, ("api",), "a table"),
        ({"sampling": []}, ("sampling",), "a table"),
        ({"presets": ""}, ("presets",), "a table"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest(
    document: dict[str, object], key: tuple[str, ...], allowed: str
) -> None:
    found = finding(document)
    assert (found.key, found.allowed) == (key, allowed)


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ({"input": "x"}, ("input",), "the program writes it"),
        ({"temperature": 101}, ("temperature",), "[0, 100]"),
        ({"temperature": math.nan}, ("temperature",), "[0, 100]"),
        ({"stop": [""]}, ("stop",), "non-empty"),
        ({"response_format": {"type": "xml"}}, ("response_format",), "json_object"),
        ({"response_format": {"type": "text", "x": date(2026, 1, 1)}}, ("response_format",), "json_object"),
        ({"unset": "temperature"}, ("unset",), "list"),
        ({"unset": [["top_p"]]}, ("unset",), "temperature"),
        ({"unset": ["temprature"]}, ("unset",), "temperature"),
        ({"unset": ["input"]}, ("unset",), ""),
        ({"extra": 1}, ("extra",), "table"),
        ({"extra": {"input": "x"}}, ("extra", "input"), "reference"),
        ({"extra": {"seed": 1}}, ("extra", "seed"), "reference"),
        ({"extra": {"when": date(2026, 1, 1)}}, ("extra", "when"), "JSON"),
        ({"extra": {"deep": [{"x": math.nan}]}}, ("extra", "deep"), "JSON"),
        ({"extra": {"big": -math.inf}}, ("extra", "big"), "JSON"),
        ({"extra": {"huge": 1 << 20_000}}, ("extra", "huge"), "JSON"),
    ],
)
def test_a_sampling_value_that_is_not_allowed(table: dict[str, object], key: tuple[str, ...], words: str) -> None:
    found = finding({"sampling": table})
    assert found.key == ("sampling", *key)
    assert words in found.allowed


def test_a_field_that_is_set_and_unset_is_told_and_keeps_its_value() -> None:
    settings, problems = parse_settings({"sampling": {"top_p": 0.5, "unset": ["top_p", "top_k"]}})
    assert settings.sampling == SamplingLayer({"top_p": 0.5}, frozenset({"top_k"}))
    assert [found.key for found in problems] == [("sampling", "unset")]


def test_mistakes_in_a_preset_leave_the_rest_of_it() -> None:
    table = {"temperature": 0.5, "top_p": 7, "instant": {"temperature": 0.2, "x": 1}}
    settings, problems = parse_settings({"presets": {"mine": table, "other": {"instant": 3}}})
    assert settings.presets["mine"] == Preset("mine", {"temperature": 0.5}, {"temperature": 0.2})
    assert [found.key for found in problems] == [
        ("presets", "mine", "top_p"), ("presets", "mine", "instant", "x"), ("presets", "other", "instant"),
    ]  # fmt: skip


def test_a_wrong_header_is_told_by_name_and_the_others_stay() -> None:
    headers = {"X-A": "1", "X B": "1", "X-C": "a\r\nb", "X-D": 5, "X-E": "é", "": "x"}
    settings, problems = parse_settings({"api": {"headers": headers}})
    assert settings.api.headers == {"X-A": "1"}
    assert [found.key[-1] for found in problems] == ["X B", "X-C", "X-D", "X-E", ""]


def test_no_finding_repeats_a_secret() -> None:
    secret = "sk-secret"
    document = {
        "api": {
            "api_key": [secret], "api_key_command": f"echo\n{secret}", "headers": {"A": f"{secret}\n", "B C": secret},
            "base_url": f"https://me:{secret}@host", "proxy": f"ftp://me:{secret}@host",
        }
    }  # fmt: skip
    problems = parse_settings(document)[1]
    assert len(problems) == 6
    assert secret not in str(problems)


def test_a_finding_shows_control_characters() -> None:
    found = finding({"sessions": {"format": "a\u2028\x1b\x9b\nb" * 20}}).found
    assert found.isprintable()
    assert len(found) <= 60


def test_what_is_wrong_keeps_what_lies_below() -> None:
    base = Settings(chat=ChatSettings(thinking=False, preset="endpoint"))
    settings, problems = parse_settings({"chat": {"thinking": "no", "preset": "none"}}, base)
    assert settings == base
    assert len(problems) == 2


def test_a_preset_of_another_file_may_be_chosen() -> None:
    settings, problems = parse_settings({"chat": {"preset": "mine"}}, more_presets=["mine"])
    assert (settings.chat.preset, problems) == ("mine", ())


def test_every_rule_belongs_to_a_key() -> None:
    assert {key for key in RULES if key[1] not in keys_of(SECTIONS[key[0]])} == set()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
KNOWN = [*SETTABLE, "unset", "extra", "instant", "input", *(key for kind in SECTIONS.values() for key in keys_of(kind))]
TABLES = st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=4), VALUES, max_size=4)


@given(st.dictionaries(st.sampled_from(ALL_SECTIONS) | st.text(max_size=4), TABLES | VALUES, max_size=4))
def test_any_document_gives_settings_that_can_be_used(document: dict[str, object]) -> None:
    settings, problems = parse_settings(document)
    assert settings.chat.preset in settings.presets
    assert all(found.found.isprintable() and found.allowed.isprintable() for found in problems)


def test_panes_and_their_widths() -> None:
    settings, problems = parse_settings({"ui": {"panes": ["sessions"], "widths": {"prompt": 60}}})
    assert problems == ()
    assert (settings.ui.panes, settings.ui.widths["prompt"], settings.ui.widths["sessions"]) == (("sessions",), 60, 28)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"panes": ["cellar"]}, ("ui", "panes")),
        ({"panes": "sessions"}, ("ui", "panes")),
        ({"panes": [1]}, ("ui", "panes")),
        ({"widths": {"cellar": 30}}, ("ui", "widths", "cellar")),
        ({"widths": {"prompt": 19}}, ("ui", "widths", "prompt")),
        ({"widths": {"prompt": True}}, ("ui", "widths", "prompt")),
        ({"widths": 30}, ("ui", "widths")),
    ],
)
def test_a_wrong_pane_is_found(table: dict[str, object], key: tuple[str, ...]) -> None:
    settings, (finding,) = parse_settings({"ui": table})
    assert finding.key == key
    assert settings == Settings()


def test_keys_of_actions_lie_in_the_settings() -> None:
    settings, (finding,) = parse_settings({"keymap": {"new": "f10", "help": "nokey"}})
    assert settings.keymap == {"new": ("f10",)}
    assert finding.key == ("keymap", "help")
