"""What the settings pane shows of a session, and what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.settings import settings_changes as changes
from kimi_tui.core.settings.layers import Preset
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.settings.settings import Settings, parse_settings
from kimi_tui.core.settings.settings_view import PresetOrigin, Setting, settings_view
from kimi_tui.core.wire.fields import FIELDS, SETTABLE

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SESSION = Session("s", NOW, NOW, "m", prompt_cache_key="key")
STOP = ["<|im_end|>", "[EOS]"]


def session(**own: object) -> Session:
    return replace(SESSION, settings=own)


def settings(config: Mapping[str, object] | None = None, saved: Mapping[str, object] | None = None) -> Settings:
    """The settings of two files, as `load_settings` puts them together."""
    below, wrong = parse_settings(saved or {})
    own = frozenset((saved or {}).get("presets", {}))  # type: ignore[call-overload]
    below = replace(below, saved_sampling=below.sampling, sampling=Settings().sampling, saved_presets=own)
    found, more = parse_settings(config or {}, below)
    assert (*wrong, *more) == ()
    return found


def facts(found: Setting) -> tuple[object, ...]:
    return found.value, found.source, found.is_own, found.below, found.below_source, found.differs


# -- the view


def test_every_settable_field_has_a_row_in_the_tables_order() -> None:
    found = settings_view(Settings(), SESSION).settings
    assert tuple(found) == ("thinking", "kept_thinking", "preset", "system", "over_budget", *SETTABLE)
    specs = [setting.spec for setting in found.values() if setting.spec]
    assert [(spec.name, spec.help) for spec in specs] == [(name, FIELDS[name].help) for name in SETTABLE]


def test_nothing_set_shows_preset_defaults_and_what_is_not_sent() -> None:
    view = settings_view(Settings(), SESSION)
    assert facts(view.settings["temperature"]) == (
        1.0, "preset recommended", False, 1.0, "preset recommended", False
    )  # fmt: skip
    assert facts(view.settings["stop"]) == (STOP, "default", False, STOP, "default", False)
    assert facts(view.settings["min_p"]) == (None, "endpoint", False, None, "endpoint", False)
    assert facts(view.settings["thinking"])[:3:2] == (True, False)
    assert facts(view.settings["preset"])[:3:2] == ("recommended", False)
    assert not view.has_own
    assert not any(setting.error for setting in view.settings.values())


@pytest.mark.parametrize(
    ("own", "name", "expected"),
    [
        pytest.param({"temperature": 0.2}, "temperature", (0.2, "session", True, 0.5, "config file", True), id="value"),
        pytest.param({"unset": ["temperature"]}, "temperature", (None, "session", True, 0.5, "config file", True),
                     id="unset"),
        pytest.param({}, "temperature", (0.5, "config file", False, 0.5, "config file", True), id="config"),
        pytest.param({}, "top_k", (7, "saved.toml", False, 7, "saved.toml", True), id="saved"),
        pytest.param({"top_p": 0.95}, "top_p", (0.95, "session", True, 0.95, "preset recommended", False),
                     id="own, but the preset's"),
        pytest.param({"preset": "endpoint"}, "top_p", (None, "endpoint", False, None, "endpoint", False),
                     id="preset that sends nothing"),
        pytest.param({"prompt_cache_key": ""}, "prompt_cache_key", (None, "session", True, "key", "default", True),
                     id="empty key"),
        pytest.param({"stop": []}, "stop", (None, "session", True, STOP, "default", True), id="no stops"),
    ],
)  # fmt: skip
def test_a_row_says_what_is_sent_and_who_says_so(
    own: dict[str, object], name: str, expected: tuple[object, ...]
) -> None:
    both = settings({"sampling": {"temperature": 0.5}}, {"sampling": {"top_k": 7}})
    assert facts(settings_view(both, session(**own)).settings[name]) == expected


def test_the_rows_say_what_the_body_holds() -> None:
    both = settings({"sampling": {"temperature": 0.5, "unset": ["top_p"]}}, {"sampling": {"top_k": 7}})
    one = session(num_responses=3, stop=[], seed="18446744073709551615", thinking=False)
    found = settings_view(both, one).settings.values()
    sent = {setting.name: setting.value for setting in found if setting.spec and setting.value is not None}
    assert sent == resolve_request(both, one).fields


@pytest.mark.parametrize(
    ("own", "value", "warning"),
    [
        ({}, True, ""),
        ({"num_responses": 2}, False, "Sent as false, since num_responses is above 1."),
        ({"webhook": "https://example.org/a"}, False, "Sent as false, since there is a webhook."),
        ({"stream": False, "num_responses": 2}, False, ""),
        ({"unset": ["stream"], "num_responses": 2}, None, ""),
    ],
)
def test_streaming_that_something_else_switches_off_is_told(
    own: dict[str, object], value: object, warning: str
) -> None:
    found = settings_view(Settings(), session(**own)).settings["stream"]
    assert (found.value, found.warning) == (value, warning)


@pytest.mark.parametrize(
    ("own", "is_warned"),
    [({}, False), ({"stop": ["x", "<|im_end|>"]}, False), ({"stop": ["x"]}, True), ({"unset": ["stop"]}, True)],
)
def test_stops_without_the_end_of_a_turn_are_told(own: dict[str, object], is_warned: bool) -> None:
    assert ("<|im_end|>" in settings_view(Settings(), session(**own)).settings["stop"].warning) is is_warned


def test_presets_say_whose_they_are() -> None:
    both = settings({"presets": {"mine": {}, "endpoint": {}}}, {"presets": {"saved one": {}}})
    assert settings_view(both, SESSION).presets == {
        "recommended": PresetOrigin.SHIPPED,
        "endpoint": PresetOrigin.CONFIG,
        "saved one": PresetOrigin.SAVED,
        "mine": PresetOrigin.CONFIG,
    }


def test_the_system_prompt_is_compared_with_a_new_sessions() -> None:
    config = settings({"chat": {"system": "Help."}})
    assert not settings_view(config, replace(SESSION, system="Help.")).settings["system"].is_own
    assert settings_view(config, replace(SESSION, system="Cook.")).settings["system"].is_own
    assert settings_view(config, SESSION).settings["system"].is_own
    assert not settings_view(Settings(), SESSION).settings["system"].is_own


def test_fields_of_other_servers_are_listed_with_their_source() -> None:
    both = settings({"sampling": {"extra": {"a": 1, "b": 1}}}, {"sampling": {"extra": {"c": [1]}}})
    found = list(settings_view(both, session(extra={"b": 2})).settings.values())[-3:]
    assert {(r.name, str(r.value), r.source, r.is_own) for r in found} == {
        ("extra.a", "1", "config file", False),
        ("extra.b", "2", "session", True),
        ("extra.c", "[1]", "saved.toml", False),
    }


def test_what_cannot_be_used_stands_beside_its_field_and_the_rest_is_shown() -> None:
    one = session(temperature=300, top_p=0.5, preset="nope", thinking="yes", unset=["what"], extra={"top_p": 1})
    view = settings_view(Settings(), one)
    found = view.settings["temperature"]
    assert found.error == "found 300, allowed a number in [0, 100]"
    assert (found.value, found.is_own, view.settings["top_p"].value) == (1.0, True, 0.5)
    wrong = {name for name, setting in view.settings.items() if setting.error}
    assert wrong == {"temperature", "preset", "thinking", "unset", "extra"}
    assert "nope" in view.settings["preset"].error
    assert (view.settings["preset"].value, view.settings["thinking"].value) == ("recommended", True)
    assert view.has_own


OWN = st.dictionaries(
    st.sampled_from([*SETTABLE, "thinking", "preset", "unset", "extra", "unknown"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a1\n") | st.lists(st.text("a1"), max_size=3),
)


@given(OWN)
def test_any_settings_whatsoever_have_a_view(own: dict[str, object]) -> None:
    view = settings_view(Settings(), session(**own))
    assert set(SETTABLE) <= set(view.settings)
    assert not settings_view(Settings(), changes.without_any_own(session(**own))).has_own


# -- a session's own


def test_a_field_is_reset_whether_it_has_a_value_or_is_unset() -> None:
    one = session(temperature=0.2, unset=["top_p", "min_p"], extra={"a": 1}, other=1)
    assert changes.without_own(Settings(), one, "temperature").settings == {
        "unset": ["top_p", "min_p"], "extra": {"a": 1}, "other": 1,
    }  # fmt: skip
    assert changes.without_own(Settings(), one, "top_p").settings["unset"] == ["min_p"]
    assert "extra" not in changes.without_own(Settings(), one, "extra.a").settings
    both = changes.without_own(Settings(), changes.without_own(Settings(), one, "top_p"), "min_p")
    assert "unset" not in both.settings
    assert changes.without_own(Settings(), one, "").settings == {"other": 1}


def test_a_reset_takes_even_what_cannot_be_used() -> None:
    for name in ("temperature", "thinking", "preset", "unset", "extra"):
        assert changes.without_own(Settings(), session(**{name: {"wrong": {}}}), name).settings == {}


def test_resetting_the_system_prompt_takes_a_new_sessions_and_notes_the_old_one() -> None:
    reply = Message("m1", Role.ASSISTANT, "Hi")
    one = replace(SESSION, system="Cook.").with_message(reply)
    reset = changes.without_own(settings({"chat": {"system": "Help."}}), one, "system")
    assert (reset.system, reset.messages[0].system) == ("Help.", "Cook.")


def test_choosing_a_preset_keeps_what_the_session_sets() -> None:
    chosen = changes.with_preset(Settings(), session(temperature=0.2), "endpoint")
    assert chosen.settings == {"temperature": 0.2, "preset": "endpoint"}
    with pytest.raises(UsageError, match="no preset"):
        changes.with_preset(Settings(), SESSION, "nope")


def test_a_mode_and_a_field_are_set() -> None:
    one = SESSION
    for name, value in (("top_k", 4), ("thinking", False), ("preset", "endpoint"), ("system", "Help.")):
        one = changes.with_setting(Settings(), one, name, value)
    assert one.settings == {"top_k": 4, "thinking": False, "preset": "endpoint"}
    assert one.system == "Help."
    assert changes.with_setting(Settings(), one, "top_k", None).settings["unset"] == ["top_k"]
    assert changes.with_setting(Settings(), one, "system", None).system is None


# -- what is saved


def test_a_preset_is_what_the_session_sends_in_both_modes() -> None:
    config = settings({"sampling": {"top_k": 7}})
    one = session(min_p=0.1, unset=["top_p"])
    assert changes.preset_of(config, one, "mine") == Preset(
        "mine", {"max_new_tokens": 16384, "temperature": 1.0, "min_p": 0.1, "top_k": 7}, {"temperature": 0.6}
    )


@pytest.mark.parametrize("own", [{"temperature": 0.2}, {"stop": ["x"]}, {"stop": []}, {"unset": ["stop", "top_p"]},
                                 {"prompt_cache_key": ""}, {"thinking": False}, {"stream": False}, {"preset": "endpoint"}])  # fmt: skip
def test_a_session_with_only_a_saved_preset_sends_the_same(own: dict[str, object]) -> None:
    one = session(**own)
    made = changes.save_preset_changes(Settings(), one, " my   own ")
    ((key, table),) = made.items()
    assert key == ("presets", "my own")
    saved = settings({}, {"presets": {"my own": table}})
    for thinking in (True, False):
        alone = session(preset="my own", thinking=thinking)
        sent = resolve_request(saved, alone)
        assert sent == resolve_request(Settings(), changes.with_setting(Settings(), one, "thinking", thinking))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("recommended", "ships with the program"),
        ("endpoint", "ships with the program"),
        ("fixed", "stands in the config file"),
        (" ", "needs a name"),
        ("x" * 61, "at most 60"),
        ("a\x1bb", "invisible"),
    ],
)
def test_a_preset_that_is_not_ones_own_keeps_its_name_and_values(name: str, words: str) -> None:
    both = settings({"presets": {"fixed": {}}}, {"presets": {"mine": {}}})
    with pytest.raises(UsageError, match=words):
        changes.save_preset_changes(both, SESSION, name)
    with pytest.raises(UsageError, match=words):
        changes.rename_preset_changes(both, "mine", name)


def test_a_preset_is_renamed_wherever_it_was_chosen() -> None:
    saved = settings({}, {"presets": {"old": {"top_k": 3, "instant": {"top_k": 4}}}, "chat": {"preset": "old"}})
    assert changes.rename_preset_changes(saved, "old", "new") == {
        ("presets", "old"): None,
        ("presets", "new"): {"top_k": 3, "instant": {"top_k": 4}},
        ("chat", "preset"): "new",
    }
    with pytest.raises(UsageError, match="config file chooses"):
        changes.rename_preset_changes(saved, "old", "new", frozenset({("chat", "preset")}))


def test_a_preset_is_not_renamed_over_another_and_a_foreign_one_not_at_all() -> None:
    both = settings({"presets": {"fixed": {}}}, {"presets": {"a": {}, "b": {}}})
    for old, new, words in (
        ("a", "b", "already"), ("fixed", "c", "config file"), ("endpoint", "c", "ships"), ("nope", "c", "no preset"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            changes.rename_preset_changes(both, old, new)


def test_a_preset_is_deleted_wherever_it_was_chosen_and_brought_back_there() -> None:
    saved = settings({}, {"presets": {"old": {"top_k": 3, "instant": {"top_k": 4}}}, "chat": {"preset": "old"}})
    deletion = changes.delete_preset_changes(saved, "old")
    assert deletion.changes == {("presets", "old"): None, ("chat", "preset"): None}
    assert deletion.undoing == {("presets", "old"): {"top_k": 3, "instant": {"top_k": 4}}, ("chat", "preset"): "old"}
    with pytest.raises(UsageError, match="config file chooses"):
        changes.delete_preset_changes(saved, "old", frozenset({("chat", "preset")}))


@pytest.mark.parametrize(("name", "words"), [("fixed", "config file"), ("endpoint", "ships"), ("nope", "no preset")])
def test_only_a_preset_of_ones_own_is_deleted(name: str, words: str) -> None:
    both = settings({"presets": {"fixed": {}}}, {"presets": {"a": {}}})
    assert changes.delete_preset_changes(both, "a").changes == {("presets", "a"): None}
    with pytest.raises(UsageError, match=words):
        changes.delete_preset_changes(both, name)


def test_the_default_becomes_what_the_session_sets() -> None:
    before = settings({}, {"sampling": {"top_k": 3, "unset": ["temperature", "top_p"]}})
    one = replace(
        session(temperature=0.2, unset=["top_k"], thinking=False, preset="endpoint", extra={"a": 1}), system="Cook."
    )
    assert changes.default_changes(before, one) == {
        ("chat", "thinking"): False,
        ("chat", "preset"): "endpoint",
        ("chat", "system"): "Cook.",
        ("sampling", "temperature"): 0.2,
        ("sampling", "top_k"): None,
        ("sampling", "extra", "a"): 1,
        ("sampling", "unset"): ["top_p", "top_k"],
    }
    assert changes.default_changes(before, SESSION) == {}


def test_what_the_config_file_says_goes_before_what_was_saved_and_is_told() -> None:
    config = settings({"sampling": {"top_k": 3, "unset": ["top_p"], "extra": {"a": 1}}})
    made: changes.Changes = {
        ("sampling", "top_k"): 4, ("sampling", "top_p"): 0.5, ("sampling", "min_p"): 0.5, ("sampling", "unset"): ["top_k"],
        ("sampling", "extra", "a"): 2, ("sampling", "extra", "b"): 2, ("chat", "thinking"): False, ("ui", "theme"): None,
    }  # fmt: skip
    keys = frozenset({("chat", "thinking"), ("ui", "theme"), ("sampling", "extra")})
    assert changes.overruled(config, made, keys) == (
        ("sampling", "top_k"), ("sampling", "top_p"), ("sampling", "top_k"), ("sampling", "extra", "a"), ("chat", "thinking"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("own", "thinking", "preset"),
    [
        ({}, False, False),
        ({"thinking": True, "preset": "recommended"}, False, False),
        ({"thinking": False, "preset": "endpoint"}, True, True),
        ({"thinking": "yes", "preset": "gone"}, True, True),
    ],
)
def test_mode_and_preset_differ_only_where_taking_them_back_changes_something(
    own: dict[str, object], thinking: bool, preset: bool
) -> None:
    view = settings_view(Settings(), session(**own))
    assert (view.settings["thinking"].differs, view.settings["preset"].differs) == (thinking, preset)
    assert view.settings["thinking"].is_own == ("thinking" in own)
