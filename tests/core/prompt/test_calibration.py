"""Estimates calibrated by what an endpoint told: closer than the usual ones, and never beyond sane bounds."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.prompt import calibration
from kimi_tui.core.prompt.calibration import Sample, calibrate, calibration_of, samples_of
from kimi_tui.core.prompt.token_estimate import (
    PER_BYTE_ENDS,
    PER_IDEOGRAPH_ENDS,
    UNCALIBRATED,
    Calibration,
    TextCounts,
    counts_of,
    estimate_tokens,
)
from kimi_tui.core.session.session import Message, MessageState, Role, Session, Usage
from kimi_tui.core.session.tree import branch, with_system
from tests.counting import calls_in
from tests.prompts import past_prompt

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
WORDS = [
    "lamb",
    "and",
    "rosemary",
    "roast",
    "slowly,",
    "whenever",
    "somebody",
    "understands",
    "considerable",
    "patience.",
]
KINDS: Mapping[str, Callable[[random.Random, int], str]] = {
    "prose": lambda chance, size: " ".join(chance.choice(WORDS) for _ in range(size)),
    "code": lambda chance, size: "\n".join(f"    {chance.choice(WORDS)}[{chance.randrange(99)}] += f({chance.choice(WORDS)})" for _ in range(size // 4)),
    "cjk": lambda chance, size: "".join(chance.choice("清炖羊肉需要耐心先把切成大块用冷水浸泡。") for _ in range(size * 3)),
}  # fmt: skip
TOKENISERS = {"large pieces": (9, 3, 0.55), "small pieces": (4, 1, 0.95)}
"""What a word, a run of punctuation and a CJK character are cut into."""


PIECES = re.compile(r" ?[A-Za-z]+| ?\d{1,3}|[\u2e80-\u9fff]+|\s+| ?[^\sA-Za-z\d\u2e80-\u9fff]+")


def tokens_of(text: str, tokeniser: str) -> int:
    """Count as byte-pair encodings do: words in pieces, runs of other characters, CJK by itself."""
    word, punctuation, ideograph = TOKENISERS[tokeniser]
    count = 0
    for part in re.split(r"(<\|\w+\|>|</?think>)", text):
        for piece in [part] if part.startswith("<") and part.endswith(">") else PIECES.findall(part):
            bare = piece.strip()
            if bare.endswith(">") or not bare or bare[0].isdigit():
                count += 1
            elif bare[0].isascii():
                count += -(-len(bare) // (word if bare[0].isalpha() else punctuation))
            else:
                count += max(round(len(bare) * ideograph), 1)
    return count


def told(kinds: list[str], turns: int, tokeniser: str, seed: int = 1) -> Session:
    """A session of which the endpoint told everything, by a tokeniser that is not ours."""
    chance, session = random.Random(seed), Session("s", NOW, NOW, "model", system="Be brief.")
    for number in range(turns):
        kind = KINDS[kinds[number % len(kinds)]]
        session = session.with_message(
            Message(f"q{number}", Role.USER, kind(chance, chance.randint(20, 300)), session.head)
        )
        reply = Message(
            f"r{number}", Role.ASSISTANT, kind(chance, chance.randint(50, 400)), f"q{number}", reasoning=kind(chance, 200),
            thinking=True, state=MessageState.COMPLETE, finish_reason="stop",
        )  # fmt: skip
        session = session.with_message(reply)
        written = f"{reply.reasoning}</think>{reply.content}"
        usage = Usage(tokens_of(past_prompt(session, reply.id), tokeniser), tokens_of(written, tokeniser))
        session = replace(session, messages=(*session.messages[:-1], replace(reply, usage=usage)))
    return session


def error(found: Calibration, text: str, tokeniser: str) -> float:
    return abs(found.tokens(text) / tokens_of(text, tokeniser) - 1)


@pytest.mark.parametrize("tokeniser", TOKENISERS)
@pytest.mark.parametrize("kinds", [["prose"], ["code"], ["cjk"], ["prose", "cjk"], ["code", "cjk"]])
def test_two_turns_tell_how_large_the_next_text_is(kinds: list[str], tokeniser: str) -> None:
    found = calibration_of(told(kinds, 2 * len(kinds), tokeniser))
    for kind in kinds:
        text = KINDS[kind](random.Random(7), 400)
        assert error(found, text, tokeniser) < max(0.12, 0.5 * error(UNCALIBRATED, text, tokeniser))


def test_without_a_word_of_the_endpoint_the_estimate_is_the_usual_one() -> None:
    assert calibration_of(told(["prose"], 0, "large pieces")) == UNCALIBRATED == calibrate([])
    text = "lamb and 羊 <|im_end|>"
    assert UNCALIBRATED.of(counts_of(text)) == pytest.approx(estimate_tokens(text), abs=1)


@given(
    st.lists(
        st.builds(
            Sample,
            st.builds(TextCounts, st.integers(0, 9), st.integers(0, 10**6), st.integers(0, 10**7)),
            st.integers(-5, 10**9),
        )
    )
)
def test_whatever_is_told_the_rates_stay_sane(samples: list[Sample]) -> None:
    found = calibrate(samples)
    assert PER_BYTE_ENDS[0] <= found.per_byte <= PER_BYTE_ENDS[1]
    assert PER_IDEOGRAPH_ENDS[0] <= found.per_ideograph <= PER_IDEOGRAPH_ENDS[1]


def test_what_cannot_be_a_count_of_the_text_is_left_aside() -> None:
    counts = TextCounts(other_bytes=4_000)
    assert (
        calibrate([Sample(counts, 5_100), Sample(counts, 0)])
        == calibrate([Sample(counts, 5_100), Sample(counts, 900_000)])
        == UNCALIBRATED
    )
    assert calibrate([Sample(counts, 1_500)]).per_byte == pytest.approx(1_500 / 4_000, rel=0.02)


def test_little_that_was_told_moves_the_rates_little() -> None:
    assert calibrate([Sample(TextCounts(other_bytes=8), 4)]).per_byte == pytest.approx(0.25, rel=0.06)


def changed(session: Session, **change: object) -> Session:
    """With another last reply."""
    return replace(session, messages=(*session.messages[:-1], replace(session.messages[-1], **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [{"sent": {"num_responses": 3}}, {"finish_reason": "length"}, {"state": MessageState.CANCELLED}, {"edited": True}],
)
def test_a_reply_that_the_count_is_not_of_tells_nothing(change: dict[str, object]) -> None:
    session = told(["prose"], 3, "small pieces")
    counts = [sample.told for sample in samples_of(session, branch(session))]
    output = session.messages[-1].usage
    assert output is not None
    assert output.output_tokens in counts
    odd = changed(session, **change)
    assert output.output_tokens not in [sample.told for sample in samples_of(odd, branch(odd))]


def test_inputs_that_were_written_otherwise_are_not_subtracted() -> None:
    session = told(["prose"], 2, "small pieces")
    texts = {sample.counts for sample in samples_of(session, branch(session))}
    other = with_system(session, "Answer in verse.")
    other = changed(other, system="Answer in prose, please.")
    assert len(set(samples_of(other, branch(other)))) == len(texts) - 1


def test_a_long_session_costs_what_its_newest_turns_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "MAX_CHARS", 10_000)

    def cost(turns: int) -> int:
        session = told(["prose"], turns, "large pieces")
        messages = branch(session)
        return calls_in(lambda: calibration_of(session, messages))

    assert cost(40) < 1.2 * cost(20)
