"""Comparing big texts: what the diff and the layout take, and what a key waits for meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence

from kimi_tui.ui.screens.compare_rows import Comparison, compared, rows_of
from tests.benchmarks.pauses import ALLOWED_S, longest_pause
from tests.benchmarks.texts import GIANTS, prose

WORDS = 20_000
CELLS = 57
"""Of a row beside another one in 120 columns."""


def language(words: int, seed: int, vocabulary: int = 4_000) -> Sequence[str]:
    """Words as often as in a language: the second half as often as the first, the third a third as often."""
    chance = random.Random(seed)
    return chance.choices([f"w{n}" for n in range(vocabulary)], [1 / (n + 1) for n in range(vocabulary)], k=words)


def edited(words: Sequence[str], share: float) -> Sequence[str]:
    chance = random.Random(1)
    return [f"{word}x" if chance.random() < share else word for word in words]


def paragraphs(words: Sequence[str]) -> str:
    return "\n\n".join(" ".join(words[place : place + 60]) for place in range(0, len(words), 60))


def pairs() -> dict[str, tuple[str, str]]:
    text = language(WORDS, 1)
    return {
        "20,000 words, none alike": (" ".join(f"a{n}" for n in range(WORDS)), " ".join(f"b{n}" for n in range(WORDS))),
        "20,000 words, a tenth edited": (paragraphs(text), paragraphs(edited(text, 0.1))),
        "20,000 words in one line, edited": (" ".join(text), " ".join(edited(text, 0.1))),
        "20,000 words of one language": (paragraphs(text), paragraphs(language(WORDS, 2))),
        "20,000 words of two": (" ".join(language(WORDS, 1, 2)), " ".join(language(WORDS, 2, 2))),
        "1 MB, edited": (GIANTS["prose"], GIANTS["prose"].replace("rosemary rested", "thyme rested")),
        "1 MB, other words": (GIANTS["prose"], prose(160_000, 2)),
        "1 MB of wide characters": (GIANTS["wide"], GIANTS["wide"].replace("羊", "牛")),
    }


async def comparing() -> AsyncIterator[tuple[str, float, float]]:
    """In a thread, against splitting both texts; how long a key waits meanwhile, against what nobody feels."""
    for name, (left, right) in pairs().items():
        start = time.perf_counter()
        assert left.split() != right.split()
        base = time.perf_counter() - start
        found: list[Comparison] = []

        async def compare(texts: tuple[str, str], found: list[Comparison]) -> None:
            found.append(await asyncio.to_thread(compared, *texts))

        start = time.perf_counter()
        pause = await longest_pause(compare((left, right), found))
        took, diff = time.perf_counter() - start, found[0].diff
        coarse = ", coarse" if diff.is_coarse else ""
        yield f"{name}, {diff.equal_words:,} words equal{coarse} : split", took, base
        yield f"{name}, longest pause : unfelt", pause, ALLOWED_S
        start = time.perf_counter()
        rows = await asyncio.to_thread(rows_of, found[0], CELLS)
        yield f"{name}, {rows.count:,} rows : split", time.perf_counter() - start, base
