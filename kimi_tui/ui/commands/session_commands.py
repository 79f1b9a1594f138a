"""Commands on the session: its settings, its name, its files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kimi_tui.core.errors import StorageError, UsageError
from kimi_tui.core.prompt.template import END
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.sampling import store_setting
from kimi_tui.core.wire import fields
from kimi_tui.ui.panes.desk import Desk


@dataclass(frozen=True, slots=True)
class _DeletedPreset:
    """A preset that can be brought back."""

    name: str
    deletion: settings_changes.Deletion
    session_id: str  # of the session that had it; "" = the one on screen did not


class SessionCommands:
    """Commands on the session on screen."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk
        self._deleted_presets: list[_DeletedPreset] = []

    @property
    def _session(self) -> Session:
        return self._desk.chat.session

    def _set(self, settings: Mapping[str, object]) -> None:
        self._desk.change(replace(self._session, settings=settings))

    # -- settings

    def do_think(self, argument: str) -> None:
        """Switch between thinking and instant.

        Raises:
            UsageError: The argument is neither on nor off.
        """
        word = argument.strip().lower()
        if word not in {"", "on", "off"}:
            raise UsageError(f"/think takes on or off, not {argument.strip()!r}.")
        thinking = word == "on" if word else not self._desk.services.resolve(self._session).thinking
        self._set({**self._session.settings, "thinking": thinking})

    def do_set(self, argument: str) -> None:
        """Set a request field for this session; without a value say what is sent, of all of them without a name.

        Raises:
            FieldError: There is no such field, or the value is outside its range.
        """
        name, _, text = argument.strip().partition(" ")
        if not name:
            self._list_fields()
            return
        value = self._desk.services.settings.dialect.parse_text(name, text.strip())
        if not text:
            self._show_field(name)
            return
        self._set(store_setting(self._session.settings, name, value))
        self._desk.say(
            f"{name} = {_written(value)}, for this session." if value is not None else f"{name} is not sent."
        )
        if name == "stop" and END not in (value if isinstance(value, list) else ()):
            self._desk.say(f"Without {END} among them the model may go on after its answer.", "warning")

    def _show_field(self, name: str) -> None:
        value = self._desk.services.resolve(self._session).fields.get(name)
        now = f"{name} is not sent" if value is None else f"{name} = {_written(value)}"
        self._desk.say(
            f"{now}. Allowed: {self._desk.services.settings.dialect.spec(name).typed}.\n"
            f"/set {name} VALUE sets it, /set {name} null sends none, /reset {name} takes back what this session sets."
        )

    def _list_fields(self) -> None:
        request = self._desk.services.resolve(self._session)
        sent = [f"{name} = {_written(value)}" for name, value in request.fields.items()]
        unset = [name for name in fields.SETTABLE if name not in request.fields]
        self._desk.say("\n".join(["Sent with the next message:", *sent, "", "Not sent: " + ", ".join(unset)]))

    def do_reset(self, argument: str) -> None:
        """Take back what this session sets for a field, or for all of them.

        Raises:
            UsageError: There is no such field.
        """
        name = argument.strip()
        if name and name not in fields.SETTABLE:
            raise UsageError(f"There is no request field {name!r}.", f"Fields: {', '.join(fields.SETTABLE)}")
        settings, session = self._desk.services.settings, self._session
        changed = (
            settings_changes.without_own(settings, session, name) if name else settings_changes.without_any_own(session)
        )
        self._desk.change(changed)
        self._desk.say(f"{name} is as without this session." if name else "This session sets nothing of its own now.")

    def do_system(self, argument: str) -> None:
        """Set, show or (with "none") remove the system prompt."""
        if not argument.strip():
            current = self._session.system
            self._desk.say(
                f"System prompt:\n{current}\n\n/system TEXT sets another one, /system none removes it."
                if current
                else "There is no system prompt. /system TEXT sets one."
            )
            return
        self.set_system(None if argument.strip().lower() == "none" else argument)

    def set_system(self, system: str | None) -> None:
        """Set the system prompt; None = none."""
        self._desk.change(tree.with_system(self._session, system))
        self._desk.say(
            "The system prompt is set, from the next message on." if system else "The system prompt is removed."
        )

    def do_preset(self, argument: str) -> None:
        """Choose a preset, or list them.

        Raises:
            UsageError: There is none of that name.
        """
        name, settings = argument.strip(), self._desk.services.settings
        if not name:
            chosen = self._session.settings.get("preset", settings.chat.preset)
            self._desk.say(f"Preset {chosen}. There are: {', '.join(settings.presets)}")
            return
        self._desk.change(settings_changes.with_preset(settings, self._session, name))
        self._desk.say(f"Preset {name}, for this session.")

    def do_save_preset(self, argument: str) -> None:
        """Save what this session sends as a preset.

        Raises:
            UsageError: The name cannot be taken.
            ConfigError: It could not be saved.
        """
        services = self._desk.services
        name = settings_changes.checked_preset_name(services.settings, argument)
        services.store.save(settings_changes.save_preset_changes(services.settings, self._session, name))
        self._desk.change(
            settings_changes.with_preset(services.settings, settings_changes.without_any_own(self._session), name)
        )
        self._desk.say(f"Saved as preset {name}, which this session has now.")

    def do_rename_preset(self, argument: str) -> None:
        """Rename a preset of the user's own.

        Raises:
            UsageError: There is no such preset, or the name cannot be taken.
            ConfigError: It could not be saved.
        """
        text = argument.strip()
        names = sorted(self._desk.services.settings.presets, key=len, reverse=True)
        old = next((name for name in names if text.startswith(f"{name} ")), text.partition(" ")[0])
        self.rename_preset(old, text.removeprefix(old).strip())

    def rename_preset(self, old: str, new: str) -> None:
        """Rename a preset of the user's own."""
        services = self._desk.services
        changes = settings_changes.rename_preset_changes(services.settings, old, new, services.store.config_keys)
        services.store.save(changes)
        if self._session.settings.get("preset") == old:
            self._set({**self._session.settings, "preset": new})
        self._desk.say(f"Preset {old} is called {new} now.")
        self._desk.panes.session_changed()

    def do_delete_preset(self, argument: str) -> None:
        """Delete a preset of the user's own; this session takes the default one where it had it.

        Raises:
            UsageError: There is no such preset, or it is not the user's own.
            ConfigError: It could not be saved.
        """
        services, name = self._desk.services, " ".join(argument.split())
        deletion = settings_changes.delete_preset_changes(services.settings, name, services.store.config_keys)
        services.store.save(deletion.changes)
        is_here = self._session.settings.get("preset") == name
        self._deleted_presets.append(_DeletedPreset(name, deletion, self._session.id if is_here else ""))
        if is_here:
            self._set(settings_changes.without_own(services.settings, self._session, "preset").settings)
        self._desk.say(f"Deleted preset {name}. /restore-preset brings it back.", about=f"preset {name}")
        self._desk.panes.session_changed()

    def do_restore_preset(self, argument: str) -> None:
        """Bring back the preset that was deleted last, to the session that had it too, where that is on screen.

        Raises:
            UsageError: None was deleted since the program started, or there is another of its name now.
            ConfigError: It could not be saved.
        """
        del argument
        if not self._deleted_presets:
            raise UsageError("No preset was deleted since the program started.")
        deleted, services = self._deleted_presets[-1], self._desk.services
        if deleted.name in services.settings.presets:
            raise UsageError(f"There is a preset {deleted.name!r} already.", "Give it another name first.")
        services.store.save(deleted.deletion.undoing)
        self._deleted_presets.pop()
        if deleted.session_id == self._session.id:
            self._set({"preset": deleted.name, **self._session.settings})
        self._desk.say(f"Preset {deleted.name} is back.", about=f"preset {deleted.name}")
        self._desk.panes.session_changed()

    def do_make_default(self, argument: str) -> None:
        """Let new sessions begin with what this one sets.

        Raises:
            ConfigError: It could not be saved.
        """
        del argument
        changes = settings_changes.default_changes(self._desk.services.settings, self._session)
        if not changes:
            self._desk.say("This session sets nothing of its own; the defaults are as they were.")
            return
        overruled = self._desk.services.store.save(changes)
        self._desk.say("Saved as the default for new sessions: " + ", ".join(map(_dotted, changes)))
        if overruled:
            keys = ", ".join(map(_dotted, overruled))
            self._desk.say(f"The config file says something else for {keys}; that goes first.", "warning")
        self._desk.panes.session_changed()

    # -- the session as a whole

    def do_rename(self, argument: str) -> None:
        """Give the session another title.

        Raises:
            UsageError: There is no title.
        """
        title = " ".join(argument.split())
        if not title:
            raise UsageError("/rename needs a title.", "For example: /rename Cooking lamb")
        self._desk.change(replace(self._session, title=title))

    async def do_new(self, argument: str) -> None:
        """Begin a new session."""
        del argument
        await self._desk.show_chat(self._desk.open_chats.create())

    async def do_resume(self, argument: str) -> None:
        """Open the latest other session, or the one that the text names.

        Raises:
            StorageError: None or several fit, or it cannot be opened.
        """
        library, name = self._desk.services.library, argument.strip()
        if name:
            path, passed_over = await asyncio.to_thread(library.find, name)
        else:
            listing = await asyncio.to_thread(library.listing)
            others = (s.path for s in listing.summaries if s.id != self._session.id)
            found = next(others, None)
            if found is None:
                raise StorageError(listing.words_for_none("There is no other session."), "/new begins a new one.")
            path, passed_over = Path(found), listing.unreadable
        await self._desk.open_path(path)
        for unreadable in passed_over:
            self._desk.say(unreadable.words, "warning", about=unreadable.path)

    async def do_import(self, argument: str) -> None:
        """Open a copy of a session file.

        Raises:
            UsageError: There is no file name.
            StorageError: It cannot be read.
        """
        source = _path(argument, "import", "notes.toml")
        path, told = await asyncio.to_thread(self._desk.services.library.import_file, source)
        await self._desk.open_path(path)
        for line in told:
            self._desk.say(line, "warning")
        self._desk.say(f"This is a copy of {source}; the file stays as it is.")

    async def do_export(self, argument: str) -> None:
        """Write the session to a file.

        Raises:
            UsageError: There is no file name.
            StorageError: It cannot be written, or is there already.
        """
        path = _path(argument, "export", "lamb.md")
        await asyncio.to_thread(self._desk.services.library.export, self._session, path)
        self._desk.say(f"Exported to {path}.")


def _written(value: object) -> str:
    """A value as it is typed."""
    return json.dumps(value, ensure_ascii=False)


def _dotted(key: Key) -> str:
    return ".".join(map(str, key))


def _path(argument: str, command: str, example: str) -> Path:
    name = argument.strip()
    if not name:
        raise UsageError(f"/{command} needs a file name.", f"For example: /{command} {example}")
    return Path(name).expanduser()
