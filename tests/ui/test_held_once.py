"""While a reply grows its text is held once, whoever shows it: every string that is alive is counted."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
from pathlib import Path

import pytest

from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.ui.transcript import viewport
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import Program, program

LINES = 10_000
"""Of each part: about 1.6 MB."""
PIECE_CHARS = 600
MOST = 1.25
"""Times the text: beside it stand the blocks and lines that were in view last."""


def bytes_of_strings() -> int:
    """What all strings take that any object holds, each string once."""
    gc.collect()
    sizes, seen, left = dict[int, int](), set[int](), gc.get_objects()
    while left:
        for found in gc.get_referents(left.pop()):
            if type(found) is str:
                sizes[id(found)] = sys.getsizeof(found)
            elif not gc.is_tracked(found) and id(found) not in seen and gc.get_referents(found):
                seen.add(id(found))
                left.append(found)
    return sum(sizes.values())


def prose(chance: random.Random, *, blank: str) -> str:
    lines = (" ".join(f"{chance.getrandbits(40):x}" for _ in range(15)) for _ in range(LINES))
    return "".join(f"L{line}\n{blank}" for line in lines)


def tokens(text: str) -> list[bytes]:
    return [token(text[start : start + PIECE_CHARS]) for start in range(0, len(text), PIECE_CHARS)]


def told(running: Program) -> int:
    live = running.screen.chat.replies.live
    return 0 if live is None else sum(len(live.text(part)) for part in ReplyPart)


async def test_a_reply_that_grows_is_held_once_however_many_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewport, "KEPT_CHARS", 50_000)
    monkeypatch.setattr(viewport, "KEPT_LINES", 500)
    chance, rest = random.Random(1), asyncio.Event()
    thought, answer = prose(chance, blank=""), prose(chance, blank="\n")
    chars = len(thought) + len(answer)
    first = streaming(*tokens("Hm."), think_end(), *tokens("Hello."), end(), DONE)
    script = streaming(*tokens(thought), think_end(), *tokens(answer), rest, end(), DONE)
    async with program(tmp_path, first, script, config={"ui": {"panes": ["reasoning"]}}) as running:
        await running.type("Hi.<enter>")  # from now on all is imported that a turn needs
        await running.shows("Hello.")
        await running.idle()
        before = bytes_of_strings()
        await running.type("Tell me.<enter>")
        while told(running) < chars:
            await running.pilot.pause(0.01)
        held = bytes_of_strings() - before
        assert chars < held < MOST * chars
        rest.set()
        await running.idle()
        assert bytes_of_strings() - before < MOST * chars
