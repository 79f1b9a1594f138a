"""Commands of the screen as a whole, and those of the composer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from kimi_tui.core.errors import ThemeError, UsageError
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.core.text.quoting import quoted
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.desk import Desk

QUIT_WITHIN_S = 3.0
"""Time in which a second Ctrl+C quits, in seconds."""
AT_HOME = frozenset({Scope.COMPOSER, Scope.TRANSCRIPT, Scope.SCREEN})
"""Places that are no panes."""


class ScreenCommands:
    """Commands that no subject has for itself."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk
        self._ctrl_c_s = float("-inf")

    def do_stop(self, argument: str) -> None:
        """Stop the reply."""
        del argument
        if self._desk.chat.turn is not None:
            self._desk.chat.turn.stop()

    def do_back(self, argument: str) -> None:
        """Go one step back: close what is open, else stop the reply, else leave the message cursor."""
        del argument
        desk = self._desk
        if desk.composer.close_completions() or desk.search_bar.close():
            return
        is_in_pane = desk.scope_of_focus() not in AT_HOME
        if not (desk.drafts.bring_back() or desk.panes.close_overlay() or is_in_pane) and desk.chat.turn is not None:
            desk.chat.turn.stop()
            return
        desk.type_here()

    def do_copy_or_quit(self, argument: str) -> None:
        """Copy the selection, else stop the reply, else quit at the second time."""
        del argument
        desk, now_s = self._desk, self._desk.services.clock.monotonic()
        if desk.copy_selection():
            return
        if desk.chat.turn is not None:
            desk.chat.turn.stop()
        elif now_s - self._ctrl_c_s < QUIT_WITHIN_S:
            desk.run_later(desk.leave())
        else:
            self._ctrl_c_s = now_s
            key = desk.keyboard.table.label("copy-or-quit")
            desk.remark(f"{key} once more quits; the draft is kept.")

    def do_palette(self, argument: str) -> None:
        """Open the command palette."""
        del argument
        self._desk.open_palette()

    def do_help(self, argument: str) -> None:
        """Show the help."""
        del argument
        from kimi_tui.ui.screens.help import HelpScreen  # noqa: PLC0415 - the first frame does not need it

        desk = self._desk
        desk.open_screen(HelpScreen(desk.scope_of_focus(), frozenset(desk.offers()), desk.keyboard))

    async def do_theme(self, argument: str) -> None:
        """Switch the colours, or choose them while they are shown.

        Raises:
            UsageError: There is no such theme.
            KimiError: Its file cannot be used, or the choice not be saved.
        """
        name = argument.strip()
        if name:
            await self._use_theme(name)
            return
        from kimi_tui.ui.screens.choice import ThemeScreen  # noqa: PLC0415 - the first frame does not need it

        desk = self._desk
        palettes = await asyncio.to_thread(_read_all, desk.services.themes)

        def show(name: str) -> None:
            if isinstance(palette := palettes[name], ThemeError):
                raise palette
            desk.show_theme(palette)

        desk.open_screen(ThemeScreen(sorted(palettes), desk.theme_name, show), self._theme_chosen)

    def _theme_chosen(self, name: str | None) -> None:
        if name is not None:
            self._desk.run_later(self._use_theme(name))

    async def _use_theme(self, name: str) -> None:
        services = self._desk.services
        if name not in services.themes:
            raise UsageError(f"There is no theme {name!r}.", f"Themes: {', '.join(sorted(services.themes))}")
        self._desk.show_theme(await asyncio.to_thread(services.themes[name]))
        if await services.store.save({("ui", "theme"): name}) and (first := services.settings.ui.theme) != name:
            words = f"{name} holds until you leave: the config file says theme = {quoted(first)}, which goes first."
            self._desk.say(f"{words} Change it there.", "warning", about="theme")

    async def do_quit(self, argument: str) -> None:
        """Leave the program."""
        del argument
        await self._desk.leave()

    def do_quit_when_empty(self, argument: str) -> None:
        """Leave, where nothing is being typed."""
        del argument
        if self._desk.composer.is_empty:
            self._desk.run_later(self._desk.leave())

    # -- the composer

    def do_send(self, argument: str) -> None:
        """Send what is in the composer."""
        del argument
        self._desk.composer.submit()

    def do_new_line(self, argument: str) -> None:
        """Begin a new line in the composer."""
        del argument
        self._desk.composer.begin_line()
        take_keys(self._desk.composer)

    def do_last_prompt(self, argument: str) -> None:
        """Bring the queued message back into the empty composer, else the last prompt, then older ones."""
        del argument
        self._desk.sending.recall(1)

    def do_delete_word(self, argument: str) -> None:
        """Delete the word behind the cursor."""
        del argument
        self._desk.composer.action_delete_word_right()

    def do_yank(self, argument: str) -> None:
        """Put in again what was deleted last by words or lines."""
        del argument
        self._desk.composer.action_yank()

    def do_undo_edit(self, argument: str) -> None:
        """Take the last change of the text back."""
        del argument
        self._desk.composer.action_undo()

    def do_redo_edit(self, argument: str) -> None:
        """Make the change again that was taken back."""
        del argument
        self._desk.composer.action_redo()


def _read_all(themes: Mapping[str, Callable[[], Palette]]) -> Mapping[str, Palette | ThemeError]:
    """Read every theme; of one that cannot be used, why."""
    found: dict[str, Palette | ThemeError] = {}
    for name, read in themes.items():
        try:
            found[name] = read()
        except ThemeError as error:
            found[name] = error
    return found
