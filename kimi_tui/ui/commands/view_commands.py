"""Commands that move the view of the conversation and its message cursor, and what is looked for in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kimi_tui.core.settings.actions import Scope
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.keys.focus import scope_of, take_keys
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.transcript.transcript_widget import Transcript


def view_rows(
    transcript: Transcript,
    find_bar: FindBar,
    open_chats: OpenChats,
    *,
    shown: Callable[[], None],
    type_here: Callable[[], None],
) -> Rows:
    """`shown` shows the conversation anew, `type_here` gives the composer the keys."""

    def find(text: str) -> None:
        """Look for a text; "" = open the search: in the reasoning, where that has the keys."""
        focused = transcript.screen.focused
        in_pane = isinstance(focused, Transcript) and scope_of(focused) is Scope.REASONING
        find_bar.open(text.strip() or None, focused if in_pane and isinstance(focused, Transcript) else None)

    def choose_message() -> None:
        take_keys(transcript)
        transcript.cursor.choose_in_view()

    def next_message() -> None:
        """Below the last message is the composer."""
        chat = open_chats.current
        if chat.branch and transcript.cursor.chosen == chat.branch[-1].id and chat.replies.turn is None:
            type_here()
        else:
            transcript.cursor.move(1)

    def fold_this() -> None:
        last = open_chats.current.last_reply
        key = transcript.cursor.chosen or (last.id if last is not None else None)
        if key is not None:
            transcript.folds.toggle(key)

    def dismiss() -> None:
        open_chats.current.notices.clear()
        shown()

    def select() -> None:
        take_keys(transcript)
        transcript.start_selection()

    return {
        "fold": transcript.folds.toggle_all,
        "fold-this": fold_this,
        "top": transcript.view.scroll_to_top,
        "follow": transcript.view.follow_tail,
        "page-up": partial(transcript.view.scroll_pages, -1),
        "page-down": partial(transcript.view.scroll_pages, 1),
        "line-up": partial(transcript.view.scroll_lines, -1),
        "line-down": partial(transcript.view.scroll_lines, 1),
        "previous-heading": partial(transcript.jumps.move_heading, -1),
        "next-heading": partial(transcript.jumps.move_heading, 1),
        "previous-code": partial(transcript.jumps.move_code, -1),
        "next-code": partial(transcript.jumps.move_code, 1),
        "choose-message": choose_message,
        "previous-message": partial(transcript.cursor.move, -1),
        "next-message": next_message,
        "first-message": partial(transcript.cursor.choose_edge, first=True),
        "last-message": partial(transcript.cursor.choose_edge, first=False),
        "find": find,
        "previous-hit": partial(find_bar.move_hit, -1),
        "next-hit": partial(find_bar.move_hit, 1),
        "dismiss": dismiss,
        "select": select,
    }
