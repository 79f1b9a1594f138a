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
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from textual import events
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea
from textual.worker import Worker
from textual.worker_manager import WorkerManager

LIMIT_S = 2.0
"""Longest time that what came waits for what came before it to have acted, in seconds."""
LOOK_S = 0.01
"""Time between two looks at what is waited for where nothing tells of it, in seconds."""
MAX_ROUNDS = 8
"""How often the queues are worked off at most, where a reply that arrives fills them again and again."""
MIN_ROUNDS = 2
"""How often at least, where an editor or a screen may have been opened: it asks for the keys when it is there."""
TYPING_KEYS = frozenset({"backspace", "delete", "left", "right"})
"""Keys that change nothing but the text, or the place in it, that is being typed; printable ones are more of them."""
COMMANDS = "command"
"""The group of the workers that carry actions out."""
ORDERED = (events.InputEvent, events.Paste, events.AppFocus, events.AppBlur)
"""What is taken in order."""
QUICK = (events.MouseMove, events.MouseScrollUp, events.MouseScrollDown, events.AppFocus, events.AppBlur)
"""Of these, what the next one need not wait for."""


class OrderedApp(Protocol):
    """The application, as far as the order goes."""

    @property
    def focused(self) -> Widget | None:
        """What has the focus."""

    @property
    def screen(self) -> Screen[object]:
        """The screen on top."""

    @property
    def workers(self) -> WorkerManager:
        """What runs beside the screen."""

    @property
    def is_giving_keys(self) -> bool:
        """Whether a pane is about to take the focus."""

    async def ready_for(self, event: events.Event) -> bool:
        """Wait until there is what an event asks for; whether that was necessary."""

    def was_for(self, screen: Screen[object], event: events.Event) -> bool:
        """Whether an event was meant for a screen above the conversation and nothing else."""

    def post_message(self, message: events.Event) -> bool:
        """Send something the way that it goes."""


class InputOrder:
    """Lets what was typed and clicked go on one by one."""

    def __init__(self, app: OrderedApp, begun: Iterable[events.Event] = ()) -> None:
        """Begin with what came before; nothing goes on until `run` does."""
        self._app = app
        self._waiting = deque(begun)
        self._has_come = asyncio.Event()
        self._in_turn: events.Event | None = None
        self.is_acting = bool(self._waiting)
        """Whether something that came has not acted yet."""

    def hold(self, event: events.Event) -> bool:
        """Let something wait for its turn, when it will come again; False = it is none of these, or it is its turn."""
        if not isinstance(event, ORDERED) or event.is_forwarded or event is self._in_turn:
            return False
        self._waiting.append(event)
        self._has_come.set()
        self.is_acting = True
        return True

    async def run(self) -> None:
        """Let one after the other go on, for ever."""
        while True:
            while not self._waiting:
                self.is_acting = False
                self._has_come.clear()
                await self._has_come.wait()
            event = self._waiting.popleft()
            had_to_wait = await self._app.ready_for(event)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LIMIT_S):
                    if had_to_wait:
                        await self._come_to_rest()
                        await _finished(self._commands())
                    screen = self._app.screen
                    await self._act(event)
                    self._drop_repeated(event, screen)

    def _drop_repeated(self, event: events.Event, screen: Screen[object]) -> None:
        """Forget a key that came again before the screen that it closed was gone: it is for nothing below."""
        while not screen.is_active and self._waiting and self._app.was_for(screen, event):
            again = self._waiting[0]
            if not isinstance(event, events.Key) or not isinstance(again, events.Key) or again.key != event.key:
                break
            self._waiting.popleft()

    def _commands(self) -> set[Worker[Any]]:
        """What carries actions out."""
        return {worker for worker in self._app.workers if worker.group == COMMANDS}

    async def _act(self, event: events.Event) -> None:
        """Let something go on, and wait until it has acted."""
        app, is_typed = self._app, self._is_typed(event)
        if not is_typed:
            await self._found()
        before, way = self._commands(), self._way()
        self._in_turn = event
        app.post_message(event)
        if isinstance(event, QUICK):
            return
        await _pass(way[-1:])  # from the application it is sent to where its way begins
        await _work_off(way)
        for done in range(MAX_ROUNDS):
            is_typing = is_typed and self._way() == way
            if not self._is_busy() and (is_typing or done >= MIN_ROUNDS):
                break
            await (_work_off(way) if is_typing else self._come_to_rest())
        await _finished(self._commands() - before)

    def _is_typed(self, event: events.Event) -> bool:
        """Whether it changes a text and nothing else."""
        if not isinstance(self._app.focused, Input | TextArea):
            return False
        return isinstance(event, events.Paste) or (
            isinstance(event, events.Key) and (event.is_printable or event.key in TYPING_KEYS)
        )

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


async def _finished(workers: Iterable[Worker[Any]]) -> None:
    """Wait until all of these have ended."""
    while not all(worker.is_finished for worker in workers):
        await asyncio.sleep(LOOK_S)


async def _work_off(way: Iterable[DOMNode]) -> None:
    """Wait until each queue on a way is worked off, one after the other: what one hands on is in the next one then."""
    for node in way:
        await _pass([node])


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
        left.difference_update([node for node in left if isinstance(node, Widget) and not node.is_attached])


async def _wait_a_moment(event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), LOOK_S)
