"""The chat screen: a conversation, the composer below it, a bar above and one below.

It owns the open session and its running turn, applies the events of the turn, and hands commands on to `commands`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import ClassVar, assert_never

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from kimi_tui.core.actions import ACTIONS, BY_ID, Action, Scope
from kimi_tui.core.errors import KimiError
from kimi_tui.core.replies import (
    Phase,
    PhaseChanged,
    QuestionAdded,
    ReplyDelta,
    ReplyPart,
    Retrying,
    TurnEnded,
    TurnEvent,
    TurnNotice,
)
from kimi_tui.core.session import Role, Session
from kimi_tui.engine import OpenSession, Turn
from kimi_tui.ui import entries, words
from kimi_tui.ui.commands import Commands
from kimi_tui.ui.live_turn import LiveTurn
from kimi_tui.ui.palette import ActionProvider
from kimi_tui.ui.services import Lock, Services
from kimi_tui.ui.slash import Command, Text, UnknownCommand, completions, parse_line
from kimi_tui.ui.status import BarTexts, bar_texts, welcome_entries
from kimi_tui.ui.widgets.bars import Bar
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.transcript import Entry, EntryKind, Transcript

FRAME_S = 1 / 30
"""Time between two drawings of a growing reply, in seconds."""
TICK_S = 0.2
"""Time between two looks at the clock while a turn runs, in seconds."""
QUIT_WITHIN_S = 3.0
"""Time in which a second Ctrl+C quits, in seconds."""


def _bindings() -> list[BindingType]:
    """The keys of every action that applies anywhere; the composer and the transcript bind their own."""
    return [
        Binding(
            key, f"choose({action.id!r})", action.title, show=False, priority=key.startswith("ctrl+") or key == "f1"
        )
        for action in ACTIONS
        if action.scope is Scope.SCREEN
        for key in action.keys
    ]


class ChatScreen(Screen[None]):
    """One conversation and what is being typed."""

    CSS_PATH = "chat.tcss"
    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    COMMANDS: ClassVar = {ActionProvider}

    def __init__(self, services: Services, session: Session, lock: Lock) -> None:
        """Show that session; the lock is released when another one is opened or the program is left."""
        super().__init__()
        self.services = services
        self.open_session = OpenSession(session, services.library)
        self._lock = lock
        self._commands = Commands(self)
        self._turn: Turn | None = None
        self._live: LiveTurn | None = None
        self._notices = 0
        self._ticker: Timer | None = None
        self._ctrl_c_s = float("-inf")
        self._bar_texts: tuple[Session, BarTexts] | None = None

    # -- what stands where

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Bar(id="title-bar")
        yield Transcript(id="transcript", fold_reasoning=self.services.settings.ui.fold_reasoning)
        yield Static(id="command-hints", markup=False)
        yield Composer(id="composer")
        yield Bar(id="status-bar")

    def on_mount(self) -> None:
        """Show the session and start typing."""
        self._ticker = self.set_interval(TICK_S, self._tick, pause=True)
        self._show_session()
        self.composer.focus()
        for line in self.services.findings:
            self.say(line, "warning")

    @property
    def transcript(self) -> Transcript:
        """The conversation."""
        return self.query_one(Transcript)

    @property
    def composer(self) -> Composer:
        """The draft."""
        return self.query_one(Composer)

    @property
    def session(self) -> Session:
        """The session on screen, as it stands now."""
        return self.open_session.value

    def _show_session(self) -> None:
        """Show another session, or this one anew."""
        self.transcript.set_entries(self._branch_entries() or welcome_entries(self.services))
        self.transcript.follow_tail()
        self.composer.draft = self.services.library.load_draft(self.session.id)
        self._refresh_bars()

    def _branch_entries(self) -> list[Entry]:
        return entries.session_entries(self.session, timestamps=self.services.settings.ui.timestamps)

    # -- notices

    def say(self, text: str, severity: str = "info") -> None:
        """Put a notice into the conversation."""
        self._add_notice(entries.notice(self._notice_key(), text, severity))

    def _say_error(self, error: KimiError, kept: str = "", severity: str = "error") -> None:
        self._add_notice(entries.error_notice(self._notice_key(), error, kept, severity))

    def _notice_key(self) -> str:
        self._notices += 1
        return f"notice-{self._notices}"

    def _add_notice(self, entry: Entry) -> None:
        self.transcript.add(entry)
        self.transcript.follow_tail()

    # -- actions

    def action_choose(self, action_id: str) -> None:
        """Do an action by its id, without an argument, as a key or the palette asks."""
        action = BY_ID[action_id]
        if not action.runs_alone:
            self.composer.draft = f"/{action.id} "
            self.composer.focus()
            return
        self.perform(action, "")

    def perform(self, action: Action, argument: str) -> None:
        """Do an action; what goes wrong is told in the conversation."""
        try:
            handler = getattr(self._commands, action.method, None) or getattr(self, action.method)
            result = handler(argument)
        except KimiError as error:
            self._say_error(error)
            return
        if result is not None:
            self.run_worker(self._perform_late(result), group="command", exit_on_error=False)

    async def _perform_late(self, result: Awaitable[None]) -> None:
        try:
            await result
        except KimiError as error:
            self._say_error(error)

    def do_stop(self, argument: str) -> None:
        """Stop the reply, else leave the conversation for the composer."""
        del argument
        if self._turn is not None:
            self._turn.stop()
        else:
            self.composer.focus()

    def do_copy_or_quit(self, argument: str) -> None:
        """Copy the selection, else stop the reply, else quit at the second time."""
        del argument
        now_s = self.services.clock.monotonic()
        if selected := (self.composer.selected_text or self.get_selected_text()):
            self.app.copy_to_clipboard(selected)
            self.clear_selection()
        elif self._turn is not None:
            self._turn.stop()
        elif now_s - self._ctrl_c_s < QUIT_WITHIN_S:
            self.app.run_worker(self.leave(), exit_on_error=False)
        else:
            self._ctrl_c_s = now_s
            self.query_one("#status-bar", Bar).left = "Ctrl+C once more quits; the draft is kept."

    async def do_new(self, argument: str) -> None:
        """Begin a new session."""
        del argument
        await self._switch(*self.services.library.create())

    def do_fold(self, argument: str) -> None:
        """Fold or unfold every think block."""
        del argument
        self.transcript.toggle_all_folds()

    def do_top(self, argument: str) -> None:
        """Show the beginning."""
        del argument
        self.transcript.scroll_to_top()

    def do_follow(self, argument: str) -> None:
        """Show the end and follow it."""
        del argument
        self.transcript.follow_tail()

    def do_page_up(self, argument: str) -> None:
        """Scroll a page up."""
        del argument
        self.transcript.scroll_page(-1)

    def do_page_down(self, argument: str) -> None:
        """Scroll a page down."""
        del argument
        self.transcript.scroll_page(1)

    def use_theme(self, name: str) -> None:
        """Switch the colours to a theme that is there."""
        self.app.theme = name

    def do_palette(self, argument: str) -> None:
        """Open the command palette."""
        del argument
        self.app.action_command_palette()

    def do_help(self, argument: str) -> None:
        """Show the help."""
        del argument
        from kimi_tui.ui.screens.help import HelpScreen  # noqa: PLC0415 - the first frame does not need it

        self.app.push_screen(HelpScreen())

    async def do_quit(self, argument: str) -> None:
        """Leave the program."""
        del argument
        await self.leave()

    def do_last_prompt(self, argument: str) -> None:
        """Bring the last prompt back into the empty composer."""
        del argument
        questions = (m.content for m in reversed(self.session.messages) if m.role is Role.USER)
        if not self.composer.draft and (text := next(questions, "")):
            self.composer.draft = text

    # -- the composer

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        """Send a message, or do what a slash command says."""
        event.stop()
        match parse_line(event.text):
            case Command(action, argument):
                self.perform(action, argument)
            case UnknownCommand(name, nearest):
                near = "  Did you mean " + ", ".join(f"/{word}" for word in nearest) + "?" if nearest else ""
                self.say(f"There is no command /{name}; nothing was sent.{near}\n// sends a literal slash.", "warning")
                self._give_back(event.text)
            case Text(text):
                self._ask(text)

    @on(Composer.RecallRequested)
    def _recall(self) -> None:
        """Bring the last prompt back."""
        self.do_last_prompt("")

    @on(Composer.QuitRequested)
    def _quit_requested(self) -> None:
        """Leave the program."""
        self.perform(BY_ID["quit"], "")

    @on(Composer.DraftChanged)
    def _draft_changed(self, event: Composer.DraftChanged) -> None:
        """Show the commands that the draft may become."""
        event.stop()
        hints = self.query_one("#command-hints", Static)
        fitting = completions(event.text)[:8]
        hints.set_class(bool(fitting), "-open")
        if fitting:
            hints.update("\n".join(f"{action.usage:<20} {action.help}" for action in fitting))

    # -- a turn

    def _ask(self, text: str) -> None:
        """Send a message."""
        if self._turn is not None:
            self.say("A reply is running: Escape stops it. Your text is in the composer.", "warning")
            self._give_back(text)
            return
        try:
            if self.services.key_problem is not None:
                raise self.services.key_problem
            request = self.services.resolve(self.session)
        except KimiError as error:
            self._say_error(error, "Nothing was sent; your text is in the composer.")
            self._give_back(text)
            return
        self._turn = turn = self.services.engine.start(self.open_session, text, request)
        self._live = LiveTurn(turn.id, self.services.clock.monotonic())
        self.app.run_worker(self._follow(turn, text), group="turn", exit_on_error=False)
        if self._ticker is not None:
            self._ticker.resume()

    async def _follow(self, turn: Turn, text: str) -> None:
        """Apply what a turn reports, gathered so that drawing stays cheap."""
        while events := await turn.drain():
            for event in events:
                self._apply(event, text)
            self._refresh_bars()
            await asyncio.sleep(FRAME_S)

    def _apply(self, event: TurnEvent, text: str) -> None:
        """Show one event of the running turn; events of any other turn are late."""
        live = self._live
        if live is None or event.turn_id != live.key:
            return
        match event:
            case QuestionAdded():
                self._show_question()
            case PhaseChanged(phase=phase):
                live.phase = phase
            case ReplyDelta(part=part, text=delta):
                live.feed(event, self.services.clock.monotonic())
                self._show_delta(live, part, delta)
            case Retrying():
                live.retry = (
                    f"{event.error.summary} Attempt {event.attempt} of {event.attempts} in {event.delay_s:.0f} s"
                )
            case TurnNotice(error=error):
                self._say_error(error, severity="warning")
            case TurnEnded():
                self._end_turn(event, live, text)
            case _:
                assert_never(event)

    def _show_question(self) -> None:
        """Show the branch that now ends with the new question, and room for its reply."""
        self.transcript.set_entries(self._branch_entries())
        assert self._live is not None
        self.transcript.add(self._live_entry(self._live))
        self.transcript.follow_tail()

    def _live_entry(self, live: LiveTurn) -> Entry:
        """The growing reply; its texts are those the transcript has gathered."""
        return Entry(
            key=live.key,
            kind=EntryKind.ASSISTANT,
            heading=entries.ASSISTANT_NAME,
            text="",
            thought_label=live.thought_label(self.services.clock.monotonic()),
            is_streaming=True,
            is_thinking=live.phase is Phase.REASONING,
        )

    def _show_delta(self, live: LiveTurn, part: ReplyPart, text: str) -> None:
        self.transcript.append(live.key, part, text)
        if part is ReplyPart.REASONING or live.answer_tokens <= 1:
            self.transcript.set_thought_label(live.key, live.thought_label(self.services.clock.monotonic()))

    def _end_turn(self, event: TurnEnded, live: LiveTurn, text: str) -> None:
        """Show how it ended: what came, what was kept, what to do next."""
        self._turn, self._live = None, None
        if self._ticker is not None:
            self._ticker.pause()
        if event.replies:
            places = (1, len(event.replies)) if len(event.replies) > 1 else None
            self.transcript.update_entry(
                entries.message_entry(
                    event.replies[0],
                    timestamps=self.services.settings.ui.timestamps,
                    alternatives=places,
                    key=live.key,
                )
            )
        else:
            self.transcript.remove_entry(live.key)
            self._give_back(text)
        if event.error is not None:
            self._say_error(event.error, self._kept(event))
        elif event.phase is Phase.STOPPED and not event.replies:
            self.say("Stopped before anything arrived. Your text is back in the composer.")
        elif event.replies and words.ended_inside_reasoning(event.replies[0]):
            self.say("The reply ended inside its thinking. Raise max_new_tokens, or ask with /think off.", "warning")
        if event.save_error is not None:
            self._say_error(event.save_error, "The reply is on screen, but not in the file.")

    @staticmethod
    def _kept(event: TurnEnded) -> str:
        return "What arrived is kept." if event.replies else "Your text is back in the composer."

    def _give_back(self, text: str) -> None:
        """Bring a question without a reply back; a newer draft stays below it."""
        draft = self.composer.draft
        self.composer.draft = f"{text}\n\n{draft}" if draft else text

    def _tick(self) -> None:
        """Keep the figures of the running turn moving."""
        if self._live is not None and self._live.phase is Phase.REASONING:
            self.transcript.set_thought_label(self._live.key, self._live.thought_label(self.services.clock.monotonic()))
        self._refresh_bars()

    # -- sessions

    def change(self, session: Session) -> None:
        """Show a changed session and save it, where it holds anything."""
        self.open_session.update(lambda _: session)
        self._refresh_bars()
        if session.messages:
            self.run_worker(self._perform_late(self.open_session.save()), group="save", exit_on_error=False)

    async def open_path(self, path: Path) -> None:
        """Show another session.

        Raises:
            StorageError: It cannot be read, or is held elsewhere; this session stays.
        """
        await self._switch(*await asyncio.to_thread(self.services.library.open, path))

    async def _switch(self, session: Session, lock: Lock) -> None:
        """Stop and keep what runs, then show that session."""
        await self._settle()
        self._lock.release()
        self._lock, self.open_session = lock, OpenSession(session, self.services.library)
        self._show_session()

    async def _settle(self) -> None:
        """Stop the running reply, keep what arrived, and keep the draft."""
        if (turn := self._turn) is not None:
            turn.stop()
            await turn.finished()
        self._turn, self._live = None, None
        self.services.library.save_draft(self.session.id, self.composer.draft)

    async def leave(self) -> None:
        """Keep everything and end the program."""
        try:
            await self._settle()
        except KimiError as error:
            self._say_error(error)
            return
        self._lock.release()
        self.app.exit(self.session.id if self.session.messages else None)

    # -- the bars

    def _refresh_bars(self) -> None:
        """Show the figures as they are now."""
        try:
            title, status = self.query_one("#title-bar", Bar), self.query_one("#status-bar", Bar)
        except NoMatches:  # the screen is being taken down
            return
        live, texts = self._live, self._texts_of_the_session()
        title.left, title.right = texts.title, texts.place
        status.left = f"● {live.status(self.services.clock.monotonic())}" if live else texts.idle
        status.right = texts.totals

    def _texts_of_the_session(self) -> BarTexts:
        """What the bars say of the session, made once for each state of it, not for every token."""
        if self._bar_texts is None or self._bar_texts[0] is not self.session:
            self._bar_texts = (self.session, bar_texts(self.session, self.services))
        return self._bar_texts[1]
