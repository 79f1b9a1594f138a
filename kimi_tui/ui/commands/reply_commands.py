"""Commands that ask for more of a reply, or of another one to the same thinking, and put the user's words into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.raw_prompt import with_raw_input
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.reply_edits import ReplyStart, without_answer
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.text.surrogates import replace_lone
from kimi_tui.core.wire.answer_forms import feedback, form_of
from kimi_tui.core.wire.reply_plans import answering_again, going_on, refusal_to_answer_again, refusal_to_go_on
from kimi_tui.engine.openings import AnsweringAgain, GoingOn
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.keys.focus import has_keys
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.answers import parse_answers
from kimi_tui.ui.state.callbacks import Say
from kimi_tui.ui.state.next_request import Make, edited, longer, open_end, reseeded
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.transcript.transcript_widget import Transcript

IN_ANOTHER = "It goes on in an alternative; what was below stays with the other one (Left and Right show them)."
ASIDE = "The reply as it was stays, with what is below it: Left and Right show the others, u goes back."
Finish = Callable[[Message, ReplyPart], Message]
"""What becomes of a reply with an edited part, such as what follows from it taken away."""


@dataclass(eq=False)
class ReplyCommands:
    target: Target
    transcript: Transcript
    turns: Turns
    drafts: Drafts
    change: Callable[[Session], None]  # takes the changed session
    changed: Callable[[], None]  # shows what holds for the next reply
    type_here: Callable[[], None]  # gives the composer the keys
    type_again: Callable[[], None]  # gives it the keys, unless the conversation has them
    say: Say
    now: Callable[[], datetime]
    label: Callable[[str], str]  # an action's key as it is shown; "" = it has none

    def rows(self) -> Rows:
        return {
            "edit": self._edit,
            "continue": self._continue,
            "another-answer": self._answer_again,
            "answers": self._answers,
            "answer-now": self._answer_now,
            "prefill": self._prefill,
            "seed": self._seed,
            "think-longer": self._think_longer,
            "edit-thinking": self._edit_thinking,
            "keep-edit": self._keep_edit,
            "check": self._check,
            "correct": self._correct,
        }

    def _edit(self) -> None:
        """What the question becomes is sent as an alternative; an edited reply becomes one, to go on from."""
        self.target.chat.open_session.refuse_if_read_only()
        message = self.target.message()
        if message.role is Role.ASSISTANT and not message.is_only_queued:
            self._edit_reply(message)
            return
        question = self.target.question()
        self.target.cursor.choose(None)
        self.drafts.begin_edit(question.id, question.content)

    def _continue(self) -> None:
        """The reply grows where it broke, or an alternative to it where something stands below it."""
        message = self.target.message()
        if refusal := refusal_to_go_on(message):
            raise UsageError(refusal, "It can be asked again with /regenerate.")
        has_more = any(other.parent == message.id for other in self.target.chat.session.messages)
        self.turns.start(self.target.chat, GoingOn(message), going_on, told=IN_ANOTHER if has_more else "")
        self.type_again()

    def _answer_again(self) -> None:
        """The thinking is sent along, and paid once."""
        self.turns.start(self.target.chat, AnsweringAgain(self._thought_out()), answering_again)
        self.type_again()

    def _answers(self, argument: str) -> None:
        """Begin several answers to the thinking of this reply, or let the next question have them."""
        chat = self.target.chat
        if argument.strip().lower() == "off":
            chat.next_reply, chat.replies.follow_up = replace(chat.next_reply, answers=None), None
            self.changed()
            return
        answers = parse_answers(argument)
        if answers.is_next:
            chat.next_reply = replace(chat.next_reply, answers=answers)
            self.changed()
            return
        if chat.replies.turn is not None:
            raise UsageError("A reply is running; stop it first.", "/answers 3 next is for the next question.")
        self.turns.answer(chat, self._thought_out(), answers)
        self.type_again()

    def _thought_out(self) -> Message:
        """The message whose thinking is to be answered; UsageError where that cannot be."""
        message = self.target.message()
        if refusal := refusal_to_answer_again(message):
            raise UsageError(refusal, "Another reply, thinking included: /regenerate.")
        if self.target.chat.question_of(message) is None:
            raise UsageError("There is no question here.")
        return message

    def _answer_now(self) -> None:
        """Of a thinking that is being edited, else of the one that runs."""
        if self.drafts.edited_part is ReplyPart.REASONING:
            self._end_edit(lambda made, _: without_answer(made, is_closed=True))
            return
        turn = self.target.chat.replies.turn
        if turn is None or not turn.reply.is_thinking or not turn.cut():
            raise UsageError(
                "Nothing is being thought.", "It ends the thinking of a running reply, which answers then."
            )

    # -- what the next reply begins with

    def _prefill(self, argument: str) -> None:
        """No text takes back what was said so."""
        self._begin_next(ReplyStart.prefill(argument))

    def _seed(self, argument: str) -> None:
        """Where a reply has the message cursor, its thinking is begun anew; else that of the next one begins so."""
        chosen = self.target.chat.message(self.target.cursor.chosen)
        if argument.strip() and chosen is not None and chosen.role is Role.ASSISTANT:
            self._take_up(chosen, reseeded(chosen, argument))
        else:
            self._begin_next(ReplyStart.seed(argument))

    def _begin_next(self, start: ReplyStart) -> None:
        chat = self.target.chat
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
        self._take_up(reply, longer(reply, argument))

    def _edit_reply(self, reply: Message) -> None:
        """Bring its answer into the composer, or its thinking where it has no answer."""
        if reply.content or not reply.reasoning:
            self._begin_edit(reply, ReplyPart.ANSWER, reply.content)
        else:
            self._begin_edit(reply, ReplyPart.REASONING, reply.reasoning)

    def _edit_thinking(self) -> None:
        self.target.chat.open_session.refuse_if_read_only()
        reply = self._thoughtful("be edited")
        self._begin_edit(reply, ReplyPart.REASONING, reply.reasoning or "")

    def _thoughtful(self, what: str) -> Message:
        reply = self.target.message()
        if reply.role is not Role.ASSISTANT or not reply.reasoning:
            raise UsageError(f"This message has no thinking that could {what}.")
        return reply

    def _begin_edit(self, reply: Message, part: ReplyPart, text: str) -> None:
        key = f"{label} or /keep-edit" if (label := self.label("keep-edit")) else "/keep-edit"
        ways = ["Enter goes on from its end", f"{key} only keeps it"]
        if part is ReplyPart.REASONING and (label := self.label("answer-now")):
            ways.insert(1, f"{label} answers from it")
        what = "answer" if part is ReplyPart.ANSWER else "thinking"
        self.target.cursor.choose(None)
        self.drafts.begin_edit(reply.id, text, part, f"Edit the {what}: {', '.join(ways)}")

    def _keep_edit(self) -> None:
        """Keep the edit in the composer as an alternative; nobody is asked."""
        self._end_edit(lambda made, _: made, goes_on=False)

    def _end_edit(self, finish: Finish, *, goes_on: bool = True) -> None:
        reply_id, part, text = self.drafts.edited, self.drafts.edited_part, self.drafts.exact_edit
        if reply_id is None or part is None:
            raise UsageError("No reply is being edited.")
        self._apply_edit(reply_id, part, text, finish, goes_on=goes_on)
        self.drafts.bring_back()

    def go_on_from_edit(self, reply_id: str, part: ReplyPart, text: str) -> None:
        """Let the model go on where an edited text ends; raises KimiError where that cannot be."""
        self._apply_edit(reply_id, part, text, open_end)

    def _apply_edit(self, reply_id: str, part: ReplyPart, text: str, finish: Finish, *, goes_on: bool = True) -> None:
        reply = self.target.chat.session.find(reply_id)
        if reply is None:
            raise UsageError("The reply is not in the session any more.", "Escape leaves the edit.")
        before = reply.content if part is ReplyPart.ANSWER else reply.reasoning or ""
        if replace_lone(text) == before and (part is ReplyPart.ANSWER or not goes_on):
            raise UsageError("Nothing was changed.", "Escape leaves the edit; the reply stays as it is.")
        make = edited(reply, part, text)
        self._take_up(reply, lambda id_, now: finish(make(id_, now), part), goes_on=goes_on)

    def _take_up(self, reply: Message, make: Make, *, goes_on: bool = True) -> None:
        """Put an alternative to a reply into the session, and go on with it: it stays where that comes to nothing.

        Raises UsageError where its raw input cannot say what it begins with.
        """
        chat = self.target.chat
        chat.open_session.refuse_if_read_only()
        if chat.replies.turn is not None:
            raise UsageError("A reply is running.", "Escape stops it.")
        (id_,) = chat.open_session.take_ids(1)
        try:
            made, had_keys = with_raw_input(make(id_, self.now()), reply), has_keys(self.transcript)
            self.change(chat.session.with_message(made))
        finally:
            chat.open_session.give_back_ids({id_})
        if had_keys:
            self.target.cursor.choose(made.id, brings_into_view=False)
        self.transcript.view.follow_tail()
        has_more = any(other.parent == reply.id for other in chat.session.messages)
        if goes_on:
            self.turns.start(chat, GoingOn(made), going_on, told=ASIDE if has_more else "")
        else:
            self.say(f"Kept. {ASIDE}")

    # -- its form

    def _check(self) -> None:
        reply = self.target.reply()
        if form_of(reply) is None:
            raise UsageError("No form was asked for: the reply may be anything.", "/schema FILE asks for one.")
        if not self.turns.checks.begin(self.target.chat, reply):
            raise UsageError("The reply broke off, and is no whole answer.", "/continue goes on with it.")

    def _correct(self) -> None:
        chat, reply = self.target.chat, self.target.reply()
        chat.open_session.refuse_if_read_only()
        form, found = form_of(reply), chat.form_checks.get(reply.id)
        if form is None or found is None or not found.findings:
            raise UsageError("Nothing is known to be wrong with the form of that reply.", "/check looks at it.")
        if not chat.branch or chat.branch[-1].id != reply.id:
            raise UsageError("More was said since.", "It is corrected by what is sent right below it.")
        self.drafts.give_back(feedback(form, found))
        self.type_here()
