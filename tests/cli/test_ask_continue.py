"""`ask --continue`: a reply that broke off is gone on with, in the same message, from exactly where it broke."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from kimi_tui.core.session.session import Message, MessageState
from tests.cli.calls import call
from tests.cli.loopback import Play, document, endpoint, tokens

pytestmark = pytest.mark.usefixtures("places")

WHOLE = "I </think>Roast 👍🏽 it:\r\n```sh\nls\n```\n| a | b |</think> <think>é"


def last_message(tmp_path: Path) -> Message:
    store = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")
    (summary,) = store.list().summaries
    return store.read_only(Path(summary.path)).messages[-1]


def cut_after(chars: int) -> Play:
    return Play(tokens(*WHOLE)[:chars], is_cut=True)


@pytest.mark.parametrize("place", range(1, len(WHOLE)))
def test_cut_anywhere_and_gone_on_with_it_is_the_uncut_reply(tmp_path: Path, place: int) -> None:
    with endpoint(cut_after(place), Play(tokens(*WHOLE[place:]))) as server:
        base = ("--base-url", server.url)
        first = call("ask", "Lamb?", "--save", *base, "--show-reasoning")
        second = call("ask", "--continue", *base, "--show-reasoning", stdin=b"not read")
    assert (first.status, second.status) == (1, 0)
    reply = last_message(tmp_path)
    reasoning, _, content = WHOLE.partition("</think>")
    assert (reply.reasoning, reply.content, reply.state) == (reasoning, content, MessageState.COMPLETE)
    one, two = (request.json["input"] for request in server.received)
    assert two == one + WHOLE[:place]
    assert [(record.kind, record.is_estimated) for record in reply.requests] == [("reply", True), ("continue", False)]


def cut_session(tmp_path: Path, *options: str) -> None:
    with endpoint(cut_after(len("I </think>Roast"))) as server:
        call("ask", "Lamb?", "--save", "--base-url", server.url, *options)


def test_plain_output_and_events_hold_only_what_is_new_the_object_the_whole(tmp_path: Path) -> None:
    cut_session(tmp_path)
    with endpoint(cut_after(0), Play(tokens(" it", finish_reason="length")), Play(tokens("."))) as server:
        base = ("--base-url", server.url)
        assert call("ask", "--continue", *base).out == ""
        events = call("ask", "--continue", *base, "--stream-json").events
        assert [event["text"] for event in events[:-1]] == [" it"]
        assert (events[-1]["content"], events[-1]["usage"]["input_tokens"]) == ("Roast it", 11)
        whole = call("ask", "--continue", *base, "--json").json
    assert (whole["content"], whole["usage"]["input_tokens"]) == ("Roast it.", 22)


def test_what_comes_unstreamed_is_joined_too(tmp_path: Path) -> None:
    cut_session(tmp_path)
    with endpoint(document(" it.")) as server:
        result = call("ask", "--continue", "--base-url", server.url, "--set", "stream=false")
    assert (result.status, result.out) == (0, " it.\n")
    assert last_message(tmp_path).content == "Roast it."


def test_the_requests_are_of_the_mode_that_the_reply_began_in(tmp_path: Path) -> None:
    cut_session(tmp_path, "--no-think")
    with endpoint(Play(tokens(" it."))) as server:
        assert call("ask", "--continue", "--base-url", server.url).status == 0
    assert server.received[0].json["temperature"] == 0.6
    assert server.received[0].json["input"].endswith("<think></think>I </think>Roast")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["Hello"], "PROMPT"),
        (["-s", "Be brief."], "-s"),
        (["-n", "2"], "-n"),
        (["--set", "num_responses=2"], "-n"),
        (["--no-think"], "--no-think"),
    ],
)
def test_what_asks_for_another_reply_is_refused(tmp_path: Path, options: list[str], word: str) -> None:
    cut_session(tmp_path)
    result = call("ask", "--continue", *options, "--base-url", "http://127.0.0.1:1")
    assert result.status == 2
    assert f"takes no {word}." in result.err


def test_a_whole_reply_and_a_question_are_refused(tmp_path: Path) -> None:
    with endpoint(Play(tokens(*WHOLE)), Play([b""], status=500)) as server:
        base = ("--base-url", server.url)
        assert "no session" in call("ask", "--continue", *base).err.lower()
        call("ask", "Lamb?", "--save", *base)
        result = call("ask", "--continue", *base)
        assert (result.status, "it ended by itself" in result.err) == (2, True)
        (summary,) = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash").list().summaries
        assert f"Nothing was sent. `kimi-tui ask --session {summary.id} " in result.err
        named = call("ask", "--continue", "--session", "Lamb?", *base)
        assert "`kimi-tui ask --session 'Lamb?' " in named.err
        call("ask", "More?", "--session", summary.id, *base)
        result = call("ask", "--continue", *base)
        assert (result.status, "ends with a question that has no reply" in result.err) == (2, True)
        assert f"Nothing was sent. `kimi-tui -r {summary.id}` opens it, and /regenerate there asks again." in result.err
    assert len(server.received) == 2


def test_the_object_says_that_a_sum_is_partial(tmp_path: Path) -> None:
    with endpoint(cut_after(5), Play(tokens(WHOLE[5:])), Play(tokens("Yes."))) as server:
        base = ("--base-url", server.url)
        cut = call("ask", "Lamb?", "--save", "--json", *base).json
        assert cut["usage"] == {"input_tokens": None, "output_tokens": 5, "cost_usd": None, "estimated": True}
        gone_on = call("ask", "--continue", "--json", *base).json
        assert gone_on["usage"]["estimated"] is True
        assert "estimated" not in call("ask", "And?", "--json", *base).json["usage"]


@pytest.mark.parametrize("failure", [Play([b'{"detail":"no"}'], status=400, content_type="application/json")])
def test_what_fails_before_any_text_tells_the_reply_as_it_was(tmp_path: Path, failure: Play) -> None:
    with endpoint(cut_after(len("I </think>```\nls\n```\nRo")), failure, failure, failure, failure) as server:
        base = ("--base-url", server.url)
        call("ask", "Lamb?", "--save", *base)
        before = last_message(tmp_path)
        report = call("ask", "--continue", *base, "--json")
        events = call("ask", "--continue", *base, "--stream-json").events
        plain = call("ask", "--continue", *base)
        block = call("ask", "--continue", *base, "-x")
    assert (before.reasoning, last_message(tmp_path)) == ("I ", before)
    for told in (report.json, events[-1]):
        assert (told["content"], told["reasoning"], told["state"]) == (before.content, "I ", "failed")
        assert told["usage"]["estimated"] is True
        assert told["error"]["status"] == 400
    assert (plain.status, plain.out, block.status) == (1, "", 1)
    assert "as it was. `kimi-tui ask --continue` goes on with it." in plain.err
