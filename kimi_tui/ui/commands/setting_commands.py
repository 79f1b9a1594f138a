"""Commands on what the session on screen sends: thinking, request fields, the system prompt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session import tree
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.core.wire import fields
from kimi_tui.ui.commands.background import Done
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.form_checks import is_schema, refuse_unless_schema
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import CheckForm, SettingsStore


@dataclass(eq=False)
class SettingCommands:
    store: SettingsStore
    check_form: CheckForm | None
    open_chats: OpenChats
    change: Callable[[Session], None]  # takes the changed session
    say: Say

    def rows(self) -> Rows:
        return {"think": self._think, "set": self._set, "reset": self._reset, "system": self._system}

    @property
    def _session(self) -> Session:
        return self.open_chats.current.session

    def _think(self, argument: str) -> None:
        """Switch between thinking and instant; "" = to the other one."""
        word = argument.strip().lower()
        if word not in {"", "on", "off"}:
            raise UsageError(f"/think takes on or off, not {argument.strip()!r}.")
        thinking = word == "on" if word else not resolve_request(self.store.value, self._session).thinking
        self.change(settings_changes.with_setting(self.store.value, self._session, "thinking", thinking))

    def _set(self, argument: str) -> Done:
        """Set a request field for this session; without a value say what is sent, of all of them without a name."""
        name, _, text = argument.strip().partition(" ")
        if not name:
            self._list_fields()
            return None
        value = self.store.value.dialect.parse_text(name, text.strip())
        if not text:
            self._show_field(name)
            return None
        if is_schema(value):
            return self._put_schema(name, value)
        self._put(name, value)
        return None

    async def _put_schema(self, name: str, form: Mapping[str, object]) -> None:
        """Raises UsageError where it is no schema."""
        chat = self.open_chats.current
        await refuse_unless_schema(self.check_form, form, name, "The session is as it was.")
        if self.open_chats.current is not chat:
            raise UsageError("Another session was opened meanwhile.", "The schema was not taken.")
        self._put(name, form)

    def _put(self, name: str, value: object | None) -> None:
        self.change(settings_changes.with_setting(self.store.value, self._session, name, value))
        self.say(f"{name} = {_written(value)}, for this session." if value is not None else f"{name} is not sent.")
        turn_end = resolve_request(self.store.value, self._session).template.assistant.end
        if name == "stop" and turn_end not in (value if isinstance(value, list) else ()):
            self.say(f"Without {turn_end} among them the model may go on after its answer.", "warning")

    def _show_field(self, name: str) -> None:
        value = resolve_request(self.store.value, self._session).fields.get(name)
        now = f"{name} is not sent" if value is None else f"{name} = {_written(value)}"
        self.say(
            f"{now}. Allowed: {self.store.value.dialect.spec(name).typed}.\n"
            f"/set {name} VALUE sets it, /set {name} null sends none, /reset {name} takes back what this session sets."
        )

    def _list_fields(self) -> None:
        request = resolve_request(self.store.value, self._session)
        sent = [f"{name} = {_written(value)}" for name, value in request.fields.items()]
        unset = [name for name in self.store.value.dialect.fields if name not in request.fields]
        self.say("\n".join(["Sent with the next message:", *sent, "", "Not sent: " + ", ".join(unset)]))

    def _reset(self, argument: str) -> None:
        """Take back what this session sets for a field; "" = for all of them."""
        name = argument.strip()
        if not name:
            self.change(settings_changes.without_any_own(self._session))
            self.say("This session sets nothing of its own now.")
            return
        if name not in fields.SETTABLE:
            raise UsageError(f"There is no request field {name!r}.", f"Fields: {', '.join(fields.SETTABLE)}")
        self.change(settings_changes.without_own(self.store.value, self._session, name))
        self.say(f"{name} is as without this session.")

    def _system(self, argument: str) -> None:
        """Set or show the system prompt; "none" removes it."""
        word, current = argument.strip(), self._session.system
        if word:
            system = None if word.lower() == "none" else argument
            self.change(tree.with_system(self._session, system))
            self.say(
                "The system prompt is set, from the next message on." if system else "The system prompt is removed."
            )
        elif current:
            self.say(f"System prompt:\n{current}\n\n/system TEXT sets another one, /system none removes it.")
        else:
            self.say("There is no system prompt. /system TEXT sets one.")


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
