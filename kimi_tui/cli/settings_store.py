"""The settings of a running program: read once, changed key by key in `saved.toml`, and read again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.settings import ApiSettings, Settings

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.cli.configuration import Configuration


class SettingsStore:
    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._value = config.settings()
        self._saving = asyncio.Lock()

    @property
    def value(self) -> Settings:
        """The settings, the command line's options on top; the same object until something is saved."""
        return self._value

    @property
    def config_keys(self) -> frozenset[Key]:
        return self._config.load().config_keys

    async def save(self, changes: Mapping[Key, object | None]) -> tuple[Key, ...]:
        """See the screen's `SettingsStore`: in a thread, one save after the other, and everything is read again."""
        async with self._saving:
            self._value, overruled = await asyncio.to_thread(self._save, changes)
        return overruled

    def _save(self, changes: Mapping[Key, object | None]) -> tuple[Settings, tuple[Key, ...]]:
        from kimi_tui.adapters.config import paths, saved_file
        from kimi_tui.core.settings.settings_changes import overruled

        settings = self._config.load().settings
        saved_file.save(
            paths.saved_file(self._config.path),
            changes,
            below=Settings(ApiSettings(dialect=settings.api.dialect)),
            more_presets=set(settings.presets) - settings.saved_presets,
        )
        loaded = self._config.reload()
        return self._config.settings(), overruled(loaded.settings, changes, loaded.config_keys)
