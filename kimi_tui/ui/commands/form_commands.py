"""Commands on answers in a form: the schema, whether it holds the thinking too, whether a reply keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.settings import settings_changes
from kimi_tui.core.settings.field_text import short_text
from kimi_tui.core.settings.sampling import resolve_chat
from kimi_tui.core.wire.answer_forms import feedback, form_of
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.form_checks import FormChecks, refuse_unless_schema
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services

FORMAT = "response_format"
OFF = "off"


@dataclass(eq=False)
class FormCommands:
    services: Services
    open_chats: OpenChats
    drafts: Drafts
    checks: FormChecks
    reply: Callable[[], Message]  # the reply that is meant; UsageError = there is none
    change: Callable[[Session], None]  # takes the changed session
    type_here: Callable[[], None]  # gives the composer the keys
    say: Say

    def rows(self) -> Rows:
        return {
            "check": self._check,
            "correct": self._correct,
            "schema": self._schema,
            "free-thinking": self._free_thinking,
        }

    @property
    def _session(self) -> Session:
        return self.open_chats.current.session

    def _check(self) -> None:
        reply = self.reply()
        if form_of(reply) is None:
            raise UsageError("No form was asked for: the reply may be anything.", "/schema FILE asks for one.")
        if not self.checks.begin(self.open_chats.current, reply):
            raise UsageError("The reply broke off, and is no whole answer.", "/continue goes on with it.")

    def _correct(self) -> None:
        chat, reply = self.open_chats.current, self.reply()
        chat.open_session.refuse_if_read_only()
        form, found = form_of(reply), chat.form_checks.get(reply.id)
        if form is None or found is None or not found.findings:
            raise UsageError("Nothing is known to be wrong with the form of that reply.", "/check looks at it.")
        if not chat.branch or chat.branch[-1].id != reply.id:
            raise UsageError("More was said since.", "It is corrected by what is sent right below it.")
        self.drafts.give_back(feedback(form, found))
        self.type_here()

    async def _schema(self, argument: str) -> None:
        """Take a schema from a file; "off" = answers are free again, "" = say what holds."""
        name = argument.strip()
        if not name:
            self._tell_form()
        elif name.lower() == OFF:
            self._set(None)
            self.say("Answers of this session may have any form.")
        elif self.services.load_schema is not None:
            await self._take(Path(name).expanduser())

    async def _take(self, path: Path) -> None:
        """Raises UsageError where it is no schema."""
        assert self.services.load_schema is not None
        chat = self.open_chats.current
        schema = await asyncio.to_thread(self.services.load_schema, path)
        form = {"type": "json_schema", "json_schema": schema}
        await refuse_unless_schema(self.services.check_form, form, str(path), "The session is as it was.")
        if self.open_chats.current is not chat:
            raise UsageError("Another session was opened meanwhile.", "The schema was not taken.")
        self._set(form)
        self._tell_form()

    def _set(self, form: object | None) -> None:
        self.change(settings_changes.with_setting(self.services.settings, self._session, FORMAT, form))

    def _tell_form(self) -> None:
        form = self.services.resolve(self._session).fields.get(FORMAT)
        now = f"{FORMAT} = {short_text(FORMAT, form)}" if form is not None else f"{FORMAT} is not sent"
        self.say(f"{now}, in this session. /schema FILE takes a JSON schema from a file, /schema off ends it; the "
                 "settings show and change it.", about=FORMAT)  # fmt: skip

    def _free_thinking(self, argument: str) -> None:
        """Say whether a form holds the answer alone; "" = to the other one."""
        word, settings = argument.strip().lower(), self.services.settings
        if word not in {"", "on", "off"}:
            raise UsageError(f"/free-thinking takes on or off, not {argument.strip()!r}.")
        is_free = word == "on" if word else not resolve_chat(settings, self._session).free_thinking
        own = None if is_free == settings.chat.free_thinking else is_free
        self.change(settings_changes.with_own(self._session, "free_thinking", own))
        self.say(
            "With a response format the model thinks freely first, then answers in it: two requests."
            if is_free
            else "A response format holds thinking and answer, in one request."
        )
