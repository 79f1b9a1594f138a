"""`ask --schema`, `--regex`, `--json-object`: think first, then answer in the form; and whether the answer keeps it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.wire.answer_forms import form_of
from tests.cli.calls import call
from tests.cli.loopback import Play, endpoint, tokens

pytestmark = pytest.mark.usefixtures("places")

LAMB = {"type": "object", "properties": {"minutes": {"type": "integer"}}, "required": ["minutes"]}
FITS = Play(tokens('{"minutes"', ": 12}"))
SWALLOWED = Play(tokens("hm", " so"))
RETURNED = Play(tokens("hm", " so", "</think>"))
IGNORED = Play(tokens("hm", " so", "</think>", "Lamb"))
THINK_TAIL = b'"stop":["<|im_end|>","[EOS]","</think>"],"stream":true}'
ANSWER_TAIL = (
    b'"stop":["<|im_end|>","[EOS]"],"response_format":{"type":"json_schema","json_schema":{"name":"lamb","schema":'
    b'{"type":"object","properties":{"minutes":{"type":"integer"}},"required":["minutes"]}}},"stream":true}'
)


def schema_file(tmp_path: Path, schema: object = LAMB) -> str:
    path = tmp_path / "lamb.json"
    path.write_text(json.dumps(schema))
    return str(path)


@pytest.mark.parametrize("thinking", [SWALLOWED, RETURNED, IGNORED], ids=["swallowed", "returned", "ignored"])
def test_both_bodies_as_a_server_receives_them(tmp_path: Path, thinking: Play) -> None:
    with endpoint(thinking, FITS) as server:
        result = call(
            "ask",
            "?",
            "--schema",
            schema_file(tmp_path),
            "--set",
            "max_new_tokens=99",
            "--set",
            "prompt_cache_key=",
            "--base-url",
            server.url,
        )
    assert (result.status, result.out, result.err) == (0, '{"minutes": 12}\n', "")
    head = b'{"input":"<|im_user|>ChatMessageRole.USER<|im_middle|>?<|im_end|><|im_assistant|>assistant<|im_middle|><think>'
    rest = b'","max_new_tokens":%d,"temperature":1.0,"top_p":0.95,'
    first, second = (request.body for request in server.received)
    assert first == head + rest % 99 + THINK_TAIL
    assert second == head + b"hm so</think>" + rest % 97 + ANSWER_TAIL


def test_it_is_saved_as_one_reply_of_two_requests(tmp_path: Path) -> None:
    with endpoint(SWALLOWED, FITS) as server:
        result = call("ask", "?", "--save", "--json", "--schema", schema_file(tmp_path), "--base-url", server.url)
    report = result.json
    assert (report["content"], report["reasoning"], report["state"]) == ('{"minutes": 12}', "hm so", "complete")
    assert report["usage"] == {"input_tokens": 22, "output_tokens": 4, "cost_usd": 0.0005}
    store = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")
    reply = store.read_only(Path(store.list().summaries[0].path)).messages[-1]
    assert [request.kind for request in reply.requests] == ["think", "answer"]
    assert form_of(reply) == {"type": "json_schema", "json_schema": {"name": "lamb", "schema": LAMB}}
    assert reply.sent is not None
    assert "response_format" not in reply.sent


@pytest.mark.parametrize("options", [["--no-think"], ["--set", "webhook=https://example.org/h"]])
def test_where_nothing_is_thought_here_it_is_one_request(tmp_path: Path, options: list[str]) -> None:
    with endpoint(FITS) as server:
        assert call("ask", "?", "--schema", schema_file(tmp_path), *options, "--base-url", server.url).status == 0
    (request,) = server.received
    assert request.json["response_format"]["type"] == "json_schema"
    assert "</think>" not in request.json["stop"]


def test_one_request_by_choice(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[chat]\nfree_thinking = false\n")
    with endpoint(Play(tokens("hm", "</think>", '{"minutes": 1}'))) as server:
        assert call("ask", "?", "--schema", schema_file(tmp_path), "--base-url", server.url).status == 0
    (request,) = server.received
    assert request.json["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("options", "answer", "told"),
    [
        (
            ["--schema"],
            '{"minutes": "x"}',
            "the reply is not what was asked for (the schema lamb): $.minutes: 'x' is not",
        ),
        (["--schema"], "Lamb.", "it is no JSON: line 1, column 1"),
        (["--json-object"], "[1]", "(a JSON object): $: it is no object"),
        (["--regex", "(yes|no)"], "maybe", "(the pattern): it does not fit the pattern"),
    ],
)
def test_an_answer_that_does_not_keep_the_form_is_told(
    tmp_path: Path, options: list[str], answer: str, told: str
) -> None:
    options = [*options, schema_file(tmp_path)] if options == ["--schema"] else options
    with endpoint(SWALLOWED, Play(tokens(answer))) as server:
        result = call("ask", "?", *options, "--base-url", server.url)
    assert (result.status, result.out) == (0, f"{answer}\n")
    assert told in result.err


def test_an_answer_that_was_cut_is_told_as_cut_only(tmp_path: Path) -> None:
    with endpoint(SWALLOWED, Play(tokens('{"minutes"', finish_reason="length"))) as server:
        result = call("ask", "?", "--schema", schema_file(tmp_path), "--base-url", server.url)
    assert (result.status, "cut by max_new_tokens" in result.err, "not what" in result.err) == (0, True, False)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "objekt"}, "$.type: 'objekt' is not one of ['array'"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "nothing is fetched"),
        ({"properties": {"a": {"pattern": "("}}}, "$.properties.a.pattern"),
    ],
)
def test_a_schema_that_is_none_is_refused_before_the_network(tmp_path: Path, schema: object, told: str) -> None:
    path = schema_file(tmp_path, schema)
    with endpoint(FITS) as server:
        result = call("ask", "?", "--schema", path, "--base-url", server.url)
    assert (result.status, server.received) == (2, [])
    assert result.err.startswith(f"kimi-tui: --schema {path}: ")
    assert told in result.err


def test_a_broken_schema_that_is_set_as_a_field_is_refused_before_the_network() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "objekt"}}}
    with endpoint(FITS) as server:
        result = call("ask", "?", "--set", f"response_format={json.dumps(form)}", "--base-url", server.url)
    assert (result.status, server.received) == (2, [])
    assert "--set response_format: $.type: 'objekt' is not one of" in result.err


@pytest.mark.parametrize(
    "options", [["--regex", "ab[a-z"], ["--set", 'response_format={"type": "regex", "regex": "ab[a-z"}']]
)
def test_a_pattern_that_python_cannot_read_has_its_fault_at_one_place(options: list[str]) -> None:
    with endpoint(SWALLOWED, Play(tokens("yes"))) as server:
        result = call("ask", "?", *options, "--base-url", server.url)
    assert (result.status, result.err.count("at character 3")) == (0, 2)
    assert "at position" not in result.err


def test_what_fails_between_the_two_is_gone_on_with_in_the_form(tmp_path: Path) -> None:
    with endpoint(SWALLOWED, Play([b"no"], status=500)) as server:
        assert call("ask", "?", "--save", "--schema", schema_file(tmp_path), "--base-url", server.url).status == 1
    with endpoint(FITS) as server:
        result = call("ask", "--continue", "--json", "--schema", schema_file(tmp_path), "--base-url", server.url)
    assert (result.status, result.json["content"]) == (0, '{"minutes": 12}')
    (request,) = server.received
    assert request.json["input"].endswith("<think>hm so</think>")
    assert request.json["response_format"]["type"] == "json_schema"
