"""Palettes as Textual themes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.app import App
from textual.color import Color
from textual.theme import Theme

from kimi_tui.core.settings.theme_palette import TEXT_CONTRAST, Palette, contrast
from kimi_tui.ui.text.role_styles import DIM_SHARE

Palettes = Mapping[str, Callable[[], Palette]]
"""Every theme by name; calling one reads it and may raise ThemeError."""

SELECTION_CONTRAST = 5
"""Least contrast of selected text: somewhat more than enough, since the nearest of 256 colours may be closer."""


def build_theme(palette: Palette, *, has_shades: bool = True) -> Theme:
    """Make a theme of a palette; its syntax colours become variables `syntax-NAME`.

    The library derives more colours by blending, and some of its text is then too pale. Those are set here, from the
    colours whose contrast can be told. Where the terminal shows no shades, selections are full blocks.
    """
    colors: dict[str, Any] = dict(palette.colors)
    base = Theme(name=palette.name, dark=palette.dark, **colors).to_color_system().generate()
    variables = {
        **_derived(base, palette.variables),
        "screen-selection-background": _tint(base) if has_shades else base["primary"],
        "screen-selection-foreground": base["foreground"] if has_shades else _ink(base["primary"], base["background"]),
        **{name: colour for name, colour in palette.colors.items() if name == "boost"},  # the library forgets it
        **palette.variables,
        **{f"syntax-{name}": colour for name, colour in palette.syntax.items()},
    }
    return Theme(name=palette.name, dark=palette.dark, variables=variables, **colors)


def show_theme(app: App[Any], palette: Palette) -> None:
    _register(app, palette)
    app.theme = palette.name


def begin_with_theme(app: App[Any], palettes: Palettes, name: str) -> None:
    """Take a theme before the application runs: its styles are then made once, with these colours.

    After a ThemeError, where the file cannot be used, nothing has changed.
    """
    _register(app, palettes[name]())
    app.set_reactive(type(app).theme, name)
    is_dark = app.current_theme.dark
    app.set_class(is_dark, "-dark-mode", update=False)
    app.set_class(not is_dark, "-light-mode", update=False)
    app.stylesheet.set_variables(app.get_css_variables())


def _register(app: App[Any], palette: Palette) -> None:
    has_shades = not app.no_color and app.console.color_system in {"256", "truecolor"}
    app.register_theme(build_theme(palette, has_shades=has_shades))


def _derived(base: Mapping[str, str], roles: Mapping[str, str]) -> dict[str, str]:
    """The library's variables for muted text, marks, edges and scroll bars; `roles` are what the theme says of them."""
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


def _tint(base: Mapping[str, str]) -> str:
    """The strongest tint of the background that the foreground can be read on."""
    background, primary = Color.parse(base["background"]), Color.parse(base["primary"])
    tints = [background.blend(primary, share / 20, alpha=1).hex for share in range(14, 0, -1)]
    return next((tint for tint in tints if contrast(tint, base["foreground"]) >= SELECTION_CONTRAST), base["panel"])


def _ink(ground: str, background: str) -> str:
    """What text on a block of colour is drawn in: the theme's background, or black or white where that is too like."""
    if contrast(ground, background) >= TEXT_CONTRAST:
        return background
    return max("#000000", "#ffffff", key=lambda ink: contrast(ground, ink))
