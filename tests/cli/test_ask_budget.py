"""`ask --thinking-budget`: the thinking ends by itself, and the answer follows in the same reply."""

from __future__ import annotations

from pathlib import Path

import pytest

from kimi_tui.adapters.store.session_files import SessionFiles
from tests.cli.calls import call
from tests.cli.loopback import Play, endpoint, tokens

pytestmark = pytest.mark.usefixtures("places")


THOUGHT = ("One", " is", " so.", " Two", " is", " not", " so")


def test_tokens_are_counted_and_a_broken_sentence_is_taken_back(tmp_path: Path) -> None:
    thinking = Play(tokens(*THOUGHT, done=False)[:-1], holds=True)
    with endpoint(thinking, Play(tokens("Yes", "."))) as server:
        result = call(
            "ask", "?", "--save", "--thinking-budget", "5", "--base-url", server.url, "--set", "max_new_tokens=99"
        )
    assert (result.status, result.out) == (0, "Yes.\n")
    first, second = (request.json for request in server.received)
    assert second["input"] == first["input"] + "One is so.</think>"
    assert (first["max_new_tokens"], second["max_new_tokens"]) == (99, 92)
    (summary,) = SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash").list().summaries
    reply = (
        SessionFiles(tmp_path / "data" / "sessions", tmp_path / "data" / "trash")
        .read_only(Path(summary.path))
        .messages[-1]
    )
    assert (reply.reasoning, reply.content, reply.thinking_end) == ("One is so.", "Yes.", "budget")
    assert reply.cut_tail == " Two is not so"
    assert [(r.kind, r.is_estimated, r.usage.output_tokens) for r in reply.requests] == [
        ("reply", True, 7), ("answer", False, 2)
    ]  # fmt: skip


def test_nothing_is_thought_with_a_budget_of_0() -> None:
    with endpoint(Play(tokens("Yes."))) as server:
        result = call("ask", "?", "--thinking-budget", "0", "--base-url", server.url)
    assert (result.status, result.out, len(server.received)) == (0, "Yes.\n", 1)
    assert server.received[0].json["input"].endswith("<think></think>")


def test_whole_sentences_can_be_left_alone_by_a_setting(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[chat]\nwhole_sentences = false\nthinking_budget = 5\n")
    thinking = Play(tokens(*THOUGHT, done=False)[:-1], holds=True)
    with endpoint(thinking, Play(tokens("Yes."))) as server:
        assert call("ask", "?", "--base-url", server.url).status == 0
    assert server.received[1].json["input"].endswith("One is so. Two is</think>")


def test_a_budget_does_nothing_in_instant_mode_or_once_the_block_is_closed() -> None:
    with endpoint(Play(tokens("a", "b", "c"))) as server:
        assert call("ask", "?", "--no-think", "--thinking-budget", "1", "--base-url", server.url).out == "abc\n"
    with endpoint(Play(tokens("x", "</think>", "a", "b", "c"))) as server:
        assert call("ask", "?", "--thinking-budget", "2", "--base-url", server.url).out == "abc\n"


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        (["-n", "2"], "Leave out -n or num_responses."),
        (["--set", "stream=false"], "Leave out stream = false."),
        (["--set", "webhook=https://example.org/h"], "Leave out the webhook."),
        (["-n", "2", "--set", "webhook=https://example.org/h"], "Leave out -n or num_responses and the webhook."),
    ],
)
def test_what_is_not_streamed_has_no_budget(more: list[str], advice: str) -> None:
    result = call("ask", "?", "--thinking-budget", "5", *more, "--base-url", "http://127.0.0.1:1")
    assert (result.status, "streamed" in result.err, advice in result.err) == (2, True, True)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "20m", "s", "0s", "9999999", "999999s", "five"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    result = call("ask", "?", f"--thinking-budget={text}", "--base-url", "http://127.0.0.1:1")
    assert (result.status, "--thinking-budget" in result.err) == (2, True)
