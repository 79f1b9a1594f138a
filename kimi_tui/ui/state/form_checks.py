"""Whether the replies that were to keep a form do: looked at when they arrive or when that is asked for, and told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeGuard

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Message
from kimi_tui.core.wire.answer_forms import FormCheck, form_name, form_of, is_to_be_checked
from kimi_tui.ui.state.end_notices import EndNotice, Offer
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.services import CheckForm

OFFERS = (
    Offer("correct", "writes this into the composer, to be sent"),
    Offer("regenerate", "asks for another answer"),
)


class NoticeView(Protocol):
    def notice(self, chat: Chat, text: str, severity: str, about: str = "", after: str | None = None) -> None:
        """`about` = what later notices about the same thing are about, in whose place it stands; "" = nothing.

        `after` = the message that it stands behind; None = the last one.
        """


class FormChecks:
    def __init__(
        self,
        check_form: CheckForm | None,
        label: Callable[[str], str],
        view: NoticeView,
        run: Callable[[Awaitable[None]], object],
    ) -> None:
        """`check_form` None = nothing is checked; `label` gives an action's key as it is shown."""
        self._check_form, self._label, self._view, self._run = check_form, label, view, run

    def begin(self, chat: Chat, reply: Message) -> bool:
        """Look at a reply beside everything else; False = it is to keep no form, or was cut."""
        form = form_of(reply)
        if form is None or not is_to_be_checked(reply) or self._check_form is None:
            return False
        self._run(self._check(chat, reply, form, self._check_form))
        return True

    async def _check(self, chat: Chat, reply: Message, form: Mapping[str, object], check: CheckForm) -> None:
        stopped = threading.Event()
        try:
            found = await asyncio.to_thread(check, form, reply.content, stopped)
        finally:
            stopped.set()  # the program is left, which waits for every thread
        if all(message is not reply for message in chat.session.messages):
            return  # it is another one now, or gone
        chat.form_checks[reply.id] = found
        told = form_notice(form, found)
        chat.notices.drop(about_form(reply.id))
        self._view.notice(chat, told.words(self._label), told.severity, about_form(reply.id), reply.id)


def is_schema(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping) and value.get("type") == "json_schema"


async def refuse_unless_schema(check: CheckForm | None, form: Mapping[str, object], name: str, kept: str) -> None:
    """Look at a form in another thread; raises UsageError where its schema is none.

    `name` = what the user knows it by; `kept` = what stays as it was. `check` None = nothing is checked.
    """
    found = FormCheck() if check is None else await asyncio.to_thread(check, form, None)
    if found.findings:
        raise UsageError(f"{name}: {found.words}.", kept)


def about_form(reply_id: str) -> str:
    """What a notice on a reply's form is about."""
    return f"form of {reply_id}"


def form_notice(form: Mapping[str, object], found: FormCheck) -> EndNotice:
    name = form_name(form)
    if found.findings:
        errors = "\n".join(map(str, found.findings))
        return EndNotice("warning", f"The answer is not what was asked for ({name}):\n{errors}\n", OFFERS)
    if found.unchecked:
        return EndNotice("info", f"The answer was not checked against {name}: {found.unchecked}.")
    return EndNotice("info", f"The answer keeps the form: {name}.")
