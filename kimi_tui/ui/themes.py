"""Palettes as Textual themes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.app import App
from textual.color import Color
from textual.theme import Theme

from kimi_tui.core.palette import TEXT_CONTRAST, Palette, contrast

Palettes = Mapping[str, Callable[[], Palette]]
"""Every theme by name; calling one reads it and may raise ThemeError."""

DIM_SHARE = 0.7
"""How much of the foreground dimmed text keeps where a theme says no colour for it, in [0, 1]."""


def build_theme(palette: Palette) -> Theme:
    """Make a theme of a palette; its syntax colours become variables `syntax-NAME`.

    The library derives more colours by blending, and some of its text is then too pale. Those are set here, from the
    colours whose contrast can be told.
    """
    colors: dict[str, Any] = dict(palette.colors)
    base = Theme(name=palette.name, dark=palette.dark, **colors).to_color_system().generate()
    variables = {
        **_derived(base, palette.variables),
        **palette.variables,
        **{f"syntax-{name}": colour for name, colour in palette.syntax.items()},
    }
    return Theme(name=palette.name, dark=palette.dark, variables=variables, **colors)


def show_theme(app: App[Any], palettes: Palettes, name: str) -> None:
    """Switch the colours to a theme that is there; its file is read now.

    Raises:
        ThemeError: The file cannot be used; the colours stay.
    """
    app.register_theme(build_theme(palettes[name]()))
    app.theme = name


def _derived(base: Mapping[str, str], roles: Mapping[str, str]) -> dict[str, str]:
    """The library's variables for muted text, marks, edges and scroll bars.

    Args:
        base: What the library makes of the colours.
        roles: Our own roles, as far as the theme says them.
    """
    background, foreground, primary = base["background"], base["foreground"], base["primary"]
    dimmed = Color.parse(background).blend(Color.parse(foreground), DIM_SHARE).hex
    dim, edge = roles.get("dim-text", dimmed), roles.get("rule", dimmed)
    ink = _ink(primary, background)
    return {
        "text-muted": dim,
        "text-disabled": dim,
        "foreground-muted": dim,
        "foreground-disabled": dim,
        "block-cursor-background": primary,
        "block-cursor-foreground": ink,
        "block-cursor-blurred-background": base["panel"],
        "block-cursor-blurred-foreground": foreground,
        "block-cursor-blurred-text-style": "bold underline",
        "block-hover-background": base["panel"],
        "input-cursor-background": foreground,
        "input-cursor-foreground": background,
        "input-selection-background": primary,
        "input-selection-foreground": ink,
        "screen-selection-background": primary,
        "screen-selection-foreground": ink,
        "button-foreground": foreground,
        "button-color-foreground": ink,
        "border": primary,
        "border-blurred": edge,
        "link-color": roles.get("link", foreground),
        "link-background-hover": primary,
        "link-color-hover": ink,
        "scrollbar": edge,
        "scrollbar-hover": dim,
        "scrollbar-active": primary,
        "scrollbar-background": background,
    }


def _ink(ground: str, background: str) -> str:
    """What text on a block of colour is drawn in: the theme's background, or black or white where that is too like."""
    if contrast(ground, background) >= TEXT_CONTRAST:
        return background
    return max("#000000", "#ffffff", key=lambda ink: contrast(ground, ink))
