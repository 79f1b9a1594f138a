"""The raw send: the whole exact input in an editor, sent once as it stands; kept until then, or thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from functools import partial

from textual.app import SuspendNotSupported

from kimi_tui.core.errors import KimiError, UsageError
from kimi_tui.core.ports import SettingsStore, TextEditor
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.session.raw_draft import RawDraft
from kimi_tui.core.settings.sampling import resolve_request
from kimi_tui.ui.commands.dispatcher import Done, Rows
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.prompt_source import PromptSource
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.callbacks import Push, Remark, RunLater, Say
from kimi_tui.ui.state.end_notices import RAW_IS_KEPT
from kimi_tui.ui.state.entries import error_text
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import RAW_DRAFT, OpenChats
from kimi_tui.ui.state.raw_opening import raw_opening
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.state.slash import Text, parse_line
from kimi_tui.ui.widgets.composer import Composer

OFF = "off"


@dataclass(eq=False)
class RawCommand:
    store: SettingsStore
    open_chats: OpenChats
    prompts: PromptSource
    panes: SidePanes
    composer: Composer
    drafts: Drafts
    turns: Turns
    typed: Callable[[], None]  # notes that what was typed may have to be saved, or not any more
    changed: Callable[[], None]  # shows the notices anew
    edit_outside: Callable[[str], Awaitable[tuple[str, str]]]  # see the function of that name
    run_later: RunLater
    push: Push
    say: Say
    remark: Remark

    def rows(self) -> Rows:
        return {"raw": self._raw, "edit-input": self._edit}

    def _raw(self, argument: str) -> Done:
        word = argument.strip().lower()
        if word not in {"", OFF}:
            raise UsageError(f"/raw: found {argument.strip()!r}, allowed nothing or {OFF}.", "/raw opens the editor.")
        if not word:
            return self._edit()
        self._throw_away()
        return None

    def _throw_away(self) -> None:
        chat = self.open_chats.current
        was_kept, chat.raw_draft = chat.raw_draft is not None, None
        chat.notices.drop(RAW_DRAFT)
        self.changed()
        self.typed()
        self.remark("The raw input is thrown away." if was_kept else "No raw input is kept.")

    async def _edit(self) -> None:
        """Open the editor over what was kept, else over the next input, or the one that the prompt pane shows."""
        from kimi_tui.ui.screens.raw_screen import RawScreen  # noqa: PLC0415 - most commands do not need it

        chat = self.open_chats.current
        chat.open_session.refuse_if_read_only()
        planned = self.prompts.to_edit(is_shown=self.panes.in_view("prompt") is not None)
        if planned is None:
            return
        make, reply_to = planned
        view = await asyncio.to_thread(make)
        screen = RawScreen(
            RawDraft(view.text, reply_to), chat.raw_draft, view.template,
            tokens_of=chat.calibration.tokens, window_tokens=view.window_tokens,
            typed=self.typed, left=lambda: self._left(chat), edit_outside=self.edit_outside,
        )  # fmt: skip
        chat.typed_raw = lambda: screen.changed_draft
        chat.notices.drop(RAW_DRAFT)
        self.push(screen, partial(self._closed, chat))

    def _left(self, chat: Chat) -> None:
        chat.take_typed_raw()
        chat.typed_raw = None
        self.typed()

    def _closed(self, chat: Chat, draft: RawDraft | None) -> None:
        self.changed()
        if draft is not None:
            self.run_later(self._send(chat, draft))
        elif chat.raw_draft is not None:
            self.remark(
                "The raw input is kept: /raw goes on with it, /raw off throws it away.", "The raw input is kept."
            )

    async def _send(self, chat: Chat, draft: RawDraft) -> None:
        """It is kept until a reply has come."""
        chat.raw_draft = draft
        typed, edited = self.drafts.next_message
        line = parse_line(typed)
        try:
            request = resolve_request(self.store.value, chat.session)
            raw = RawInput.of(draft.text, request.template)
            placed = await asyncio.to_thread(
                raw_opening, chat.session, raw, request.door, reply_to=draft.reply_to, edited=edited,
                draft=line.text if isinstance(line, Text) else "",
            )  # fmt: skip
            if chat.turn is not None:
                raise UsageError("A reply is running.", "Escape stops it.")
            self.turns.start(chat, placed.opening)
        except KimiError as error:
            self.say(error_text(error, f"Nothing was sent. {RAW_IS_KEPT}"), "error")
            return
        if placed.takes_draft and self.composer.draft == typed and not self.drafts.bring_back():
            self.composer.draft = ""


async def edit_outside(
    editor: TextEditor | None, suspend: Callable[[], AbstractContextManager[None]], text: str
) -> tuple[str, str]:
    """What it became there, and what is to be told of it; the terminal is the other program's meanwhile.

    `suspend` leaves it to that one.
    """
    try:
        if editor is None:
            raise UsageError("There is no editor here.")
        await asyncio.to_thread(editor.check)  # it may look for it on the disk
        with ExitStack() as stack:
            with suppress(SuspendNotSupported):
                stack.enter_context(suspend())
            return await editor.edit(text)
    except KimiError as error:
        return text, f"{error.summary} {error.hint}".rstrip()
