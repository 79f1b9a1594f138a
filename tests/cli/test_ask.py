from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.adapters.store.session_lock import SessionLock
from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.session import MessageState, Session
from tests.cli.calls import KEY, call
from tests.cli.loopback import MODEL, Play, document, endpoint, recut, sse, tokens
from tests.prompts import past_prompt

pytestmark = pytest.mark.usefixtures("places")

REPLY = ("The user", " asks.", "</think>", "Sure", ":\n", "ok")


@pytest.fixture
def store(tmp_path: Path) -> SessionFiles:
    return SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")


def only_session(store: SessionFiles) -> Session:
    (summary,) = store.list().summaries
    return store.read_only(Path(summary.path))


def test_the_answer_goes_to_standard_output_and_the_request_is_the_documented_one() -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        result = call("ask", "Hello!", "--base-url", server.url)
    assert (result.status, result.out, result.err) == (0, "Sure:\nok\n", "")
    (request,) = server.received
    assert request.path == f"/v1/inference/{MODEL}"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    body = request.json
    key = body.pop("prompt_cache_key")
    assert len(key) >= 16
    assert body == {
        "input": "<|im_user|>ChatMessageRole.USER<|im_middle|>Hello!<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|><think>",
        "max_new_tokens": 16384,
        "temperature": 1.0,
        "top_p": 0.95,
        "stop": ["<|im_end|>", "[EOS]"],
        "stream": True,
    }


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("size", [1, 3, 100_000])
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"], ids=["lf", "crlf", "cr"])
def test_every_framing_gives_the_same_answer(framing: str, size: int, end: str) -> None:
    text = ("думаю", "</thi", "nk>", "né\u2028 \U0001f600", "\x85 end\n")
    play = Play(recut(tokens(*text, end=end), size), framing=framing)
    with endpoint(play) as server:
        result = call("ask", "x", "--base-url", server.url, "--show-reasoning")
    assert (result.status, result.out, result.err) == (0, "né\u2028 \U0001f600\x85 end\n", "думаю\n")


def test_standard_input_follows_the_prompt_and_is_sent_exactly() -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        base = ("--base-url", server.url)
        assert call("ask", "Sum up:", *base, stdin=b"a\r\nb\n").status == 0
        assert call("ask", *base, stdin=b"\n only \xff\n").status == 0
        assert call("ask", "alone", *base, stdin=b"").status == 0
    questions = [r.json["input"].split("<|im_middle|>")[1].removesuffix("<|im_end|><|im_assistant|>assistant")
                 for r in server.received]  # fmt: skip
    assert questions == ["Sum up:\n\na\r\nb\n", "\n only \ufffd\n", "alone"]


