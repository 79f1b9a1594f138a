"""Commands on what the session on screen sends, and how far its replies go by themselves."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kimi_tui.core.errors import UsageError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.kept_thinking import KeptThinking, kept_words, parse_kept_thinking
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.field_text import parse_stop_words, short_text
from kimi_tui.core.settings.sampling import (
    RequestOptions,
    resolve_chat,
    resolve_request,
)
from kimi_tui.core.settings.settings import RULES
from kimi_tui.core.text.counts import counted
from kimi_tui.core.wire import fields
from kimi_tui.core.wire.thinking_budget import ALLOWED, NO_BUDGET, parse_budget
from kimi_tui.ui.commands.dispatcher import Done, Rows
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.form_checks import is_schema, refuse_unless_schema
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import CheckForm, LoadSchema
from kimi_tui.ui.text import words

FORMAT = "response_format"
ONCE, OFF = "once", "off"
OVER_BUDGET_WORDS = {
    OverBudget.REFUSE: "what surely cannot fit is refused, and nothing is left out (refuse)",
    OverBudget.LEAVE_OUT: "the oldest are left out (leave-out)",
    OverBudget.KEEP_PINNED: "the oldest are left out, but for pinned messages (keep-pinned)",
}
"""What becomes of the turns, in words."""


@dataclass(eq=False)
class SettingCommands:
    store: SettingsStore
    check_form: CheckForm | None
    load_schema: LoadSchema | None
    open_chats: OpenChats
    change: Callable[[Session], None]  # takes the changed session
    changed: Callable[[], None]  # shows what holds for the next reply
    say: Say

    def rows(self) -> Rows:
        return {
            "think": self._think,
            "set": self._set,
            "reset": self._reset,
            "system": self._system,
            "budget": self._budget,
            "auto-continue": self._auto_continue,
            "stop-at": self._stop_at,
            "kept-thinking": self._kept_thinking,
            "over-budget": self._over_budget,
            "schema": self._schema,
            "free-thinking": self._free_thinking,
        }

    @property
    def _session(self) -> Session:
        return self.open_chats.current.session

    @property
    def _request(self) -> RequestSettings:
        """What the session sends; raises KimiError where its settings cannot be used."""
        return resolve_request(self.store.value, self._session)

    def _set_own(self, name: str, value: int | str, default: int | str) -> None:
        """What holds without the session is not set in it."""
        self.change(settings_changes.with_own(self._session, name, None if value == default else value))

    def _think(self, argument: str) -> None:
        """Switch between thinking and instant; "" = to the other one."""
        word = argument.strip().lower()
        if word not in {"", "on", "off"}:
            raise UsageError(f"/think takes on or off, not {argument.strip()!r}.")
        self._set_field("thinking", word == "on" if word else not self._request.thinking)

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
        await self._refuse_unless_schema(self.open_chats.current, form, name)
        self._put(name, form)

    async def _refuse_unless_schema(self, chat: Chat, form: Mapping[str, object], name: str) -> None:
        """Raises UsageError where it is none, or the chat is not on screen any more; `name` is what it is known by."""
        await refuse_unless_schema(self.check_form, form, name, "The session is as it was.")
        if self.open_chats.current is not chat:
            raise UsageError("Another session was opened meanwhile.", "The schema was not taken.")

    def _set_field(self, name: str, value: object | None) -> None:
        self.change(settings_changes.with_setting(self.store.value, self._session, name, value))

    def _put(self, name: str, value: object | None) -> None:
        self._set_field(name, value)
        self.say(f"{name} = {_written(value)}, for this session." if value is not None else f"{name} is not sent.")
        turn_end = self._request.template.assistant.end
        if name == "stop" and turn_end not in (value if isinstance(value, list) else ()):
            self.say(f"Without {turn_end} among them the model may go on after its answer.", "warning")

    def _show_field(self, name: str) -> None:
        value = self._request.fields.get(name)
        now = f"{name} is not sent" if value is None else f"{name} = {_written(value)}"
        self.say(
            f"{now}. Allowed: {self.store.value.dialect.spec(name).typed}.\n"
            f"/set {name} VALUE sets it, /set {name} null sends none, /reset {name} takes back what this session sets."
        )

    def _list_fields(self) -> None:
        request = self._request
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

    # -- answers in a form

    async def _schema(self, argument: str) -> None:
        """Take a schema from a file; "off" = answers are free again, "" = say what holds."""
        name = argument.strip()
        if not name:
            self._tell_form()
        elif name.lower() == OFF:
            self._set_field(FORMAT, None)
            self.say("Answers of this session may have any form.")
        elif self.load_schema is not None:
            path, chat = Path(os.path.expanduser(name)), self.open_chats.current
            schema = await asyncio.to_thread(self.load_schema, path)
            form = {"type": "json_schema", "json_schema": schema}
            await self._refuse_unless_schema(chat, form, str(path))
            self._set_field(FORMAT, form)
            self._tell_form()

    def _tell_form(self) -> None:
        form = self._request.fields.get(FORMAT)
        now = f"{FORMAT} = {short_text(FORMAT, form)}" if form is not None else f"{FORMAT} is not sent"
        self.say(f"{now}, in this session. /schema FILE takes a JSON schema from a file, /schema off ends it; the "
                 "settings show and change it.", about=FORMAT)  # fmt: skip

    def _free_thinking(self, argument: str) -> None:
        """Say whether a form holds the answer alone; "" = to the other one."""
        word, settings = argument.strip().lower(), self.store.value
        if word not in {"", "on", "off"}:
            raise UsageError(f"/free-thinking takes on or off, not {argument.strip()!r}.")
        is_free = word == "on" if word else not resolve_chat(settings, self._session).free_thinking
        self._set_own("free_thinking", is_free, settings.chat.free_thinking)
        self.say(
            "With a response format the model thinks freely first, then answers in it: two requests."
            if is_free
            else "A response format holds thinking and answer, in one request."
        )

    # -- how far replies go by themselves

    def _budget(self, argument: str) -> None:
        """Limit the thinking of this session, with "once" of the next reply alone; "" = say what holds."""
        chat, (text, _, scope) = self.open_chats.current, argument.strip().lower().partition(" ")
        if not text:
            budget = chat.next_reply.budget or resolve_chat(self.store.value, chat.session).budget
            self.say(f"Thinking budget: {budget}. /budget 500 (tokens), /budget 20s or /budget off sets it.")
            return
        try:
            budget = parse_budget(text)
        except ValueError:
            raise UsageError(
                f"/budget: found {text!r}, allowed {ALLOWED}.", "/budget 500 once is for the next reply."
            ) from None
        if scope.strip() not in {"", ONCE}:
            raise UsageError(f"Behind a budget stands {ONCE} or nothing, not {scope.strip()!r}.")
        if scope:
            chat.next_reply = replace(chat.next_reply, budget=budget)
            self.changed()
            self.say(f"Thinking budget of the next reply: {budget}.")
            return
        chat.next_reply = replace(chat.next_reply, budget=None)
        settings, session = self.store.value, chat.session
        is_default = budget == parse_budget(settings.chat.thinking_budget)
        value = None if is_default else int(text) if budget.tokens is not None else text
        self.change(settings_changes.with_own(session, "thinking_budget", value))
        self.say(f"Thinking budget of this session: {budget}." if budget != NO_BUDGET else "No thinking budget.")

    def _auto_continue(self, argument: str) -> None:
        """Let replies that are cut by their most tokens be gone on with, so many times; "" = say what holds."""
        word = argument.strip()
        if word:
            times = int(word) if word.isascii() and word.isdigit() and len(word) < 4 else -1
            if not RULES["chat", "auto_continue"].holds(times):
                raise UsageError(f"/auto-continue: found {word!r}, allowed {RULES['chat', 'auto_continue'].allowed}.")
            self._set_own("auto_continue", times, self.store.value.chat.auto_continue)
        times = resolve_chat(self.store.value, self._session).auto_continue
        how_often = f"up to {counted(times, 'time')}" if times else "only when you ask (/continue)"
        self.say(f"A reply that is cut by max_new_tokens is gone on with {how_often}, in this session.")

    def _stop_at(self, argument: str) -> None:
        """Let the next reply stop at words, escaped as in the settings; "off" = at none, "" = say what holds."""
        chat = self.open_chats.current
        if argument.strip():
            words = () if argument.strip().lower() == OFF else tuple(parse_stop_words(argument))
            resolve_request(self.store.value, chat.session, RequestOptions(more_stops=words))
            chat.next_reply = replace(chat.next_reply, stops=words)
            self.changed()
            return
        held = resolve_request(self.store.value, chat.session, chat.next_reply.options).fields.get("stop", [])
        self.say(
            f"The next reply stops at {short_text('stop', held) or 'nothing'}.\n"
            '/stop-at ### "two words" \\n adds words for that reply alone; /stop-at off takes them back.'
        )

    def _kept_thinking(self, argument: str) -> None:
        """Send the thinking of earlier turns along, of so many; "" = say what holds."""
        word = argument.strip()
        if word:
            try:
                kept = parse_kept_thinking(word)
            except ValueError:
                allowed = "none, a number of turns such as 2, or all"
                raise UsageError(f"/kept-thinking: found {word!r}, allowed {allowed}.") from None
            self._set_own("kept_thinking", kept, self.store.value.chat.kept_thinking)
        kept = resolve_chat(self.store.value, self._session).kept_thinking
        self.say(f"The thinking of {kept_words(kept)} is sent along{self._cost_of(kept)}, in this session.")

    def _over_budget(self, argument: str) -> None:
        """Say what becomes of the oldest turns when there is no room for all; "" = say what holds."""
        word = argument.strip().lower()
        if word:
            if word not in {*OverBudget}:
                raise UsageError(f"/over-budget: found {word!r}, allowed {RULES['chat', 'over_budget'].allowed}.")
            self._set_own("over_budget", word, self.store.value.chat.over_budget)
        chosen = OverBudget(resolve_chat(self.store.value, self._session).over_budget)
        self.say(f"When there is no room for all turns, {OVER_BUDGET_WORDS[chosen]}, in this session.")

    def _cost_of(self, kept: KeptThinking) -> str:
        """What that takes with the next message; "" = nothing."""
        chat = self.open_chats.current
        branch = chat.branch
        ids = tree.with_thinking(branch, kept, lambda it: not (it.excluded or it.is_only_queued))
        thinking = (message.reasoning or "" for message in branch if message.id in ids)
        tokens = chat.calibration.tokens(*thinking)
        return f" (now ~{words.count(tokens)} tok)" if tokens else ""


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
