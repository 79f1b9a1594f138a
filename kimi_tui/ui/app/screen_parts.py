"""The seam between the two halves of the composition: what the screen made, and what is made of it later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from textual.app import App

from kimi_tui.core.settings.actions import Need
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.ui.app.bar_display import BarDisplay
from kimi_tui.ui.app.redraw import Redraw
from kimi_tui.ui.app.turn_display import TurnDisplay
from kimi_tui.ui.commands.current_session import CurrentSession
from kimi_tui.ui.commands.dispatcher import Background, Dispatcher, Done, Rows
from kimi_tui.ui.panes.conversation_feed import Conversation, ConversationFeed
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.told_lines import SaveLine

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.ui.commands.copy_commands import CopyCommands
    from kimi_tui.ui.commands.leaving import Leaving
    from kimi_tui.ui.commands.outside_watch import OutsideWatch
    from kimi_tui.ui.commands.prompt_history import PromptHistory
    from kimi_tui.ui.commands.save_retry import SaveRetry
    from kimi_tui.ui.commands.sending import Sending
    from kimi_tui.ui.state.running_turns import Turns

Work = Awaitable[None] | Callable[[], Awaitable[None]]


@dataclass(frozen=True, eq=False)
class ScreenParts:
    app: App[object]
    services: Services
    keymap: KeyTable
    chats: OpenChats
    transcript: Conversation
    find_bar: FindBar
    composer: Composer
    drafts: Drafts
    save_line: SaveLine
    bars: BarDisplay
    feed: ConversationFeed
    background: Background
    panes: SidePanes
    redraw: Redraw
    turn_display: TurnDisplay
    current: CurrentSession
    dispatcher: Dispatcher
    offers: Callable[[], set[Need]]  # gives what there is for actions to work on
    typed: Callable[[], None]  # notes that what was typed may have to be saved, or not any more
    type_here: Callable[[], None]  # gives the composer the keys
    copy: Callable[[str, str], None]  # copies a text and says of what
    leave: Callable[[], Done]
    run_beside: Callable[[Work, str], None]  # runs something in a group of workers, beside everything else
    run_turn: Callable[[Awaitable[None]], None]


class Late(Protocol):
    """What the first frame does not need: imported and made with the first of it that is asked for."""

    turns: Turns
    history: PromptHistory
    sending: Sending
    copying: CopyCommands
    leaving: Leaving
    save_retry: SaveRetry
    outside_watch: OutsideWatch

    def rows(self) -> Rows:
        """What does each action."""

    def make_panel(self, name: str) -> Panel: ...
