"""`ask --prefill` and `--think-prefill`: the reply begins with words of the user's, as the endpoint receives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.core.session.session import MessageState
from kimi_tui.core.session.written import CONTENT, REASONING, Begun, WrittenRange
from tests.cli.calls import call
from tests.cli.loopback import Play, document, endpoint, tokens
from tests.cli.test_ask_continue import last_message

pytestmark = pytest.mark.usefixtures("places")

QUESTION = "<|im_user|>ChatMessageRole.USER<|im_middle|>Lamb?<|im_end|><|im_assistant|>assistant<|im_middle|>"
HARD = 'Sure 👍🏽:\r\n```sh\n<|im_end|></think> <think>"[EOS]'
HARMLESS = 'Sure 👍🏽:\r\n```sh\n<\u2060|im_end|><\u2060/think> <\u2060think>"[\u2060EOS]'


@pytest.mark.parametrize(("text", "sent"), [("Dear reader,\n", "Dear reader,\n"), (HARD, HARMLESS)])
def test_the_answer_begins_so_and_nothing_is_thought(tmp_path: Path, text: str, sent: str) -> None:
    with endpoint(Play(tokens(" <think>roast", " it.</think>"))) as server:
        done = call("ask", "Lamb?", "--save", "--prefill", text, "--base-url", server.url)
    assert (done.status, done.out) == (0, f"{text} <think>roast it.</think>\n")
    (request,) = server.received
    assert request.json["input"] == f"{QUESTION}<think></think>{sent}"
    assert request.json["temperature"] == 0.6
    reply = last_message(tmp_path)
    assert (reply.content, reply.reasoning, reply.thinking) == (f"{text} <think>roast it.</think>", None, False)
    assert (reply.written, reply.begun) == ((WrittenRange(CONTENT, 0, len(text)),), Begun(content=len(text)))
    assert (reply.state, reply.requests) == (MessageState.COMPLETE, ())


@pytest.mark.parametrize(("text", "sent"), [("First, the heat.", "First, the heat."), (HARD, HARMLESS)])
def test_the_thinking_begins_so(tmp_path: Path, text: str, sent: str) -> None:
    with endpoint(Play(tokens(" Then", " rest.", "</think>", "Roast", " it."))) as server:
        base = ("--base-url", server.url)
        done = call("ask", "Lamb?", "--save", "--think-prefill", text, *base, "--show-reasoning")
    assert (done.status, done.out) == (0, "Roast it.\n")
    assert f"{text.replace(chr(13), '')} Then rest." in done.err.replace("\r", "")
    (request,) = server.received
    assert request.json["input"] == f"{QUESTION}<think>{sent}"
    assert request.json["temperature"] == 1.0
    reply = last_message(tmp_path)
    assert (reply.reasoning, reply.content, reply.thinking) == (f"{text} Then rest.", "Roast it.", True)
    assert (reply.written, reply.begun) == ((WrittenRange(REASONING, 0, len(text)),), Begun(len(text)))


def test_half_a_mark_of_the_users_stays_text(tmp_path: Path) -> None:
    with endpoint(Play(tokens("ink> so", "</think>", "Yes")), Play(tokens("."))) as server:
        base = ("--base-url", server.url)
        call("ask", "Lamb?", "--save", "--think-prefill", "A </th", "--set", "max_new_tokens=9", *base)
    reply = last_message(tmp_path)
    assert (reply.reasoning, reply.content) == ("A </think> so", "Yes")


REST = "Then </think>Roast </think> 👍🏽 it."


@pytest.mark.parametrize("place", range(1, len(REST)))
def test_cut_anywhere_behind_a_start_and_gone_on_with_it_is_the_uncut_reply(tmp_path: Path, place: int) -> None:
    with endpoint(Play(tokens(*REST)[:place], is_cut=True), Play(tokens(*REST[place:]))) as server:
        base = ("--base-url", server.url)
        first = call("ask", "Lamb?", "--save", "--think-prefill", f"{HARD} ", *base)
        second = call("ask", "--continue", *base)
    assert (first.status, second.status) == (1, 0)
    reply = last_message(tmp_path)
    assert (reply.reasoning, reply.content) == (f"{HARD} Then ", "Roast </think> 👍🏽 it.")
    assert reply.written == (WrittenRange(REASONING, 0, len(HARD) + 1),)
    one, two = (request.json["input"] for request in server.received)
    assert two == one + REST[:place]


def test_events_and_the_object_hold_the_whole_and_an_unstreamed_reply_too(tmp_path: Path) -> None:
    with endpoint(Play(tokens(" it.")), document(" it.", " this.")) as server:
        base = ("--base-url", server.url, "--prefill", "Roast")
        events = call("ask", "Lamb?", *base, "--stream-json").events
        assert "".join(event["text"] for event in events[:-1]) == events[-1]["content"] == "Roast it."
        both = call("ask", "Lamb?", *base, "-n", "2", "--json").json
    assert [each["content"] for each in both["alternatives"]] == ["Roast it.", "Roast this."]


def test_a_failure_prints_nothing_and_keeps_the_question(tmp_path: Path) -> None:
    with endpoint(Play([b"{}"], status=402, content_type="application/json")) as server:
        done = call("ask", "Lamb?", "--save", "--prefill", "Roast", "--base-url", server.url)
    assert (done.status, done.out) == (1, "")
    assert last_message(tmp_path).content == "Lamb?"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--prefill", ""), "--prefill"),
        (("--prefill", " \n"), "--prefill"),
        (("--think-prefill", ""), "--think-prefill"),
        (("--think-prefill", "x", "--no-think"), "--no-think"),
        (("--think-prefill", "x", "--prefill", "y"), "--prefill"),
    ],
)
def test_what_contradicts_itself_is_refused(options: tuple[str, ...], word: str) -> None:
    done = call("ask", "Lamb?", *options)
    assert done.status == 2
    assert word in done.err


@pytest.mark.parametrize("option", ["--prefill", "--think-prefill"])
def test_beside_continue_it_is_refused(option: str) -> None:
    done = call("ask", "--continue", option, "x")
    assert done.status == 2
    assert option in done.err
