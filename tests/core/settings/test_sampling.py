"""What a request says: presets, and which layer wins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kimi_tui.core.errors import FieldError, UsageError
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.layers import SamplingLayer
from kimi_tui.core.settings.sampling import (
    RequestOptions,
    parse_session_settings,
    resolve_request,
    resolve_sources,
    store_setting,
)
from kimi_tui.core.settings.settings import Settings, parse_settings
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.fields import FIELDS

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SESSION = Session("s", NOW, NOW, "m", prompt_cache_key="key")
STOP = ["<|im_end|>", "[EOS]"]
RECOMMENDED = {
    "max_new_tokens": 16384, "temperature": 1.0, "top_p": 0.95, "stop": STOP, "prompt_cache_key": "key", "stream": True,
}  # fmt: skip


def with_settings(**settings: object) -> Session:
    return replace(SESSION, settings=settings)


def config(document: Mapping[str, object], saved: SamplingLayer | None = None) -> Settings:
    settings, problems = parse_settings(document)
    assert problems == ()
    return replace(settings, saved_sampling=saved or SamplingLayer())


def test_what_is_sent_by_default() -> None:
    assert resolve_request(Settings(), SESSION) == RequestSettings(RECOMMENDED, model="m")
    assert list(resolve_request(Settings(), SESSION).fields) == [name for name in FIELDS if name in RECOMMENDED]


def test_instant_mode_is_cooler() -> None:
    request = resolve_request(Settings(), SESSION, RequestOptions(thinking=False))
    assert request == RequestSettings({**RECOMMENDED, "temperature": 0.6}, thinking=False, model="m")
    assert resolve_request(Settings(), with_settings(thinking=False)) == request
    assert resolve_request(config({"chat": {"thinking": False}}), SESSION) == request
    assert resolve_request(config({"chat": {"thinking": False}}), with_settings(thinking=True)).thinking


def test_the_endpoint_preset_sends_only_what_was_set() -> None:
    expected = {"stop": STOP, "prompt_cache_key": "key", "stream": True}
    assert resolve_request(Settings(), SESSION, RequestOptions(preset="endpoint")).fields == expected
    assert resolve_request(config({"chat": {"preset": "endpoint"}}), SESSION).fields == expected
    assert resolve_request(Settings(), with_settings(preset="endpoint", top_k=3)).fields == {**expected, "top_k": 3}


def test_the_order_of_the_layers() -> None:
    settings = config(
        {
            "sampling": {"temperature": 0.4},
            "presets": {"low": {"temperature": 0.6}, "high": {"temperature": 0.2}},
            "chat": {"preset": "low"},
        },
        SamplingLayer({"temperature": 0.5}),
    )
    session, bare = with_settings(temperature=0.3), replace(settings, sampling=SamplingLayer())
    set_one = RequestOptions({"temperature": 0.1}, "high")

    def said(settings: Settings, session: Session, options: RequestOptions) -> tuple[object, str]:
        resolved = resolve_sources(settings, session, options)
        return resolved.values["temperature"], resolved.sources["temperature"]

    none = RequestOptions()
    assert said(settings, session, set_one) == (0.1, "command line")
    assert said(settings, session, RequestOptions(preset="high")) == (0.2, "preset high")
    assert said(settings, session, none) == (0.3, "session")
    assert said(settings, SESSION, none) == (0.4, "config file")
    assert said(bare, SESSION, none) == (0.5, "saved.toml")
    assert said(replace(bare, saved_sampling=SamplingLayer()), SESSION, none) == (0.6, "preset low")
    assert resolve_sources(settings, SESSION).sources["stream"] == "default"


@pytest.mark.parametrize("name", ["temperature", "stop", "prompt_cache_key", "stream"])
def test_a_field_can_be_unset_in_every_layer(name: str) -> None:
    layer = SamplingLayer(unset=frozenset({name}))
    for settings, session, options in (
        (Settings(), SESSION, RequestOptions({name: None})),
        (Settings(), with_settings(unset=[name]), RequestOptions()),
        (config({"sampling": {"unset": [name]}}), SESSION, RequestOptions()),
        (Settings(saved_sampling=layer), SESSION, RequestOptions()),
    ):
        fields = resolve_request(settings, session, options).fields
        assert fields == {key: value for key, value in RECOMMENDED.items() if key != name}


def test_a_value_above_wins_over_unset_below() -> None:
    settings = config({"sampling": {"unset": ["top_p"]}})
    assert resolve_request(settings, with_settings(top_p=0.5)).fields["top_p"] == 0.5
    assert "top_p" not in resolve_request(settings, SESSION).fields


@pytest.mark.parametrize(("name", "value"), [("num_responses", 2), ("webhook", "https://h/x"), ("stream", False)])
def test_what_cannot_be_streamed_is_not(name: str, value: object) -> None:
    fields = resolve_request(
        Settings(), SESSION, RequestOptions({name: value, "stream": value if name == "stream" else True})
    )
    assert fields.fields["stream"] is False
    assert resolve_request(Settings(), SESSION, RequestOptions({"num_responses": 1})).fields["stream"] is True


def test_stop_sequences_of_the_user_replace_ours() -> None:
    assert resolve_request(Settings(), SESSION, RequestOptions({"stop": ["x"]})).fields["stop"] == ["x"]
    assert "stop" not in resolve_request(Settings(), SESSION, RequestOptions({"stop": []})).fields


def test_the_cache_key() -> None:
    assert resolve_request(Settings(), with_settings(prompt_cache_key="own")).fields["prompt_cache_key"] == "own"
    assert "prompt_cache_key" not in resolve_request(Settings(), with_settings(prompt_cache_key="")).fields
    assert "prompt_cache_key" not in resolve_request(config({"chat": {"prompt_cache": False}}), SESSION).fields
    assert "prompt_cache_key" not in resolve_request(Settings(), None).fields


def test_extra_fields_of_all_layers() -> None:
    settings = config({"sampling": {"extra": {"a": 1, "b": 1}}}, SamplingLayer(extra={"a": 0, "b": 0, "c": 0}))
    assert resolve_request(settings, with_settings(extra={"b": [2]})).extra == {"a": 1, "b": [2], "c": 0}


def test_the_rest_comes_from_the_settings() -> None:
    document = {
        "api": {"template": "kimi", "context_tokens": 9, "retries": 1, "read_timeout": 7},
        "chat": {"neutralise": False},
    }
    request = resolve_request(config(document), None)
    assert (request.template, request.context_tokens, request.retries) == (TEMPLATES["kimi"], 9, 1)
    assert (request.silence_s, request.neutralise) == (7.0, False)


def test_the_model_is_the_options_else_the_sessions_else_the_configs() -> None:
    settings = config({"api": {"model": "configs/own"}})
    assert resolve_request(settings, None).model == "configs/own"
    assert resolve_request(settings, replace(SESSION, model="")).model == "configs/own"
    assert resolve_request(settings, SESSION).model == "m"
    assert resolve_request(replace(settings, model_option="named/now"), SESSION).model == "named/now"


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(UsageError, match="no preset 'recomended'") as error:
        resolve_request(Settings(), SESSION, RequestOptions(preset="recomended"))
    assert "recommended" in error.value.hint
    with pytest.raises(UsageError, match="no preset 'x'"):
        resolve_request(Settings(), with_settings(preset="x"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_p", 3),
        ("thinking", 1),
        ("preset", 1),
        ("unset", "top_p"),
        ("unset", ["x"]),
        ("extra", []),
        ("extra", {"input": "another prompt"}),
        ("extra", {"x": math.nan}),
    ],
)
def test_a_sessions_settings_are_not_trusted(name: str, value: object) -> None:
    with pytest.raises(FieldError, match=f"^{name}"):
        resolve_request(Settings(), with_settings(**{name: value}))


def test_unknown_keys_of_a_session_are_left_alone() -> None:
    assert parse_session_settings({"later": object()}, DEEPINFRA).layer == SamplingLayer()


def test_storing_a_setting() -> None:
    assert store_setting({"unset": ["top_p"]}, "top_p", 0.5) == {"top_p": 0.5}
    assert store_setting({"top_p": 0.5, "later": 1}, "top_p", None) == {"later": 1, "unset": ["top_p"]}
    stored = store_setting({}, "response_format", {"type": "text"})
    assert stored == {"response_format": '{"type": "text"}'}
    assert parse_session_settings(stored, DEEPINFRA).layer.values == {"response_format": {"type": "text"}}


def test_more_stops_stand_behind_those_that_hold() -> None:
    options = RequestOptions(more_stops=("###", "[EOS]", "b"))
    assert resolve_request(Settings(), None, options).fields["stop"] == ["<|im_end|>", "[EOS]", "###", "b"]
    own = Session("s", NOW, NOW, "m", settings={"stop": ["x"]})
    assert resolve_request(Settings(), own, options).fields["stop"] == ["x", "###", "[EOS]", "b"]
    none = RequestOptions(set={"stop": None}).over(options)
    assert resolve_request(Settings(), None, none).fields["stop"] == ["###", "[EOS]", "b"]


def test_more_than_sixteen_stops_are_refused() -> None:
    words = tuple(f"w{n}" for n in range(14))
    assert len(resolve_request(Settings(), None, RequestOptions(more_stops=words)).fields["stop"]) == 16  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="17 strings"):
        resolve_request(Settings(), None, RequestOptions(more_stops=(*words, "more")))
