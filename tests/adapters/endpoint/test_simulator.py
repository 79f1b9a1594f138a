"""What the simulator answers: the prompt it read, the fields it keeps to, the faults it plays."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.adapters.endpoint.simulator import showpieces, tour
from kimi_tui.adapters.endpoint.simulator.simulated_answer import SimulatedReply, respond
from kimi_tui.adapters.endpoint.simulator.simulated_bytes import event_stream
from kimi_tui.adapters.endpoint.simulator.tokens import stopped, tokenise
from kimi_tui.core.prompt.prompt_syntax import Prompt, write_prompt
from kimi_tui.core.prompt.template import TEMPLATES, Template
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.settings.actions import ACTIONS, COMMANDS, KEY_NAMES, key_label
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from tests.adapters.simulated import STOP, answer_to, body_of, plan_of, prompt_of, refusal_of, understood
from tests.core.prompt import template_rows
from tests.core.prompt.test_open_turn import prompts
from tests.prompts import next_prompt
from tests.reading import builder_of, read_reply

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
MARKER = re.compile(r"<\|[A-Za-z0-9_]+\|>|</?think>|\[(?:BOS|EOS|EOT|UNK|PAD)\]")
ALL_TEXTS = "\n".join([tour.WELCOME, *(topic.text for topic in tour.TOPICS), tour.BREAKING])


# --- the prompt


@pytest.mark.parametrize("template", ["deepinfra", "kimi"])
def test_the_last_message_is_thought_about_and_answered(template: str) -> None:
    prompt = prompt_of("one", "two", "Which way does the wind blow?", template=template)
    (reply,) = understood(plan_of(prompt), prompt).replies
    assert reply.reasoning is not None
    assert "“Which way does the wind blow?”" in reply.reasoning
    assert "> Which way does the wind blow?" in reply.content
    assert "message 2 of this conversation" in reply.content
    assert "simulator" in reply.content


@pytest.mark.parametrize("row", template_rows.ALL, ids=lambda row: row.name)
def test_another_template_is_a_row_and_nothing_else(row: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the setting over the prompt and the simulator back to a reply."""
    monkeypatch.setitem(TEMPLATES, row.name, row)
    chosen = Settings()
    chosen = replace(chosen, api=replace(chosen.api, template=row.name))
    request = resolve_request(chosen, None)
    assert request.fields["stop"] == list(row.stops)
    question = Message("m1", Role.USER, "</s>[/INST]<|im_end|><|eot_id|> Which way does the wind blow?")
    session = replace(Session("s", NOW, NOW, "m"), messages=(question,))
    prompt = next_prompt(session, request)
    plan = plan_of(prompt, **request.fields)
    end = request.open_turn.prompt_end
    builder = builder_of(prompt, end, marks=row.think)
    (reply,) = read_reply(builder, event_stream(plan, DEEPINFRA)).replies
    assert (reply.reasoning is None) is (row.think is None)
    assert f"> {request.door.foreign(question.content)}" in reply.content


def test_instant_mode_gets_no_reasoning() -> None:
    prompt = prompt_of("tour", thinking=False)
    result = understood(plan_of(prompt), prompt)
    assert [(reply.reasoning, reply.content) for reply in result.replies] == [(None, tour.WELCOME)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("lamb or not", "a", "what did I say first?"), "The first thing you wrote was:\n\n> lamb or not\n"),
        (("one", "a", "two", "b", "what did I write last?"), "The last thing you wrote was:\n\n> two\n"),
        (("one", "you said this", "what did you say last?"), "The last thing I said was:\n\n> you said this\n"),
        (("what did you say first?",), "Nothing was said before this.\n"),
        (("my name is Ada", "a", "What's my name?"), "Your name is **Ada**.\n"),
        (("my name is Ada", "a", "my name is Zoë", "b", "what is my name"), "Your name is **Zoë**.\n"),
        (("what is my name?",), "You have not told me your name yet.\n"),
        (("one", "a", "how many messages?"), "You have written 2, and I have answered 1.\n"),
    ],
)
def test_it_remembers_the_conversation(texts: tuple[str, ...], expected: str) -> None:
    assert answer_to(*texts) == expected


