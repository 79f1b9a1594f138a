"""The chat screen: the conversation, panes beside it, the composer below, a bar above and one below.

It makes the parts, hands each what it needs, and passes on what happens in the widgets. What belongs to one session is
kept in its `Chat`, what the composer holds in `Drafts`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message as TextualMessage
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static, TextArea

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import FileChange, HeldSession
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session.session import Session
from kimi_tui.core.settings.actions import Action, Need, Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.core.settings.sampling import RequestOptions, resolve_request
from kimi_tui.core.settings.settings import PANES
from kimi_tui.ui.app.bar_display import BarDisplay
from kimi_tui.ui.app.draft_saving import DraftSaving
from kimi_tui.ui.app.hint_display import HintDisplay
from kimi_tui.ui.app.redraw import Redraw
from kimi_tui.ui.app.screen_parts import Late, ScreenParts, Work
from kimi_tui.ui.app.turn_display import TurnDisplay
from kimi_tui.ui.commands import situation
from kimi_tui.ui.commands.command_palette import ActionProvider
from kimi_tui.ui.commands.current_session import CurrentSession
from kimi_tui.ui.commands.dispatcher import Background, Dispatcher, Rows
from kimi_tui.ui.commands.session_opener import SessionOpener
from kimi_tui.ui.keys.focus import has_keys, scope_of, take_keys
from kimi_tui.ui.keys.key_lookup import BLIND, EDITOR_KEYS, action_of, character_of
from kimi_tui.ui.panes.conversation_feed import Conversation, ConversationFeed
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.room_watch import RoomWatch
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.arrangement import MIN_COLUMNS, MIN_ROWS, Arrangement
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import FirstSession, Services
from kimi_tui.ui.state.status_line import Bars, key_words, welcome_entries
from kimi_tui.ui.widgets.command_hints import CommandHints
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.editing import EditArea
from kimi_tui.ui.widgets.told_lines import QueueLine, SaveLine

TYPED_AFTER_S = 0.15
"""How long what is typed may wait until its size is looked at, in seconds."""
WATCH_S = 2.0
"""Time between two looks at the files of the open sessions, for what others do to them."""


class ChatScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = []
    COMMANDS: ClassVar = {ActionProvider}

    @dataclass
    class OpeningFailed(TextualMessage):
        """The session to begin with cannot be read."""

        error: KimiError

    @dataclass
    class CopyRequested(TextualMessage):
        """A text is to be copied."""

        text: str
        what: str
        """What it is, such as "The message"."""

    class TakesKeys(TextualMessage):
        """The composer is there to be typed in."""

    class Begun(TextualMessage):
        """The session to begin with is on screen."""

    def __init__(
        self,
        services: Services,
        first: HeldSession,
        opening: FirstSession | None,
        keymap: KeyTable,
        make_late: Callable[[ScreenParts], Late],
    ) -> None:
        """Show `first`, or another session as soon as `opening` has been read; others may open it when it is left."""
        super().__init__()
        self.services, self._make_late = services, make_late
        self._typing: Timer | None = None
        settings = services.settings_store.value
        self.keymap = keys = keymap
        self.open_chats = OpenChats(services.session_store, services.new_session, first, keys.label("open-copy"))
        self.open_chats.told = self._file_changed

        self.transcript = Conversation(id="transcript", fold_reasoning=settings.ui.fold_reasoning)
        self.find_bar = FindBar(self.transcript, self.type_here, id="find-bar")
        self.composer = Composer(keys.keys, id="composer")
        self.composer.choices = self._choices()
        self.drafts = Drafts(self.composer)
        self._queue = QueueLine(keys.label("last-prompt"), id="queue")
        self.save_line = SaveLine(id="save-line")

        self.bars = BarDisplay(
            Bars(services.settings_store, services.endpoint), self.open_chats, services.clock.monotonic
        )
        self._key_words = key_words(services.key_problem, settings.dialect.key_variable)
        room = RoomWatch(self._resolve, self.drafts, self.bars.context)
        self._feed = feed = ConversationFeed(
            services.settings_store, self.open_chats, self.transcript, self.bars.remark, room,
            welcome=welcome_entries(self._key_words, keys.label),
        )  # fmt: skip
        self.say, self.remark = feed.say, self.bars.remark
        self._background = Background(self.run_beside, self.say)
        self.run_later = self._background.later
        tabs = [(name, keys.label(name)) for name in PANES]
        self.panes = SidePanes(
            self.transcript, tabs, make=self._make_panel, arranged=self._show_arrangement,
            store=services.settings_store, run_later=self.run_later,
        )  # fmt: skip
        self._hints = HintDisplay(
            self, self.keymap, self.open_chats, transcript=self.transcript, composer=self.composer,
            drafts=self.drafts, find_bar=self.find_bar, panes=self.panes, offers=self.offers,
        )  # fmt: skip
        self.redraw = Redraw(
            self.open_chats, feed, bars=self.bars, hints=self._hints, panes=self.panes,
            queue_line=self._queue, composer=self.composer, drafts=self.drafts, choices=self._choices,
            type_here=self.type_here, label=keys.label,
        )  # fmt: skip
        self.typed = DraftSaving(
            self.open_chats, self._what_is_typed, later=self.set_timer, run=self.run_beside, saved=self.bars.refresh
        ).typed
        self.turn_display = TurnDisplay(
            self.open_chats, self.transcript, feed, self.panes, drafts=self.drafts, redraw=self.redraw,
            now_s=services.clock.monotonic, typed=self.typed,
        )  # fmt: skip
        self.current = CurrentSession(
            self.open_chats, self.drafts, prepare=self.redraw.prepare, leave=self.find_bar.close,
            shown=self.redraw.other_session, changed=self.redraw.session, saved=self.bars.refresh,
            run_later=self.run_later,
        )  # fmt: skip
        self._opener = SessionOpener(
            opening, services.session_store, self.open_chats, self.composer, self.redraw.prepare, self.remark
        )
        self.dispatcher = Dispatcher(
            self._make_rows, offers=self.offers, is_too_early=self._opener.is_too_early_for, ask=self._ask_argument,
            background=self._background, say=self.say, remark=self.remark,
        )  # fmt: skip

    @cached_property
    def late(self) -> Late:
        parts = ScreenParts(
            self.app, self.services, self.keymap, self.open_chats, self.transcript, self.find_bar, self.composer,
            self.drafts, self.save_line, self.bars, self._feed, self._background, self.panes, self.redraw,
            self.turn_display, self.current, self.dispatcher, offers=self.offers, typed=self.typed,
            type_here=self.type_here, copy=self.copy, leave=self.leave, run_beside=self.run_beside,
            run_turn=self.run_turn,
        )  # fmt: skip
        return self._make_late(parts)

    def _resolve(self, session: Session, options: RequestOptions) -> RequestSettings:
        return resolve_request(self.services.settings_store.value, session, options)

    def _choices(self) -> dict[str, Sequence[str]]:
        return situation.choices(self.services.settings_store.value, self.services.themes)

    # The parts above are handed these, since what they call is made after them.

    def _make_rows(self) -> Rows:
        return self.late.rows()

    def _make_panel(self, name: str) -> Panel:
        return self.late.make_panel(name)

    def _file_changed(self, chat: Chat, change: FileChange) -> None:
        self.late.outside_watch.told(chat, change)

    def run_beside(self, work: Work, group: str) -> None:
        self.run_worker(work, group=group, exit_on_error=False)

    def run_turn(self, work: Awaitable[None]) -> None:
        self.app.run_worker(work, group="turn", exit_on_error=False)

    def _look_at_saving(self) -> None:
        """What tries again and tells of it is imported when something could not be saved."""
        if self.open_chats.unsaved or self.save_line.is_shown:
            self.late.save_retry.look()

    def _ask_argument(self, action: Action) -> None:
        chosen = self.transcript.cursor.chosen
        suggestions = {
            "rename": self.chat.session.title,
            "system": self.chat.session.system or "",
            "name": self.chat.branch_name(chosen),
        }
        self.drafts.begin_argument(action, suggestions.get(action.id, ""), chosen)

    # -- what stands where

    def compose(self) -> ComposeResult:
        yield self.bars.title
        yield self.panes
        yield self.find_bar
        yield self.save_line
        with Vertical(id="bottom"):
            yield CommandHints(id="command-hints")
            yield self._queue
            yield self.composer
        yield self.bars.status
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        self.bars.begin(self.turn_display.tick, self._look_at_saving)
        opening = self._opener.opening
        if opening is None:
            self._begin()
        else:
            self.transcript.set_entries([entries.notice("opening", f"Opening {opening.name} …")])
            self.bars.refresh()
            self.type_here()
            self.run_beside(self._open(), "opening")
        self.app.post_message(self.TakesKeys())

    async def _open(self) -> None:
        """Read the session to begin with, and show it, unless the program is left meanwhile."""
        try:
            is_shown = await self._opener.read()
        except KimiError as error:
            self.post_message(self.OpeningFailed(error))
        else:
            if is_shown:
                self._begin()

    def _begin(self) -> None:
        """What was submitted before is sent."""
        lines, services, opening = self._opener.end(), self.services, self._opener.opening
        self.redraw.other_session()
        for line in (*services.problems, *(() if opening is None else opening.told)):
            self.say(line, "warning")
        if self._key_words and self.chat.branch:
            self.say(self._key_words, "warning")
        self.panes.begin()
        self.set_interval(WATCH_S, lambda: self.run_beside(self.late.outside_watch.look(), "watch"))
        self.run_beside(self._recover(), "recovery")
        for line in lines:
            self.late.sending.submit(line)
        if services.first_turn is not None:
            try:
                self.late.turns.start(self.chat, services.first_turn.opening)
            except KimiError as error:
                self.say(entries.error_text(error), "error")
        self.app.post_message(self.Begun())

    async def _recover(self) -> None:
        """Have what dead processes left put into its sessions, and tell it: here, and where it came back."""
        if found := await asyncio.to_thread(self.services.session_store.recover):
            self.late.outside_watch.tell_recovered(found)

    def _show_arrangement(self, arrangement: Arrangement) -> None:
        is_shown = not arrangement.overlay and not arrangement.is_too_small
        self.transcript.display = is_shown
        self.query_one("#bottom").display = is_shown
        self.set_class(arrangement.is_too_small, "-too-small")
        if not arrangement.is_too_small:
            self.call_after_refresh(self._keep_focus)
        else:
            self.set_focus(None)
            self.query_one("#too-small", Static).update(
                f"kimi-tui needs {MIN_COLUMNS} columns and {MIN_ROWS} rows; here are "
                f"{self.size.width} and {self.size.height}. Make the window larger: nothing is lost."
            )

    def _keep_focus(self) -> None:
        """Where what had the focus went out of view, give it to the pane that had it before, else to the composer."""
        is_lost = self.focused is None or not all(node.display for node in self.focused.ancestors_with_self)
        if is_lost and not self.panes.give_keys_back():
            take_keys(self.composer)

    def on_resize(self) -> None:
        self.panes.fit()
        self._hints.refresh()
        self.bars.refresh()

    # -- what there is

    @property
    def chat(self) -> Chat:
        return self.open_chats.current

    def offers(self) -> set[Need]:
        return situation.offers(self.chat, self.transcript, self.drafts, is_finding=bool(self.find_bar.text))

    # -- keys and actions

    def on_key(self, event: events.Key) -> None:
        action = self._action_of(event)
        if self.has_class("-too-small") and (action is None or action.id not in BLIND):
            event.stop()  # nobody sees what it would do
        elif action is not None and not (self._is_editing() and (character_of(event) or event.key in EDITOR_KEYS)):
            event.stop()
            event.prevent_default()
            self.dispatcher.choose(action.id)

    async def on_paste(self, event: events.Paste) -> None:
        """What is pasted where nothing takes text goes to where text goes, unless nobody would see that."""
        event.stop()
        if not self.has_class("-too-small") and not self._is_editing():
            self.panes.close_overlay()
            self.type_here()
            await self.composer.on_paste(event)

    def _action_of(self, event: events.Key) -> Action | None:
        # A pane's own keys are for its rows: while a text is typed there, Delete is meant for a character.
        return action_of(self.keymap, event, Scope.SCREEN if self._is_editing() else scope_of(self.focused))

    def _is_editing(self) -> bool:
        """Whether something else than the draft is typed: a title, a value, what is looked for."""
        return isinstance(self.focused, Input | TextArea) and self.focused is not self.composer

    async def ready_for(self, event: events.Event) -> bool:
        """Wait, where the session that an event asks something of is still being read; whether it was."""
        return await self._opener.ready_for(self._action_of(event) if isinstance(event, events.Key) else None)

    def action_choose(self, action_id: str) -> None:
        """The palette calls this."""
        self.dispatcher.choose(action_id)

    def type_here(self) -> None:
        """No message is chosen then."""
        self.panes.keep_keys()
        self.transcript.cursor.choose(None)
        take_keys(self.composer)

    def copy(self, text: str, what: str) -> None:
        self.post_message(self.CopyRequested(text, what))

    def type_behind(self, text: str) -> None:
        """Put text behind what is typed, where the keys go there."""
        if text and has_keys(self.composer):
            self.composer.draft += text

    async def leave(self, *, asks: bool = True) -> None:
        """Where text cannot be saved, `asks` says whether to ask first."""
        if self._opener.is_reading:
            self.app.exit(await self._opener.give_up())
        else:
            await self.late.leaving.leave(asks=asks)

    async def keep_without_screen(self) -> str | None:
        """Save everything, drawing nothing; the session to resume, None = nothing was saved.

        Raises KimiError where something could not be saved.
        """
        return await (self._opener.give_up() if self._opener.is_reading else self.late.leaving.keep())

    # -- what happens in the widgets

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        event.stop()
        if not self._opener.submit(event.text):
            self.late.sending.submit(event.text)

    @on(Composer.RecallRequested)
    def _recall(self, event: Composer.RecallRequested) -> None:
        event.stop()
        if event.step > 0:
            self.dispatcher.perform("last-prompt")
        else:
            self.late.history.recall(event.step)

    @on(Composer.QuitRequested)
    def _quit_requested(self) -> None:
        self.dispatcher.perform("quit")

    @on(Composer.DraftChanged)
    def _draft_changed(self, event: Composer.DraftChanged) -> None:
        event.stop()
        self.typed()
        if self._typing is None:
            self._typing = self.set_timer(TYPED_AFTER_S, self._look_at_draft)
        self.panes.draft_changed()
        self._hints.refresh_for_draft()

    @on(EditArea.Pasted)
    def _pasted(self, event: EditArea.Pasted) -> None:
        event.stop()
        if event.told:
            self.remark(f"{event.told} /raw has an editor that keeps them.", event.told)

    def _look_at_draft(self) -> None:
        self._typing = None
        self.redraw.draft()

    def _what_is_typed(self) -> str:
        """What is being typed; while a session is being opened, what was submitted too."""
        return self._opener.typed if self._opener.is_reading else self.drafts.own

    @on(Composer.CompletionsChanged)
    def _completions_changed(self, event: Composer.CompletionsChanged) -> None:
        event.stop()
        self.query_one(CommandHints).show(event.completions, event.picked)
        self._hints.refresh()

    @on(Conversation.Found)
    def _found(self, event: Conversation.Found) -> None:
        event.stop()
        self.find_bar.show_count(event.count, event.current, is_reading=event.is_reading)

    @on(Conversation.Chosen)
    def _chosen(self, event: Conversation.Chosen) -> None:
        event.stop()
        self.panes.bring_up_to_date("reasoning")
        self._hints.refresh()

    @on(Conversation.CopyRequested)
    def _copy_requested(self, event: Conversation.CopyRequested) -> None:
        event.stop()
        self.copy(event.text, "The selection")

    @on(Conversation.AlternativeClicked)
    def _alternative_clicked(self, event: Conversation.AlternativeClicked) -> None:
        event.stop()
        self.transcript.cursor.choose(event.key, brings_into_view=False)
        self.dispatcher.choose("next-alternative" if event.step > 0 else "previous-alternative")

    @on(Conversation.AnswerNowClicked)
    def _answer_now_clicked(self, event: Conversation.AnswerNowClicked) -> None:
        event.stop()
        self.dispatcher.choose("answer-now")

    @on(Conversation.LinkClicked)
    def _link_clicked(self, event: Conversation.LinkClicked) -> None:
        event.stop()
        self.late.copying.ask_to_open(event.target)

    def on_descendant_focus(self) -> None:
        """Typing is about no message, so none stays chosen."""
        if self.focused is self.composer:
            self.transcript.cursor.choose(None)
        if self.focused is not None:
            is_finding = self.find_bar in self.focused.ancestors
            self.panes.follow_keys(self.find_bar.searched if is_finding else self.focused)
        self._hints.refresh()

    def on_hints_changed(self, event: TextualMessage) -> None:
        """Keys do something else now; panes are imported when they are first opened, and named as the library does."""
        event.stop()
        self._hints.refresh()

    on_transcript_selection_mode_changed = on_hints_changed
    on_sessions_pane_hints_changed = on_hints_changed
    on_prompt_pane_hints_changed = on_hints_changed
    on_settings_pane_hints_changed = on_hints_changed
