"""A theme as a value: colours by role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kimi_tui.core.errors import ThemeError
from kimi_tui.core.text.nearest import nearest

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
COLOR_NAMES = (
    "primary", "secondary", "warning", "error", "success", "accent", "foreground", "background", "surface", "panel",
    "boost",
)  # fmt: skip
"""Field names of Textual's Theme."""
VARIABLE_NAMES = (
    "reasoning", "user-name", "assistant-name", "notice", "error-text", "warning-text", "code-background", "code-label",
    "link", "marker", "dim-text", "heading", "quote", "rule",
)  # fmt: skip
"""Our own roles."""
SYNTAX_NAMES = (
    "keyword", "string", "comment", "number", "function", "class", "name", "operator", "punctuation", "type", "builtin",
    "tag", "attribute", "error", "inserted", "deleted",
)  # fmt: skip
TEXT_CONTRAST = 4.5
"""Least contrast of text. Source: WCAG 2.2, success criterion 1.4.3, level AA."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme, each "#rrggbb"."""

    name: str
    dark: bool
    colors: Mapping[str, str] = field(default_factory=dict)
    """By field name of Textual's Theme; `primary` is always there."""
    variables: Mapping[str, str] = field(default_factory=dict)
    syntax: Mapping[str, str] = field(default_factory=dict)


def parse_palette(document: Mapping[str, object], name: str) -> Palette:
    """`name` = the file's without its ending; ThemeError where a key is unknown, or a value no colour: it names it."""
    for key in document:
        if key not in {"name", "dark", "colors", "variables", "syntax"}:
            raise ThemeError(
                f"Theme {name}: {key}: found an unknown key, allowed name, dark, colors, variables, syntax."
            )
    if not isinstance(document.get("name", name), str):
        raise ThemeError(f"Theme {name}: name: allowed a string.")
    dark = document.get("dark", True)
    if not isinstance(dark, bool):
        raise ThemeError(f"Theme {name}: dark: allowed true or false.")
    colors = _roles(document, "colors", COLOR_NAMES, name)
    if "primary" not in colors:
        raise ThemeError(f"Theme {name}: colors.primary: is missing.")
    variables = _roles(document, "variables", VARIABLE_NAMES, name)
    return Palette(name, dark, colors, variables, _roles(document, "syntax", SYNTAX_NAMES, name))


def _roles(document: Mapping[str, object], table: str, known: tuple[str, ...], name: str) -> dict[str, str]:
    found = document.get(table, {})
    if not isinstance(found, dict):
        raise ThemeError(f"Theme {name}: {table}: a table is needed.")
    for key, colour in found.items():
        if key not in known:
            allowed = nearest(key, known)
            raise ThemeError(f"Theme {name}: {table}.{key}: found an unknown role, allowed {allowed}.")
        if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
            raise ThemeError(
                f"Theme {name}: {table}.{key}: found {str(colour)[:20]!r}, allowed a colour such as #a0b0c0."
            )
    return dict(found)


def contrast(left: str, right: str) -> float:
    """Contrast of two colours, in [1, 21]. Source: WCAG 2.2, "contrast ratio" and "relative luminance"."""
    light, dark = sorted((_luminance(left), _luminance(right)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4) for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
