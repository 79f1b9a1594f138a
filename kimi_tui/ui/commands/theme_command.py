"""The command that switches the colours, or lets them be chosen while they are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from textual.app import App

from kimi_tui.core.errors import ThemeError, UsageError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.core.text.quoting import quoted
from kimi_tui.ui.state.callbacks import Choose, Say
from kimi_tui.ui.state.services import Themes
from kimi_tui.ui.text.themes import show_theme


@dataclass(eq=False)
class ThemeCommand:
    app: App[object]
    themes: Themes
    store: SettingsStore
    choose: Choose
    say: Say

    async def __call__(self, argument: str) -> None:
        """Switch to the theme of that name; "" = to one that is chosen.

        Raises UsageError where there is no such theme, KimiError where its file cannot be used or the choice not be
        saved.
        """
        name = argument.strip()
        if name:
            await self._use(name)
        else:
            await self._choose_seen()

    async def _choose_seen(self) -> None:
        from kimi_tui.ui.screens.choice import ThemeScreen  # noqa: PLC0415 - most commands do not need it

        palettes = await asyncio.to_thread(_read_all, self.themes)

        def show(name: str) -> None:
            if isinstance(palette := palettes[name], ThemeError):
                raise palette
            show_theme(self.app, palette)

        self.choose(ThemeScreen(sorted(palettes), self.app.theme, show), self._use)

    async def _use(self, name: str) -> None:
        themes, store = self.themes, self.store
        if name not in themes:
            raise UsageError(f"There is no theme {name!r}.", f"Themes: {', '.join(sorted(themes))}")
        show_theme(self.app, await asyncio.to_thread(themes[name]))
        if await store.save({("ui", "theme"): name}) and (first := store.value.ui.theme) != name:
            words = f"{name} holds until you leave: the config file says theme = {quoted(first)}, which goes first."
            self.say(f"{words} Change it there.", "warning", about="theme")


def _read_all(themes: Themes) -> Mapping[str, Palette | ThemeError]:
    found: dict[str, Palette | ThemeError] = {}
    for name, read in themes.items():
        try:
            found[name] = read()
        except ThemeError as error:
            found[name] = error
    return found
