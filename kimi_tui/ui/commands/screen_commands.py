"""Commands of the composer and of the screen as a whole: one step back, stop, copy, what can be done, leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from textual.widgets import Input, TextArea

from kimi_tui.core.settings.actions import Need, Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.commands.dispatcher import Done, Rows
from kimi_tui.ui.keys.focus import scope_of
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.callbacks import Push, Remark
from kimi_tui.ui.state.running_replies import RunningReplies
from kimi_tui.ui.transcript.cursor import Cursor
from kimi_tui.ui.widgets.composer import Composer

QUIT_WITHIN_S = 3.0
"""In this time a second Ctrl+C quits."""
AT_HOME = frozenset({Scope.COMPOSER, Scope.TRANSCRIPT, Scope.SCREEN})
"""Places that are no panes."""


@dataclass(eq=False)
class ScreenCommands:
    composer: Composer
    drafts: Drafts
    find_bar: FindBar
    panes: SidePanes
    replies: Callable[[], RunningReplies]  # gives those of the session on screen
    keymap: KeyTable
    cursor: Cursor
    offers: Callable[[], set[Need]]  # gives what there is for actions to work on
    type_here: Callable[[], None]  # gives the composer the keys
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    stop: Callable[[], None]  # stops all replies that stream
    leave: Callable[[], Done]  # leaves the program
    now_s: Callable[[], float]  # the clock, in seconds
    push: Push
    remark: Remark
    _asked_s: float = field(default=float("-inf"), init=False)

    def rows(self) -> Rows:
        return {
            **self.composer.edit_actions,
            "type-command": lambda: self.drafts.begin_command(self.cursor.chosen),
            "stop": self.stop,
            "try-now": self._retry_now,
            "back": self._back,
            "copy-or-quit": self._copy_or_quit,
            "palette": self._open_palette,
            "help": self._open_help,
            "quit": self.leave,
        }

    def _retry_now(self) -> None:
        for running in self.replies().running:
            running.turn.skip_wait()

    def _back(self) -> None:
        """Close what is open, else stop the reply, else leave the message cursor."""
        if self.composer.close_completions() or self.find_bar.close():
            return
        is_in_pane = scope_of(self.composer.screen.focused) not in AT_HOME
        is_closed = self.drafts.bring_back() or self.panes.close_overlay() or is_in_pane
        if is_closed or self.replies().turn is None:
            self.type_here()
        else:
            self.stop()

    def _copy_or_quit(self) -> Done:
        """Copy the selection, else stop the reply, else quit at the second time."""
        if self._copy_selection():
            return None
        now_s = self.now_s()
        if self.replies().turn is not None:
            self.stop()
        elif now_s - self._asked_s < QUIT_WITHIN_S:
            return self.leave()
        else:
            self._asked_s = now_s
            key = self.keymap.label("copy-or-quit")
            self.remark(f"{key} once more quits; the draft is kept.")
        return None

    def _copy_selection(self) -> bool:
        """What is selected in an editor or the conversation; False = nothing is."""
        screen = self.composer.screen
        editor = screen.focused if isinstance(screen.focused, Input | TextArea) else self.composer
        selected = editor.selected_text or screen.get_selected_text()
        if selected:
            self.copy(selected, "The selection")
            screen.clear_selection()
        return bool(selected)

    def _open_palette(self) -> None:
        from kimi_tui.ui.screens.palette_screen import PaletteScreen  # noqa: PLC0415 - most commands do not need it

        self.push(PaletteScreen())

    def _open_help(self) -> None:
        from kimi_tui.ui.screens.help import HelpScreen  # noqa: PLC0415 - most commands do not need it

        scope = scope_of(self.composer.screen.focused)
        self.push(HelpScreen(scope, frozenset(self.offers()), self.keymap))
