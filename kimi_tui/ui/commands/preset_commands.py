"""Commands on presets, and on what new sessions begin with: both are saved for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kimi_tui.core.errors import KimiError, UsageError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.layers import Key
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats


@dataclass(frozen=True, slots=True)
class _DeletedPreset:
    name: str
    deletion: settings_changes.Deletion
    session_id: str  # of the session that had it; "" = the one on screen did not


@dataclass(eq=False)
class PresetCommands:
    store: SettingsStore
    open_chats: OpenChats
    change: Callable[[Session], None]  # takes the changed session
    shown: Callable[[], None]  # shows the settings anew
    say: Say
    _deleted: list[_DeletedPreset] = field(default_factory=list, init=False)

    def rows(self) -> Rows:
        return {
            "preset": self._choose,
            "save-preset": self._save,
            "rename-preset": self._rename_typed,
            "delete-preset": self._delete,
            "restore-preset": self._restore,
            "make-default": self._make_default,
        }

    @property
    def _session(self) -> Session:
        return self.open_chats.current.session

    def _refuse_if_read_only(self, preset: str = "") -> None:
        """Nothing is saved for others where what goes with it here cannot be; `preset` = what it is about, "" = any."""
        if preset in {"", self._session.settings.get("preset")}:
            self.open_chats.current.open_session.refuse_if_read_only()

    def _choose(self, argument: str) -> None:
        """Choose a preset; "" = list them."""
        name, settings = argument.strip(), self.store.value
        if not name:
            chosen = self._session.settings.get("preset", settings.chat.preset)
            self.say(f"Preset {chosen}. There are: {', '.join(settings.presets)}")
            return
        self.change(settings_changes.with_preset(settings, self._session, name))
        self.say(f"Preset {name}, for this session.")

    async def _save(self, argument: str) -> None:
        """Save what this session sends as a preset, which it has then."""
        self._refuse_if_read_only()
        name = settings_changes.checked_preset_name(self.store.value, argument)
        await self.store.save(settings_changes.save_preset_changes(self.store.value, self._session, name))
        own = settings_changes.without_any_own(self._session)
        self.change(settings_changes.with_preset(self.store.value, own, name))
        self.say(f"Saved as preset {name}, which this session has now.")

    async def _rename_typed(self, argument: str) -> None:
        """The longest name that the text begins with is the old one."""
        text = argument.strip()
        names = sorted(self.store.value.presets, key=len, reverse=True)
        old = next((name for name in names if text.startswith(f"{name} ")), text.partition(" ")[0])
        await self.rename(old, text.removeprefix(old).strip())

    async def rename(self, old: str, new: str) -> None:
        """Rename a preset of the user's own.

        Raises UsageError where there is no such preset or the name cannot be taken, ConfigError where it could not be
        saved.
        """
        changes = settings_changes.rename_preset_changes(self.store.value, old, new, self.store.config_keys)
        self._refuse_if_read_only(old)
        await self.store.save(changes)
        if self._session.settings.get("preset") == old:
            self.change(replace(self._session, settings={**self._session.settings, "preset": new}))
        self.say(f"Preset {old} is called {new} now.")
        self.shown()

    async def _delete(self, argument: str) -> None:
        """Delete a preset of the user's own; this session takes the default one where it had it."""
        name = " ".join(argument.split())
        deletion = settings_changes.delete_preset_changes(self.store.value, name, self.store.config_keys)
        self._refuse_if_read_only(name)
        await self.store.save(deletion.changes)
        is_here = self._session.settings.get("preset") == name
        self._deleted.append(_DeletedPreset(name, deletion, self._session.id if is_here else ""))
        if is_here:
            self.change(settings_changes.without_own(self.store.value, self._session, "preset"))
        self.say(f"Deleted preset {name}. /restore-preset brings it back.", about=f"preset {name}")
        self.shown()

    async def _restore(self) -> None:
        """Bring back the preset that was deleted last, to the session that had it too, where that is on screen."""
        if not self._deleted:
            raise UsageError("There is no step to undo here: no preset was deleted since the program started.")
        deleted = self._deleted.pop()
        try:
            if deleted.name in self.store.value.presets:
                raise UsageError(f"There is a preset {deleted.name!r} already.", "Give it another name first.")
            await self.store.save(deleted.deletion.undoing)
        except KimiError:
            self._deleted.append(deleted)
            raise
        if deleted.session_id == self._session.id:
            self.change(replace(self._session, settings={"preset": deleted.name, **self._session.settings}))
        self.say(f"Preset {deleted.name} is back.", about=f"preset {deleted.name}")
        self.shown()

    async def _make_default(self) -> None:
        """Let new sessions begin with what this one sets."""
        changes = settings_changes.default_changes(self.store.value, self._session)
        if not changes:
            self.say("This session sets nothing of its own; the defaults are as they were.")
            return
        overruled = await self.store.save(changes)
        self.say("Saved as the default for new sessions: " + ", ".join(map(_dotted, changes)))
        if overruled:
            keys = ", ".join(map(_dotted, overruled))
            self.say(f"The config file says something else for {keys}; that goes first.", "warning")
        self.shown()


def _dotted(key: Key) -> str:
    return ".".join(map(str, key))
