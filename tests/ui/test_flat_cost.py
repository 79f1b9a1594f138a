"""What a piece of a growing reply costs does not depend on how much was said before. Counted, not timed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kimi_tui.core.session import tree
from kimi_tui.ui.app.chat_screen import ChatScreen
from kimi_tui.ui.commands import situation
from kimi_tui.ui.state import entries, status_line
from kimi_tui.ui.transcript.item import Item
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import program, talk

PIECES = 40
COUNTED: list[tuple[Any, str]] = [
    (tree, "branch"),
    (tree, "alternatives"),
    (entries, "message_entry"),
    (situation, "offers"),
    (status_line, "context_of"),
    (ChatScreen, "refresh_hints"),
    (Item, "estimate"),
]


def count(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the calls of what looks at every message."""
    counts: Counter[str] = Counter()

    def counted(owner: Any, name: str) -> Callable[..., Any]:
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return real(*args, **kwargs)

        return call

    for owner, name in COUNTED:
        monkeypatch.setattr(owner, name, counted(owner, name))
    return counts


async def costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pairs: int) -> tuple[Counter[str], Counter[str]]:
    """The calls while text arrives, and those when it has ended."""
    gates = [asyncio.Event() for _ in range(PIECES)]
    steps = [step for number, gate in enumerate(gates) for step in (token(f"word{number} "), gate)]
    script = streaming(token("hm"), think_end(), *steps, token("the end"), end(), DONE)
    session = talk(*((f"Question {number}?", "Answer.") for number in range(pairs)))
    async with program(tmp_path, script, session=session) as running:
        await running.type("More?<enter>")
        await running.shows("word0")
        with monkeypatch.context() as patch:
            counts = count(patch)
            for number, gate in enumerate(gates[:-1]):
                gate.set()
                await running.shows(f"word{number + 1}")
            growing = counts.copy()
            counts.clear()
            gates[-1].set()
            await running.idle()
            return growing, counts


async def test_a_piece_of_a_reply_costs_the_same_after_2000_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, few_at_end = await costs(tmp_path / "few", monkeypatch, 5)
    many, many_at_end = await costs(tmp_path / "many", monkeypatch, 1000)
    assert few == many == Counter()
    assert few_at_end["message_entry"] == many_at_end["message_entry"] == 1
    assert few_at_end["branch"] == many_at_end["branch"]
    assert few_at_end["estimate"] == many_at_end["estimate"]


async def test_the_message_cursor_moves_without_a_look_at_every_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, session=talk(*[("Lamb?", "Roast it.")] * 20)) as running:
        await running.type("<ctrl+up><up>")
        chosen = running.screen.target()
        with monkeypatch.context() as patch:
            counts = count(patch)
            await running.type("<up><up><up>")
        assert running.screen.target() != chosen
        assert (counts["branch"], counts["alternatives"]) == (0, 0)
        assert counts["refresh_hints"] > 0


async def test_a_question_is_shown_without_a_look_at_what_stands_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, streaming(token("hm"), end(), DONE), session=talk(*[("?", "!")] * 500)) as running:
        with monkeypatch.context() as patch:
            counts = count(patch)
            await running.type("More?<enter>")
            await running.idle()
        assert 0 < counts["estimate"] < 50
