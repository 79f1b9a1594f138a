"""Settings: every finding at once, with its line; and which layer of them says what is sent."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kimi_tui.adapters.config_file import load_settings, write_example
from kimi_tui.core.errors import ConfigError, FieldError, UsageError
from kimi_tui.core.fields import FIELDS, SETTABLE
from kimi_tui.core.sampling import RequestOptions, resolve_request, store_setting
from kimi_tui.core.session import Session
from kimi_tui.core.settings import SECTIONS, Settings, keys_of, parse_settings
from kimi_tui.core.toml_lines import locate

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SESSION = Session("s", NOW, NOW, "m", prompt_cache_key="key")


def test_the_example_holds_every_key_with_its_default() -> None:
    data = tomllib.loads(EXAMPLE.read_text("utf-8"))
    assert parse_settings(data) == (Settings(), ())
    for name, kind in SECTIONS.items():
        assert set(data[name]) == set(keys_of(kind))
    lines = EXAMPLE.read_text("utf-8").splitlines()
    for name in SETTABLE:
        line = next(line for line in lines if line.startswith(f"# {name} = "))
        value = tomllib.loads(line.removeprefix("# "))
        assert parse_settings({"sampling": value})[1] == ()
        if FIELDS[name].minimum is not None:
            assert FIELDS[name].allowed in line


def test_every_mistake_is_found_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[api]\nretries = 9\nmodle = "x"\nread_timeout = true\n[sampling]\ntop_p = 0\n"top_k" = 1000\n'
        'unset = ["x"]\n[sampling.extra]\nwhen = 2026-01-01\nseed = 1\n[ui]\ntheme = """\na\n"""\nmouse = 1\n[keymap]\nstop = "f9"\n'
        '[presets.mine]\ninstant = { temperature = -1 }\n[chat]\npreset = "none"\n'
    )  # fmt: skip
    loaded = load_settings(path, explicit=True)
    found = {line.split(": ")[0].rsplit(":", 1)[1] + " " + line.split(": ")[1] for line in loaded.findings}
    assert found == {
        "2 api.retries", "3 api.modle", "4 api.read_timeout", "6 sampling.top_p", "7 sampling.top_k", "8 sampling.unset",
        "10 sampling.extra.when", "11 sampling.extra.seed", "16 ui.mouse", "17 keymap", "20 presets.mine.instant.temperature",
        "22 chat.preset",
    }  # fmt: skip
    assert all("found" in line and "allowed" in line and str(path) in line for line in loaded.findings)
    assert loaded.settings.api == Settings().api


def test_broken_toml_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[api]\nretries = \n")
    (line,) = load_settings(path, explicit=True).findings
    assert line.startswith(f"{path}:2: ")


def test_a_missing_file_matters_only_when_it_was_named(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none", explicit=False).findings == ()
    with pytest.raises(ConfigError, match="no config file"):
        load_settings(tmp_path / "none", explicit=True)


def test_the_config_lies_above_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[sampling]\ntop_p = 0.5\n")
    (tmp_path / "saved.toml").write_text('[sampling]\ntop_p = 0.6\ntop_k = 7\n[ui]\ntheme = "x"\n')
    settings = load_settings(path, explicit=True).settings
    fields = resolve_request(settings, SESSION).fields
    assert (fields["top_p"], fields["top_k"], settings.ui.theme) == (0.5, 7, "x")


def test_the_example_is_never_written_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    write_example(path)
    assert path.read_bytes() == EXAMPLE.read_bytes()
    with pytest.raises(ConfigError, match="there already"):
        write_example(path)


def test_what_is_sent_by_default() -> None:
    fields = resolve_request(Settings(), SESSION).fields
    assert fields == {
        "max_new_tokens": 16384, "temperature": 1.0, "top_p": 0.95, "stop": ["<|im_end|>", "[EOS]"],
        "prompt_cache_key": "key", "stream": True,
    }  # fmt: skip
    assert resolve_request(Settings(), SESSION, RequestOptions(thinking=False)).fields["temperature"] == 0.6
    assert resolve_request(Settings(), SESSION, RequestOptions(preset="endpoint")).fields == {
        "stop": ["<|im_end|>", "[EOS]"], "prompt_cache_key": "key", "stream": True,
    }  # fmt: skip


def test_precedence() -> None:
    settings, _ = parse_settings({"sampling": {"temperature": 0.2, "top_k": 5}, "presets": {"hot": {"temperature": 2}}})
    session = replace(SESSION, settings={"temperature": 0.3, "unset": ["top_p"]})
    assert resolve_request(settings, SESSION).fields["temperature"] == 0.2
    assert resolve_request(settings, session).fields["temperature"] == 0.3
    assert "top_p" not in resolve_request(settings, session).fields
    options = RequestOptions(preset="hot")
    assert resolve_request(settings, session, options).fields["temperature"] == 2
    options = RequestOptions({"temperature": 0.4, "stop": None, "prompt_cache_key": None, "top_k": None}, "hot")
    fields = resolve_request(settings, session, options).fields
    assert fields == {"temperature": 0.4, "stream": True}


def test_what_cannot_be_streamed_is_not() -> None:
    for name, value in (("num_responses", 2), ("webhook", "https://h"), ("stream", False)):
        assert resolve_request(Settings(), SESSION, RequestOptions({name: value})).fields["stream"] is False
    assert "stop" not in resolve_request(Settings(), SESSION, RequestOptions({"stop": []})).fields


def test_wrong_words_are_refused() -> None:
    with pytest.raises(UsageError, match="no preset 'hott'"):
        resolve_request(Settings(), SESSION, RequestOptions(preset="hott"))
    with pytest.raises(FieldError, match="top_p"):
        resolve_request(Settings(), replace(SESSION, settings={"top_p": 3}))


def test_storing_a_setting() -> None:
    assert store_setting({"unset": ["top_p"]}, "top_p", 0.5) == {"top_p": 0.5}
    assert store_setting({"top_p": 0.5}, "top_p", None) == {"unset": ["top_p"]}
    assert store_setting({}, "response_format", {"type": "text"}) == {"response_format": '{"type": "text"}'}


TOML = '''a.b = 1
[t]
"q.x" = 1
text = """
k = 1
"""
inline = { one = 1, two = 2 }
[[rows]]
id = 1
[[rows]]
[t.sub]
deep = 1
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("a", "b"), 1),
        (("t",), 2),
        (("t", "q.x"), 3),
        (("t", "text"), 4),
        (("t", "inline", "two"), 7),
        (("t", "sub", "deep"), 12),
        (("t", "none"), 2),
        (("zzz",), 1),
    ],
)
def test_locating_keys(key: tuple[str, ...], line: int) -> None:
    assert locate(TOML, key) == line
