"""Commands on presets, and on what new sessions begin with: both are saved for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.layers import Key
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import SettingsStore


@dataclass(frozen=True, slots=True)
class _DeletedPreset:
    """A preset that can be brought back."""

    name: str
    deletion: settings_changes.Deletion
    session_id: str  # of the session that had it; "" = the one on screen did not


class PresetCommands:
    """Commands on presets."""

    def __init__(
        self,
        store: SettingsStore,
        open_chats: OpenChats,
        change: Callable[[Session], None],
        shown: Callable[[], None],
        say: Say,
    ) -> None:
        """Be ready.

        Args:
            store: Where presets are saved.
            open_chats: The session on screen.
            change: Takes the changed session.
            shown: Shows the settings anew.
            say: Tells what was done.
        """
        self._store, self._open_chats, self._change, self._shown, self._say = store, open_chats, change, shown, say
        self._deleted: list[_DeletedPreset] = []

    def rows(self) -> Rows:
        """What does what."""
        return {
            "preset": self._choose,
            "save-preset": self.save,
            "rename-preset": self._rename_typed,
            "delete-preset": self.delete,
            "restore-preset": self._restore,
            "make-default": self.make_default,
        }

    @property
    def _session(self) -> Session:
        return self._open_chats.current.session

    def _choose(self, argument: str) -> None:
        """Choose a preset, or list them."""
        name, settings = argument.strip(), self._store.value
        if not name:
            chosen = self._session.settings.get("preset", settings.chat.preset)
            self._say(f"Preset {chosen}. There are: {', '.join(settings.presets)}")
            return
        self._change(settings_changes.with_preset(settings, self._session, name))
        self._say(f"Preset {name}, for this session.")

    def save(self, argument: str) -> None:
        """Save what this session sends as a preset, which it has then.

        Raises:
            UsageError: The name cannot be taken.
            ConfigError: It could not be saved.
        """
        name = settings_changes.checked_preset_name(self._store.value, argument)
        self._store.save(settings_changes.save_preset_changes(self._store.value, self._session, name))
        own = settings_changes.without_any_own(self._session)
        self._change(settings_changes.with_preset(self._store.value, own, name))
        self._say(f"Saved as preset {name}, which this session has now.")

    def _rename_typed(self, argument: str) -> None:
        """Rename a preset of the user's own; the longest name that the text begins with is the old one."""
        text = argument.strip()
        names = sorted(self._store.value.presets, key=len, reverse=True)
        old = next((name for name in names if text.startswith(f"{name} ")), text.partition(" ")[0])
        self.rename(old, text.removeprefix(old).strip())

    def rename(self, old: str, new: str) -> None:
        """Rename a preset of the user's own.

        Raises:
            UsageError: There is no such preset, or the name cannot be taken.
            ConfigError: It could not be saved.
        """
        changes = settings_changes.rename_preset_changes(self._store.value, old, new, self._store.config_keys)
        self._store.save(changes)
        if self._session.settings.get("preset") == old:
            self._change(replace(self._session, settings={**self._session.settings, "preset": new}))
        self._say(f"Preset {old} is called {new} now.")
        self._shown()

    def delete(self, argument: str) -> None:
        """Delete a preset of the user's own; this session takes the default one where it had it.

        Raises:
            UsageError: There is no such preset, or it is not the user's own.
            ConfigError: It could not be saved.
        """
        name = " ".join(argument.split())
        deletion = settings_changes.delete_preset_changes(self._store.value, name, self._store.config_keys)
        self._store.save(deletion.changes)
        is_here = self._session.settings.get("preset") == name
        self._deleted.append(_DeletedPreset(name, deletion, self._session.id if is_here else ""))
        if is_here:
            self._change(settings_changes.without_own(self._store.value, self._session, "preset"))
        self._say(f"Deleted preset {name}. /restore-preset brings it back.", about=f"preset {name}")
        self._shown()

    def _restore(self) -> None:
        """Bring back the preset that was deleted last, to the session that had it too, where that is on screen."""
        if not self._deleted:
            raise UsageError("No preset was deleted since the program started.")
        deleted = self._deleted[-1]
        if deleted.name in self._store.value.presets:
            raise UsageError(f"There is a preset {deleted.name!r} already.", "Give it another name first.")
        self._store.save(deleted.deletion.undoing)
        self._deleted.pop()
        if deleted.session_id == self._session.id:
            self._change(replace(self._session, settings={"preset": deleted.name, **self._session.settings}))
        self._say(f"Preset {deleted.name} is back.", about=f"preset {deleted.name}")
        self._shown()

    def make_default(self) -> None:
        """Let new sessions begin with what this one sets.

        Raises:
            ConfigError: It could not be saved.
        """
        changes = settings_changes.default_changes(self._store.value, self._session)
        if not changes:
            self._say("This session sets nothing of its own; the defaults are as they were.")
            return
        overruled = self._store.save(changes)
        self._say("Saved as the default for new sessions: " + ", ".join(map(_dotted, changes)))
        if overruled:
            keys = ", ".join(map(_dotted, overruled))
            self._say(f"The config file says something else for {keys}; that goes first.", "warning")
        self._shown()


def _dotted(key: Key) -> str:
    return ".".join(map(str, key))
