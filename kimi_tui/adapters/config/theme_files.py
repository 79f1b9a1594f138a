"""Themes on disk: the user's own beside the config, then those that ship with the program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from kimi_tui.adapters.config.paths import shipped, user_themes_dir
from kimi_tui.adapters.config.toml_file import TomlError, read_toml
from kimi_tui.core.errors import ThemeError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.settings.theme_palette import Palette, parse_palette
from kimi_tui.core.text.surrogates import replace_lone


def themes(config: Path) -> dict[str, Callable[[], Palette]]:
    """Every theme by name; calling one reads it and may raise ThemeError. The user's own replace shipped ones.

    A file whose name no setting could hold is left out.
    """
    found: dict[str, Callable[[], Palette]] = {}
    for folder in (shipped("themes"), user_themes_dir(config)):
        for path in sorted(folder.glob("*.toml")):
            if replace_lone(path.stem) == path.stem:
                found[path.stem] = partial(load_theme, path)
    return found


def load_theme(path: Path) -> Palette:
    """Raises ThemeError where it cannot be read or used."""
    try:
        _, document = read_toml(path)
    except OSError as error:
        raise ThemeError(f"Theme {path.stem}: {path} cannot be read: {reason_of(error)}.") from error
    except TomlError as error:
        raise ThemeError(f"Theme {path.stem}: {path} holds {error} in line {error.line}.") from error
    return parse_palette(document, path.stem)
