"""What each part of a prompt takes: exact where an endpoint that counts has told, together what it told elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.prompt.past_requests import PastRequest, Requests, last_request, newest_first, sent_input
from kimi_tui.core.prompt.prompt_view import PromptView, PromptViewer, request_view
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.session import Message, RequestRecord, Session, Usage
from kimi_tui.core.session.tree import select, with_system
from kimi_tui.core.text.text_pieces import BLOCK_CHARS, common_chars
from tests.core.prompt.test_calibration import tokens_of
from tests.core.prompt.test_conversation import ACTIONS, TEXTS, Diary, reply, session_of, user
from tests.prompts import next_prompt, past_prompt, past_view

KIMI = RequestSettings(template=TEMPLATES["kimi"])
LAST = "small pieces"
"""By which tokeniser the endpoint counts; "assistant" is one token of it."""


def count(text: str) -> int:
    return tokens_of(text.replace("assistant", "as"), LAST)


def counted(session: Session, *without: str) -> Session:
    """With what the endpoint would have told of each reply but some."""

    def told(message: Message) -> Message:
        if message.usage is not None or message.state is None or message.id in without:
            return message
        written = f"{message.reasoning}</think>{message.content}" if message.thinking else message.content
        return replace(message, usage=Usage(count(past_prompt(session, message.id)), count(written) + 1))

    return replace(session, messages=tuple(map(told, session.messages)))


TALK = session_of(
    user("m1", "Name two ways to cook lamb."), reply("m2", "Roast it, or grill it.", "m1", reasoning="Two ways."),
    user("m3", "And fish?", "m2"), reply("m4", "Steam it, gently.", "m3", reasoning="One way will do here."),
    user("m5", "Thank you", "m4"), reply("m6", "You are welcome.", "m5", reasoning="Polite."), system="Be brief.",
)  # fmt: skip
INSTANT = replace(TALK, messages=tuple(replace(it, reasoning=None, thinking=False if it.reasoning else None) for it in TALK.messages))  # fmt: skip


def sizes(view: PromptView) -> dict[str, tuple[int, bool]]:
    return {part.key: (size.tokens, size.is_told) for part, size in zip(view.parts, view.sizes, strict=True)}


def test_what_lies_between_two_counted_inputs_adds_up_to_their_difference() -> None:
    view = PromptViewer().view(counted(TALK), KIMI)
    texts = {part.key: part.text for part in view.parts}
    found = sizes(view)
    for names in (("system", "message m1"), ("message m2", "message m3"), ("message m4", "message m5")):
        assert sum(found[name][0] for name in names) == sum(count(texts[name]) for name in names)
    sums = [size.sum_told for size in view.sizes]
    assert sums == [None, count(texts["system"]) + count(texts["message m1"]), None, sums[3], None, sums[5], None, None]
    assert sums[5] == sum(count(part.text) for part in view.parts[:6])


def test_a_reply_whose_own_tokens_were_told_makes_both_parts_exact() -> None:
    view = PromptViewer().view(counted(INSTANT), replace(KIMI, thinking=False))
    found = sizes(view)
    for part in view.parts[2:6]:
        assert found[part.key] == (count(part.text), True)
    kept = replace(TALK, messages=tuple(replace(it, kept_thinking="all") for it in TALK.messages))
    view = PromptViewer().view(counted(kept), replace(KIMI, kept_thinking="all"))
    assert [sizes(view)[f"message m{number}"] for number in (2, 3, 4, 5)] == [
        (count(part.text), True) for part in view.parts[2:6]
    ]


def test_a_part_that_lies_alone_between_two_counted_inputs_is_exact() -> None:
    found = sizes(PromptViewer().view(counted(replace(TALK, system=None)), KIMI))
    assert found["message m1"] == (count("<|im_user|>user<|im_middle|>Name two ways to cook lamb.<|im_end|>"), True)


def test_a_reply_that_nobody_counted_leaves_more_to_share() -> None:
    view = PromptViewer().view(counted(TALK, "m4"), KIMI)
    parts = view.parts[2:6]
    assert sum(size.tokens for size in view.sizes[2:6]) == sum(count(part.text) for part in parts)
    assert not any(size.is_told for size in view.sizes[2:6])


@pytest.mark.parametrize("odd", [1, 10**6])
def test_counts_that_cannot_be_are_not_believed(odd: int) -> None:
    session = counted(TALK)
    messages = tuple(replace(it, usage=Usage(odd, 5)) if it.id == "m4" else it for it in session.messages)
    view = PromptViewer().view(replace(session, messages=messages), KIMI)
    assert all(size.tokens > 0 and not size.is_told for size in view.sizes)


def test_an_input_that_the_user_wrote_tells_nothing_of_what_is_made_of_the_messages() -> None:
    session = counted(TALK)
    raw = tuple(replace(it, raw_input="my own") if it.id in {"m2", "m4", "m6"} else it for it in session.messages)
    view = PromptViewer().view(replace(session, messages=raw), KIMI)
    assert view.counted_tokens is None
    assert not any(size.is_told or size.sum_told for size in view.sizes)


def test_a_past_input_is_as_large_as_was_told() -> None:
    session = counted(TALK)
    view = past_view(session, "m4", 1000)
    assert (view.tokens, view.is_told) == (count(view.text), True)
    assert sum(size.tokens for size in view.sizes) == view.tokens
    assert past_view(TALK, "m4", 1000).is_told is False


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 999), TEXTS), max_size=20), st.booleans())
def test_whatever_happened_told_sums_are_sums(steps: list[tuple[str, int, str]], thinking: bool) -> None:
    diary = Diary()
    for step in steps:
        diary.act(*step)
    view = PromptViewer().view(counted(diary.session), replace(KIMI, thinking=thinking), "draft")
    running = 0
    for size in view.sizes:
        running += size.tokens
        assert size.tokens > 0
        assert size.sum_told in {None, running}


# -- what the last request had alike


@given(
    st.text("ab", max_size=6),
    st.text("ab", max_size=6),
    st.sampled_from([0, 1, BLOCK_CHARS - 1, BLOCK_CHARS, 3 * BLOCK_CHARS + 5]),
)
def test_common_characters(left: str, right: str, before: int) -> None:
    texts = "x" * before + left, "x" * before + right
    chars = common_chars(*texts)
    assert texts[0][:chars] == texts[1][:chars]
    assert chars == min(map(len, texts)) or texts[0][chars] != texts[1][chars]


def shown(session: Session, last: PastRequest, draft: str | None = None, request: RequestSettings = KIMI) -> PromptView:
    return PromptViewer().view(session, request, draft, last=sent_input(session, *last))


def newest(session: Session) -> PastRequest:
    return next(newest_first(session))


def test_the_next_input_goes_on_with_the_whole_last_one() -> None:
    session = counted(TALK)
    view = shown(session, newest(session), "more")
    assert view.shared is not None
    part = view.parts[view.shared.place]
    assert (part.key, part.text[: view.shared.offset]) == (
        "message m6",
        "<|im_assistant|>assistant<|im_middle|><think>",
    )
    assert (view.shared.is_all, view.shared.tokens, view.shared.is_told) == (
        True,
        count(past_prompt(session, "m6")),
        True,
    )


def test_another_system_prompt_differs_from_its_first_word_on() -> None:
    session = with_system(counted(TALK), "Be long.")
    view = shown(session, newest(session), "more")
    assert view.shared is not None
    assert (view.shared.place, view.parts[0].text[: view.shared.offset]) == (0, "<|im_system|>system<|im_middle|>Be ")
    assert (view.shared.is_all, view.shared.is_told) == (False, False)


def test_no_marker_is_cut_in_two() -> None:
    """Both go on with <|im_…: of a token half cannot be alike."""
    session = session_of(user("m1", "one"), reply("m2", "two", "m1"), user("m3", "three", "m2"), reply("m4", "x", "m3"))
    alone = replace(session, messages=tuple(replace(it, excluded=it.id == "m1") for it in session.messages))
    view = shown(alone, newest(session))
    assert view.shared is not None
    assert (view.shared.place, view.shared.offset) == (0, 0)


def test_asking_the_same_again_is_the_last_input() -> None:
    session = counted(session_of(user("m1", "one"), reply("m2", "two", "m1"), head="m1"))
    view = shown(session, newest(session))
    assert view.shared is not None
    assert (view.shared.place, view.shared.is_all) == (len(view.parts), True)
    assert (view.tokens, view.is_told) == (count(view.text), True)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 999), TEXTS), max_size=20), st.none() | TEXTS)
def test_what_is_alike_is_a_beginning_of_both(steps: list[tuple[str, int, str]], draft: str | None) -> None:
    diary, viewer = Diary(), PromptViewer()
    for step in steps:
        diary.act(*step)
        session = diary.session
        if (last := next(newest_first(session), None)) is None:
            continue
        sent = sent_input(session, *last)
        view = viewer.view(session, KIMI, draft, last=sent)
        assert view.shared is not None
        start = sum(len(part.text) for part in view.parts[: view.shared.place]) + view.shared.offset
        text = next_prompt(session, KIMI, draft)
        assert text[:start] == sent.text[:start]
        assert view == PromptViewer().view(session, KIMI, draft, last=sent_input(session, *last))
        rest, old = text[start:], sent.text[start:]
        assert not rest or not old or rest[0] != old[0] or "<" in (rest[0], old[0]) or "[" in (rest[0], old[0])


# -- where the window ends


@pytest.mark.parametrize("draft", [None, "one more question"])
def test_the_window_ends_in_the_part_that_reaches_beyond_it(draft: str | None) -> None:
    session = counted(TALK)
    whole = PromptViewer().view(session, KIMI, draft)
    ends = [sum(size.tokens for size in whole.sizes[: place + 1]) for place in range(len(whole.sizes))]
    for room in range(1, ends[-1] + 3):
        request = replace(KIMI, context_tokens=room + 7, fields={"max_new_tokens": 7})
        found = PromptViewer().view(session, request, draft).window_end
        assert found == next((place for place, end in enumerate(ends) if end > room), None)


# -- past requests


def test_requests_come_newest_first_on_every_branch() -> None:
    records = (RequestRecord(usage=Usage(4, 1)), RequestRecord("continue", start=None))
    session = session_of(*TALK.messages, replace(reply("m7", "other", "m3"), requests=records), head="m6")
    assert [(it.reply.id, it.place) for it in newest_first(session)] == [("m7", 0), ("m6", 0), ("m4", 0), ("m2", 0)]
    m4 = PastRequest(session.messages[3], 0)
    assert [it.reply.id for it in newest_first(session, m4)] == ["m2"]
    assert [it.reply.id for it in newest_first(select(session, "m2"), None)] == ["m7", "m6", "m4", "m2"]
    assert last_request(session.messages[0]) is None


def test_they_are_made_as_they_are_asked_for() -> None:
    made = list[str]()

    def noted() -> object:
        for request in newest_first(TALK):
            made.append(request.reply.id)
            yield request

    requests = Requests(noted())  # type: ignore[arg-type]
    assert [it.reply.id for it in (requests.at(1), requests.at(0)) if it is not None] == ["m4", "m6"]
    assert made == ["m6", "m4"]
    assert (requests.at(-1), requests.at(9), requests.index_of("m4"), requests.index_of("m9")) == (None, None, 1, None)


def test_a_past_request_is_compared_with_the_one_before_it() -> None:
    session = counted(TALK)
    last = next(newest_first(session, PastRequest(session.messages[3], 0)))
    view = request_view(session, session.messages[3], 0, 1000, sent_input(session, *last))
    assert view.shared is not None
    assert (view.shared.last, view.parts[view.shared.place].key) == ("m2", "message m2")
