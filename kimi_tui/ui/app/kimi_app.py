"""The application: themes, the filter at the door to the terminal, and what happens when something goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, cast

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widgets import Input, TextArea
from textual.worker import Worker, WorkerFailed, WorkerState

from kimi_tui.core.errors import KimiError, ThemeError
from kimi_tui.core.faults import fault_of
from kimi_tui.core.ports import HeldSession
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.core.settings.settings import UiSettings
from kimi_tui.core.text.copied import TO_TERMINAL, Delivery, copied_words
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.ui.app.chat_screen import ChatScreen
from kimi_tui.ui.app.screen_parts import Late, ScreenParts
from kimi_tui.ui.keys.input_order import ORDERED, InputOrder
from kimi_tui.ui.keys.key_lookup import BLIND, action_of, is_blind
from kimi_tui.ui.screens.above import Above, LateClicks
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.services import FirstSession, Services
from kimi_tui.ui.terminal.driver import TerminalDriver
from kimi_tui.ui.terminal.ending import LEAVE_WITHIN_S, Ending
from kimi_tui.ui.terminal.terminal_abilities import MODERN, Terminal, terminal_filters
from kimi_tui.ui.terminal.terminal_input import typed_events
from kimi_tui.ui.terminal.textual_internals import fail, patch_library
from kimi_tui.ui.text.safe_text import SafeFilter
from kimi_tui.ui.text.themes import begin_with_theme
from kimi_tui.ui.widgets.editing import Editing, Kills

log = logging.getLogger("kimi_tui")

DEFAULT_THEME = UiSettings().theme
"""It is taken too where the theme that was asked for cannot be used."""
IDLE_AFTER_S = 0.25
"""Time from when the first session is shown until what that did not need is made ready, in seconds."""
REPORTS = "reports"
"""The group of the workers that write down what went wrong."""
IdleWork = Callable[[], Awaitable[None]]

patch_library()


def _late_parts(parts: ScreenParts) -> Late:
    from kimi_tui.ui.app.late_parts import LateParts  # noqa: PLC0415 - the first frame needs none of it

    return LateParts(parts)


class KimiApp(App[str], inherit_bindings=False):
    """Its result is the id of the session to resume; None = nothing was saved."""

    TITLE = "kimi-tui"
    COMMANDS: ClassVar = set()  # the screen's own are all there are
    ENABLE_COMMAND_PALETTE: ClassVar = False  # its key is one of our actions, which are for the conversation alone
    CSS_PATH: ClassVar = ["look.tcss", "chat.tcss"]
    theme = Reactive(DEFAULT_THEME, init=False)  # it is taken before anything is drawn: no style is made twice

    def __init__(
        self,
        services: Services,
        first: HeldSession,
        terminal: Terminal = MODERN,
        *,
        opening: FirstSession | None = None,
        idle_work: IdleWork | None = None,
        modes: Sequence[object] | None = None,
        typed: str = "",
        hand_over: Callable[[], bytes] = bytes,
        ending: Ending | None = None,
    ) -> None:
        """Build the program around `first`, which may be an empty session until `opening` has been read.

        `opening` is None where there is nothing to read. `idle_work` is done once when the session to
        begin with is on screen. `modes` are the terminal's for when the program is left or suspended; None = as they
        are now. `typed` was typed before anybody read keys; `hand_over` makes whoever has the terminal leave it, and
        gives what was read of keys since then. `ending` hears of signals that ask for the end; None = nobody does.
        """
        super().__init__(cast("type[Driver]", partial(TerminalDriver, modes=modes, hand_over=hand_over)))
        self._services = services
        if self.console.is_dumb_terminal:  # its size is taken for 80 by 25 there
            self.console.size = shutil.get_terminal_size()
        self._safe_filter = SafeFilter()
        self.no_color = terminal.is_colourless
        self._terminal_filters = terminal_filters(terminal, self.console.color_system, lambda: self.current_theme.dark)
        problems = (*services.problems, *self._take_theme())
        self._key_table = KeyTable.of(services.settings_store.value.keymap)
        self._screen = ChatScreen(replace(services, problems=problems), first, opening, self._key_table, _late_parts)
        self.problem: KimiError | None = None
        """None = the session to begin with could be read."""
        self.crash: Exception | None = None
        """None = the program was left."""
        self.has_kept = False
        """Whether everything has been saved all the same after a crash."""
        self.signal: int | None = None
        """The signal that ended it; None = none did."""
        self._ending, self._kills = ending, Kills()
        self._idle_work = idle_work
        self._late_clicks = LateClicks(self.CLICK_CHAIN_TIME_THRESHOLD)
        self.input_order = InputOrder(self, typed_events(typed))

    @property
    def parting_words(self) -> Sequence[str]:
        """What is worth being said again when it has been left."""
        return self._screen.open_chats.parting_words

    def get_default_screen(self) -> ChatScreen:
        """The conversation: nothing stands behind it."""
        return self._screen

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add our own filters; the library's for NO_COLOR writes greys, ours no colour at all."""
        library = (line_filter for line_filter in super().get_line_filters() if not isinstance(line_filter, Monochrome))
        return [self._safe_filter, *library, *self._terminal_filters]

    async def on_event(self, event: events.Event) -> None:
        """What is typed and clicked waits for its turn; a click on a screen that has been left is for none below."""
        if isinstance(event, ORDERED) and self._screen_now is None:
            return  # the library looks for a screen, and there is none any more
        if not self.input_order.hold(event) and not self._late_clicks.is_late(event, self._screen_now):
            await super().on_event(event)

    @property
    def is_giving_keys(self) -> bool:
        return self._screen.panes.is_giving_keys

    async def ready_for(self, event: events.Event) -> bool:
        """Wait until there is what an event asks for; whether that was necessary."""
        return isinstance(self._screen_now, ChatScreen) and await self._screen.ready_for(event)

    def was_for(self, screen: Screen[object], event: events.Event) -> bool:
        """Whether a key was meant for a screen above the conversation and nothing else."""
        if not isinstance(event, events.Key) or not isinstance(screen, Above):
            return False
        return not event.is_printable and not is_blind(self._key_table, event)

    @property
    def _screen_now(self) -> Screen[object] | None:
        """None = there is none any more."""
        return self.screen if self.screen_stack else None

    def on_key(self, event: events.Key) -> None:
        """Leave a screen above the conversation for what is done anywhere; there the conversation has taken it.

        The help is shown above it. Ctrl+C does no more than that: who leaves a screen has not asked to stop a reply, or
        to quit.
        """
        screen, action = self._screen_now, action_of(self._key_table, event, Scope.SCREEN)
        if action is None or action.id not in {*BLIND, "help"} or not isinstance(screen, Above):
            return
        event.prevent_default()
        if action.id == "help" and not screen.is_help:
            self._screen.action_choose(action.id)
        elif action.id == "copy-or-quit" and (text := screen.selected_text()):
            self._screen.copy(text, "The selection")
            screen.clear_selection()
        else:
            screen.cancel()
            if action.id == "quit":
                self._screen.action_choose(action.id)

    async def on_paste(self, event: events.Paste) -> None:
        """Leave a screen above the conversation that takes no text for the composer, which does."""
        screen = self._screen_now
        if isinstance(screen, Above) and not isinstance(screen.focused, Input | TextArea):
            screen.cancel()
            await self._screen.on_paste(event)

    def on_mount(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._loop_failed)

    def on_editing_opened(self, event: Editing.Opened) -> None:
        event.editor.kills = self._kills

    def on_chat_screen_takes_keys(self) -> None:
        self.run_worker(self.input_order.run(), group="input")
        if self._ending is not None:
            self._listen(self._ending)

    def on_chat_screen_begun(self) -> None:
        if (work := self._idle_work) is not None:
            self.set_timer(IDLE_AFTER_S, lambda: self.run_worker(work(), group="idle", exit_on_error=False))

    def _listen(self, ending: Ending) -> None:
        """When the terminal is closed, or the program is asked to end."""
        loop, context = asyncio.get_running_loop(), copy_context()

        def leave(number: int) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is over already
                loop.call_soon_threadsafe(self._leave_because, number, context=context)

        ending.tell(leave)

    def _leave_because(self, number: int) -> None:
        self.signal = number
        self._screen.run_later(self._leave(), self.exit)

    async def _leave(self) -> None:
        """Keep everything and end; what was typed and has not arrived yet stands in the draft."""
        typed = await self.input_order.close()
        if self._screen_now is self._screen:
            self._screen.type_behind(typed)
        await self._screen.leave(asks=False)

    def _take_theme(self) -> Sequence[str]:
        """Take the theme that was asked for, or the default one and say why: with the line that asked for it."""
        palettes, wanted = self._services.themes, self._services.theme
        try:
            if wanted not in palettes:
                raise ThemeError(f"There is no theme {wanted!r}.", f"Themes: {', '.join(sorted(palettes))}")
            begin_with_theme(self, palettes, wanted)
        except ThemeError as error:
            self._take_any_theme()
            return self._services.theme_problems() or (error_text(error),)
        return ()

    def _take_any_theme(self) -> None:
        """Take the default theme; where the user's own of that name is broken too, the first that can be used."""
        palettes = self._services.themes
        for name in (DEFAULT_THEME, *sorted(palettes)):
            with contextlib.suppress(ThemeError):
                begin_with_theme(self, palettes, name)
                return

    def copy_to_clipboard(self, text: str) -> None:
        """Nothing is said."""
        self._copy(text)

    def on_chat_screen_copy_requested(self, event: ChatScreen.CopyRequested) -> None:
        """Where the text is, is said once that is known."""
        self._copy(event.text, event.what)

    def _copy(self, text: str, what: str = "") -> None:
        """Send a text to the terminal, which may take it, and hand it to programs that reach the clipboard."""
        text = replace_lone(text)
        super().copy_to_clipboard(text)
        clipboard = self._services.clipboard
        if clipboard is None:
            self._tell_copied(what, text, TO_TERMINAL)
        else:
            told = self._told_copied(what, text, clipboard.put(text))
            self.run_worker(told, group="clipboard", exit_on_error=False)

    async def _told_copied(self, what: str, text: str, answer: Awaitable[Delivery | None]) -> None:
        self._tell_copied(what, text, await answer)

    def _tell_copied(self, what: str, text: str, delivery: Delivery | None) -> None:
        if what and delivery is not None:
            self._screen.remark(*copied_words(what, text, delivery))

    def on_chat_screen_opening_failed(self, event: ChatScreen.OpeningFailed) -> None:
        """End: without the session that was asked for there is nothing to show."""
        self.problem = event.error
        self.exit()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of what nobody expected: a fault in what runs beside the screen."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None and event.worker.group != REPORTS:
            self._tell_fault(event.worker.group, error)

    def _tell_fault(self, where: str, error: BaseException) -> None:
        log.error("%s failed: %s", where, type(error).__name__)
        self.run_worker(self._report_fault(error), group=REPORTS, exit_on_error=False)

    async def _report_fault(self, error: BaseException) -> None:
        where = await asyncio.to_thread(self._services.report, error)
        unexpected = KimiError(f"Something went wrong inside the program ({fault_of(error)}).", where)
        self._screen.say(error_text(unexpected), "error")

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a task or a callback raised that nobody waits for; the loop would print it."""
        del loop
        error = context.get("exception")
        if isinstance(error, Exception) and self.is_running:
            self._tell_fault("a task", error)
        else:
            log.error("the event loop: %s", type(error).__name__)

    def _handle_exception(self, error: Exception) -> None:
        """Keep the error for the command line: the library would print local variables, conversation included."""
        cause = error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error
        self.crash = self.crash or cause
        log.error("the screen failed: %s", type(cause).__name__)
        fail(self, cause)

    async def run_async(self, **options: Any) -> str | None:
        """After a fault everything is saved when the screen has gone: that may be what is broken."""
        session_id = await super().run_async(**options)
        if self.crash is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(LEAVE_WITHIN_S):
                    session_id = await self._screen.keep_without_screen()
                    self.has_kept = True
        return session_id
