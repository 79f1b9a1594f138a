"""Sizes: what is refused, what is doubtful, and which count of the endpoint is believed."""

from __future__ import annotations

import tracemalloc
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.errors import InputTooLargeError
from kimi_tui.core.prompt import context_budget, control_tokens, token_estimate
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.template import TEMPLATES
from kimi_tui.core.session.session import Message, RequestRecord, Role, Session, Usage
from kimi_tui.core.session.tree import with_system
from kimi_tui.core.text import text_pieces
from kimi_tui.core.text.growing_text import GrowingText
from tests.counting import calls_in
from tests.prompts import next_prompt

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
KIMI = RequestSettings(template=TEMPLATES["kimi"])


def talk(turns: int) -> Session:
    """A conversation whose replies counted 100, 200, … tokens."""
    messages: list[Message] = []
    for number in range(1, turns + 1):
        parent = messages[-1].id if messages else None
        messages += [
            Message(f"q{number}", Role.USER, f"question {number} " * 8, parent),
            Message(
                f"r{number}", Role.ASSISTANT, f"answer {number} " * 8, f"q{number}",
                template="kimi", thinking=True, usage=Usage(100 * number, 9),
            ),
        ]  # fmt: skip
    return Session("s", NOW, NOW, "model", messages=tuple(messages))


def prompt_after(session: Session) -> GrowingText:
    return GrowingText(next_prompt(session, KIMI, "more"))


@pytest.mark.parametrize(("chars", "is_refused"), [(0, False), (600, False), (601, True), (6000, True)])
def test_characters_by_six_decide(chars: int, is_refused: bool) -> None:
    with pytest.raises(InputTooLargeError) if is_refused else nullcontext():
        context_budget.check_input(talk(0), GrowingText("x" * chars), 100)


def test_a_marker_is_one_token_however_long_its_name() -> None:
    assert token_estimate.least_tokens("<|im_assistant|>" * 60, "<|im_assistant|>" * 40) == 100


def test_a_refusal_names_both_numbers() -> None:
    context_budget.check_input(talk(0), GrowingText("x" * 600), 100)
    with pytest.raises(InputTooLargeError, match=r"101 tokens.*holds 100"):
        context_budget.check_input(talk(0), GrowingText("x" * 601), 100)


def test_the_endpoints_own_count_of_the_beginning_decides_too() -> None:
    session = talk(2)
    prompt = prompt_after(session)
    assert context_budget.counted_prefix(session, prompt) == 200
    context_budget.check_input(session, prompt, 200)
    with pytest.raises(InputTooLargeError, match=r"200 tokens.*holds 199"):
        context_budget.check_input(session, prompt, 199)


def test_a_count_of_another_input_is_not_believed() -> None:
    session = talk(3)
    assert context_budget.counted_prefix(session, GrowingText(next_prompt(session, RequestSettings()))) is None
    renewed = with_system(session, "Be brief.")
    assert context_budget.counted_prefix(renewed, prompt_after(renewed)) is None
    assert context_budget.counted_prefix(talk(0), prompt_after(talk(0))) is None


def test_leaving_a_message_out_goes_back_to_the_count_before_it() -> None:
    session = talk(3)
    messages = tuple(replace(message, excluded=message.id == "r2") for message in session.messages)
    session = replace(session, messages=messages)
    assert context_budget.counted_prefix(session, prompt_after(session)) == 100


def test_a_reply_of_several_requests_is_counted_by_its_first() -> None:
    session = talk(1)
    records = (RequestRecord(usage=Usage(40, 1)), RequestRecord(usage=Usage(60, 1)))
    session = replace(session, messages=(session.messages[0], replace(session.messages[1], requests=records)))
    assert context_budget.counted_prefix(session, prompt_after(session)) == 40


def test_replies_without_a_count_are_passed_over() -> None:
    session = talk(2)
    session = replace(session, messages=(*session.messages[:-1], replace(session.messages[-1], usage=Usage())))
    assert context_budget.counted_prefix(session, prompt_after(session)) == 100


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("lamb", 1), ("lambs", 2), ("羊肉料理", 4), ("羊 lamb", 3), ("é" * 4, 2), ("한국어", 3)],
)
def test_estimates(text: str, tokens: int) -> None:
    assert token_estimate.estimate_tokens(text) == tokens


@given(st.text("a<>|é羊\U00020000 think/", max_size=60), st.integers(1, 20))
def test_a_text_that_is_estimated_in_pieces_has_the_same_size(text: str, piece_chars: int) -> None:
    whole = token_estimate.estimate_tokens(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "PIECE_CHARS", piece_chars)
        patch.setattr(control_tokens, "PIECE_CHARS", piece_chars)
        assert token_estimate.estimate_tokens(text) == whole


def test_doubt_begins_above_the_estimate() -> None:
    assert context_budget.doubtful_tokens(GrowingText("x" * 400), 100) is None
    assert context_budget.doubtful_tokens(GrowingText("x" * 401), 100) == 101


def calls_to_check(session: Session) -> int:
    prompt = prompt_after(session)
    return calls_in(lambda: context_budget.check_input(session, prompt, 10**7))


@pytest.mark.parametrize("change", ["none", "system", "left out"])
def test_long_sessions_are_checked_in_one_walk(change: str) -> None:
    """Renewed system prompts, and a message left out in the middle, fit no later count: each is still one walk."""

    def changed(turns: int) -> Session:
        session = talk(turns)
        if change == "system":
            return with_system(session, "Be brief.")
        if change == "none":
            return session
        middle = f"q{turns // 2}"
        return replace(session, messages=tuple(replace(m, excluded=m.id == middle) for m in session.messages))

    assert calls_to_check(changed(800)) < 2.2 * calls_to_check(changed(400)) + 50


@pytest.mark.parametrize("text", ["lamb and salt, ", "羊肉をローズマリーで", "é and – 羊 "])
def test_of_much_text_a_sample_is_estimated(text: str) -> None:
    texts = [text * 20_000, text * 30_000, "word"]
    exact = sum(map(token_estimate.estimate_tokens, texts))
    assert token_estimate.rough_tokens(*texts) == pytest.approx(exact, rel=0.05)
    assert token_estimate.rough_tokens(text, "word") == sum(map(token_estimate.estimate_tokens, [text, "word"]))


def test_the_sample_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at, estimate = list[int](), token_estimate.estimate_tokens
    token_estimate.rough_tokens("é" * 300_000)  # what is made once

    def noted(*texts: str) -> int:
        looked_at.append(sum(map(len, texts)))
        return estimate(*texts)

    monkeypatch.setattr(token_estimate, "estimate_tokens", noted)
    for times in (1, 10, 100):
        looked_at.clear()
        texts = ["羊 word " * 700 * times] * 40
        tracemalloc.start()
        token_estimate.rough_tokens(*texts)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sum(looked_at) <= 1.5 * token_estimate.SAMPLE_CHARS
        assert peak_bytes < token_estimate.SAMPLE_CHARS  # as a whole it takes two bytes a character, and its copies