@pytest.mark.parametrize(("words", "stdin"), [(["ask"], None), (["ask"], b""), (["ask", ""], None), (["ask"], b" \n")])
def test_nothing_to_ask(words: list[str], stdin: bytes | None) -> None:
    result = call(*words, stdin=stdin)
    assert (result.status, result.out) == (2, "")
    assert "nothing to ask" in result.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--set", "temperature=0.5"], {"temperature": 0.5}),
        (["--set", "temperature="], {"temperature": None}),
        (["--set", "top_p=null"], {"top_p": None}),
        (["--set", "stop="], {"stop": None}),
        (["--set", 'stop=["a","b"]'], {"stop": ["a", "b"]}),
        (["--set", "prompt_cache_key="], {"prompt_cache_key": None}),
        (["--set", "user=a=b"], {"user": "a=b"}),
        (["--set", "seed=7", "--set", "top_k=3"], {"seed": 7, "top_k": 3}),
        (["--preset", "endpoint"], {"temperature": None, "top_p": None, "max_new_tokens": None}),
        (["--preset", "endpoint", "--set", "temperature=2"], {"temperature": 2, "top_p": None}),
        (["--no-think"], {"temperature": 0.6}),
        (["--set", "stream=false"], {"stream": False}),
        (["-n", "2"], {"num_responses": 2, "stream": False}),
        (["--regex", "[a-z]+"], {"response_format": {"type": "regex", "regex": "[a-z]+"}}),
        (["--json-object"], {"response_format": {"type": "json_object"}}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_reach_the_body(options: list[str], expected: dict[str, Any]) -> None:
    streams = expected.get("stream", True)
    with endpoint(Play(tokens(*REPLY)) if streams else document("t</think>one", "t</think>two")) as server:
        result = call("ask", "x", "--base-url", server.url, *options)
    assert result.status == 0, result.err
    body = server.received[-1].json  # a format is in the second request of its turn
    assert {name: body.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "options",
    [
        ["--set", "temperature=101"],
        ["--set", "temperature=hot"],
        ["--set", "temperature"],
        ["--set", "tempreture=1"],
        ["--set", "input=x"],
        ["--set", "seed=1.5"],
        ["-n", "5"],
        ["-n", "0"],
        ["-n", "two"],
        ["--preset", "nothing"],
        ["--schema", "/nowhere.json"],
        ["--session", "nothing"],
        ["--session", ""],
        ["--preset", ""],
        ["--schema", ""],
        ["-n", ""],
        ["--model", ""],
        ["--config", ""],
        ["--data-dir", ""],
        ["--theme", ""],
        ["--base-url", "http://example.com/v1"],
        ["--base-url", "ftp://127.0.0.1/v1"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_sent_is_refused_before_the_network(options: list[str]) -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        result = call("ask", "x", "--base-url", server.url, *options)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("kimi-tui: ")
    assert server.received == []


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({"type": "object"}, {"name": "my_schema", "schema": {"type": "object"}}),
        ({"name": "n", "schema": {}, "strict": True}, {"name": "n", "schema": {}, "strict": True}),
    ],
    ids=["bare", "named"],
)
def test_a_schema_is_sent_with_a_name(tmp_path: Path, schema: object, sent: object) -> None:
    path = tmp_path / "my schema.json"
    path.write_text(json.dumps(schema))
    with endpoint(Play(tokens(*REPLY))) as server:
        assert call("ask", "x", "--base-url", server.url, "--schema", str(path)).status == 0
    assert server.received[1].json["response_format"] == {"type": "json_schema", "json_schema": sent}


def test_everything_that_is_wrong_is_told_at_once() -> None:
    result = call("ask", "x", "--demo", "--set", "seed=x", "--set", "stop=a", "--set", "oops", "-n", "0")
    assert (result.status, result.out) == (2, "")
    for words in ("seed: found", "stop: found", "--set oops: FIELD=VALUE", "-n: found 0, allowed a whole number"):
        assert words in result.err


def test_without_a_key_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPINFRA_TOKEN")
    result = call("ask", "x", "--base-url", "http://127.0.0.1:1/v1")
    assert (result.status, result.out) == (2, "")
    assert "DEEPINFRA_TOKEN" in result.err
    assert "--demo" in result.err


def test_json_is_one_object() -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        result = call("ask", "x", "--base-url", server.url, "--json")
    assert (result.status, result.err) == (0, "")
    found = result.json
    timing = found.pop("timing")
    assert set(timing) == {"first_token_s", "thinking_s", "total_s"}
    assert timing["total_s"] >= timing["first_token_s"] >= 0
    assert found == {
        "session": None,
        "model": MODEL,
        "state": "complete",
        "finish_reason": "stop",
        "content": "Sure:\nok",
        "reasoning": "The user asks.",
        "request_id": None,
        "usage": {"input_tokens": 11, "output_tokens": 6, "cost_usd": 0.00025},
    }


def test_stream_json_is_one_event_a_line() -> None:
    with endpoint(Play(tokens("a\u2028", "</think>", "b\x85", "c"))) as server:
        result = call("ask", "x", "--base-url", server.url, "--stream-json")
    assert len(result.out.splitlines()) == len(result.events)
    *deltas, last = result.events
    joined = {part: "".join(e["text"] for e in deltas if e["type"] == part) for part in ("reasoning", "answer")}
    assert joined == {"reasoning": "a\u2028", "answer": "b\x85c"}
    assert (last["type"], last["state"], last["content"]) == ("done", "complete", "b\x85c")


def test_alternatives() -> None:
    play = document("t</think>one", "u</think>two\n", "v</think>three")
    with endpoint(play) as server:
        plain = call("ask", "x", "--base-url", server.url, "-n", "3")
        found = call("ask", "x", "--base-url", server.url, "-n", "3", "--json").json
    assert plain.out == "one\n---\ntwo\n---\nthree\n"
    assert found["content"] == "one"
    assert found["alternatives"] == [
        {"content": "one", "reasoning": "t"},
        {"content": "two\n", "reasoning": "u"},
        {"content": "three", "reasoning": "v"},
    ]


@pytest.mark.parametrize("form", [[], ["--stream-json"]])
def test_an_unstreamed_reply_is_put_out_whole(form: list[str]) -> None:
    with endpoint(document("t</think>one\n")) as server:
        result = call("ask", "x", "--base-url", server.url, "--set", "stream=false", "--show-reasoning", *form)
    assert (result.status, result.err) == (0, "t\n")
    texts = [e["text"] for e in result.events if "text" in e] if form else [result.out]
    assert texts[-1] == "one\n"


CODE = "Look:\n\n```python\nprint('a')\n```\n\n- item\n\n  ~~~~\n  b\n  ```\n  ~~~~\n\nend"


@pytest.mark.parametrize(("option", "expected"), [("-x", "print('a')\n"), ("-x=last", "b\n```\n")])
def test_only_the_code(option: str, expected: str) -> None:
    with endpoint(Play(tokens("</think>", CODE))) as server:
        result = call("ask", option, "x", "--base-url", server.url)
    assert (result.status, result.out, result.err) == (0, expected, "")


def test_code_that_is_markdown_is_given_with_its_own_code() -> None:
    with endpoint(Play(tokens("</think>", "```markdown\n# A\n```sh\nls\n```\nend\n```\nmore"))) as server:
        result = call("ask", "-x", "x", "--base-url", server.url)
    assert (result.status, result.out) == (0, "# A\n```sh\nls\n```\nend\n")


def test_the_code_of_every_reply() -> None:
    fences = [f"```\n{text}\n```" for text in ("one", "two")]
    with endpoint(document(f"hm</think>{fences[0]}", "hm</think>no", f"hm</think>{fences[1]}\n{fences[0]}")) as server:
        result = call("ask", "x", "-n", "3", "-x", "--base-url", server.url)
    assert (result.status, result.out) == (0, "one\n---\ntwo\n")
    assert "1 of 3 replies has no code block" in result.err


def test_a_doubtful_pattern_is_sent_and_told() -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        result = call("ask", "x", "--regex", "[0-9", "--base-url", server.url)
    assert (result.status, server.received[1].json["response_format"]["regex"]) == (0, "[0-9")
    assert result.err.startswith("kimi-tui: --regex: unterminated character set")


def test_input_that_is_not_utf8_is_told() -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        result = call("ask", "--base-url", server.url, stdin=b"ab\xff")
    assert result.status == 0
    assert "not UTF-8 (byte 2)" in result.err


def test_no_code_to_extract() -> None:
    with endpoint(Play(tokens("</think>", "plain"))) as server:
        result = call("ask", "x", "-x", "--base-url", server.url)
    assert (result.status, result.out) == (1, "")
    assert "no code block" in result.err


@pytest.mark.parametrize(
    ("play", "told"),
    [
        (Play(tokens("</think>", "part", finish_reason="length")), "max_new_tokens"),
        (Play(tokens("only thinking")), "inside its thinking"),
        (Play(tokens("hm", "</think>")), "after its thinking: there is no answer (the endpoint says: stop)"),
        (
            Play(tokens("hm", "</think>", finish_reason="content_filter")),
            "was ended by content_filter after its",
        ),
        (Play(tokens()), "the reply is empty (the endpoint says: stop)"),
        (document(inference_status={"status": "queued"}, results=[]), "webhook"),
    ],
    ids=["length", "thinking", "no answer", "filter", "empty", "queued"],
)
def test_unusual_ends_are_told_and_are_no_failure(play: Play, told: str) -> None:
    webhook = ["--set", "webhook=https://example.com/hook"] if told == "webhook" else []
    with endpoint(play) as server:
        result = call("ask", "x", "--base-url", server.url, *webhook)
    assert result.status == 0
    assert told in result.err


def test_what_is_kept_of_a_failure_is_told_where_it_is() -> None:
    broken = Play(tokens("</think>", "half")[:2])
    with endpoint(broken, broken, Play([b"{}"], status=500)) as server:
        base = ("--base-url", server.url)
        assert "kept" not in call("ask", "x", *base).err
        assert "What arrived is kept in session " in call("ask", "x", "--save", *base).err
        assert "The question is kept in session " in call("ask", "x", "--save", *base).err


def test_what_is_refused_for_its_size_leaves_no_session(store: SessionFiles, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[api]\ncontext_tokens = 10\n")
    result = call("ask", "x" * 1000, "--save", "--json", "--demo")
    assert (result.status, result.json["session"], result.json["error"]["kind"]) == (1, None, "too-large")
    assert store.list().summaries == ()
    assert "saved as" not in result.err


@pytest.mark.parametrize("refused", [(1,), (2,), (1, 2)], ids=["question", "reply", "both"])
def test_what_could_not_be_written_is_not_called_saved(
    store: SessionFiles, monkeypatch: pytest.MonkeyPatch, refused: tuple[int, ...]
) -> None:
    real, calls = SessionFiles.save_now, itertools.count(1)

    def save_now(self: SessionFiles, session: Session) -> None:
        if next(calls) in refused:
            raise StorageError("The disk is full.")
        real(self, session)

    monkeypatch.setattr(SessionFiles, "save_now", save_now)
    with endpoint(Play(tokens("</think>", "yes"))) as server:
        result = call("ask", "x", "--save", "--base-url", server.url)
    is_lost = 2 in refused
    assert (result.status, result.out) == (1 if is_lost else 0, "yes\n")
    assert result.err.count("The disk is full.") == 1
    assert ("saved as session" in result.err) is not is_lost
    assert ("holds the question without its reply" in result.err) is (refused == (2,))
    assert len(store.list().summaries) == (refused != (1, 2))


ERROR_FRAME = {"error_type": "overloaded", "error_message": "no room"}


@pytest.mark.parametrize(
    ("play", "state", "status", "content"),
    [
        (Play([b'{"detail":{"error":"no funds"}}'], status=402), "failed", 402, ""),
        (Play([b"<html>"], status=502), "failed", 502, ""),
        (Play(sse(ERROR_FRAME)), "failed", None, ""),
        (Play([*tokens("</think>", "half")[:2], *sse(ERROR_FRAME)]), "failed", None, "half"),
        (Play(tokens("</think>", "half")[:2]), "interrupted", None, "half"),
        (Play(tokens("</think>", "half")[:2], is_cut=True), "interrupted", None, "half"),
    ],
    ids=["402", "502", "error-frame", "late-error-frame", "just-ends", "cut"],
)
def test_failures_keep_what_came(play: Play, state: str, status: int | None, content: str) -> None:
    with endpoint(play) as server:
        plain = call("ask", "x", "--base-url", server.url)
        whole = call("ask", "x", "--base-url", server.url, "--json")
        events = call("ask", "x", "--base-url", server.url, "--stream-json").events
    assert (plain.status, whole.status) == (1, 1)
    assert plain.out == (f"{content}\n" if content else "")
    assert plain.err.startswith("kimi-tui: ")
    found = whole.json
    assert (found["state"], found["content"], found["error"]["status"]) == (state, content, status)
    assert set(found["error"]) == {"kind", "summary", "hint", "status"}
    assert (events[-1]["type"], events[-1]["state"]) == ("error", state)
    assert KEY not in plain.err + whole.out + whole.err


def test_a_failure_without_text_names_its_request_and_what_it_cost() -> None:
    with endpoint(document(request_id="rq", inference_status={"status": "failed", "cost": 0.25}, results=[])) as server:
        found = call("ask", "x", "--base-url", server.url, "--json").json
    assert (found["state"], found["request_id"], found["usage"]["cost_usd"]) == ("failed", "rq", 0.25)


def test_a_refused_connection_is_a_failure() -> None:
    result = call("ask", "x", "--base-url", "http://127.0.0.1:1/v1", "--json")
    assert result.status == 1
    assert result.json["error"]["kind"] == "connection"


def test_a_retry_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[api]\nretries = 1\n")
    busy = Play([b"{}"], status=429, headers={"retry-after": "0"})
    with endpoint(busy, Play(tokens(*REPLY))) as server:
        result = call("ask", "x", "--base-url", server.url)
    assert (result.status, result.out) == (0, "Sure:\nok\n")
    assert "Trying again" in result.err


def test_saving_and_continuing(store: SessionFiles) -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        base = ("--base-url", server.url)
        first = call("ask", "One", "--save", "-s", "Be kind.", *base)
        session = only_session(store)
        second = call("ask", "Two", "--session", session.id, "--json", "--model", "other/model", *base)
    assert session.id in first.err
    assert (session.title, session.system, session.model) == ("One", "Be kind.", MODEL)
    assert [m.state for m in session.messages] == [None, MessageState.COMPLETE]
    assert (second.status, second.json["session"]) == (0, session.id)
    after = only_session(store)
    assert [m.content for m in after.messages] == ["One", "Sure:\nok", "Two", "Sure:\nok"]
    assert (after.model, after.messages[-1].model) == (MODEL, "other/model")
    assert server.received[1].path.endswith("/other/model")
    assert server.received[1].json["input"].count("Sure:\nok") == 1
    assert server.received[0].json["prompt_cache_key"] == server.received[1].json["prompt_cache_key"]


def test_what_is_left_out_is_told_and_kept_with_the_reply(store: SessionFiles, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[api]\ncontext_tokens = 110\n[chat]\nover_budget = "leave-out"\n')
    with endpoint(Play(tokens(*REPLY))) as server:
        base = ("--base-url", server.url)
        assert "not sent" not in call("ask", "One " * 60, "--save", *base).err.lower()
        session = only_session(store)
        second = call("ask", "Two " * 30, "--session", session.id, "--json", *base)
    assert (second.status, second.json["content"]) == (0, "Sure:\nok")
    assert "Not sent, for want of room: 2 older messages." in second.err
    assert "One " not in server.received[1].json["input"]
    stored = only_session(store)
    assert stored.messages[-1].left_out == ("m1", "m2")
    assert past_prompt(stored, stored.messages[-1].id) == server.received[1].json["input"]


def test_only_the_system_prompt_is_stored(store: SessionFiles) -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        base = ("--base-url", server.url)
        call("ask", "One", "--save", *base)
        id_ = only_session(store).id
        call("ask", "Two", "--session", id_, "-s", "New.", "--no-think", "--set", "seed=1", *base)
        call("ask", "Three", "--session", id_, *base)
    assert only_session(store).system == "New."
    last = server.received[-1].json
    assert "seed" not in last
    assert last["input"].endswith("<think>")


def test_a_failed_question_is_kept_and_the_next_one_is_its_alternative(store: SessionFiles) -> None:
    with endpoint(Play([b"{}"], status=400), Play(tokens(*REPLY))) as server:
        assert call("ask", "One", "--save", "--base-url", server.url).status == 1
        session = only_session(store)
        assert [m.content for m in session.messages] == ["One"]
        assert call("ask", "Again", "--session", session.id, "--base-url", server.url).status == 0
    assert [m.parent for m in only_session(store).messages] == [None, None, "m2"]
    assert "One" not in server.received[-1].json["input"]


def test_a_held_session_is_refused(store: SessionFiles) -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        call("ask", "One", "--save", "--base-url", server.url)
        session = only_session(store)
        with SessionLock(store.path_of(session), "window"):
            result = call("ask", "Two", "--session", session.id, "--base-url", server.url)
    assert (result.status, result.out) == (2, "")
    assert "window" in result.err
    assert len(server.received) == 1


def test_a_newer_programs_session_is_refused(store: SessionFiles) -> None:
    with endpoint(Play(tokens(*REPLY))) as server:
        call("ask", "One", "--save", "--base-url", server.url)
        path = store.find()
        path.write_text(path.read_text().replace("version = 1", "version = 2", 1))
        before = path.read_bytes()
        result = call("ask", "Two", "--session", path.stem, "--base-url", server.url)
    assert (result.status, result.out) == (2, "")
    assert "version 2 of the session file" in result.err
    assert len(server.received) == 1
    assert path.read_bytes() == before
    SessionLock(path).acquire()  # nobody holds it


def test_a_reply_that_cannot_be_saved_is_printed_all_the_same(
    store: SessionFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kimi_tui.core.errors import StorageError  # noqa: PLC0415

    def refuse(self: SessionFiles, session: Session) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(SessionFiles, "save_now", refuse)
    with endpoint(Play(tokens(*REPLY))) as server:
        result = call("ask", "One", "--save", "--base-url", server.url)
    assert (result.status, result.out) == (1, "Sure:\nok\n")
    assert "The disk is full." in result.err


def test_a_bad_config_is_refused_with_every_finding(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[api]\nretries = 9\n\n[sampling]\ntemperature = "hot"\n')
    result = call("ask", "x", "--base-url", "http://127.0.0.1:1/v1")
    assert (result.status, result.out) == (2, "")
    assert f"{config}:2: api.retries: found 9" in result.err
    assert f"{config}:5: sampling.temperature" in result.err


def test_a_terminal_gets_no_control_characters() -> None:
    with endpoint(Play(tokens("\x1b[2J", "</think>", "a\x1b]52;c;eA==\x07b\x9b"))) as server:
        shown = call("ask", "x", "--base-url", server.url, "--show-reasoning", terminal=True)
        piped = call("ask", "x", "--base-url", server.url)
    assert not {"\x1b", "\x07", "\x9b"} & set(shown.out + shown.err)
    assert piped.out == "a\x1b]52;c;eA==\x07b\x9b\n"


def test_the_demo_answers_without_key_and_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPINFRA_TOKEN")
    result = call("ask", "hello", "--demo", "--json", "--set", "max_new_tokens=20")
    assert result.status == 0, result.err
    assert result.json["content"] or result.json["reasoning"]
