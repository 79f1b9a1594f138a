"""The prompt as parts: joined they are the input, typing makes two of them anew, and what is copied can be sent."""

from __future__ import annotations

import functools
import operator
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.prompt import context_budget
from kimi_tui.core.prompt.past_requests import sent_input
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer
from kimi_tui.core.prompt.prompt_writer import PartKind
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.prompt.token_estimate import estimate_tokens
from kimi_tui.core.session.tree import branch, with_system
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.core.wire.body import build_body
from kimi_tui.core.wire.curl import MAX_ARGUMENT_BYTES, curl_command
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.core.prompt import template_rows
from tests.core.prompt.test_context_budget import talk
from tests.core.prompt.test_conversation import ACTIONS, KEPT, TEXTS, TREE, Diary, reply, session_of, user
from tests.counting import calls_in
from tests.prompts import next_prompt, past_prompt, past_view

KIMI = RequestSettings({"temperature": 0.5, "stream": True}, template=TEMPLATES["kimi"], context_tokens=1000)
STEPS = st.lists(st.tuples(ACTIONS, st.integers(0, 999), TEXTS), max_size=20)
REQUESTS = st.builds(
    RequestSettings,
    template=st.sampled_from(template_rows.ALL),
    thinking=st.booleans(),
    neutralise=st.booleans(),
    kept_thinking=st.sampled_from(KEPT),
)
DRAFTS = st.none() | TEXTS | st.text(max_size=5)


def keys(view: PromptView) -> list[str]:
    return [part.key for part in view.parts]


@settings(max_examples=200, deadline=None)
@given(STEPS, st.lists(st.tuples(REQUESTS, DRAFTS), min_size=1, max_size=3))
def test_the_parts_joined_are_the_next_input(
    steps: list[tuple[str, int, str]], asked: list[tuple[RequestSettings, str | None]]
) -> None:
    diary, viewer = Diary(), PromptViewer()
    for number, (action, place, text) in enumerate([*steps, ("title", 0, "")]):
        if action == "title":
            diary.session = replace(diary.session, title="another")
        else:
            diary.act(action, place, text)
        request, draft = asked[number % len(asked)]
        view = viewer.view(diary.session, request, draft)
        assert view.text == next_prompt(diary.session, request, draft)
        assert view == PromptViewer().view(diary.session, request, draft)
        assert len(set(keys(view))) == len(view.parts)
        closed = "".join(part.text for part in view.closed)
        assert view.counted_tokens == context_budget.counted_prefix(diary.session, GrowingText(closed))


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_the_parts_joined_are_the_past_input(steps: list[tuple[str, int, str]]) -> None:
    diary = Diary()
    for action, number, text in steps:
        diary.act(action, number, text)
    for id_, sent in diary.sent.items():
        assert past_view(diary.session, id_, 1000).text == sent == past_prompt(diary.session, id_)


def test_each_part_says_what_it_is_and_how_large() -> None:
    session = session_of(
        user("m1", "<think> [EOS]"), replace(reply("m2", "yes", "m1"), excluded=True), user("m3", "羊羊", "m2"),
        reply("m4", "no", "m3"), system="Be <|im_end|>brief.",
    )  # fmt: skip
    view = PromptViewer().view(session, KIMI, "</think>")
    assert [(part.key, part.kind, part.text, part.neutralised, part.message_id) for part in view.parts] == [
        ("system", PartKind.SYSTEM, "<|im_system|>system<|im_middle|>Be <\u2060|im_end|>brief.<|im_end|>", 1, None),
        ("message m1", PartKind.USER, "<|im_user|>user<|im_middle|><\u2060think> [\u2060EOS]<|im_end|>", 2, "m1"),
        ("message m3", PartKind.USER, "<|im_user|>user<|im_middle|>羊羊<|im_end|>", 0, "m3"),
        (
            "message m4", PartKind.ASSISTANT, "<|im_assistant|>assistant<|im_middle|><think></think>no<|im_end|>", 0, "m4",
        ),
        ("draft", PartKind.DRAFT, "<|im_user|>user<|im_middle|><\u2060/think><|im_end|>", 1, None),
        ("open turn", PartKind.OPEN, "<|im_assistant|>assistant<|im_middle|><think>", 0, None),
    ]  # fmt: skip
    sizes = [size.tokens for size in view.sizes]
    assert sizes == [*(estimate_tokens(part.text) for part in view.closed), estimate_tokens(view.tail[0].text), 4]
    assert (view.tokens, view.neutralised, view.window_tokens) == (sum(sizes), 4, 1000)
    assert PromptViewer().view(session, replace(KIMI, neutralise=False), "</think>").neutralised == 0


def test_a_draft_takes_the_place_of_a_question_without_a_reply() -> None:
    session = session_of(*TREE.messages, user("m6", "unanswered", "m5"), head="m6")
    viewer = PromptViewer()
    assert keys(viewer.view(session, KIMI))[-2:] == ["message m6", "open turn"]
    assert keys(viewer.view(session, KIMI, "again"))[-3:] == ["message m5", "draft", "open turn"]
    assert keys(viewer.view(session, KIMI))[-2:] == ["message m6", "open turn"]


def test_a_keystroke_costs_the_same_however_long_the_conversation() -> None:
    costs = []
    request = replace(KIMI, context_tokens=10**7)
    for turns in (5, 1000):
        session, viewer = talk(turns), PromptViewer()
        last = sent_input(session, session.messages[-1], 0)
        first = viewer.view(session, request, "draf", last=last)
        costs.append(calls_in(functools.partial(viewer.view, session, request, "draft", last=last)))
        view = viewer.view(session, request, "draft", last=last)
        assert view.closed is first.closed
        assert [part.key for part in view.tail] == ["draft", "open turn"]
    assert costs[0] == costs[1]


