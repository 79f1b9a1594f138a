"""The roles of the theme as styles of text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from rich.style import Style

FALLBACKS = {
    "reasoning": "text-muted", "user-name": "accent", "assistant-name": "secondary", "notice": "text-muted",
    "error-text": "error", "warning-text": "warning", "code-background": "surface", "code-label": "text-muted",
    "link": "accent", "marker": "warning", "dim-text": "text-muted", "heading": "primary", "quote": "text-muted",
    "rule": "panel",
}  # fmt: skip
"""Which of the library's own variables stands in for a role that a theme lacks."""


class Styles:
    """Styles by role, made when first asked for."""

    def __init__(self, variables: Mapping[str, str], base: Style) -> None:
        """Read a theme's variables; `base` is the widget's own foreground and background."""
        self._variables = variables
        self._made: dict[str, Style] = {}
        self.base = base

    def role(self, name: str) -> Style:
        """The style of a role: its colour on the widget's background."""
        if name not in self._made:
            colour = self._colour(name) or self._colour(FALLBACKS.get(name, ""))
            self._made[name] = self.base + Style(color=colour) if colour else self.base
        return self._made[name]

    def _colour(self, name: str) -> str | None:
        value = self._variables.get(name, "")
        return value if value.startswith("#") and len(value) == 7 else None

    @cached_property
    def code(self) -> Style:
        """Code on its own background."""
        background = self._colour("code-background")
        return self.base + Style(bgcolor=background) if background else self.base

    def syntax(self, name: str) -> Style:
        """The style of a role of code."""
        colour = self._colour(f"syntax-{name}")
        return self.code + Style(color=colour) if colour else self.code
