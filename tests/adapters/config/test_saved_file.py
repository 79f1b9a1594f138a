"""What was set in the program: changed key by key, never wrong, never lost."""

from __future__ import annotations

import asyncio
import os
import tomllib
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.adapters.config.config_file import load_settings
from kimi_tui.adapters.config.paths import saved_file
from kimi_tui.adapters.config.saved_file import save
from kimi_tui.cli.configuration import Configuration
from kimi_tui.cli.settings_store import SettingsStore
from kimi_tui.core.errors import ConfigError
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.layers import PRESETS, Key, Preset
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.settings.settings_changes import default_changes, rename_preset_changes, save_preset_changes
from kimi_tui.core.wire.fields import SETTABLE

VALUES: dict[str, object] = {
    "max_new_tokens": 5, "temperature": 0.5, "top_p": 1, "min_p": 0.25, "top_k": 3, "repetition_penalty": 1.5,
    "stop": ["\n\nUser:", "<|im_end|>", "\x1b"], "num_responses": 2,
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"x": None, "y": [1.5]}}},
    "presence_penalty": -1, "frequency_penalty": 2.0, "user": 'a"b\\', "seed": 18446744073709551615,
    "prompt_cache_key": "k", "webhook": "https://example.org/h", "stream": False,
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved_file(tmp_path / "config" / "config.toml")


def read(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text("utf-8"))


def test_every_field_is_kept_exactly(path: Path) -> None:
    assert tuple(VALUES) == SETTABLE
    save(path, {("sampling", name): value for name, value in VALUES.items()})
    loaded = load_settings(path.with_name("config.toml"), explicit=False)
    assert loaded.problems == ()
    assert loaded.settings.saved_sampling.values == VALUES
    assert isinstance(read(path)["sampling"]["response_format"], str)  # type: ignore[index]
    assert read(path)["sampling"]["seed"] == "18446744073709551615"  # type: ignore[index]


def test_a_preset_is_kept_exactly(path: Path) -> None:
    save(path, {("presets", "my own"): {**VALUES, "instant": {"seed": VALUES["seed"], "top_k": 1}}})
    settings = load_settings(path.with_name("config.toml"), explicit=False).settings
    assert settings.presets["my own"] == Preset("my own", VALUES, {"seed": VALUES["seed"], "top_k": 1})
    assert settings.saved_presets == {"my own"}


def test_the_file_is_private_and_its_folder_is_made(path: Path) -> None:
    save(path, {("ui", "theme"): "kimi-light"})
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert os.listdir(path.parent) == ["saved.toml"]


def test_what_is_not_named_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('[future]\nwhen = 2026-11-23\n[ui]\ntheme = "a"\nmouse = false\n[sampling]\ntop_k = 3\n')
    save(path, {("ui", "theme"): "b", ("sampling", "top_k"): None, ("sampling", "extra", "x"): {"y": [1]}})
    assert read(path) == {
        "future": {"when": datetime(2026, 11, 23).date()},  # noqa: DTZ001 - a date of TOML has no zone
        "ui": {"theme": "b", "mouse": False},
        "sampling": {"extra": {"x": {"y": [1]}}},
    }
    save(path, {("sampling", "extra", "x"): None, ("chat", "system"): None})
    assert set(read(path)) == {"future", "ui"}


def test_nothing_is_written_where_nothing_changes(path: Path) -> None:
    save(path, {("ui", "theme"): None})
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [b"[ui\n", b"\xff\xfe", b"a = " + b"[" * 5000, b"a = 1" + b"0" * 6000],
    ids=["syntax", "bytes", "depth", "digits"],
)
def test_a_broken_file_is_never_overwritten(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        save(path, {("ui", "theme"): "b"})
    assert path.read_bytes() == content
    assert str(path) in error.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (("sampling", "top_p"), 2),
        (("sampling", "input"), "x"),
        (("sampling", "extra", "top_p"), 1),
        (("ui", "nope"), 1),
        (("nope", "a"), 1),
        (("chat", "preset"), "nope"),
        (("chat", "thinking"), "yes"),
        (("presets", "a"), {"top_k": -1}),
        (("chat", "system"), "\ud800"),
        (("sampling", "extra", "x"), [None]),
    ],
)
def test_what_no_config_may_say_is_refused(path: Path, key: Key, value: object) -> None:
    save(path, {("ui", "theme"): "a"})
    before = path.read_bytes()
    with pytest.raises(ConfigError) as error:
        save(path, {("ui", "mouse"): False, key: value})
    assert path.read_bytes() == before
    assert error.value.hint


