"""The config file and `saved.toml`: problems with their lines, precedence, and what cannot be read."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.adapters.config.config_file import every_problem, load_settings, theme_problems, toml_key, write_example
from kimi_tui.core.errors import ConfigError
from kimi_tui.core.settings.settings import Settings

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def problems(path: Path, text: str | bytes) -> list[str]:
    """The problems of a file, each without the file's name."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lines = load_settings(path, explicit=True).problems
    assert all(line.startswith(f"{path}:") and "\n" not in line for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_every_mistake_is_found_at_once_with_its_line(path: Path) -> None:
    text = '''[api]
retries = 9
modle = "x"
read_timeout = true
[sampling]
top_p = 0
"top_k" = 1000
unset = ["x"]
[sampling.extra]
when = 2026-01-01
seed = 1
[chat]
system = """
preset = 1
"""
preset = "none"
[keymap]
stop = "f9"
[presets."my own"]
instant = { temperature = -1 }
'''
    found = [line.split(": ")[:2] for line in problems(path, text)]
    assert found == [
        ["2", "api.retries"], ["3", "api.modle"], ["4", "api.read_timeout"], ["6", "sampling.top_p"],
        ["7", "sampling.top_k"], ["8", "sampling.unset"], ["10", "sampling.extra.when"], ["11", "sampling.extra.seed"],
        ["16", "chat.preset"], ["18", "keymap.stop"], ["20", 'presets."my own".instant.temperature'],
    ]  # fmt: skip
    loaded = load_settings(path, explicit=True)
    assert loaded.settings.api == Settings().api
    assert all(": found " in line and ", allowed " in line for line in loaded.problems)
    assert loaded.config_keys == {
        ("chat", "system"), ("sampling", "extra"), ("presets", "my own"),
    }  # fmt: skip


def test_a_finding_reads_as_documented(path: Path) -> None:
    assert problems(path, "[api]\nretries = 9\n") == ["2: api.retries: found 9, allowed a whole number in [0, 3]"]


def test_a_key_of_control_characters_stays_on_one_line(path: Path) -> None:
    (line,) = problems(path, '[api]\n"a\\nb\\u001b[31m" = 1\n')
    assert line.isprintable()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[api]\nretries = \n", 2),
        ('a = """', 1),
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2\n", 2),
        (b"a = 1\nb = '\xff'\n", 2),
        ("a = " + "1" * 5000 + "\n", 2),
        ("a = " + "[" * 50_000, 1),
    ],
    ids=["value", "end", "second", "twice", "bytes", "huge", "deep"],
)
def test_a_broken_file_is_one_finding(path: Path, text: str | bytes, line: int) -> None:
    (found,) = problems(path, text)
    assert found.startswith(f"{line}: the file: found ")
    assert load_settings(path, explicit=True).settings == Settings()


def test_a_byte_order_mark_and_windows_line_ends_are_fine(path: Path) -> None:
    assert problems(path, b"\xef\xbb\xbf[api]\r\nretries = 2\r\n") == []
    assert load_settings(path, explicit=True).settings.api.retries == 2


def test_a_missing_file_matters_only_when_it_was_named(path: Path) -> None:
    assert load_settings(path, explicit=False).settings == Settings()
    assert load_settings(path / "below", explicit=False).problems == ()
    with pytest.raises(ConfigError, match="no config file"):
        load_settings(path, explicit=True)


def test_no_config_at_all_may_be_named() -> None:
    assert load_settings(Path("/dev/null"), explicit=True).settings == Settings()


def test_what_the_system_refuses_is_a_finding(path: Path) -> None:
    path.mkdir()
    (line,) = load_settings(path, explicit=True).problems
    assert "found a folder" in line
    assert (every_problem(path), theme_problems(path)) == ((line,), ())
    path.with_name("saved.toml").touch()
    with mock.patch.object(Path, "read_bytes", side_effect=PermissionError(13, "Permission denied")):
        lines = load_settings(path, explicit=False).problems
    assert len(lines) == 2
    assert "Permission denied" in lines[0]


