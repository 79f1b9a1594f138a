"""Commands that put words of the user's into the model's turn: what a reply begins with, edits of one that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.raw_alternatives import with_raw_input
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.reply_edits import (
    NUDGE,
    edited_answer,
    edited_thinking,
    seeded,
    thinking_longer,
    without_answer,
)
from kimi_tui.core.session.reply_start import ReplyStart
from kimi_tui.core.session.session import Message, MessageState, Role, Session
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.plans import going_on
from kimi_tui.engine.openings import GoingOn
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.keys.focus import has_keys
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.transcript.transcript_widget import Transcript

ASIDE = "The reply as it was stays, with what is below it: Left and Right show the others, u goes back."


@dataclass(eq=False)
class ReplyCommands:
    transcript: Transcript
    open_chats: OpenChats
    turns: Turns
    drafts: Drafts
    target: Callable[[], Message]  # the message that commands are about; UsageError where there is none
    change: Callable[[Session], None]  # takes the changed session
    changed: Callable[[], None]  # shows what holds for the next turn
    say: Say
    now: Callable[[], datetime]
    label: Callable[[str], str]  # an action's key as it is shown; "" = it has none

    def rows(self) -> Rows:
        return {
            "prefill": self._prefill,
            "seed": self._seed,
            "think-longer": self._think_longer,
            "edit-thinking": self._edit_thinking,
            "keep-edit": self._keep_edit,
        }

    # -- what the next reply begins with

    def _prefill(self, argument: str) -> None:
        """No text takes back what was said so."""
        self._begin_next(ReplyStart.prefill(argument))

    def _seed(self, argument: str) -> None:
        """Where a reply has the message cursor, its thinking is begun anew; else that of the next one begins so."""
        chosen = self.open_chats.current.message(self.transcript.cursor.chosen)
        if argument.strip() and chosen is not None and chosen.role is Role.ASSISTANT:
            self._take_up(chosen, lambda id_: seeded(chosen, replace_lone(argument), id_, self.now()))
        else:
            self._begin_next(ReplyStart.seed(argument))

    def _begin_next(self, start: ReplyStart) -> None:
        chat = self.open_chats.current
        if start.text and not start.text.strip():
            raise UsageError(f"/{start.command} needs a text: the next reply begins with it.")
        if not start.text and chat.next_reply.start is None:
            self.say(f"Nothing was set. /{start.command} TEXT lets the next reply begin with it.")
            return
        chat.next_reply = replace(chat.next_reply, start=start if start.text else None)
        self.changed()

    # -- alternatives to a reply that is there

    def _think_longer(self, argument: str) -> None:
        """No text = with the usual nudge."""
        reply = self._thoughtful("be thought on")
        nudge = replace_lone(argument) or NUDGE
        self._take_up(reply, lambda id_: thinking_longer(reply, nudge, id_, self.now()))

    def edit_reply(self, reply: Message) -> None:
        """Bring its answer into the composer, or its thinking where it has no answer."""
        if reply.content or not reply.reasoning:
            self._begin_edit(reply, ReplyPart.ANSWER, reply.content)
        else:
            self._begin_edit(reply, ReplyPart.REASONING, reply.reasoning)

    def _edit_thinking(self) -> None:
        self.open_chats.current.open_session.refuse_if_read_only()
        reply = self._thoughtful("be edited")
        self._begin_edit(reply, ReplyPart.REASONING, reply.reasoning or "")

    def _thoughtful(self, what: str) -> Message:
        reply = self.target()
        if reply.role is not Role.ASSISTANT or not reply.reasoning:
            raise UsageError(f"This message has no thinking that could {what}.")
        return reply

    def _begin_edit(self, reply: Message, part: ReplyPart, text: str) -> None:
        key = f"{label} or /keep-edit" if (label := self.label("keep-edit")) else "/keep-edit"
        ways = ["Enter goes on from its end", f"{key} only keeps it"]
        if part is ReplyPart.REASONING and (label := self.label("answer-now")):
            ways.insert(1, f"{label} answers from it")
        what = "answer" if part is ReplyPart.ANSWER else "thinking"
        self.transcript.cursor.choose(None)
        self.drafts.begin_edit(reply.id, text, part, f"Edit the {what}: {', '.join(ways)}")

    def _keep_edit(self) -> None:
        """Keep the edit in the composer as an alternative; nobody is asked."""
        self._end_edit(lambda made, _: made, goes_on=False)

    def answer_edit(self) -> bool:
        """Let the answer follow from a thinking that is being edited; whether one is."""
        if self.drafts.edited_part is not ReplyPart.REASONING:
            return False
        self._end_edit(lambda made, _: without_answer(made, is_closed=True))
        return True

    def _end_edit(self, finish: Callable[[Message, ReplyPart], Message], *, goes_on: bool = True) -> None:
        reply_id, part, text = self.drafts.edited, self.drafts.edited_part, self.drafts.exact_edit
        if reply_id is None or part is None:
            raise UsageError("No reply is being edited.")
        self._apply_edit(reply_id, part, text, finish, goes_on=goes_on)
        self.drafts.bring_back()

    def go_on_from_edit(self, reply_id: str, part: ReplyPart, text: str) -> None:
        """Let the model go on where an edited text ends; raises KimiError where that cannot be."""
        self._apply_edit(reply_id, part, text, _open_end)

    def _apply_edit(
        self,
        reply_id: str,
        part: ReplyPart,
        text: str,
        finish: Callable[[Message, ReplyPart], Message],
        *,
        goes_on: bool = True,
    ) -> None:
        reply = next((it for it in self.open_chats.current.session.messages if it.id == reply_id), None)
        if reply is None:
            raise UsageError("The reply is not in the session any more.", "Escape leaves the edit.")
        edit, text = edited_answer if part is ReplyPart.ANSWER else edited_thinking, replace_lone(text)
        before = reply.content if part is ReplyPart.ANSWER else reply.reasoning or ""
        if text == before and (part is ReplyPart.ANSWER or not goes_on):
            raise UsageError("Nothing was changed.", "Escape leaves the edit; the reply stays as it is.")

        def make(id_: str) -> Message:
            made = edit(reply, text, id_, self.now())
            return finish(made if text != before else replace(made, edited=reply.edited), part)

        self._take_up(reply, make, goes_on=goes_on)

    def _take_up(self, reply: Message, make: Callable[[str], Message], *, goes_on: bool = True) -> None:
        """Put an alternative to a reply into the session, and go on with it: it stays where that comes to nothing.

        Raises UsageError where its raw input cannot say what it begins with.
        """
        chat = self.open_chats.current
        chat.open_session.refuse_if_read_only()
        if chat.turn is not None:
            raise UsageError("A reply is running.", "Escape stops it.")
        open_session = chat.open_session
        (id_,) = open_session.take_ids(1)
        try:
            made, had_keys = with_raw_input(make(id_), reply), has_keys(self.transcript)
            self.change(chat.session.with_message(made))
        finally:
            open_session.give_back_ids({id_})
        if had_keys:
            self.transcript.cursor.choose(made.id, brings_into_view=False)
        self.transcript.view.follow_tail()
        has_more = any(other.parent == reply.id for other in chat.session.messages)
        if goes_on:
            self.turns.start(chat, GoingOn(made), going_on, told=ASIDE if has_more else "")
        else:
            self.say(f"Kept. {ASIDE}")


def _open_end(made: Message, part: ReplyPart) -> Message:
    if part is ReplyPart.REASONING:
        return without_answer(made, is_closed=False)
    return replace(made, state=MessageState.CANCELLED, finish_reason=None)
