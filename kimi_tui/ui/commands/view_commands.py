"""Commands that move the view of the conversation, and what is looked for in it."""

from __future__ import annotations

from kimi_tui.ui.keys.focus import take_keys
from kimi_tui.ui.panes.desk import Desk


class ViewCommands:
    """Commands on the transcript."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen."""
        self._desk = desk

    def do_fold(self, argument: str) -> None:
        """Fold or unfold every think block."""
        del argument
        self._desk.transcript.toggle_all_folds()

    def do_top(self, argument: str) -> None:
        """Show the beginning."""
        del argument
        self._desk.transcript.scroll_to_top()

    def do_follow(self, argument: str) -> None:
        """Show the end and follow it."""
        del argument
        self._desk.transcript.follow_tail()

    def do_page_up(self, argument: str) -> None:
        """Scroll a page up."""
        del argument
        self._desk.transcript.scroll_page(-1)

    def do_page_down(self, argument: str) -> None:
        """Scroll a page down."""
        del argument
        self._desk.transcript.scroll_page(1)

    def do_line_up(self, argument: str) -> None:
        """Scroll a line up."""
        del argument
        self._desk.transcript.scroll_lines(-1)

    def do_line_down(self, argument: str) -> None:
        """Scroll a line down."""
        del argument
        self._desk.transcript.scroll_lines(1)

    def do_previous_heading(self, argument: str) -> None:
        """Go to the heading before."""
        del argument
        self._desk.transcript.move_heading(-1)

    def do_next_heading(self, argument: str) -> None:
        """Go to the next heading."""
        del argument
        self._desk.transcript.move_heading(1)

    def do_previous_code(self, argument: str) -> None:
        """Go to the code block before."""
        del argument
        self._desk.transcript.move_code(-1)

    def do_next_code(self, argument: str) -> None:
        """Go to the next code block."""
        del argument
        self._desk.transcript.move_code(1)

    def do_find(self, argument: str) -> None:
        """Look for a text, or open the search."""
        self._desk.search_bar.open(argument.strip() or None, self._desk.panes.searchable())

    def do_previous_hit(self, argument: str) -> None:
        """Go to the hit before."""
        del argument
        self._desk.search_bar.move_hit(-1)

    def do_next_hit(self, argument: str) -> None:
        """Go to the next hit."""
        del argument
        self._desk.search_bar.move_hit(1)

    def do_dismiss(self, argument: str) -> None:
        """Take the notices away."""
        del argument
        self._desk.chat.notices.clear()
        self._desk.refresh_session()

    def do_select(self, argument: str) -> None:
        """Begin to select with the keyboard."""
        del argument
        take_keys(self._desk.transcript)
        self._desk.transcript.start_selection()
