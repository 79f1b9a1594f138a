"""What commands and panes may use of the screen. They know this, not the screen and its widgets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

from textual.geometry import Size
from textual.screen import Screen

from kimi_tui.core.errors import KimiError
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.settings.actions import Action, Need, Scope
from kimi_tui.core.settings.theme_palette import Palette
from kimi_tui.core.wire.turn_events import ReplyDelta
from kimi_tui.ui.keys.key_lookup import Keyboard
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.search_bar import SearchBar
from kimi_tui.ui.state.arrangement import Arrangement
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.side import Side

Answer = TypeVar("Answer")


class PaneDeck(Protocol):
    """The side panes, as far as others tell them what happened."""

    def session_changed(self) -> None:
        """The session on screen, its messages or its settings are others now."""

    def sessions_changed(self) -> None:
        """Another session is on screen, or a reply began or ended somewhere."""

    def delta_arrived(self, delta: ReplyDelta) -> None:
        """Text of the reply on screen arrived."""

    def label_changed(self) -> None:
        """The figures of the running reply are others now."""

    def target_changed(self) -> None:
        """Another message is chosen."""

    def draft_changed(self) -> None:
        """What is being typed is something else now."""

    def searchable(self) -> Transcript | None:
        """The lines of the pane with the focus; None = they are not to be searched."""

    def close_overlay(self) -> bool:
        """Close a pane that covers the conversation; whether one did."""


class FileDesk(Protocol):
    """What can be done with sessions as files."""

    async def rename(self, path: Path, title: str) -> None:
        """Give a session another title."""

    async def duplicate(self, path: Path) -> None:
        """Make a copy of a session."""

    async def delete(self, path: Path) -> str:
        """Move a session to the trash, and return what it is called."""

    async def restore(self) -> str:
        """Bring the session that was deleted last back, and return what it is called."""


class WaitingMessage(Protocol):
    """The message that waits for the running reply."""

    def give_back(self, message: str, edited: str | None = None) -> None:
        """Bring a message that was not sent back into the composer, with the question that it is an edit of."""

    def recall(self, step: int) -> None:
        """Bring the waiting message back into the empty composer, else an older (1) or a newer (-1) prompt."""

    def show_queue(self) -> None:
        """Show the message that waits."""


class Desk(Protocol):
    """The screen, as commands and panes see it."""

    services: Services
    """The engine, the store and the settings."""
    keyboard: Keyboard
    """Keys of actions."""
    turns: Turns
    """The running turns."""
    open_chats: OpenChats
    """The open sessions."""
    composer: Composer
    """Where the draft is typed."""
    drafts: Drafts
    """What the composer holds."""

    @property
    def chat(self) -> Chat:
        """The session on screen."""

    @property
    def transcript(self) -> Transcript:
        """The conversation."""

    @property
    def search_bar(self) -> SearchBar:
        """The search."""

    @property
    def sending(self) -> WaitingMessage:
        """The message that waits for the running reply."""

    @property
    def panes(self) -> PaneDeck:
        """The side panes."""

    @property
    def files(self) -> FileDesk:
        """The sessions as files."""

    @property
    def theme_name(self) -> str:
        """The theme in use."""

    @property
    def size(self) -> Size:
        """The terminal's size in cells."""

    def side_of(self, pane: str) -> Side:
        """Where a pane stands."""

    # -- what there is

    def scope_of_focus(self) -> Scope:
        """Where the focus is."""

    def target(self) -> Message | None:
        """The message that actions are about: the chosen one, else the last."""

    def offers(self) -> set[Need]:
        """What there is for actions to work on."""

    # -- what is said

    def say(self, text: str, severity: str = "info", *, about: str = "") -> None:
        """Put a notice into the conversation; one about the same thing goes, "" = about nothing in particular."""

    def say_error(self, error: KimiError, kept: str = "", severity: str = "error") -> None:
        """Put a failure into the conversation: what happened, what was kept, what to do next."""

    def remark(self, *texts: str) -> None:
        """Put a word into the status line for a while; of several forms, long ones first, the first that fits."""

    # -- what is done

    def perform(self, action: Action, argument: str, failed: Callable[[], None] = ...) -> None:
        """Do an action; what goes wrong is told in the conversation, and `failed` is called."""

    def run_later(self, work: Awaitable[None], failed: Callable[[], None] = ..., *, keys_wait: bool = True) -> None:
        """Do something beside everything else; what goes wrong is told in the conversation.

        Args:
            work: What is done.
            failed: Is called when it cannot be.
            keys_wait: Whether keys that follow may be meant for what comes of it; they wait for it, not for long.
        """

    def change(self, session: Session) -> None:
        """Take a changed session, show it and save it, where it holds anything."""

    def refresh_session(self) -> None:
        """Show the session anew after its messages changed."""

    def refresh_bars(self) -> None:
        """Show the figures as they are now."""

    def refresh_hints(self) -> None:
        """Show what keys do where the focus is."""

    def copy(self, text: str, what: str) -> None:
        """Put a text into the clipboard, and say what it was."""

    def copy_selection(self) -> bool:
        """Copy what is selected; whether anything was."""

    def show_arrangement(self, arrangement: Arrangement) -> None:
        """Give the conversation the room that the panes leave."""

    def rename_preset(self, old: str, new: str) -> None:
        """Rename a preset of the user's own; what goes wrong is told."""

    def type_here(self) -> None:
        """Let what is typed go into the composer; no message is chosen then."""

    def open_palette(self) -> None:
        """Show the command palette."""

    def open_screen(self, screen: Screen[Answer], callback: Callable[[Answer | None], None] | None = None) -> None:
        """Show a screen above this one, and take its answer."""

    def show_theme(self, palette: Palette) -> None:
        """Switch the colours."""

    async def prepare(self, chat: Chat) -> None:
        """Make what showing a session takes, beside everything else; nothing else may know the chat yet."""

    async def show_chat(self, chat: Chat) -> None:
        """Show another session; a reply that runs goes on.

        Raises:
            KimiError: This session could not be saved, and has no file yet; it stays.
        """

    async def open_path(self, path: Path) -> None:
        """Show another session; a reply that runs goes on.

        Raises:
            StorageError: It cannot be opened; this session stays.
        """

    async def leave(self, *, asks: bool = True) -> None:
        """Keep everything and end the program; where text cannot be saved, `asks` says whether to ask first."""