def test_a_mistake_that_was_there_before_does_not_keep_others_from_being_saved(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[sampling]\ntop_p = 7\n")
    save(path, {("sampling", "top_k"): 3})
    assert read(path) == {"sampling": {"top_p": 7, "top_k": 3}}


def test_a_value_in_a_tables_place_is_not_replaced(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("ui = 1\n")
    with pytest.raises(ConfigError, match="ui is no table"):
        save(path, {("ui", "theme"): "a"})
    assert read(path) == {"ui": 1}


def test_a_folder_that_cannot_be_written_is_told(path: Path) -> None:
    path.parent.write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="could not be made"):
        save(path, {("ui", "theme"): "a"})


def test_a_link_is_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "real.toml").write_text("")
    path.symlink_to(tmp_path / "real.toml")
    save(path, {("ui", "theme"): "a"})
    assert path.is_symlink()
    assert read(tmp_path / "real.toml") == {"ui": {"theme": "a"}}


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_system_prompt_comes_back(text: str) -> None:
    import tempfile  # noqa: PLC0415 - the fixture's folder would be shared by all examples

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.toml"
        save(path, {("chat", "system"): text})
        assert load_settings(path.with_name("config.toml"), explicit=False).settings.chat.system == text


# -- the store


@pytest.fixture
def store(path: Path) -> Callable[..., SettingsStore]:
    def make(config: str = "", **options: object) -> SettingsStore:
        path.parent.mkdir(exist_ok=True)
        path.with_name("config.toml").write_text(config)
        fields = {"config": str(path.with_name("config.toml")), "base_url": None, "model": None, "theme": None}
        return SettingsStore(Configuration(Namespace(**{**fields, **options}), {}))

    return make


NOW = datetime(2026, 11, 23, tzinfo=UTC)
SESSION = Session("s", NOW, NOW, "m", prompt_cache_key="key")


def test_what_is_saved_holds_at_once_below_the_command_line(store: Callable[..., SettingsStore]) -> None:
    one = store(theme="mine")
    assert asyncio.run(one.save({("ui", "theme"): "a", ("ui", "mouse"): False})) == ()
    assert (one.value.ui.theme, one.value.ui.mouse) == ("mine", False)


def test_what_the_config_file_overrules_is_told(store: Callable[..., SettingsStore]) -> None:
    one = store("[chat]\nthinking = true\n[sampling]\ntop_k = 1\n")
    changes: dict[Key, object | None] = {
        ("chat", "thinking"): False, ("sampling", "top_k"): 2, ("sampling", "min_p"): 0.5,
    }  # fmt: skip
    assert asyncio.run(one.save(changes)) == (("chat", "thinking"), ("sampling", "top_k"))
    assert one.value.chat.thinking
    assert ("chat", "thinking") in one.config_keys


def test_new_sessions_begin_with_what_was_made_the_default(store: Callable[..., SettingsStore]) -> None:
    one = store()
    own = replace(SESSION, settings={**VALUES, "unset": ["top_p"], "thinking": False, "preset": "endpoint"}, system="A")
    asyncio.run(one.save(default_changes(one.value, own)))
    assert resolve_request(one.value, SESSION) == resolve_request(one.value, own)
    assert resolve_request(one.value, SESSION).fields["seed"] == VALUES["seed"]
    assert one.value.chat.system == "A"


def test_a_preset_is_saved_chosen_and_renamed(store: Callable[..., SettingsStore]) -> None:
    one = store()
    own = replace(SESSION, settings={"top_k": 7})
    asyncio.run(one.save(save_preset_changes(one.value, own, "mine")))
    asyncio.run(one.save({("chat", "preset"): "mine"}))
    assert resolve_request(one.value, SESSION).fields["top_k"] == 7
    asyncio.run(one.save(rename_preset_changes(one.value, "mine", "yours", one.config_keys)))
    assert one.value.saved_presets == {"yours"}
    assert resolve_request(one.value, SESSION).fields["top_k"] == 7


def test_a_preset_of_the_config_file_goes_before_a_saved_one_and_may_be_chosen(
    store: Callable[..., SettingsStore], path: Path
) -> None:
    path.parent.mkdir()
    path.write_text("[presets.same]\ntop_k = 1\n[presets.recommended]\ntop_k = 2\n")
    one = store("[presets.same]\ntop_k = 9\n[presets.other]\n")
    assert one.value.presets["same"].values == {"top_k": 9}
    assert one.value.presets["recommended"] != PRESETS["recommended"]
    assert one.value.saved_presets == {"recommended"}
    asyncio.run(one.save({("chat", "preset"): "other"}))
    assert one.value.chat.preset == "other"


def test_a_config_file_that_went_away_leaves_what_was_read(store: Callable[..., SettingsStore], path: Path) -> None:
    one = store("[chat]\nthinking = false\n")
    assert not one.value.chat.thinking
    path.with_name("config.toml").unlink()
    with pytest.raises(ConfigError):
        asyncio.run(one.save({("ui", "mouse"): False}))
    assert not one.value.chat.thinking
