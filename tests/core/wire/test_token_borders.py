"""Which characters each token brought, whatever is held back, dropped or mended on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.reply import CountedSegment, ReplyBuilder
from tests.core.cuts import cuts
from tests.fakes.scripted_client import frame
from tests.fakes.tiny_dialect import TINY, event
from tests.reading import builder_of

Pieces = list[tuple[ReplyPart, int, str]]
"""The texts that came, each with the number of its token; those of one token behind each other are one."""


def builder(
    prompt_end: PromptEnd = PromptEnd.THINKING, reasoning: str = "", dialect: Dialect = DEEPINFRA
) -> ReplyBuilder:
    return builder_of("", prompt_end, dialect=dialect, reasoning=reasoning)


def tokens_of(segments: Sequence[CountedSegment]) -> Pieces:
    found = Pieces()
    for counted in segments:
        place, text = 0, counted.text
        for number, chars in counted.borders:
            found.append((counted.part, number, text[place : place + chars]))
            place += chars
        assert place == len(text)
    return found


def stream(*texts: str) -> bytes:
    """Lone surrogates as servers write them: escaped."""
    return b"".join(frame(token={"text": text, "logprob": -0.5}) for text in texts) + end()


def end() -> bytes:
    return frame(details={"finish_reason": "stop"}) + b"data: [DONE]\n\n"


def read(builder: ReplyBuilder, pieces: Sequence[bytes]) -> tuple[Pieces, list[float]]:
    segments, logprobs = list[CountedSegment](), list[float]()
    for piece in pieces:
        segments += builder.feed(piece)
        logprobs += builder.take_logprobs()
    segments += builder.close()[0]
    return tokens_of(segments), logprobs + builder.take_logprobs()


R, A = ReplyPart.REASONING, ReplyPart.ANSWER


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["h", "m", "</think>", "yes"], [(R, 0, "h"), (R, 1, "m"), (A, 3, "yes")]),
        (["h", "</th", "ink>y", "es"], [(R, 0, "h"), (A, 2, "y"), (A, 3, "es")]),
        (["h</thi", "x"], [(R, 0, "h"), (R, 0, "</thi"), (R, 1, "x")]),
        ([" ", "\n<thi", "nk>h", "m"], [(R, 2, "h"), (R, 3, "m")]),
        ([" ", "\n", "hm"], [(R, 0, " "), (R, 1, "\n"), (R, 2, "hm")]),
        (["a\ud83d", "\udc4db"], [(R, 0, "a"), (R, 1, "👍b")]),
        (["a\ud83d", "b"], [(R, 0, "a"), (R, 0, "\ufffd"), (R, 1, "b")]),
        (["a\ud83d", "\ud83d", "\udc4d"], [(R, 0, "a"), (R, 0, "\ufffd"), (R, 2, "👍")]),
        (["a", "\ud83d"], [(R, 0, "a"), (R, 1, "\ufffd")]),
        (["hm</th"], [(R, 0, "hm"), (R, 0, "</th")]),
    ],
    ids=str,
)
def test_borders_at_every_cut(texts: list[str], expected: Pieces) -> None:
    for pieces in cuts(stream(*texts)):
        found, logprobs = read(builder(), pieces)
        assert found == expected, pieces
        assert logprobs == [-0.5] * len(texts)


def test_half_a_mark_that_a_reply_goes_on_with_belongs_to_no_new_token() -> None:
    assert read(builder(PromptEnd.REASONING, "hm</th"), [stream("ink>", "yes")])[0] == [(A, 1, "yes")]
    assert read(builder(PromptEnd.REASONING, "hm</th"), [stream("at", "!")])[0] == [(R, 0, "at"), (R, 1, "!")]
    assert read(builder(PromptEnd.REASONING, "hm<"), [stream("/t", "hx")])[0] == [(R, 0, "/t"), (R, 1, "hx")]


def test_a_server_that_parts_reasoning_and_answer() -> None:
    def said(**document: str) -> bytes:
        return b"event: said\ndata: " + event("said", **document).data.encode() + b"\n\n"

    pieces = [said(thought="h"), said(thought="m\ud83d"), said(say="yes"), said(say="\ud83d"), said(say="\udc4d")]
    found, logprobs = read(builder(dialect=TINY), pieces)
    assert found == [(R, 0, "h"), (R, 1, "m"), (R, 1, "\ufffd"), (A, 2, "yes"), (A, 4, "👍")]
    assert len(logprobs) == 5
    assert all(map(math.isnan, logprobs))


UNIQUE = [chr(0x4E00 + number) for number in range(64)]
marks = st.sampled_from(["</think>", "<think>", "</thi", "nk>", "<", " ", "\n"])
shapes = st.lists(st.lists(st.one_of(st.none(), marks), min_size=1, max_size=3), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(shapes, st.sampled_from(list(PromptEnd)))
def test_every_letter_is_in_the_token_that_brought_it(shapes: list[list[str | None]], prompt_end: PromptEnd) -> None:
    """None = a letter that nothing else holds, so that what came out of the text says where it is from."""
    letters = iter(UNIQUE)
    texts = ["".join(next(letters) if piece is None else piece for piece in shape) for shape in shapes]
    data = stream(*texts)
    whole, _ = read(builder(prompt_end), [data])
    assert all(set(text) & set(UNIQUE) <= set(texts[number]) and text in texts[number] for _, number, text in whole)
    numbers = [number for _, number, _ in whole]
    assert numbers == sorted(numbers)
    assert {char for *_, text in whole for char in text if char in UNIQUE} == {
        char for text in texts for char in text if char in UNIQUE
    }
    for size in (1, 7):
        pieces = [data[place : place + size] for place in range(0, len(data), size)]
        assert _joined(read(builder(prompt_end), pieces)[0]) == _joined(whole)


def _joined(pieces: Pieces) -> list[tuple[ReplyPart, int, str]]:
    found = Pieces()
    for part, number, text in pieces:
        if found and found[-1][:2] == (part, number):
            found[-1] = part, number, found[-1][2] + text
        else:
            found.append((part, number, text))
    return found


def test_every_token_that_counts_has_its_certainty() -> None:
    data = b"".join(
        [
            frame(token={"text": "a", "logprob": -1.5}),
            frame(token={"text": "", "logprob": -9.0}),
            frame(token={"text": "<|im_end|>", "special": True, "logprob": -9.0}),
            b"data: " + json.dumps({"token": {"text": "b"}}).encode() + b"\n\n",
            end(),
        ]
    )
    _, logprobs = read(builder(), [data])
    assert logprobs[0] == -1.5
    assert math.isnan(logprobs[1])
    assert len(logprobs) == 2