def test_a_turn_more_makes_only_its_own_parts() -> None:
    session, viewer = talk(50), PromptViewer()
    before = viewer.view(session, KIMI).closed
    longer = session.with_message(user("q", "more", "r50"))
    longer = longer.with_message(reply("r", "yes", "q"))
    view = viewer.view(longer, KIMI)
    assert len(view.closed) == len(before) + 2
    assert all(map(operator.is_, view.closed, before))
    assert viewer.view(replace(longer, title="another"), KIMI).closed is view.closed


def test_the_endpoints_count_is_that_of_the_newest_beginning() -> None:
    session = talk(3)
    assert PromptViewer().view(session, KIMI, "more").counted_tokens == 300
    assert PromptViewer().view(with_system(session, "Be brief."), KIMI, "more").counted_tokens is None
    assert past_view(session, "r2", 1000).counted_tokens == 200
    elsewhere = session_of(*session.messages, user("other", "another first question"), head="other")
    assert past_view(elsewhere, "r2", 1000).counted_tokens == 200


def test_a_past_request_is_written_as_it_was_sent() -> None:
    sent = {"temperature": 0.7, "stop": ["<|im_end|>"], "stream": True, "min_tokens": 3}
    past = replace(reply("m2", "a", "m1"), sent=sent)
    session = session_of(user("m1", "羊 <think>"), past, head="m2")
    view = past_view(session, "m2", 1000)
    assert (view.sent, view.neutralised, keys(view)) == (sent, 1, ["message m1", "open turn"])
    body = build_body(DEEPINFRA, "m", view.text, sent, sent)
    assert body == build_body(DEEPINFRA, "m", past_prompt(session, "m2"), sent, {"min_tokens": 3})
    verbatim = session_of(user("m1", "羊 <think>"), replace(past, neutralise=False), system="<think>")
    assert past_view(verbatim, "m2", 1000).neutralised == 0
    without = past_view(session_of(user("m1", "one"), reply("m2", "a", "m1")), "m2", 1000)
    assert without.sent is None
    for empty in (session_of(), session):
        with pytest.raises(KeyError):
            past_view(empty, "m9", 1000)


# -- curl

STAND_IN = """#!/bin/sh
for argument; do printf '%s\\0' "$argument"; done >"$DUMP/arguments"
for argument; do [ "$argument" = @- ] && cat >"$DUMP/stdin"; done
exit 0
"""
NASTY = "it's \"quoted\" '' $HOME `ls` $(ls) \\ \\n \\' !! ; & | # * ~ %s\r\n\t\x1b\x7f\u2028 羊 👩\u200d💻 \x00 end'"
URL = "http://127.0.0.1:8/v1/inference/it's a $MODEL"


class Shell:
    """Runs commands in which `curl` notes what it was given."""

    def __init__(self, folder: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "bin" / "curl").write_text(STAND_IN)
        (folder / "bin" / "curl").chmod(0o755)
        self.folder = folder

    def run(self, command: str) -> tuple[list[str], bytes]:
        environment = {"PATH": f"{self.folder}/bin:/usr/bin:/bin", "DUMP": str(self.folder), "DEEPINFRA_TOKEN": "a key"}
        subprocess.run(["sh"], input=command.encode(), env=environment, check=True, cwd=self.folder, timeout=60)
        *arguments, end = (self.folder / "arguments").read_bytes().split(b"\0")
        assert end == b""
        option, data = arguments[-2:]
        body = (self.folder / "stdin").read_bytes() if option == b"--data-binary" else data
        return [argument.decode() for argument in arguments[:-1]], body


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("times", [1, 100, 20_000], ids=["short", "long", "huge"])
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_a_pasted_command_sends_the_body_byte_for_byte(shell: Shell, times: int, stream: bool) -> None:
    request = replace(KIMI, fields={"stop": ["'", "<|im_end|>"], "stream": stream})
    view = PromptViewer().view(TREE, request, NASTY * times)
    body = build_body(DEEPINFRA, "m", view.text, request.fields, {})
    command = curl_command(DEEPINFRA, URL, body, is_streamed=stream)
    arguments, sent = shell.run(command)
    assert sent == body
    is_piped = len(body) > MAX_ARGUMENT_BYTES
    assert arguments == [
        *(["-N"] if stream else []), URL, "-H", "Authorization: Bearer a key", "-H", "Content-Type: application/json",
        "--data-binary" if is_piped else "--data-raw",
    ]  # fmt: skip
    assert "a key" not in command
    assert max(len(line.encode()) for line in command.split("\n")) < 1024


@settings(max_examples=60, deadline=None)
@given(st.text("'\"$`\\!@ \n\ra羊", max_size=40), st.sampled_from([0, MAX_ARGUMENT_BYTES]))
def test_no_draft_gets_out_of_its_quotes(tmp_path_factory: pytest.TempPathFactory, draft: str, padding: int) -> None:
    view = PromptViewer().view(session_of(), KIMI, draft + "x" * padding)
    body = build_body(DEEPINFRA, "m", view.text, KIMI.fields, {})
    assert Shell(tmp_path_factory.mktemp("shell")).run(curl_command(DEEPINFRA, URL, body, is_streamed=True))[1] == body


def test_every_message_of_the_branch_is_in_the_view() -> None:
    view = PromptViewer().view(TREE, KIMI)
    assert [part.message_id for part in view.closed] == [message.id for message in branch(TREE)]