def test_the_system_prompt_is_mentioned_once() -> None:
    note = "“Answer in verse.”"
    first = answer_to("tour", system="Answer in verse.")
    assert first.count(note) == 1
    assert note not in answer_to("tour", first, "table", system="Answer in verse.")
    assert "system prompt reached" not in answer_to("tour", system="")


def test_the_prompt_is_shown_turn_by_turn() -> None:
    shown = answer_to("first | text", "reply", "prompt", system="S")
    assert "`deepinfra`" in shown
    assert [line.split(" | ")[0] for line in shown.splitlines() if line.startswith("| ")] == [
        "| role", "| ---", "| system", "| user", "| assistant", "| user"
    ]  # fmt: skip
    assert r"first \| text" in shown


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ("Hello!", "a turn has to begin here at character 0"),
        ("", "a turn has to begin here at character 0"),
        (prompt_of("x").replace("ChatMessageRole.USER", "human"), "the role name 'human' does not fit"),
        (prompt_of("x").removesuffix("<think>"), "an open assistant turn"),
        (prompt_of("x").replace("x", "[EOS]"), "stands inside a text"),
    ],
)
def test_a_wrong_template_shows_with_its_place(prompt: str, problem: str) -> None:
    result = understood(plan_of(prompt, stream=False), prompt)
    assert problem in result.replies[0].content + (result.replies[0].reasoning or "")
    assert result.finish_reason is None


def test_an_open_turn_goes_on_where_it_stopped() -> None:
    whole = plan_of(prompt_of("tour"), seed=1).replies[0]
    thought, _, answer = "".join(whole).partition("</think>")
    inside = "".join(plan_of(prompt_of("tour") + thought[:20], seed=1).replies[0])
    assert thought[:20] + inside == f"{thought}</think>{answer}"
    behind = "".join(plan_of(prompt_of("tour") + f"{thought}</think>{answer[:30]}", seed=1).replies[0])
    assert answer[:30] + behind == answer


@pytest.mark.parametrize("question", ["tour", "cut", "tell me of the sea", "unfinished"])
def test_whichever_reply_broke_off_the_next_request_goes_on_with_it(question: str) -> None:
    for number in range(4):
        first = "".join(plan_of(prompt_of(question), seed=number, max_new_tokens=70).replies[0])
        second = plan_of(prompt_of(question) + first, seed=number + 1)
        assert (second.breaks, second.finish_reason) == (None, "stop")
        known = {"".join(plan_of(f"{prompt_of(question)}{first[:1]}", seed=other).replies[0]) for other in range(40)}
        assert (first + "".join(second.replies[0]))[1:] in known


def test_words_of_somebody_else_are_gone_on_from() -> None:
    assert "".join(plan_of(prompt_of("lamb") + "</think>Bonjour! ").replies[0]) == answer_to("lamb")
    assert "".join(plan_of(prompt_of("lamb") + "</think>Bonjour!").replies[0]) == f" {answer_to('lamb')}"


def test_changed_words_are_gone_on_from_and_a_thought_that_was_over_is_taken_up_again() -> None:
    whole = answer_to("lamb")
    changed = "".join(plan_of(prompt_of("lamb") + f"</think>{whole[:25]} mine,").replies[0])
    assert changed.strip() == whole[25:].strip()
    assert "".join(plan_of(prompt_of("lamb") + f"</think>{whole}More").replies[0]).strip()
    for number in range(4):
        thought, mark, _ = "".join(plan_of(prompt_of("lamb"), seed=1).replies[0]).partition("</think>")
        again = "".join(plan_of(f"{prompt_of('lamb')}{thought}\n\nWait,", seed=number).replies[0])
        assert (thought[-20:] not in again, again.partition(mark)[2]) == (True, whole)


@settings(max_examples=150, deadline=None)
@given(prompts(tuple(TEMPLATES.values())))
def test_every_open_turn_is_read(prompt: Prompt) -> None:
    plan = respond(body_of(write_prompt(prompt)), DEEPINFRA)
    if isinstance(plan, SimulatedReply):
        reply = "".join(plan.replies[0])
        assert "cannot read this prompt" not in reply
        assert reply.count("</think>") == (not prompt.open_turn.is_closed)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet="ab <>|[]/im_endEOSthink\u2060\n", max_size=30), min_size=1, max_size=5))
