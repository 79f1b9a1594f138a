"""Commands that ask one question several times at once: whole replies, and values of one request field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kimi_tui.core.errors import UsageError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.prompt.context_meter import context_of, raw_input_tokens
from kimi_tui.core.prompt.raw_prompt import RawInput, raw_input_asked
from kimi_tui.core.session.differing_fields import setting_words
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.settings.sampling import RequestOptions, resolve_request
from kimi_tui.core.settings.sweep import Sweep, parse_sweep
from kimi_tui.core.text.counts import counted
from kimi_tui.engine.openings import AskingAgain
from kimi_tui.ui.commands.dispatcher import Done, Rows
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.keys.focus import has_keys
from kimi_tui.ui.state.answers import parse_replies
from kimi_tui.ui.state.callbacks import Choose, Remark
from kimi_tui.ui.state.form_checks import is_schema, refuse_unless_schema
from kimi_tui.ui.state.reply_rows import ReplyRow, reply_rows
from kimi_tui.ui.state.running_turns import Turns, Variant
from kimi_tui.ui.state.services import CheckForm
from kimi_tui.ui.text import words
from kimi_tui.ui.transcript.transcript_widget import Transcript

ONE_REPLY: Mapping[str, object | None] = {"num_responses": None}
"""What each of several requests says, whatever the session does."""


@dataclass(eq=False)
class BatchCommands:
    store: SettingsStore
    check_form: CheckForm | None
    now_s: Callable[[], float]  # the clock, in seconds
    target: Target
    turns: Turns
    transcript: Transcript
    change: Callable[[Session], None]  # takes the changed session
    copy: Callable[[str, str], None]  # puts a text into the clipboard, and says what it was
    type_again: Callable[[], None]  # gives the composer the keys, unless the conversation has them
    choose: Choose
    remark: Remark
    label: Callable[[str], str]  # an action's key as it is shown; "" = it has none

    def rows(self) -> Rows:
        return {
            "regenerate": self._regenerate,
            "sweep": self._sweep,
            "side-by-side": self._side_by_side,
            "stop-this": self._stop_this,
        }

    def _regenerate(self, argument: str) -> None:
        """Ask for another reply, or for several; "" = for one."""
        if not argument.strip():
            self.turns.start(self.target.chat, self._again())
            self.type_again()
            return
        count, is_in_one = parse_replies(argument)
        if not is_in_one:
            self._begin([Variant("", RequestOptions(set=ONE_REPLY))] * count, "")
            return
        if "num_responses" not in self.store.value.dialect.fields:
            raise UsageError("This endpoint brings one reply to a request.", f"/regenerate {count} sends {count}.")
        self._begin([Variant("", RequestOptions(set={"num_responses": count}))], "")

    def _sweep(self, argument: str) -> Done:
        """Ask with several values of a field; "" = show what replies to the question took."""
        if not argument.strip():
            self._side_by_side()
            return None
        if self.target.chat.turn is not None:
            raise UsageError("A reply is running; stop it first.", "/sweep alone shows the replies side by side.")
        sweep = parse_sweep(argument, self.store.value.dialect)
        if any(map(is_schema, sweep.values)):
            return self._begin_checked(sweep)
        self._begin_sweep(sweep)
        return None

    async def _begin_checked(self, sweep: Sweep) -> None:
        """Raises UsageError where a value is no schema."""
        chat = self.target.chat
        for form in filter(is_schema, sweep.values):
            await refuse_unless_schema(self.check_form, form, sweep.field, "Nothing was sent.")
        if self.target.chat is not chat or chat.turn is not None:
            raise UsageError("Another session or reply has come meanwhile.", "Nothing was sent.")
        self._begin_sweep(sweep)

    def _begin_sweep(self, sweep: Sweep) -> None:
        variants = [
            Variant(setting_words({sweep.field: value}), RequestOptions(set={**ONE_REPLY, sweep.field: value}))
            for value in sweep.values
        ]
        self._begin(variants, sweep.field)

    def _begin(self, variants: Sequence[Variant], what: str) -> None:
        again = self._again()
        raw = again.start if isinstance(again.start, RawInput) else None
        told = self._told(self.target.question(), raw, len(variants), what)
        self.turns.start_batch(self.target.chat, again, variants, what, told)
        self.type_again()

    def _again(self) -> AskingAgain:
        """A reply to a raw input is asked for by the same one again; that to a question is the one that is shown."""
        chat, reply = self.target.chat, self.target.message()
        if reply.role is Role.USER:
            reply = next((it for it in chat.branch if it.parent == reply.id), reply)
        return AskingAgain(self.target.question().id, raw_input_asked(chat.session, reply))

    def _told(self, question: Message, raw: RawInput | None, count: int, what: str) -> str:
        """What they will take, as far as is known; "" = there is one request, as usual."""
        if count < 2:
            return ""
        session = self.target.chat.session
        if raw is None:
            request, asking = resolve_request(self.store.value, session), replace(session, head=question.id)
            tokens = context_of(asking, request.context_tokens, request.kept_thinking).tokens
        else:
            tokens = raw_input_tokens(session, raw.text)
        costs = [
            message.usage.cost_usd
            for message in session.messages
            if message.parent == question.id
            and message.raw_input == (None if raw is None else raw.text)
            and message.usage is not None
            and message.usage.cost_usd is not None
            and not message.is_partly_counted
        ]
        cost = f", about {words.dollars(count * sum(costs) / len(costs))} by what the others took" if costs else ""
        over = f" over {what}" if what else ""
        way = " or ".join(filter(None, (self.label("side-by-side"), "/side-by-side")))
        return f"{count} requests{over}: ~{words.count(tokens)} tok in each{cost}. {way} shows them side by side."

    # -- what is there

    def _side_by_side(self) -> None:
        from kimi_tui.ui.screens.side_by_side import SideBySideScreen  # noqa: PLC0415 - most sessions need no such view

        chat, key = self.target.chat, self.target.key
        question_id = self._running_question(key) or self.target.question().id
        if not reply_rows(chat, question_id, self.now_s()):
            raise UsageError("There is no reply here yet.", "/regenerate 3 asks for three of them.")
        screen = SideBySideScreen(
            chat, question_id, self.now_s, self.copy, key, stop_one=self._stop_row, stop_all=self.stop_all
        )
        self.choose(screen, self._show)

    def _running_question(self, key: str | None) -> str | None:
        """The question of a reply that is being written; None = it is none."""
        return next((it.turn.reply.question_id for it in self.target.chat.running if it.live.key == key), None)

    def _show(self, reply_id: str) -> None:
        chat, had_keys = self.target.chat, has_keys(self.transcript)
        if chat.with_growing().find(reply_id) is None:
            raise UsageError("That reply is not in the session any more.")
        self.change(chat.showing(reply_id))
        if had_keys:
            self.target.cursor.choose(reply_id)

    # -- stopping

    def stop_all(self) -> None:
        chat = self.target.chat
        if others := len(chat.beside):
            told = counted(others + 1, "reply", "replies")
            self.remark(f"Stopped {told}; what arrived is kept.", f"Stopped {others + 1}.")
        chat.stop()

    def _stop_this(self) -> None:
        key = self.target.key
        if key is None or not self._stop_alone(key):
            raise UsageError("The reply on screen is not being written.", "Left and Right show the others.")

    def _stop_row(self, row: ReplyRow) -> None:
        if row.waits_at is None:
            self._stop_alone(row.key)
        else:
            self.target.chat.batch = self.target.chat.batch.dropped(row.waits_at)

    def _stop_alone(self, key: str) -> bool:
        """Whether it is being written; where no other is, its own end tells that it was stopped."""
        chat = self.target.chat
        has_others = bool(chat.beside_words)
        if not chat.stop_alone(key):
            return False
        if has_others:
            self.remark("Stopped this one; what arrived is kept, the others go on.", "Stopped this one.")
        return True
