"""Places and settings: what the command line, the environment and the config say."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tui.core.errors import ConfigError, UsageError

if TYPE_CHECKING:  # the names of types only: importing these modules takes time that few commands need
    from kimi_tui.adapters.config.config_file import LoadedSettings
    from kimi_tui.cli.console import Console
    from kimi_tui.core.settings.settings import Settings


@dataclass(slots=True)
class Configuration:
    options: Namespace
    environ: Mapping[str, str]
    _loaded: LoadedSettings | None = field(default=None, init=False)

    @property
    def path(self) -> Path:
        """Of the config file."""
        from kimi_tui.adapters.config import paths

        return paths.config_file(self.options.config, self.environ)

    @property
    def data_dir(self) -> Path:
        from kimi_tui.adapters.config import paths

        return paths.data_dir(self.options.data_dir, self.environ)

    @property
    def sessions_folder(self) -> Path:
        from kimi_tui.adapters.config import paths

        folder = self.settings().sessions.folder
        return Path(os.path.expanduser(folder)) if folder else paths.sessions_dir(self.data_dir)

    def load(self) -> LoadedSettings:
        """Read the config, once; ConfigError where a config file that was named is not there."""
        return self._loaded or self.reload()

    def reload(self) -> LoadedSettings:
        """Read the config again; ConfigError where a config file that was named is gone: what was read before holds."""
        from kimi_tui.adapters.config.config_file import load_settings

        self._loaded = load_settings(self.path, explicit=bool(self.options.config))
        return self._loaded

    def settings(self) -> Settings:
        """The settings with the command line's options on top, whatever is wrong in the config."""
        settings = self.load().settings
        options = self.options
        api = replace(
            settings.api,
            base_url=options.base_url or settings.base_url,
            model=options.model or settings.api.model,
        )
        ui = replace(settings.ui, theme=options.theme or settings.ui.theme)
        return replace(settings, api=api, ui=ui, model_option=options.model or "")

    def settings_or_tell(self, console: Console) -> Settings:
        """The settings; what is wrong in the config is told, and its defaults are used; notes are told too."""
        loaded = self.load()
        for line in (*loaded.notes, *loaded.problems):
            console.tell(line)
        return self.settings()

    def settings_or_refuse(self, console: Console) -> Settings:
        """The settings of a config without mistakes, else ConfigError; mistakes and notes have been told."""
        settings = self.settings_or_tell(console)
        if self.load().problems:
            raise ConfigError(
                "Nothing was sent, since the config has mistakes.", "`kimi-tui config check` lists them again."
            )
        return settings

    def check_theme(self) -> None:
        """UsageError where the theme of the command line is not there, whether or not the command shows one."""
        if name := self.options.theme:
            from kimi_tui.adapters.config.theme_files import themes

            if name not in (known := themes(self.path)):
                raise UsageError(f"There is no theme {name!r}.", f"Themes: {', '.join(sorted(known))}")
