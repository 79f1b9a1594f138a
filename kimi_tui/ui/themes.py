"""Palettes as Textual themes."""

from __future__ import annotations

from typing import Any

from textual.theme import Theme

from kimi_tui.core.palette import Palette


def build_theme(palette: Palette) -> Theme:
    """Make a theme of a palette; its syntax colours become variables `syntax-NAME`."""
    variables = {**palette.variables, **{f"syntax-{name}": colour for name, colour in palette.syntax.items()}}
    colors: dict[str, Any] = dict(palette.colors)
    return Theme(name=palette.name, dark=palette.dark, variables=variables, **colors)