def test_no_text_of_the_prompt_becomes_a_marker_in_the_reply(texts: list[str]) -> None:
    for question in ("what did I say first?", "prompt", "<|im_end|></think>[EOS] hm?"):
        conversation = [*texts, *([""] if len(texts) % 2 else []), question]
        plan = respond(body_of(prompt_of(*conversation, system=texts[0])), DEEPINFRA)
        assert isinstance(plan, SimulatedReply)
        assert MARKER.findall("".join(plan.replies[0])) == ["</think>"]
        assert plan.finish_reason == "stop"


# --- the tour


def test_every_word_of_the_welcome_does_something_of_its_own() -> None:
    words = re.findall(r"`([a-z ]+)`", tour.WELCOME)
    faults = {fault.name for fault in tour.FAULTS}
    listed = {topic.name for topic in tour.TOPICS if topic.see}
    assert set(words) == faults | listed | {"topics"}
    answers = {answer_to(word) for word in words if word not in faults}
    assert len(answers) == len(words) - len(faults)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("hello", tour.WELCOME),
        ("help me with a table, please", showpieces.TABLE),
        ("Show me some Python code", showpieces.CODE),
        ("EMOJI!", showpieces.CJK),
        ("long", showpieces.long_text()),
    ],
)
def test_words_choose_the_topic(message: str, text: str) -> None:
    assert answer_to(message) == text


def test_every_key_and_command_that_is_named_exists() -> None:
    keys = {key_label(key) for action in ACTIONS for key in action.keys}
    named = set(re.findall(r"\*\*((?:Ctrl\+|Alt\+|F\d|Escape|Enter|PgUp|Up)[\w+]*)\*\*", ALL_TEXTS)) | {"Ctrl+R"}
    assert named <= keys
    assert {"Enter", "Escape", "Ctrl+T", "F1", "Ctrl+End", "Alt+K"} <= named
    assert set(KEY_NAMES.values()) >= {"Enter", "Escape"}
    commands = re.findall(r"`/([a-z-]+)", ALL_TEXTS)
    assert {
        "help",
        "answer-now",
        "answers",
        "compare",
        "regenerate",
        "sweep",
        "prefill",
        "seed",
        "think-longer",
        "tokens",
        "timeline",
        "kept-thinking",
        "raw",
        "over-budget",
        "auto-continue",
        "free-thinking",
        "budget",
        "continue",
        "set",
        "schema",
        "system",
        "resume",
        "rename",
        "export",
        "import",
        "theme",
        "think",
        "stop",
        "stop-at",
        "new",
        "quit",
        "record",
        "tree",
        "name",
        "branch",
        "diff",
        "copy-python",
    } == {*commands}
    assert set(commands) <= set(COMMANDS)


def test_the_texts_are_free_of_markers_and_of_other_names() -> None:
    assert not MARKER.search(ALL_TEXTS)
    assert "I am Kimi" not in ALL_TEXTS


# --- the fields


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (b"", 422, [0]),
        (b'{"input": nothing}', 422, [10]),
        (b"[1]", 422, []),
        (b"\xff", 422, []),
        (b"[" * 100_000, 422, []),
        (b"{}", 422, ["input"]),
        (body_of("x", temperature=None, stream=None), 422, ["temperature", "stream"]),
        (b'{"input":null}', 422, ["input"]),
        (b'{"input":7}', 422, ["input"]),
        (body_of("x", temperature=101), 422, ["temperature"]),
        (body_of("x", temperature=True, top_p=0, top_k=1000), 422, ["temperature", "top_p", "top_k"]),
        (b'{"input":"x","temperature":NaN}', 422, ["temperature"]),
        (body_of("x", stop="x"), 422, ["stop"]),
        (body_of("x", stop=["x"] * 17), 422, ["stop"]),
        (body_of("x", seed="1"), 422, ["seed"]),
        (body_of("x", response_format='{"type":"text"}'), 422, ["response_format"]),
        (body_of("x", response_format={"type": "xml"}), 422, ["response_format"]),
        (body_of("x", num_responses=2), 422, ["num_responses"]),
        (body_of("x", num_responses=5, stream=False), 422, ["num_responses"]),
    ],
)
def test_wrong_bodies_are_refused_in_the_endpoints_shape(body: bytes, status: int, fields: list[str | int]) -> None:
    refusal = refusal_of(body)
    assert refusal.status == status
    detail: Any = refusal.document["detail"]
    assert [item["loc"] for item in detail] == ([["body", place] for place in fields] or [["body"]])
    assert all(set(item) == {"loc", "msg", "type"} for item in detail)