def test_the_config_lies_above_what_was_saved(path: Path) -> None:
    path.write_text("[sampling]\ntop_p = 0.5\n[sampling.extra]\na = 1\n[api]\nretries = 9\n")
    path.with_name("saved.toml").write_text(
        '[sampling]\ntop_p = 0.6\ntop_k = 7\n[ui]\ntheme = "x"\n[api]\nretries = 1\n'
    )
    loaded = load_settings(path, explicit=True)
    settings = loaded.settings
    assert (settings.sampling.values, settings.saved_sampling.values) == ({"top_p": 0.5}, {"top_p": 0.6, "top_k": 7})
    assert (settings.ui.theme, settings.api.retries) == ("x", 1)
    assert loaded.config_keys == {("sampling", "top_p"), ("sampling", "extra")}
    assert loaded.saved_keys == {("sampling", "top_p"), ("sampling", "top_k"), ("ui", "theme"), ("api", "retries")}


def test_saved_fields_are_not_taken_for_the_configs(path: Path) -> None:
    path.write_text("")
    path.with_name("saved.toml").write_text("[sampling]\ntop_k = 7\n")
    settings = load_settings(path, explicit=True).settings
    assert (settings.sampling.values, settings.saved_sampling.values) == ({}, {"top_k": 7})


def test_what_was_saved_may_choose_a_preset_of_the_config(path: Path) -> None:
    path.write_text("[presets.mine]\ntop_k = 1\n")
    path.with_name("saved.toml").write_text('[chat]\npreset = "mine"\n')
    loaded = load_settings(path, explicit=True)
    assert (loaded.problems, loaded.settings.chat.preset) == ((), "mine")


def test_mistakes_in_what_was_saved_are_found_too(path: Path) -> None:
    saved = path.with_name("saved.toml")
    saved.write_text('\n[ui]\nthemes = "x"\n[chat]\npreset = "gone"\n')
    path.write_text("[api]\nretries = 9\n")
    places = [line.split(": ")[0] for line in load_settings(path, explicit=True).problems]
    assert places == [f"{path}:2", f"{saved}:3", f"{saved}:5"]


@pytest.mark.parametrize(
    ("text", "mode", "is_told"),
    [
        ('[api]\napi_key = "sk-1"\n', 0o600, False),
        ('[api]\napi_key = "sk-1"\n', 0o640, True),
        ('[api]\napi_key = "sk-1"\n', 0o604, True),
        ('[api]\napi_key = ""\n', 0o644, False),
        ('[api]\nheaders = { Authorization = "sk-1" }\n', 0o644, True),
        ('[api]\nproxy = "http://me:sk-1@localhost:1/"\n', 0o644, True),
        ('[api]\nproxy = "http://localhost:1/"\n', 0o644, False),
        ("api = 1\n", 0o644, False),
    ],
)
def test_a_key_that_others_can_read_is_told(path: Path, text: str, mode: int, is_told: bool) -> None:
    path.write_text(text)
    path.chmod(mode)
    notes = load_settings(path, explicit=True).notes
    assert bool(notes) is is_told
    assert "sk-1" not in str(notes)
    assert all(f"(mode {mode:04o}); mend it with: chmod 600 {path}" in note for note in notes)


def test_the_way_to_mend_it_can_be_pasted(tmp_path: Path) -> None:
    path = tmp_path / "it's; mine.toml"
    path.write_text('[api]\napi_key = "sk-1"\n')
    path.chmod(0o644)
    (note,) = load_settings(path, explicit=True).notes
    command = note.partition("mend it with: ")[2]
    subprocess.run(command, shell=True, check=True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_example_is_private_and_never_written_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    write_example(path)
    assert path.read_text().startswith(EXAMPLE.read_text().partition("[api]")[0])
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_text("mine")
    with pytest.raises(ConfigError, match="there already"):
        write_example(path)
    assert path.read_text() == "mine"


def test_an_example_that_cannot_be_written(path: Path) -> None:
    path.write_text("")
    with pytest.raises(ConfigError):
        write_example(path / "below.toml")
    link = path.with_name("link.toml")
    os.symlink(path.with_name("gone.toml"), link)
    with pytest.raises(ConfigError, match="there already"):
        write_example(link)


NAMES = st.text(st.characters(exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=5)


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_a_key_is_told_as_toml_writes_it(names: list[str]) -> None:
    expected: object = 1
    for name in reversed(names):
        expected = {name: expected}
    assert tomllib.loads(f"{toml_key(tuple(names))} = 1") == expected
