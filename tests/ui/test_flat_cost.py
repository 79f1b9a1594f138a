"""What a piece of a growing reply costs does not depend on how much was said before. Counted, not timed.

The messages of the session are watched ones: they count how often anything of them is read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from kimi_tui.core.ports import HeldSession
from kimi_tui.core.session.session import Message, Session
from kimi_tui.ui.state.services import FirstSession
from tests.fakes.scripted_client import DONE, end, streaming, think_end, token
from tests.ui.program import program, talk

PIECES = 40
LOOKS = Counter[str]()
"""How often each watched message was read, by its id."""
MEASURED = Counter[str]()
"""How often watched texts were measured."""


class WatchedText(str):
    __slots__ = ()

    def count(self, *args: Any) -> int:
        MEASURED["texts"] += args[0] == "\n"  # the prompt of the turn counts other things
        return super().count(*args)


class WatchedMessage(Message):
    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("__"):
            LOOKS[object.__getattribute__(self, "id")] += 1
        return object.__getattribute__(self, name)


def watched(message: Message) -> Message:
    values = {field.name: getattr(message, field.name) for field in fields(message)}
    return WatchedMessage(**values | {"content": WatchedText(message.content)})


def opening(session: Session) -> FirstSession:
    """The session with watched messages, read while the screen is there already."""
    held = HeldSession(replace(session, messages=tuple(map(watched, session.messages)), path="talk.toml"))
    return FirstSession("Talk", lambda: held)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count from now on; what was counted stands there afterwards."""
    LOOKS.clear()
    MEASURED.clear()
    found = Counter[str]()
    yield found
    found.update(LOOKS)


async def costs(tmp_path: Path, pairs: int) -> tuple[Counter[str], Counter[str]]:
    """How often messages were read while text arrived, and when it had ended."""
    gates = [asyncio.Event() for _ in range(PIECES)]
    steps = [step for number, gate in enumerate(gates) for step in (token(f"word{number} "), gate)]
    script = streaming(token("hm"), think_end(), *steps, token("the end"), end(), DONE)
    session = talk(*((f"Question {number}?", "Answer.") for number in range(pairs)))
    async with program(tmp_path, script, session=session, opening=opening(session)) as running:
        await running.shows("Answer.")
        await running.type("More?<enter>")
        await running.shows("word0")
        with counted() as growing:
            for number, gate in enumerate(gates[:-1]):
                gate.set()
                await running.shows(f"word{number + 1}")
        with counted() as ended:
            gates[-1].set()
            await running.idle()
        return growing, ended


async def test_a_piece_of_a_reply_costs_the_same_after_2000_messages(tmp_path: Path) -> None:
    few, few_at_end = await costs(tmp_path / "few", 5)
    many, many_at_end = await costs(tmp_path / "many", 1000)
    assert few == many == Counter()
    assert 0 < max(many_at_end.values()) <= max(few_at_end.values())


async def test_the_message_cursor_moves_without_a_look_at_every_message(tmp_path: Path) -> None:
    session = talk(*[("Lamb?", "Roast it.")] * 20)
    async with program(tmp_path, session=session, opening=opening(session)) as running:
        await running.shows("Roast it.")
        await running.type("<ctrl+up><up>")
        chosen = running.screen.chat.target(running.screen.transcript.cursor.chosen)
        with counted() as looks:
            await running.type("<up><up><up>")
        assert running.screen.chat.target(running.screen.transcript.cursor.chosen) != chosen
        assert 0 < len(looks) < 10


async def test_a_question_is_shown_without_a_look_at_what_stands_above(tmp_path: Path) -> None:
    session = talk(*[("Lamb?", "Roast it.")] * 500)
    script = streaming(token("hm"), end(), DONE)
    async with program(tmp_path, script, session=session, opening=opening(session)) as running:
        await running.shows("Roast it.")
        assert MEASURED["texts"] >= 1000
        MEASURED.clear()
        await running.type("More?<enter>")
        await running.idle()
        assert MEASURED["texts"] < 50
