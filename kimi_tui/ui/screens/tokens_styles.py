"""How tokens look: two shades in turn, and a tint where the model was not sure; what is unlikely is underlined, too."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache

from rich.style import Style
from textual.color import Color

from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, contrast
from kimi_tui.ui.text.role_styles import Styles

UNCERTAIN = 0.5
"""A token that was less likely than that is gone to as an uncertain one."""
LEVELS = (math.log(0.9), math.log(UNCERTAIN), math.log(0.1))
"""From the first on a token is tinted; each further one makes the tint stronger."""
SHADE = 0.08
"""Of the foreground, in every second token's ground."""
TINTS = (0.0, 0.2, 0.38, 0.5)
"""Of the warning's colour (of the error's where it is strongest), as far as the text can be read on it."""
STEP = 0.02


def level_of(logprob: float | None) -> int:
    """0 = sure, or nothing says it, up to 3."""
    return 0 if logprob is None else sum(logprob < level for level in LEVELS)


class TokenStyles:
    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self.of = lru_cache(64)(self._of)

    def _of(self, level: int, is_odd: bool, is_cursor: bool) -> Style:
        base = self._styles.base
        style = base + Style(underline=level > 1, bold=level > 2)
        if base.color is None or base.bgcolor is None:
            return style + Style(reverse=is_cursor)
        text, ground = Color.from_rich_color(base.color), Color.from_rich_color(base.bgcolor)
        ground = ground.blend(text, SHADE) if is_odd else ground
        tint = self._styles.role("error-text" if level > 2 else "warning-text").color
        if level and tint is not None:
            ground = _tinted(ground, Color.from_rich_color(tint), TINTS[level], text)
        return style + Style(bgcolor=ground.rich_color, reverse=is_cursor)

    @cached_property
    def border(self) -> Style:
        return self._styles.role("dim-text")

    @cached_property
    def unknown(self) -> Style:
        return self._styles.role("dim-text")

    @cached_property
    def heading(self) -> Style:
        return self._styles.role("heading") + Style(bold=True)


def _tinted(ground: Color, tint: Color, share: float, text: Color) -> Color:
    while share > 0:
        found = ground.blend(tint, share)
        if contrast(found.hex6, text.hex6) >= TEXT_CONTRAST:
            return found
        share -= STEP
    return ground
