"""Palettes as Textual themes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.app import App
from textual.theme import Theme

from kimi_tui.core.palette import Palette

Palettes = Mapping[str, Callable[[], Palette]]
"""Every theme by name; calling one reads it and may raise ThemeError."""


def build_theme(palette: Palette) -> Theme:
    """Make a theme of a palette; its syntax colours become variables `syntax-NAME`."""
    variables = {**palette.variables, **{f"syntax-{name}": colour for name, colour in palette.syntax.items()}}
    colors: dict[str, Any] = dict(palette.colors)
    return Theme(name=palette.name, dark=palette.dark, variables=variables, **colors)


def show_theme(app: App[Any], palettes: Palettes, name: str) -> None:
    """Switch the colours to a theme that is there; its file is read now.

    Raises:
        ThemeError: The file cannot be used; the colours stay.
    """
    app.register_theme(build_theme(palettes[name]()))
    app.theme = name