def test_unknown_fields_and_nulls_of_fields_without_default_are_ignored() -> None:
    plan = plan_of(prompt_of("table"), max_new_tokens=None, seed=None, top_k=0, something={"else": None})
    assert "".join(plan.replies[0]).endswith(showpieces.TABLE)


def test_several_responses_come_unstreamed() -> None:
    prompt = prompt_of("Anything at all?")
    result = understood(plan_of(prompt, num_responses=4, stream=False, seed=3), prompt)
    assert len(result.replies) == 4
    assert len({reply.content for reply in result.replies} | {reply.reasoning for reply in result.replies}) > 2


def test_the_same_seed_gives_the_same_reply() -> None:
    body = body_of(prompt_of("Anything at all?"), seed=18446744073709551615)
    plans = [respond(body, DEEPINFRA, number) for number in range(8)]
    assert len({plan.replies for plan in plans if isinstance(plan, SimulatedReply)}) == 1
    without = [respond(body_of(prompt_of("Anything at all?")), DEEPINFRA, number) for number in range(8)]
    assert len({plan.replies for plan in without if isinstance(plan, SimulatedReply)}) > 1


def test_max_new_tokens_ends_the_reply() -> None:
    prompt = prompt_of("long")
    plan = plan_of(prompt, max_new_tokens=7)
    result = understood(plan, prompt)
    assert len(plan.replies[0]) == 7
    assert (result.finish_reason, result.usage.output_tokens) == ("length", 7)
    assert (result.replies[0].content, result.state) == ("", MessageState.COMPLETE)
    exact = len(plan_of(prompt).replies[0])
    assert plan_of(prompt, max_new_tokens=exact).finish_reason == "stop"


def test_stop_sequences_end_the_reply_in_thinking_and_answer() -> None:
    prompt = prompt_of("table")
    result = understood(plan_of(prompt, stop=["roast"]), prompt)
    assert (result.finish_reason, result.replies[0].content) == ("stop", showpieces.TABLE.split("roast")[0])
    assert understood(plan_of(prompt, stop=["user says"]), prompt).replies[0].content == ""


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="abc <", max_size=40), st.lists(st.text(alphabet="abc <", min_size=1, max_size=4), max_size=16))
def test_any_stop_list_cuts_before_the_sequence_that_is_complete_first(text: str, stops: list[str]) -> None:
    def grown() -> str:
        for end in range(len(text) + 1):
            hits = [stop for stop in stops if text[:end].endswith(stop)]
            if hits:
                return text[: end - max(map(len, hits))]
        return text

    assert stopped(text, stops) == grown()


@settings(max_examples=400, deadline=None)
@given(st.text())
def test_tokens_join_to_the_whole_text(text: str) -> None:
    assert "".join(tokenise(text, "")) == text
    assert all(tokenise(text, ""))
    marked = tokenise(f"{text}</think>{text}", "</think>")
    assert "".join(marked) == f"{text}</think>{text}"
    assert "</think>" in marked


def test_a_webhook_is_queued() -> None:
    refusal = refusal_of(body_of(prompt_of("tour"), webhook="https://example.org/hook", stream=False))
    status: Any = refusal.document["inference_status"]
    assert (refusal.status, status["status"]) == (200, "queued")
    assert refusal.document["results"] == []  # the schema requires it


def test_usage_and_cost_are_told() -> None:
    prompt = prompt_of("math")
    streamed = understood(plan_of(prompt), prompt)
    plain = understood(plan_of(prompt, stream=False), prompt)
    assert streamed.usage == plain.usage
    assert streamed.usage.input_tokens
    assert streamed.usage.output_tokens
    assert streamed.usage.cost_usd
    assert streamed.request_id == plain.request_id == "sim-0"
    assert streamed.replies == plain.replies


# --- faults


@pytest.mark.parametrize(
    ("message", "status"),
    [("error", 500), ("Busy!", 429), ("funds", 402), ("please show me an error before the stream begins", 500)],
)
def test_errors_before_the_reply(message: str, status: int) -> None:
    refusal = refusal_of(body_of(prompt_of(message)))
    assert refusal.status == status
    assert isinstance(refusal.document["detail"], dict)


