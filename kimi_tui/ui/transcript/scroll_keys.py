"""The keys that scroll a transcript from around it, for whatever shows one without a message cursor."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding

from kimi_tui.ui.transcript.view import View


def scroll_bindings(*, up: str = "up", down: str = "down", is_first: bool = False) -> Sequence[Binding]:
    """`up` and `down` scroll by lines; `is_first` = before what has the focus is asked about these keys."""
    keys = {
        up: "scroll_lines(-1)",
        down: "scroll_lines(1)",
        "pageup": "scroll_pages(-1)",
        "pagedown": "scroll_pages(1)",
        "home": "to_top",
        "end": "follow_tail",
    }
    return [Binding(key, action, show=False, priority=is_first) for key, action in keys.items()]


class ScrollKeys:
    """Stands before the base of a widget or screen that has these bindings."""

    @property
    def scrolled(self) -> View | None:
        """None = there is nothing to scroll."""
        raise NotImplementedError

    def action_scroll_lines(self, lines: int) -> None:
        """Negative = up."""
        if (view := self.scrolled) is not None:
            view.scroll_lines(lines)

    def action_scroll_pages(self, pages: int) -> None:
        """Negative = up."""
        if (view := self.scrolled) is not None:
            view.scroll_pages(pages)

    def action_to_top(self) -> None:
        if (view := self.scrolled) is not None:
            view.scroll_to_top()

    def action_follow_tail(self) -> None:
        if (view := self.scrolled) is not None:
            view.follow_tail()
