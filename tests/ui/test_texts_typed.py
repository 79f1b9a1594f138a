"""Whatever is done with what was typed: it is sent below the message that it was written for, never lost or doubled."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimi_tui.adapters.store.session_drafts import load_draft
from kimi_tui.core.errors import AuthenticationError
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Message, Role
from kimi_tui.core.wire.turn_events import Phase
from kimi_tui.ui.panes.drafts import EDIT_TITLE
from kimi_tui.ui.state.slash import Text, parse_line
from tests.fakes.scripted_client import DONE, Script, end, streaming, think_end, token
from tests.ui.program import Program, program, talk

TALK = talk(("w0x", "Roast it."), ("w1x", "Braise it."))
REQUESTS = 40


def words_of(texts: Iterable[str]) -> Counter[str]:
    return Counter(word for text in texts for word in re.findall(r"w\d+x", text))


def questions(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.role is Role.USER]


@dataclass
class Typist:
    """Somebody who types, and knows what each text was meant for by what the screen said."""

    running: Program
    gates: list[asyncio.Event]
    count: int = 1
    parents: dict[str, list[Callable[[], str | None]]] = field(default_factory=lambda: defaultdict(list))
    """By the text of a message that was sent: what its parent has to be, once for each time."""
    given_up: set[str] = field(default_factory=set)
    """Words that were thrown away on purpose, or were part of a command."""
    sent: set[str] = field(default_factory=set)

    @property
    def screen(self):  # type: ignore[no-untyped-def]
        return self.running.screen

    async def settle(self) -> None:
        def is_still() -> bool:
            turns = [chat.replies.turn for chat in self.screen.open_chats.all if chat.replies.turn is not None]
            return all(turn.phase is Phase.ANSWERING for turn in turns)

        await self.running.pilot.pause()
        await self.running.until(is_still)
        await self.running.pilot.pause(0.06)
        await self.running.until(is_still)
        self.note()

    def note(self) -> None:
        for chat in self.screen.open_chats.all:
            self.sent |= set(words_of(message.content for message in questions(chat.session.messages)))

    # -- what can be done

    async def type(self) -> None:
        self.count += 1
        composer = self.screen.composer
        composer.move_cursor(composer.document.end)
        await self.running.type(f" w{self.count}x")
        if composer.draft.startswith("/"):
            self.given_up |= set(words_of([composer.draft]))  # a command alone is not kept with a session

    async def enter(self) -> None:
        draft = self.screen.composer.draft
        line = parse_line(draft)
        if draft.startswith("/"):
            self.given_up |= set(words_of([draft]))
        elif isinstance(line, Text) and line.text.strip():
            self.parents[line.text] += self._parents(line.text)
        await self.running.type("<enter>")

    def _parents(self, text: str) -> list[Callable[[], str | None]]:
        """What the screen says of where a text goes."""
        chat = self.screen.chat
        if self.screen.composer.border_title == EDIT_TITLE:
            first = text.split(maxsplit=1)[0] if text.split() else ""
            family = {m.parent for m in questions(chat.session.messages) if m.content.split()[:1] == [first]}
            return [lambda parent=parent: parent for parent in family]  # type: ignore[misc]
        if chat.replies.turn is None:
            parent = tree.question_parent(chat.session)
            return [lambda: parent]
        asked = chat.replies.turn.question
        assert asked is not None
        before = chat.unsent.queued[-1] if chat.unsent.queued else asked.content

        def below_the_reply() -> str | None:
            messages = chat.session.messages
            replies = [m for m in messages if m.role is Role.ASSISTANT]
            asking = {m.id for m in messages if m.content == before}
            below = [m.parent for m in questions(messages) if m.content == text]
            return next((m.id for m in replies if m.parent in asking and m.id in below), "the reply it waited for")

        return [below_the_reply]

    async def escape(self) -> None:
        if self.screen.drafts.is_aside:
            self.given_up |= set(words_of([self.screen.composer.draft]))
        await self.running.type("<escape>")

    async def up(self) -> None:
        await self.running.type("<up>")

    def choose(self, action: str, *, role: Role = Role.USER, first: bool = False) -> None:
        found = [message for message in self.screen.chat.branch if message.role is role]
        if found:
            self.screen.transcript.cursor.choose(found[0 if first else -1].id)
            self.screen.dispatcher.choose(action)
            if self.screen.composer is not self.screen.focused:
                self.screen.type_here()

    async def edit(self) -> None:
        self.choose("edit")

    async def edit_first(self) -> None:
        self.choose("edit", first=True)

    async def regenerate(self) -> None:
        self.choose("regenerate")

    async def delete(self) -> None:
        self.choose("delete")

    async def undo(self) -> None:
        self.choose("undo")

    async def alternative(self) -> None:
        self.choose("previous-alternative", role=Role.ASSISTANT)

    async def rename(self) -> None:
        await self.running.type("<f6>")

    async def failing_command(self) -> None:
        await self.running.type("<f8>x.pdf<enter>")
        await self.running.pilot.pause(0.05)

    async def break_a_field(self) -> None:
        self.screen.chat.open_session.update(lambda value: replace(value, settings={"temperature": "hot"}))

    async def mend_the_field(self) -> None:
        self.screen.chat.open_session.update(lambda value: replace(value, settings={}))

    async def finish(self) -> None:
        chats = {chat: chat.replies.turn for chat in self.screen.open_chats.all if chat.replies.turn is not None}
        for gate in self.gates[: len(self.running.client.bodies)]:
            gate.set()
        await self.running.until(lambda: all(chat.replies.turn is not turn for chat, turn in chats.items()))

    async def switch(self) -> None:
        before = self.screen.chat
        if before.session.id == TALK.id:
            await self.running.type("<ctrl+n>")
        else:
            self.screen.run_later(self.screen.current.open(self.running.files.path_of(TALK)))
        await self.running.until(lambda: self.screen.chat is not before)

    # -- what has to hold

    def unsent(self) -> Counter[str]:
        """The words in every place where a text waits."""
        chats = self.screen.open_chats.all
        files = self.running.files
        closed = [path.stem[1:] for path in files.folder.glob(".*.draft")]
        closed = [name for name in closed if all(chat.session.id != name for chat in chats)]
        return words_of(
            [
                *self.screen.drafts.texts,
                *(chat.unsent.draft for chat in chats[1:]),
                *(text for chat in chats for text in chat.unsent.queued),
                *(load_draft(files.folder / f"{name}.toml") for name in closed),
            ]
        )

    def check(self) -> None:
        unsent = self.unsent()
        typed = {f"w{number}x" for number in range(2, self.count + 1)}
        assert not typed - self.sent - self.given_up - set(unsent), "lost"
        assert not {word for word, count in unsent.items() if count > 1 and word not in self.sent | self.given_up}
        for chat in self.screen.open_chats.all:
            for message in questions(chat.session.messages):
                if message.content in self.parents:
                    rights = [right() for right in self.parents[message.content]]
                    assert message.parent in rights, (message, rights)


ACTS = [
    Typist.type, Typist.enter, Typist.escape, Typist.up, Typist.edit, Typist.edit_first, Typist.regenerate,
    Typist.delete, Typist.undo, Typist.alternative, Typist.rename, Typist.failing_command, Typist.break_a_field,
    Typist.mend_the_field, Typist.finish, Typist.switch,
]  # fmt: skip
Act = Callable[[Typist], Awaitable[None]]
# Typing and sending come most often, as with people.
acts = st.lists(st.sampled_from([*ACTS, Typist.type, Typist.type, Typist.enter, Typist.enter]), max_size=25)


async def do_all(done: list[Act]) -> None:
    gates = [asyncio.Event() for _ in range(REQUESTS)]
    scripts = [
        Script([], refuse=AuthenticationError("The key is wrong."))
        if number % 5 == 4
        else streaming(token("hm"), think_end(), token("one"), gates[number], token(" end"), end(), DONE)
        for number in range(REQUESTS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        async with program(Path(folder), *scripts, session=TALK, config={"ui": {"panes": ["prompt"]}}) as running:
            typist = Typist(running, gates)
            for message in questions(TALK.messages):
                typist.parents[message.content].append(lambda parent=message.parent: parent)  # type: ignore[misc]
            for act in done:
                await act(typist)
                await typist.settle()
                typist.check()


T = Typist


@settings(max_examples=10)
@given(acts)
@example(
    [
        T.break_a_field,
        T.edit_first,
        T.type,
        T.enter,
        T.escape,
        T.mend_the_field,
        T.regenerate,
        T.type,
        T.enter,
        T.finish,
    ]
)
@example([T.edit, T.type, T.rename, T.escape, T.enter])
@example([T.type, T.enter, T.type, T.enter, T.edit, T.type, T.switch, T.finish, T.switch])
async def test_every_text_goes_where_it_was_meant(done: list[Act]) -> None:
    await do_all(done)


@pytest.mark.slow
@settings(max_examples=300)
@given(acts)
async def test_every_text_goes_where_it_was_meant_at_length(done: list[Act]) -> None:
    await do_all(done)