@pytest.mark.parametrize(
    ("message", "state", "kind"),
    [("stream error", MessageState.FAILED, "server"), ("cut", MessageState.INTERRUPTED, "stream")],
)
def test_replies_that_break_off_keep_what_came(message: str, state: MessageState, kind: str) -> None:
    prompt = prompt_of(message)
    result = understood(plan_of(prompt), prompt)
    assert result.state is state
    assert result.error is not None
    assert result.error.kind == kind
    assert result.replies[0].reasoning
    assert tour.BREAKING.startswith(result.replies[0].content)
    assert result.replies[0].content
    assert refusal_of(body_of(prompt, stream=False)).status == 500


def test_length_breaks_off_in_the_answer_or_in_the_thinking() -> None:
    prompt = prompt_of("length")
    result = understood(plan_of(prompt), prompt)
    assert result.finish_reason == "length"
    assert "" != result.replies[0].content != tour.BREAKING
    prompt = prompt_of("unfinished")
    result = understood(plan_of(prompt), prompt)
    assert (result.finish_reason, result.replies[0].content) == ("length", "")
    assert result.replies[0].reasoning


@pytest.mark.parametrize(
    "message",
    [
        "There is an error in my code, what may it be?",
        "Which cut of the lamb should I roast on Sunday?",
        "I was too busy yesterday to ask",
    ],
)
def test_a_question_that_mentions_a_fault_gets_an_answer(message: str) -> None:
    assert answer_to(message)


def test_slow_takes_longer() -> None:
    assert plan_of(prompt_of("slow")).slowness > plan_of(prompt_of("table")).slowness == 1


def test_frames_have_the_endpoints_fields() -> None:
    from kimi_tui.adapters.endpoint.simulator.simulated_bytes import event_stream  # noqa: PLC0415

    *tokens, end = list(event_stream(plan_of(prompt_of("table")), DEEPINFRA))
    frames = [json.loads(piece.removeprefix(b"data: ")) for piece in tokens]
    assert all(piece.endswith(b"\n\n") for piece in tokens)
    assert all(set(frame["token"]) == {"id", "text", "logprob", "special"} for frame in frames)
    assert [frame["token"]["text"] for frame in frames if frame["token"]["special"]] == ["</think>"]
    last, done = end.decode().strip().split("\n\n")
    frame = json.loads(last.removeprefix("data: "))
    assert done == "data: [DONE]"
    assert frame["details"] == {"finish_reason": "stop"}
    assert frame["generated_text"] == "".join(frame["token"]["text"] for frame in frames)
    assert frame["num_output_tokens"] == len(frames)


def test_a_reply_that_stopped_at_a_word_is_gone_on_with_as_if_it_had_not() -> None:
    prompt = prompt_of("lamb")
    whole = "".join(plan_of(prompt).replies[0])
    stopped_before = "".join(plan_of(prompt, stop=[*STOP, "Grill"]).replies[0])
    assert whole.startswith(stopped_before + "Grill")
    rest = plan_of(prompt + stopped_before)
    assert stopped_before + "".join(rest.replies[0]) == whole


def test_a_thought_that_was_cut_is_answered_as_if_for_the_first_time() -> None:
    thought = respond_to(prompt_of("lamb"), 0).replies[0]
    cut = "".join(thought).partition("</think>")[0][:40]
    answers = {"".join(respond_to(f"{prompt_of('lamb')}{cut}</think>", number).replies[0]) for number in range(4)}
    assert [answer.startswith("Two ways") for answer in answers] == [True]


def test_answers_to_the_same_thinking_differ_and_can_be_gone_on_with() -> None:
    prompt = prompt_of("lamb") + "I thought so.</think>"
    answers = ["".join(respond_to(prompt, number).replies[0]) for number in range(4)]
    assert len(set(answers)) == 4
    for text in answers:
        for place in (4, len(text) // 2):
            assert text[:place] + "".join(respond_to(prompt + text[:place], 9).replies[0]) == text
    several = plan_of(prompt, stream=False, num_responses=4).replies
    assert len(set(several)) == 4


def respond_to(prompt: str, number: int) -> SimulatedReply:
    plan = respond(body_of(prompt), DEEPINFRA, number)
    assert isinstance(plan, SimulatedReply)
    return plan
