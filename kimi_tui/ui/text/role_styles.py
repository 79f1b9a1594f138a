"""The roles of the theme as styles of text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from rich.style import Style
from textual.color import Color, ColorParseError

FALLBACKS = {
    "user-name": "accent", "assistant-name": "secondary", "error-text": "error", "warning-text": "warning",
    "code-background": "surface", "link": "accent", "marker": "warning", "heading": "primary", "rule": "panel",
}  # fmt: skip
"""The library's own variables, for roles that a theme lacks."""
DIM_ROLES = frozenset({"reasoning", "notice", "code-label", "dim-text", "quote", "rule"})
"""Roles that are the dimmed foreground where a theme has nothing for them."""
DIM_SHARE = 0.7
"""How much of the foreground dimmed text keeps where a theme says no colour for it, in [0, 1]."""


class Styles:
    def __init__(self, variables: Mapping[str, str], base: Style) -> None:
        """`base` is the widget's own foreground and background."""
        self._variables = variables
        self._made: dict[str, Style] = {}
        self._base_colors = base.color, base.bgcolor
        self.base = base

    def over(self, base: Style) -> Styles:
        return Styles(self._variables, base)

    def role(self, name: str) -> Style:
        if name not in self._made:
            colour = self._colour(name) or self._colour(FALLBACKS.get(name, ""))
            if colour is None and name in DIM_ROLES:
                colour = self._dimmed
            self._made[name] = self.base + Style(color=colour.rich_color) if colour else self.base
        return self._made[name]

    def _colour(self, name: str) -> Color | None:
        value = self._variables.get(name, "")
        if not value or value.startswith("auto"):
            return None
        try:
            return Color.parse(value.split()[0])
        except ColorParseError:
            return None

    @property
    def _dimmed(self) -> Color | None:
        color, background = self._base_colors
        if color is None or background is None:
            return None
        return Color.from_rich_color(background).blend(Color.from_rich_color(color), DIM_SHARE)

    @cached_property
    def code(self) -> Style:
        background = self._colour("code-background") or self._colour("surface")
        return self.base + Style(bgcolor=background.rich_color) if background else self.base

    @cached_property
    def code_label(self) -> Style:
        return self.role("code-label") + Style(bgcolor=self.code.bgcolor)

    @cached_property
    def code_inline(self) -> Style:
        return self.role("marker") + Style(bgcolor=self.code.bgcolor)

    @cached_property
    def math(self) -> Style:
        return self.role("link") + Style(italic=True)

    def syntax(self, name: str) -> Style:
        key = f"syntax-{name}"
        if key not in self._made:
            colour = self._colour(key)
            self._made[key] = self.code + Style(color=colour.rich_color) if colour else self.code
        return self._made[key]
