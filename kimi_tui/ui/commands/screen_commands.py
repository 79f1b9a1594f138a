"""Commands of the screen as a whole: one step back, stop, copy, what can be done, leave."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import Input, TextArea

from kimi_tui.core.settings.actions import Need, Scope
from kimi_tui.ui.commands.background import Done
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.keys.focus import scope_of
from kimi_tui.ui.keys.key_lookup import Keyboard
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.callbacks import Remark
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.widgets.composer import Composer

QUIT_WITHIN_S = 3.0
"""Time in which a second Ctrl+C quits, in seconds."""
AT_HOME = frozenset({Scope.COMPOSER, Scope.TRANSCRIPT, Scope.SCREEN})
"""Places that are no panes."""


class ScreenCommands:
    """Commands that close, stop and leave."""

    def __init__(
        self,
        composer: Composer,
        drafts: Drafts,
        find_bar: FindBar,
        panes: SidePanes,
        open_chats: OpenChats,
        *,
        keyboard: Keyboard,
        offers: Callable[[], set[Need]],
        type_here: Callable[[], None],
        copy: Callable[[str, str], None],
        leave: Callable[[], Done],
        now_s: Callable[[], float],
        remark: Remark,
    ) -> None:
        """Be ready.

        Args:
            composer: Closes the commands that it offers.
            drafts: Bring back what waits behind an edit.
            find_bar: Is closed.
            panes: One that covers the conversation is closed.
            open_chats: The reply on screen is stopped.
            keyboard: The keys, which the help lists.
            offers: Gives what there is for actions to work on.
            type_here: Gives the composer the keys.
            copy: Puts a text into the clipboard, and says what it was.
            leave: Leaves the program.
            now_s: The clock, in seconds.
            remark: Says that a second key leaves.
        """
        self._composer, self._drafts, self._find_bar, self._panes = composer, drafts, find_bar, panes
        self._open_chats, self._keyboard, self._offers = open_chats, keyboard, offers
        self._type_here, self._copy, self._leave, self._now_s, self._remark = type_here, copy, leave, now_s, remark
        self._asked_s = float("-inf")

    def rows(self) -> Rows:
        """What does what."""
        return {
            "stop": self._stop,
            "back": self._back,
            "copy-or-quit": self._copy_or_quit,
            "palette": self._open_palette,
            "help": self._open_help,
            "quit": self._leave,
            "quit-when-empty": lambda: self._leave() if self._composer.is_empty else None,
        }

    def _stop(self) -> None:
        if (turn := self._open_chats.current.turn) is not None:
            turn.stop()

    def _back(self) -> None:
        """Go one step back: close what is open, else stop the reply, else leave the message cursor."""
        if self._composer.close_completions() or self._find_bar.close():
            return
        is_in_pane = scope_of(self._composer.screen.focused) not in AT_HOME
        is_closed = self._drafts.bring_back() or self._panes.close_overlay() or is_in_pane
        if is_closed or self._open_chats.current.turn is None:
            self._type_here()
        else:
            self._stop()

    def _copy_or_quit(self) -> Done:
        """Copy the selection, else stop the reply, else quit at the second time."""
        if self._copy_selection():
            return None
        now_s = self._now_s()
        if self._open_chats.current.turn is not None:
            self._stop()
        elif now_s - self._asked_s < QUIT_WITHIN_S:
            return self._leave()
        else:
            self._asked_s = now_s
            key = self._keyboard.table.label("copy-or-quit")
            self._remark(f"{key} once more quits; the draft is kept.")
        return None

    def _copy_selection(self) -> bool:
        """Copy what is selected in an editor or the conversation; whether anything was."""
        screen = self._composer.screen
        editor = screen.focused if isinstance(screen.focused, Input | TextArea) else self._composer
        selected = editor.selected_text or screen.get_selected_text()
        if selected:
            self._copy(selected, "The selection")
            screen.clear_selection()
        return bool(selected)

    def _open_palette(self) -> None:
        from kimi_tui.ui.screens.palette_screen import Palette  # noqa: PLC0415 - most commands do not need it

        self._composer.app.push_screen(Palette())

    def _open_help(self) -> None:
        from kimi_tui.ui.screens.help import HelpScreen  # noqa: PLC0415 - most commands do not need it

        scope = scope_of(self._composer.screen.focused)
        self._composer.app.push_screen(HelpScreen(scope, frozenset(self._offers()), self._keyboard))
