"""Where things lie: config, data, themes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

NAME = "kimi-tui"


def config_file(option: str | None, environ: Mapping[str, str]) -> Path:
    """The config file: the option's, else KIMI_TUI_CONFIG's, else `config.toml` in the system's config folder."""
    named = option or environ.get("KIMI_TUI_CONFIG")
    if named:
        return Path(os.path.expanduser(named))
    import platformdirs  # noqa: PLC0415 - not needed where a path is given

    return platformdirs.user_config_path(NAME, appauthor=False) / "config.toml"


def data_dir(option: str | None, environ: Mapping[str, str]) -> Path:
    """The data folder: the option's, else KIMI_TUI_DATA_DIR's, else the system's."""
    named = option or environ.get("KIMI_TUI_DATA_DIR")
    if named:
        return Path(os.path.expanduser(named))
    import platformdirs  # noqa: PLC0415 - not needed where a path is given

    return platformdirs.user_data_path(NAME, appauthor=False)


def sessions_dir(data: Path) -> Path:
    return data / "sessions"


def saved_file(config: Path) -> Path:
    return config.with_name("saved.toml")


def user_themes_dir(config: Path) -> Path:
    return config.with_name("themes")


def shipped(name: str) -> Path:
    """A file or folder that ships with the program: inside the package when installed, else beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    inside = package / name
    if inside.exists() or not (package.parent / "pyproject.toml").is_file():
        return inside
    return package.parent / name
