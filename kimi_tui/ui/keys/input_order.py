"""Keys, pastes and clicks in the order in which they came: each acts before the next goes anywhere.

The library sends a key to the widget that has the focus, and what the widget does not take goes up through the queues
of its parents; only then its binding acts. A letter behind it would be typed before, and a key behind one that opens a
pane would go to where the focus was. So the next one waits until everything that the one before has caused is done:
every queue on its way has been worked off, editors and screens that it opened are there, the command that it began has
come to its end. There is a limit, so that a command that hangs holds no key back for long.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Protocol

from textual import events
from textual.app import ScreenStackError
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea
from textual.worker import Worker
from textual.worker_manager import WorkerManager

from kimi_tui.ui.keys.key_lookup import character_of

LIMIT_S = 2.0
"""Longest time that what came waits for what came before it to have acted, in seconds."""
COMMAND_S = 1.0
"""Of that, how long it waits for a command, in seconds: one may read or write a large file."""
LOOK_S = 0.01
"""Time between two looks at what is waited for where nothing tells of it, in seconds."""
MAX_ROUNDS = 8
"""How often the queues are worked off at most, where a reply that arrives fills them again and again."""
MIN_ROUNDS = 2
"""How often at least, where an editor or a screen may have been opened: it asks for the keys when it is there."""
LAST_S = 0.05
"""When nothing came for so long, in seconds, all has come that was on its way."""
TYPING_KEYS = frozenset({"backspace", "delete", "left", "right"})
"""Keys that change nothing but the text, or the place in it, that is being typed; printable ones are more of them."""
COMMANDS = "command"
"""The group of the workers that carry actions out."""
ORDERED = (events.InputEvent, events.Paste, events.AppFocus, events.AppBlur)
QUICK = (events.MouseMove, events.MouseScrollUp, events.MouseScrollDown, events.AppFocus, events.AppBlur)
"""Of these, what the next one need not wait for."""


class OrderedApp(Protocol):
    @property
    def focused(self) -> Widget | None: ...

    @property
    def screen(self) -> Screen[object]: ...

    @property
    def workers(self) -> WorkerManager: ...

    @property
    def is_giving_keys(self) -> bool:
        """Whether a pane is about to take the focus."""

    async def ready_for(self, event: events.Event) -> bool:
        """Wait until there is what an event asks for; whether that was necessary."""

    def was_for(self, screen: Screen[object], event: events.Event) -> bool:
        """Whether an event was meant for a screen above the conversation and nothing else."""

    def post_message(self, message: events.Event) -> bool: ...


class InputOrder:
    def __init__(self, app: OrderedApp, begun: Iterable[events.Event] = ()) -> None:
        """Begin with what came before; nothing goes on until `run` does."""
        self._app = app
        self._waiting = deque(begun)
        self._came = asyncio.Event()
        self._acting = asyncio.Lock()
        self._is_closed = False
        self._sent: dict[int, events.Event] = {}  # whose turn it is, on their way, by identity

    def hold(self, event: events.Event) -> bool:
        """Queue an event. True = queued, it will be posted again in its turn; False = handle it now.

        That is so where it is no input, or is the one that was posted again.
        """
        if not isinstance(event, ORDERED) or event.is_forwarded or self._sent.pop(id(event), None) is event:
            return False
        self._waiting.append(event)
        self._came.set()
        return True

    async def run(self) -> None:
        with contextlib.suppress(ScreenStackError):  # the last screen has gone
            while not self._is_closed:
                while not self._waiting:
                    self._came.clear()
                    await self._came.wait()
                event = self._waiting[0]
                if await self._app.ready_for(event):
                    await _in_time(self._settled())
                    await _in_time(_finished(self._commands()), COMMAND_S)
                async with self._acting:
                    if not self._is_closed:
                        await self._let_act(self._waiting.popleft())

    async def close(self) -> str:
        """Let nothing act any more, once what acts now has; what came since then is given as text.

        Keys that are no characters are left out, but for Enter and Backspace.
        """
        self._is_closed = True
        await _in_time(self._acting.acquire())
        seen = -1
        while seen < len(self._waiting):
            seen = len(self._waiting)
            await asyncio.sleep(LAST_S)
        return "".join(_texts_of(self._waiting))

    async def _let_act(self, event: events.Event) -> None:
        if isinstance(event, QUICK):
            self._send(event)
        elif self._is_typed(event):
            await self._type(event)
        else:
            await _in_time(self._found())
            screen = self._app.screen
            await _in_time(self._act(event))
            self._drop_repeated(event, screen)

    def _send(self, event: events.Event) -> None:
        self._sent[id(event)] = event
        self._app.post_message(event)

    def _drop_repeated(self, event: events.Event, screen: Screen[object]) -> None:
        """Forget a key that came again before the screen that it closed was gone: it is for nothing below."""
        while not screen.is_active and self._waiting and self._app.was_for(screen, event):
            again = self._waiting[0]
            if not isinstance(event, events.Key) or not isinstance(again, events.Key) or again.key != event.key:
                break
            self._waiting.popleft()

    def _commands(self) -> set[Worker[Any]]:
        return {worker for worker in self._app.workers if worker.group == COMMANDS}

    async def _type(self, event: events.Event) -> None:
        """Let a text change; letters go on together: an editor of several lines takes them in its own order."""
        way = self._way()
        self._send(event)
        takes_letters = isinstance(way[0], TextArea) and _is_letter(event)
        while takes_letters and self._waiting and _is_letter(self._waiting[0]):
            self._send(self._waiting.popleft())
        await _in_time(self._typed(way))

    async def _act(self, event: events.Event) -> None:
        before, way = self._commands(), self._way()
        self._send(event)
        await self._arrived(way)
        await self._settled()
        await _in_time(_finished(self._commands() - before), COMMAND_S)

    async def _typed(self, way: Sequence[DOMNode]) -> None:
        await self._arrived(way)
        rounds = 0
        while rounds < MAX_ROUNDS and self._way() == way and self._is_busy():
            rounds += 1
            await _work_off(way)
        if self._way() != way:  # it was more than typing: an answer that was complete with it
            await self._settled()

    async def _settled(self) -> None:
        rounds = 0
        while rounds < MIN_ROUNDS or (rounds < MAX_ROUNDS and self._is_busy()):
            rounds += 1
            await self._come_to_rest()

    @staticmethod
    async def _arrived(way: Sequence[DOMNode]) -> None:
        await _work_off(way[-1:])  # from the application it is sent to where its way begins
        await _work_off(way)

    def _is_typed(self, event: events.Event) -> bool:
        """Whether it changes a text and nothing else."""
        if not isinstance(self._app.focused, Input | TextArea):
            return False
        is_typing_key = isinstance(event, events.Key) and event.key in TYPING_KEYS
        return is_typing_key or _is_letter(event) or isinstance(event, events.Paste)

    def _way(self) -> list[DOMNode]:
        """Where a key goes: from what has the focus up to the application."""
        return (self._app.focused or self._app.screen).ancestors_with_self

    async def _found(self) -> None:
        """Wait until what is typed into the command palette has been looked for."""
        screen = self._app.screen
        while isinstance(screen, ModalScreen) and any(
            worker.node is screen and not worker.is_finished for worker in self._app.workers
        ):
            await asyncio.sleep(LOOK_S)

    def _is_busy(self) -> bool:
        return self._app.is_giving_keys or any(node.message_queue_size for node in self._way())

    async def _come_to_rest(self) -> None:
        """Wait until every widget in view has done what it has to do, and is drawn."""
        screen = self._app.screen
        await _work_off(self._way())
        await _pass(list(screen.walk_children(with_self=True)))
        drawn = asyncio.Event()
        screen.call_after_refresh(drawn.set)
        while not drawn.is_set() and self._app.screen is screen:
            await _wait_a_moment(drawn)


def _is_letter(event: events.Event) -> bool:
    return isinstance(event, events.Key) and bool(character_of(event))


def _texts_of(waiting: Iterable[events.Event]) -> Sequence[str]:
    """The text of each; an Enter is a line end, and a Backspace takes the character before it."""
    texts = list[str]()
    for event in waiting:
        if isinstance(event, events.Paste):
            texts += event.text
        elif isinstance(event, events.Key) and event.key == "backspace":
            del texts[-1:]
        elif isinstance(event, events.Key) and (event.key == "enter" or _is_letter(event)):
            texts.append("\n" if event.key == "enter" else character_of(event))
    return texts


async def _in_time(work: Awaitable[object], limit_s: float = LIMIT_S) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await work


async def _finished(workers: Iterable[Worker[Any]]) -> None:
    while not all(worker.is_finished for worker in workers):
        await asyncio.sleep(LOOK_S)


async def _work_off(way: Sequence[DOMNode]) -> None:
    """Wait until each queue on a way is worked off, one after the other: what one hands on is in the next one then."""
    passed, left = asyncio.Event(), iter(way)

    def pass_on() -> None:
        if not any(node.call_later(pass_on) for node in left):
            passed.set()

    pass_on()
    while not passed.is_set() and not _has_gone(way):
        await _wait_a_moment(passed)


async def _pass(nodes: Sequence[DOMNode]) -> None:
    """Wait until each of these has done what is in its queue now, or is gone."""
    left, passed = set(nodes), asyncio.Event()

    def pass_(node: DOMNode) -> None:
        left.discard(node)
        if not left:
            passed.set()

    for node in nodes:
        if not node.call_later(pass_, node):
            pass_(node)
    while left:
        await _wait_a_moment(passed)
        left.difference_update([node for node in left if _has_gone([node])])


def _has_gone(nodes: Iterable[DOMNode]) -> bool:
    return any(isinstance(node, Widget) and not node.is_attached for node in nodes)


async def _wait_a_moment(event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), LOOK_S)
