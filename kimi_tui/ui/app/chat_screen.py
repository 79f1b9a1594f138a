"""The chat screen: the conversation, panes beside it, the composer below, a bar above and one below.

It says what stands where and passes things on: keys to `KeyOrder`, text to `Sending`, events of turns to
`TurnDisplay`. What belongs to one session is kept in its `Chat`, what the composer holds in `Drafts`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message as TextualMessage
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import HeldSession
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.settings.actions import BY_ID, Action, Need, Scope
from kimi_tui.core.settings.settings import PANES
from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.ui.app.bar_display import BarDisplay
from kimi_tui.ui.app.turn_display import TurnDisplay
from kimi_tui.ui.commands import situation
from kimi_tui.ui.commands.command_palette import ActionProvider
from kimi_tui.ui.commands.dispatcher import Dispatcher
from kimi_tui.ui.commands.leaving import Leaving
from kimi_tui.ui.commands.pane_commands import PaneCommands
from kimi_tui.ui.commands.sending import Sending
from kimi_tui.ui.commands.session_opener import SessionOpener
from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.keys.focus_barrier import KeyOrder
from kimi_tui.ui.keys.input_order import COMMANDS
from kimi_tui.ui.keys.key_lookup import Keyboard
from kimi_tui.ui.panes.conversation import Conversation
from kimi_tui.ui.panes.desk import Answer
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.search_bar import SearchBar
from kimi_tui.ui.state import entries
from kimi_tui.ui.state.arrangement import LEFT, MIN_COLUMNS, MIN_ROWS, Arrangement
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.state.services import Opening, Services
from kimi_tui.ui.state.status_line import key_words
from kimi_tui.ui.text.themes import show_theme
from kimi_tui.ui.widgets.bars import Bar
from kimi_tui.ui.widgets.command_hints import CommandHints
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.find_bar import FindBar
from kimi_tui.ui.widgets.side import Side

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.ui.commands.file_commands import FileCommands
    from kimi_tui.ui.commands.session_commands import SessionCommands
TEXT_LOST = 1
"""What the program ends with where text could not be saved."""
FRAME_CELLS = 6
"""What the composer's border takes of the footer's width, in cells."""


class ChatScreen(Screen[None]):
    """Conversations, and what is being typed."""

    BINDINGS: ClassVar[list[BindingType]] = []
    COMMANDS: ClassVar = {ActionProvider}

    @dataclass
    class OpeningFailed(TextualMessage):
        """The session to begin with cannot be read."""

        error: KimiError
        """Why."""

    @dataclass
    class CopyRequested(TextualMessage):
        """A text is to be copied."""

        text: str
        """The text."""
        what: str
        """What it is, such as "The message"."""

    class TakesKeys(TextualMessage):
        """The composer is there to be typed in."""

    def __init__(self, services: Services, first: HeldSession, opening: Opening | None = None) -> None:
        """Show a session; others may open it when it is left.

        Args:
            services: What it works with.
            first: The session, or an empty one that stands there until `opening` has been read.
            opening: The session to read; None = there is none.
        """
        super().__init__()
        self._opening = opening
        self._beginning = SessionOpener(self)
        self._switching = asyncio.Lock()  # one session after the other: each keeps the draft that is its own
        self.services = services
        self.keyboard = Keyboard(services.settings.keymap)
        self.open_chats = OpenChats(services, first)
        self.transcript = Conversation(id="transcript", fold_reasoning=services.settings.ui.fold_reasoning)
        self.composer = Composer(self.keyboard.table.keys, lambda: situation.choices(services), id="composer")
        self.find_bar = FindBar(id="find-bar")
        self._title_bar, self._status_bar = Bar(id="title-bar"), Bar(id="status-bar")
        self._queue = Static(id="queue", markup=False)
        tabs = [(name, self.keyboard.table.label(name)) for name in PANES]
        self._sides = {
            True: Side([tab for tab in tabs if tab[0] == LEFT], is_left=True, id="left-side"),
            False: Side([tab for tab in tabs if tab[0] != LEFT], is_left=False, id="right-side"),
        }
        self.drafts = Drafts(self.composer)
        self.search_bar = SearchBar(self.find_bar, self.transcript, self.type_here)
        self.sending = Sending(self, self._queue)
        self._send_word = ""
        self._leaving = Leaving(self, self._switching)
        self.panes = PaneCommands(self)
        self.display_of_turns = TurnDisplay(self)
        self.turns = Turns(
            services, self.display_of_turns, lambda work: self.app.run_worker(work, group="turn", exit_on_error=False)
        )
        self.dispatcher = Dispatcher(self, self._make_homes)
        self.key_order = KeyOrder(self)
        self.bar_display = BarDisplay(self, self._title_bar, self._status_bar, self.display_of_turns.tick)

    def _make_homes(self) -> Sequence[object]:
        """What does actions. The first frame needs none of it."""
        from kimi_tui.ui.commands.message_commands import MessageCommands  # noqa: PLC0415
        from kimi_tui.ui.commands.screen_commands import ScreenCommands  # noqa: PLC0415
        from kimi_tui.ui.commands.view_commands import ViewCommands  # noqa: PLC0415

        subjects = (ScreenCommands(self), MessageCommands(self), ViewCommands(self))
        return (*subjects, self._session_commands, self.files, self.panes)

    @cached_property
    def files(self) -> FileCommands:
        """What is done with sessions as files."""
        from kimi_tui.ui.commands.file_commands import FileCommands  # noqa: PLC0415

        return FileCommands(self)

    @cached_property
    def _session_commands(self) -> SessionCommands:
        from kimi_tui.ui.commands.session_commands import SessionCommands  # noqa: PLC0415

        return SessionCommands(self)

    # -- what stands where

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._title_bar
        with Horizontal(id="middle"):
            yield self._sides[True]
            yield self.transcript
            yield self._sides[False]
        yield self.find_bar
        with Vertical(id="bottom"):
            yield CommandHints(id="command-hints")
            yield self._queue
            yield self.composer
        yield self._status_bar
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        """Show the session and start typing."""
        self._queue.display = False
        self.bar_display.begin()
        if self._opening is None:
            self._begin()
        else:
            self._beginning.announce(self._opening)
            self.run_worker(self._open(self._opening), group="opening", exit_on_error=False)
        self.app.post_message(self.TakesKeys())

    async def _open(self, opening: Opening) -> None:
        """Read the session to begin with, and show it."""
        try:
            await self._beginning.read(opening)
        except KimiError as error:
            self.post_message(self.OpeningFailed(error))
        else:
            self._begin()

    def _begin(self) -> None:
        """Show the session and start typing; what was submitted before is sent."""
        lines = self._beginning.end()
        self._show_current()
        self.type_here()
        for line in (*self.services.problems, *(self._opening.told if self._opening is not None else ())):
            self.say(line, "warning")
        if self.services.key_problem is not None and self.chat.branch:
            self.say(key_words(self.services.key_problem), "warning")
        self.panes.begin(self.services.settings.ui.panes)
        for line in lines:
            self.sending.submit(line)

    def side_of(self, pane: str) -> Side:
        """Where a pane stands."""
        return self._sides[pane == LEFT]

    def show_arrangement(self, arrangement: Arrangement) -> None:
        """Give the conversation the room that the panes leave."""
        is_shown = not arrangement.overlay and not arrangement.is_too_small
        self.transcript.display = is_shown
        self.query_one("#bottom").display = is_shown
        self.set_class(arrangement.is_too_small, "-too-small")
        if not arrangement.is_too_small:
            self.call_after_refresh(self._keep_focus)
        if arrangement.is_too_small:
            self.set_focus(None)
            self.query_one("#too-small", Static).update(
                f"kimi-tui needs {MIN_COLUMNS} columns and {MIN_ROWS} rows; here are "
                f"{self.size.width} and {self.size.height}. Make the window larger: nothing is lost."
            )

    def _keep_focus(self) -> None:
        """Give the focus, where what had it went out of view, to the pane that had it before, else to the composer."""
        is_lost = self.focused is None or not all(node.display for node in self.focused.ancestors_with_self)
        if is_lost and not self.panes.give_keys_back():
            take_keys(self.composer)

    def rename_preset(self, old: str, new: str) -> None:
        """Rename a preset of the user's own; what goes wrong is told."""
        self.dispatcher.attempt(lambda: self._session_commands.rename_preset(old, new))

    def _show_current(self) -> None:
        """Show the session that is on screen now."""
        self.transcript.choose(None)
        self.display_of_turns.show_entries(self.chat)
        self.transcript.follow_tail()
        self.drafts.begin(self.chat.draft)
        self.sending.show_queue()
        self.refresh_bars()
        self.refresh_hints()

    def on_resize(self) -> None:
        """Arrange everything for another size."""
        self.panes.arrange()
        self.refresh_hints()
        self.refresh_bars()

    # -- what there is

    @property
    def chat(self) -> Chat:
        """The session on screen, and what belongs to it."""
        return self.open_chats.current

    @property
    def is_too_small(self) -> bool:
        """Whether the terminal is too small to show anything."""
        return self.has_class("-too-small")

    @property
    def is_giving_keys(self) -> bool:
        """Whether a pane is about to take the focus."""
        return self.panes.is_giving_keys

    def scope_of_focus(self) -> Scope:
        """Where the focus is."""
        widget: object = self.focused
        while isinstance(widget, Widget):
            scope = getattr(widget, "scope", None)
            if isinstance(scope, Scope):
                return scope
            widget = widget.parent
        return Scope.SCREEN

    def target(self) -> Message | None:
        """The chosen message; where none is chosen the last one. The growing reply is none yet."""
        branch, chosen, live = self.chat.branch, self.transcript.chosen, self.chat.live
        if live is not None and chosen == live.key:
            return None
        return self.chat.message(chosen) or (branch[-1] if branch else None)

    def offers(self) -> set[Need]:
        """What there is for actions to work on."""
        return situation.offers(self.chat, self.target(), self.transcript, is_finding=self.search_bar.has_text)

    # -- what is said

    def say(self, text: str, severity: str = "info", *, about: str = "") -> None:
        """Put a notice into the conversation; one about the same thing goes, "" = about nothing in particular."""
        for chat in self.open_chats.all if about else ():
            chat.drop_notices(about)
        self.display_of_turns.notice(self.chat, text, severity, about)

    def say_error(self, error: KimiError, kept: str = "", severity: str = "error") -> None:
        """Put a failure into the conversation: what happened, what was kept, what to do next."""
        self.say(entries.error_text(error, kept), severity)

    # -- what is done

    def on_key(self, event: events.Key) -> None:
        """Do what a key means where the focus is."""
        self.key_order.take(event)

    def action_choose(self, action_id: str) -> None:
        """Do an action by its id, as a key or the palette asks."""
        if not self._beginning.is_too_early_for(action_id):
            self.dispatcher.choose(action_id)

    def perform(self, action: Action, argument: str, failed: Callable[[], None] = lambda: None) -> None:
        """Do an action; what goes wrong is told in the conversation, and `failed` is called."""
        if self._beginning.is_too_early_for(action.id):
            failed()
        else:
            self.dispatcher.perform(action, argument, failed)

    def run_later(
        self, work: Awaitable[None], failed: Callable[[], None] = lambda: None, *, keys_wait: bool = True
    ) -> None:
        """Do something beside everything else; what goes wrong is told in the conversation."""
        group = COMMANDS if keys_wait else "beside"
        self.run_worker(self.dispatcher.carried_out(work, failed), group=group, exit_on_error=False)

    async def ready_for(self, event: events.Event) -> bool:
        """Wait, where the session that an event asks something of is still being read; whether it was."""
        action = self.key_order.action_of(event) if isinstance(event, events.Key) else None
        return await self._beginning.ready_for(action)

    def copy(self, text: str, what: str) -> None:
        """Put a text into the clipboard, and say in the status line where it is."""
        self.post_message(self.CopyRequested(text, what))

    def copy_selection(self) -> bool:
        """Copy what is selected in an editor or the conversation; whether anything was."""
        editor = self.focused if isinstance(self.focused, Input | TextArea) else self.composer
        selected = editor.selected_text or self.get_selected_text()
        if selected:
            self.copy(selected, "The selection")
            self.clear_selection()
        return bool(selected)

    def type_here(self) -> None:
        """Let what is typed go into the composer; no message is chosen then."""
        self.panes.keep_keys()
        self.transcript.choose(None)
        take_keys(self.composer)

    def open_palette(self) -> None:
        """Show the command palette."""
        from kimi_tui.ui.screens.palette_screen import Palette  # noqa: PLC0415 - the first frame does not need it

        self.open_screen(Palette())

    def open_screen(self, screen: Screen[Answer], callback: Callable[[Answer | None], None] | None = None) -> None:
        """Show a screen above this one, and take its answer."""
        self.app.push_screen(screen, callback)

    @property
    def theme_name(self) -> str:
        """The theme in use."""
        return self.app.theme

    def show_theme(self, palette: Palette) -> None:
        """Switch the colours."""
        show_theme(self.app, palette)

    # -- sessions

    def change(self, session: Session) -> None:
        """Take a changed session, show it and save it, where it holds anything or its file still does."""
        self.chat.open_session.update(lambda _: session)
        self.refresh_bars()
        self.refresh_hints()
        self.panes.session_changed()
        self.run_later(self._save(self.chat))

    async def _save(self, chat: Chat) -> None:
        """Save a session where it holds anything or its file still does, and show whether it is.

        Raises:
            StorageError: It could not be written.
        """
        try:
            if chat.session.messages or await self.open_chats.has_file(chat):
                await chat.open_session.save()
        finally:
            self.refresh_bars()

    def refresh_session(self) -> None:
        """Show the session anew after its messages changed."""
        self.display_of_turns.show_entries(self.chat)
        self.refresh_hints()
        self.panes.session_changed()

    async def open_path(self, path: Path) -> None:
        """Show another session; a reply that runs goes on.

        Raises:
            StorageError: It cannot be opened; this session stays.
        """
        chat = await self.open_chats.open(path)
        if chat not in self.open_chats.all:
            await self.prepare(chat)
        await self.show_chat(chat)

    async def prepare(self, chat: Chat) -> None:
        """Make what showing a session takes, beside everything else: the work grows with its messages.

        Nothing else may know the chat yet.
        """
        await asyncio.to_thread(self.display_of_turns.prepare, chat)
        await asyncio.to_thread(self.bar_display.prepare, chat)

    async def show_chat(self, chat: Chat) -> None:
        """Show another session; a reply that runs goes on.

        Raises:
            KimiError: This session could not be saved, and has no file yet; it stays.
        """
        async with self._switching:
            self.search_bar.close()
            before = self.chat
            await self.open_chats.show(chat, lambda: self.drafts.own)
            self._show_current()
        self.type_here()
        self.panes.session_changed()
        self.panes.sessions_changed()
        if before is not chat and before.unsaved is not None:
            self.say_error(before.unsaved, "The session before stays open here until it can be saved.")

    async def leave(self, *, asks: bool = True) -> None:
        """Keep everything and end the program; where text cannot be saved, `asks` says whether to ask first."""
        await self._beginning.wait()
        if await self._leaving.may_leave(asks=asks):
            self.services.library.close()
            await self.open_chats.release()
            session_id = self.chat.session.id if await self.open_chats.has_file(self.chat) else None
            self.app.exit(session_id, return_code=TEXT_LOST if self.open_chats.unsaved else 0)

    # -- what happens in the widgets

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        """Send a message, or do what a slash command says."""
        event.stop()
        if not self._beginning.submit(event.text):
            self.sending.submit(event.text)

    @on(Composer.RecallRequested)
    def _recall(self, event: Composer.RecallRequested) -> None:
        """Bring the queued message or an earlier prompt back."""
        event.stop()
        if event.step > 0:
            self.perform(BY_ID["last-prompt"], "")
        else:
            self.sending.recall(event.step)

    @on(Composer.QuitRequested)
    def _quit_requested(self) -> None:
        """Leave the program."""
        self.perform(BY_ID["quit"], "")

    @on(Composer.DraftChanged)
    def _draft_changed(self, event: Composer.DraftChanged) -> None:
        """Show the prompt with it, and what Enter means for it."""
        event.stop()
        self.panes.draft_changed()
        if self.sending.word != self._send_word:
            self.refresh_hints()

    @on(Composer.CompletionsChanged)
    def _completions_changed(self, event: Composer.CompletionsChanged) -> None:
        """Show the commands that the draft may become."""
        event.stop()
        self.query_one(CommandHints).show(event.completions, event.picked)
        self.refresh_hints()

    @on(FindBar.Changed)
    def _find_changed(self, event: FindBar.Changed) -> None:
        """Look for something else."""
        self.search_bar.find(event.text)

    @on(FindBar.HitRequested)
    def _hit_requested(self, event: FindBar.HitRequested) -> None:
        """Go to another hit."""
        self.search_bar.move_hit(event.step)

    @on(FindBar.Closed)
    def _find_closed(self) -> None:
        """End the search."""
        self.search_bar.close()

    @on(Conversation.Found)
    def _found(self, event: Conversation.Found) -> None:
        """Say how often it was found."""
        event.stop()
        self.search_bar.show_found(event)

    @on(Conversation.Chosen)
    def _chosen(self, event: Conversation.Chosen) -> None:
        """Show what belongs to the chosen message."""
        event.stop()
        self.panes.target_changed()
        self.refresh_hints()

    @on(Conversation.SelectionModeChanged)
    def _selection_mode_changed(self, event: Conversation.SelectionModeChanged) -> None:
        """Show what the keys do while they select."""
        event.stop()
        self.refresh_hints()

    @on(Conversation.CopyRequested)
    def _copy_requested(self, event: Conversation.CopyRequested) -> None:
        """Copy what was selected with the keyboard."""
        event.stop()
        self.copy(event.text, "The selection")

    @on(Conversation.AlternativeClicked)
    def _alternative_clicked(self, event: Conversation.AlternativeClicked) -> None:
        """Go to another alternative."""
        event.stop()
        self.transcript.choose(event.key, brings_into_view=False)
        self.dispatcher.choose("next-alternative" if event.step > 0 else "previous-alternative")

    @on(Side.PaneClicked)
    def _pane_clicked(self, event: Side.PaneClicked) -> None:
        """Show another pane."""
        event.stop()
        self.panes.show(event.pane)

    @on(Side.Dragged)
    def _dragged(self, event: Side.Dragged) -> None:
        """Make a pane as wide as its edge was dragged."""
        event.stop()
        self.panes.set_width(event.pane, event.columns)

    def on_descendant_focus(self) -> None:
        """Show the keys of another place; typing is about no message."""
        if self.focused is self.composer:
            self.transcript.choose(None)
        if self.focused is not None:
            self.panes.follow_keys(
                self.search_bar.searched if self.focused in self.find_bar.query("*") else self.focused
            )
        self.refresh_hints()

    # -- the bars

    def remark(self, *texts: str) -> None:
        """Put a word into the status line for a while; of several forms, long ones first, the first that fits."""
        self.bar_display.remark(*texts)

    def refresh_bars(self) -> None:
        """Show the figures as they are now."""
        self.bar_display.refresh()

    def _words_now(self) -> dict[str, str]:
        """What actions mean now where that is something else than their own word, by id; "" = nothing."""
        self._send_word = self.sending.word
        words_now = {"send": self._send_word}
        if self.composer.has_completions or self.find_bar.is_open:
            words_now["back"] = "close"
        elif self.drafts.is_aside:
            words_now["back"] = "cancel"
        if (target := self.target()) is not None and target.excluded:
            words_now["leave-out"] = "take in"
        if self.scope_of_focus() is Scope.SESSIONS and not self.files.can_restore:
            words_now["restore-session"] = ""
        return words_now

    def refresh_hints(self) -> None:
        """Show what keys do where the focus is."""
        nodes = self.focused.ancestors_with_self if self.focused is not None else ()
        own = next((hints for node in nodes if (hints := getattr(node, "hints", ""))), "")
        idle = (name for node in nodes for name in getattr(node, "idle_actions", ()))
        width, words_now = max(self.size.width - FRAME_CELLS, 0), self._words_now() | dict.fromkeys(idle, "")
        scope, offered = self.scope_of_focus(), self.offers()
        hints = situation.hints(scope, offered, self.keyboard, width, instead=own, words_now=words_now)
        self.composer.show_hints(hints)
        for side in self._sides.values():
            side.show_hints(hints)
